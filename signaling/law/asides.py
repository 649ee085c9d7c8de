"""What is said and done beside the course of a visit: hold, advice, notes, the wishes to be phoned, or for another time.

NOTE-1  The notes are the doctor's: no other seat is shown them, nothing of them is on the evidence log or in an event, and
        they stay behind when the patient is given to a colleague. Written again as they are, they change nothing.
"""

from __future__ import annotations

from msgspec.structs import replace as with_

from signaling.law import course, standing
from signaling.law.asked import Advised, Held, NotesWritten, PhoneBackAsked, RebookAsked, SentBack
from signaling.law.errors import PhaseWrong, RoleWrong
from signaling.law.standing import iso
from signaling.law.step import Step


def take(step: Step, given: Held | SentBack | PhoneBackAsked | RebookAsked) -> None:
    """Raises `RoleWrong`, `PhaseWrong`."""
    match given:
        case Held(seat, on):  # SIG-23
            step.need("doctor", seat, "live")
            if step.facts.held != on:
                step.facts = with_(step.facts, held=on)
                step.note("event", {"event": "hold", "seat": seat, "state": "on" if on else "off"}, "hold")
        case SentBack(seat):
            step.need("doctor", seat, "live")
            course.send_back(step)
        case PhoneBackAsked(seat):
            step.need("patient", seat, "waiting", "live")
            if step.facts.phone_back is None:
                step.facts = with_(step.facts, phone_back=iso(step.now))
                step.note("event", {"event": "phone_back", "seat": seat}, "phone_back")
        case RebookAsked(seat):  # the place is kept: only the hospital knows its calendar
            step.need("patient", seat, "waiting")
            if step.facts.rebook is None:
                step.facts = with_(step.facts, rebook=iso(step.now))
                step.note("event", {"event": "rebook", "seat": seat}, "rebook")


def advise(step: Step, given: Advised) -> None:
    """`advice`. Raises `RoleWrong`, `PhaseWrong`."""
    if given.seat != "doctor":
        raise RoleWrong
    if step.facts.phase != "live" and not standing.in_grace(step.facts, step.now):
        raise PhaseWrong
    if (step.facts.advice or "") != given.text:
        step.facts = with_(step.facts, advice=given.text or None)
        step.note("event", {"event": "advice", "seat": given.seat}, "advice")


def keep_notes(step: Step, given: NotesWritten) -> None:
    """`notes.write`, in every phase: what is still to be written down is written after the end. Raises `RoleWrong`."""
    if given.seat != "doctor":
        raise RoleWrong
    if (step.facts.notes or "") != given.text:
        step.facts = with_(step.facts, notes=given.text or None)
