"""The promise to the next patient, and who is told when it is not kept (SIG-22). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from signaling.law.facts import VisitFacts
from signaling.law.standing import iso, seconds
from signaling.law.wait_estimate import Estimate


@dataclass(frozen=True, slots=True)
class Limits:
    """How long whoever is next may wait, in seconds: for the doctor's call, and from then on until the clinic is told. The
    settings `call_within_s` and `escalate_after_s`."""

    call_s: float
    clinic_s: float


def given(facts: VisitFacts, ahead: int, estimate: Estimate | None, now: float, limits: Limits) -> VisitFacts:
    """The same, with a promise if the patient has just become next: it stays as it was given."""
    if facts.phase != "waiting" or ahead or facts.promised_until is not None:
        return facts
    within_s = max(limits.call_s, estimate.high_s if estimate is not None else 0.0)
    return replace(facts, promised_until=iso(now + within_s))


def broken(facts: VisitFacts, now: float, limits: Limits) -> VisitFacts:
    """The same, with who must be told by now."""
    due = deadline(facts, limits)
    if due is None or now < due:
        return facts
    return broken(replace(facts, late="doctor" if facts.late is None else "coordinator"), now, limits)


def deadline(facts: VisitFacts, limits: Limits) -> float | None:
    """When somebody must next be told."""
    if facts.phase != "waiting" or facts.promised_until is None or facts.late == "coordinator":
        return None
    return seconds(facts.promised_until) + (limits.clinic_s if facts.late == "doctor" else 0.0)


def forgotten(facts: VisitFacts) -> VisitFacts:
    """The same after the patient was called, or went back into the queue."""
    return replace(facts, promised_until=None, late=None)


def offers(facts: VisitFacts) -> list[str]:
    """`waiting.offers` of PROTOCOL.md §4."""
    if facts.phase != "waiting" or facts.late != "coordinator":
        return []
    asked = {"phone_back": facts.phone_back, "rebook": facts.rebook}
    return [wish for wish, since in asked.items() if since is None]
