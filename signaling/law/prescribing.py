"""Prescriptions made in the hospital's own page: what is claimed of them, and what the hospital's server confirms. Pure.

RX-1  What the page says is a claim. Only the hospital's server, by its own signed word, makes it `confirmed`, and only
      for the same rx, version and SHA-256 (and SM3, where both give one).
RX-2  A claim that is not confirmed within 10 minutes becomes `unconfirmed`, and that is on the record. What is
      confirmed after that is confirmed `late`: the record keeps both.
RX-3  Where the hospital's server names another hash than the page did, the prescription is `contradicted`, for good: another
      version is needed.
RX-4  Each version has one hash. The same claim again changes nothing; a later state of the same hash is noted.
RX-5  Every change of state or standing is on the evidence log, while that is open, as the event `rx`; and told to the
      hospital's receivers always.
"""

from __future__ import annotations

from msgspec.structs import replace as with_

from signaling.law.asked import RxClaimed, RxConfirmed
from signaling.law.errors import PhaseWrong, RxConflict, RxFull
from signaling.law.facts import Prescription, VisitFacts
from signaling.law.standing import iso, seconds
from signaling.law.step import Step

CONFIRM_WITHIN_S = 600.0
MOST = 50


def claim(step: Step, given: RxClaimed) -> None:
    """`slot.claim`. Raises `PhaseWrong`, `RxConflict`, `RxFull`."""
    before = _find(step.facts, given)
    if before is not None and not _same(before, given):
        raise RxConflict  # RX-4
    if before is None:
        _keep(
            step, Prescription(given.rx, given.version, given.sha256, given.state, "claimed", given.sm3, iso(step.now))
        )
    elif before.standing in ("claimed", "unconfirmed") and before.state != given.state:
        _keep(step, with_(before, state=given.state))
    elif before.claimed is None:
        _keep(step, with_(before, claimed=iso(step.now)))


def confirm(step: Step, given: RxConfirmed) -> None:
    """The hospital's server spoke. Raises `PhaseWrong`, `RxConflict` (the record says so, RX-3), `RxFull`."""
    before = _find(step.facts, given)
    now = iso(step.now)
    if before is None:
        _keep(step, Prescription(given.rx, given.version, given.sha256, given.state, "confirmed", given.sm3, None, now))
    elif before.standing == "contradicted" or not _same(before, given):
        _keep(step, with_(before, standing="contradicted"))
    else:
        late = before.late or before.standing == "unconfirmed"
        at = before.confirmed or now
        after = with_(before, standing="confirmed", state=given.state, confirmed=at, late=late)
        _keep(step, with_(after, sm3=before.sm3 or given.sm3))


def pass_time(step: Step) -> None:
    """RX-2."""
    for each in step.facts.prescriptions:
        if each.standing == "claimed" and each.claimed is not None and step.now >= _due(each):
            _keep(step, with_(each, standing="unconfirmed"))


def contradicted(facts: VisitFacts, given: RxConfirmed) -> bool:
    """Whether what the hospital's server says of this is not what the page said."""
    found = _find(facts, given)
    return found is not None and found.standing == "contradicted"


def deadline(facts: VisitFacts) -> float | None:
    """When a claim is next to be given up."""
    return None if facts.rx_due is None else seconds(facts.rx_due)


def _due(claimed: Prescription) -> float:
    assert claimed.claimed is not None
    return seconds(claimed.claimed) + CONFIRM_WITHIN_S


def _find(facts: VisitFacts, given: RxClaimed | RxConfirmed) -> Prescription | None:
    if facts.phase == "scheduled":
        raise PhaseWrong
    key = f"{given.rx}#{given.version}"
    return next((each for each in facts.prescriptions if each.key == key), None)


def _same(before: Prescription, given: RxClaimed | RxConfirmed) -> bool:
    sm3_differs = before.sm3 is not None and given.sm3 is not None and before.sm3 != given.sm3
    return before.sha256 == given.sha256 and not sm3_differs


def _keep(step: Step, rx: Prescription) -> None:
    before = next((each for each in step.facts.prescriptions if each.key == rx.key), None)
    if before == rx:
        return
    if before is None and len(step.facts.prescriptions) >= MOST:
        raise RxFull
    kept = [rx if each.key == rx.key else each for each in step.facts.prescriptions]
    kept += [] if before is not None else [rx]
    due = min((_due(each) for each in kept if each.standing == "claimed" and each.claimed), default=None)
    step.facts = with_(step.facts, prescriptions=kept, rx_due=None if due is None else iso(due))
    if before is not None and before.shown == rx.shown:
        return  # the page said later what the hospital had said before
    detail: dict[str, object] = {"rx": rx.rx, "version": rx.version, "rx_state": rx.state, "sha256": rx.sha256}
    if rx.sm3 is not None:
        detail["sm3"] = rx.sm3
    if rx.late:
        detail["late"] = True
    body = {"event": "rx", "seat": "doctor", "state": rx.standing, "detail": detail}
    step.note("event", body, f"rx:{rx.key}:{rx.standing}:{rx.state}")  # RX-5
