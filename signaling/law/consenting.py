"""A seat's consent: given, refused, withdrawn (SIG-6, SIG-10, SIG-27), and by whom (SIG-40)."""

from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as with_

from signaling.law import course, guests, record
from signaling.law.asked import Decided
from signaling.law.errors import GuardianMissing, PhaseWrong, RoleWrong
from signaling.law.facts import Consent, Seat
from signaling.law.standing import consent_notes, consent_of, inside, needs_guardian
from signaling.law.step import Step
from signaling.law.terms import SEATS


def decide(step: Step, given: Decided) -> None:
    """`consent`. Raises `PhaseWrong`, `RoleWrong`, `GuardianMissing`."""
    _check_who(step, given)
    before = consent_of(step.facts, given.seat)
    after = Consent(
        given.decision,
        given.text_version,
        given.text_sha256,
        given.language,
        given.method,
        step.after(before),
        given.by,
    )
    if with_(after, at=before.at) == before:
        return  # repeated after a lost acknowledgement
    if step.facts.phase == "live" and (given.seat in SEATS or given.seat in step.facts.admitted):
        raise PhaseWrong
    step.set_consent(given.seat, after)
    if given.seat not in inside(step.facts):
        return  # it goes on the log when the guest is let in (SIG-27)
    if step.facts.log_open:
        step.out += consent_notes(step.facts, given.seat)
    elif given.decision == "agreed" and not step.life.stopped:  # what a withdrawal closed stays closed (SIG-10)
        step.facts = with_(step.facts, log_open=True)
        record.open_log(step)


def withdraw(step: Step, seat: Seat) -> None:
    """`withdraw`."""
    before = consent_of(step.facts, seat)
    if before.state != "agreed":
        return
    step.set_consent(seat, with_(before, state="withdrawn", at=step.after(before)))
    if step.facts.log_open and seat in inside(step.facts):
        step.out += consent_notes(step.facts, seat)
    if step.facts.phase != "live":
        return
    if seat not in SEATS:  # SIG-27
        guests.stop(step, seat)
        return
    # SIG-10
    if step.facts.recording == "required":
        assert seat == "doctor" or seat == "patient"
        course.end(step, seat, "consent_withdrawn")
    else:
        step.life = replace(step.life, stopped=True)
        record.shut_taps(step)


def _check_who(step: Step, given: Decided) -> None:
    """SIG-40: others decide for a patient only, and for a small child a guardian does."""
    if given.by is not None and given.seat != "patient":
        raise RoleWrong
    guarded = given.by is not None and given.by.as_ == "guardian"
    if given.seat == "patient" and given.decision == "agreed" and needs_guardian(step.facts) and not guarded:
        raise GuardianMissing
