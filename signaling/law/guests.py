"""The guests of a visit: invited, admitted, dismissed (SIG-26 … SIG-28)."""

from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as with_

from signaling.law.asked import GuestAdmitted, GuestDismissed, GuestInvited
from signaling.law.errors import ConsentMissing, ConsentRefused, GuestAbsent, GuestsFull
from signaling.law.facts import Seat
from signaling.law.outputs import DropSeat, SetTap
from signaling.law.standing import came_note, consent_notes, consent_of, iso
from signaling.law.step import Step
from signaling.law.terms import GUESTS


def take(step: Step, given: GuestInvited | GuestAdmitted | GuestDismissed) -> None:
    """Raises `RoleWrong`, `PhaseWrong`, `GuestAbsent`, `GuestsFull`, `ConsentMissing`, `ConsentRefused`."""
    match given:
        case GuestInvited(seat, kind, said):
            if (has := step.facts.guests.get(seat)) is not None and not (said and has == kind):
                raise GuestsFull("this seat is another guest's")
            step.facts = with_(step.facts, guests={**step.facts.guests, seat: kind})
        case GuestAdmitted(seat, guest):
            step.need("doctor", seat, "live")
            if guest not in step.facts.admitted:
                _admit(step, guest)
        case GuestDismissed(seat, guest):
            step.need("doctor", seat, "live")
            if guest in step.facts.admitted:
                _dismiss(step, guest, "dismissed")


def _admit(step: Step, guest: Seat) -> None:
    """SIG-26, SIG-27."""
    if guest not in step.facts.guests or not step.life.seat(guest).present:
        raise GuestAbsent
    state = consent_of(step.facts, guest).state
    if step.facts.recording == "required" and state in ("refused", "withdrawn"):
        raise ConsentRefused
    if state == "undecided":
        raise ConsentMissing
    step.facts = with_(
        step.facts,
        admitted={**step.facts.admitted, guest: step.life.last_message},
        came={**step.facts.came, guest: iso(step.now)},
    )
    if step.facts.log_open:
        step.out += [came_note(step.facts, guest), *consent_notes(step.facts, guest)]
    step.note("event", {"event": "guest", "seat": guest, "state": step.facts.guests[guest]}, f"guest:{guest}")


def _dismiss(step: Step, guest: Seat, reason: str) -> None:
    step.note("leave", {"seat": guest, "reason": reason}, guest)
    step.facts = with_(
        step.facts,
        admitted={seat: seq for seat, seq in step.facts.admitted.items() if seat != guest},
        came={seat: at for seat, at in step.facts.came.items() if seat != guest},
    )
    step.set(guest, replace(step.life.seat(guest), media="none", pc=None, tapped=False))
    step.life = replace(
        step.life,
        guests_asked=step.life.guests_asked - {guest},
        guests_started=step.life.guests_started - {guest},
    )
    step.out.append(DropSeat(guest))


def dismiss_all(step: Step, reason: str) -> None:
    """The room is closed anyway: nobody need be dropped."""
    dropped = len(step.out)
    for guest in GUESTS:
        if guest in step.facts.admitted:
            _dismiss(step, guest, reason)
    step.out[dropped:] = [each for each in step.out[dropped:] if not isinstance(each, DropSeat)]


def stop(step: Step, guest: Seat) -> None:
    """A guest withdrew (SIG-27)."""
    if guest in step.facts.admitted and step.facts.recording == "required":
        _dismiss(step, guest, "consent_withdrawn")
    elif guest in step.facts.admitted:
        step.life = replace(step.life, guests_started=step.life.guests_started - {guest})
        step.out.append(SetTap(guest, on=False))
