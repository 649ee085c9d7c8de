"""A seat's consent: given, refused, withdrawn (SIG-6, SIG-10, SIG-27)."""

from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as with_

from signaling import course, guests, record
from signaling.asked import Decided
from signaling.errors import PhaseWrong
from signaling.ports import Consent, Seat
from signaling.standing import consent_note, consent_of
from signaling.step import Step
from signaling.terms import SEATS


def decide(step: Step, given: Decided) -> None:
    """`consent`. Raises `PhaseWrong`."""
    before = consent_of(step.facts, given.seat)
    after = Consent(
        given.decision, given.text_version, given.text_sha256, given.language, given.method, step.after(before)
    )
    if with_(after, at=before.at) == before:
        return  # repeated after a lost acknowledgement
    if step.facts.phase == "live" and (given.seat in SEATS or given.seat in step.facts.admitted):
        raise PhaseWrong
    step.set_consent(given.seat, after)
    if step.facts.log_open:
        step.out.append(consent_note(step.facts, given.seat))
    elif given.decision == "agreed":
        step.facts = with_(step.facts, log_open=True)
        record.open_log(step)


def withdraw(step: Step, seat: Seat) -> None:
    """`withdraw`."""
    before = consent_of(step.facts, seat)
    if before.state != "agreed":
        return
    step.set_consent(seat, with_(before, state="withdrawn", at=step.after(before)))
    if step.facts.log_open:
        step.out.append(consent_note(step.facts, seat))
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
