"""The promise to the next patient, and who is told when it is not kept (SIG-22). Pure."""

from __future__ import annotations

from msgspec.structs import replace

from signaling.ports import VisitFacts
from signaling.standing import iso, seconds
from signaling.wait_estimate import Estimate

PROMISE_S = 300.0
COORDINATOR_AFTER_S = 180.0


def given(facts: VisitFacts, ahead: int, estimate: Estimate | None, now: float) -> VisitFacts:
    """The same, with a promise if the patient has just become next: it stays as it was given."""
    if facts.phase != "waiting" or ahead or facts.promised_until is not None:
        return facts
    within_s = max(PROMISE_S, estimate.high_s if estimate is not None else 0.0)
    return replace(facts, promised_until=iso(now + within_s))


def broken(facts: VisitFacts, now: float) -> VisitFacts:
    """The same, with who must be told by now."""
    due = deadline(facts)
    if due is None or now < due:
        return facts
    return broken(replace(facts, late="doctor" if facts.late is None else "coordinator"), now)


def deadline(facts: VisitFacts) -> float | None:
    """When somebody must next be told."""
    if facts.phase != "waiting" or facts.promised_until is None or facts.late == "coordinator":
        return None
    return seconds(facts.promised_until) + (COORDINATOR_AFTER_S if facts.late == "doctor" else 0.0)


def forgotten(facts: VisitFacts) -> VisitFacts:
    """The same after the patient was called, or went back into the queue."""
    return replace(facts, promised_until=None, late=None)


def offers(facts: VisitFacts) -> list[str]:
    """`waiting.offers` of PROTOCOL.md §4."""
    if facts.phase != "waiting" or facts.late != "coordinator":
        return []
    return ["rebook"] if facts.phone_back else ["phone_back", "rebook"]
