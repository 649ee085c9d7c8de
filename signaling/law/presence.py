"""Who sits in a visit, and which of a seat's devices are on."""

from __future__ import annotations

from dataclasses import replace

from signaling.law import standing
from signaling.law.facts import Seat
from signaling.law.step import Step
from signaling.law.terms import SEATS

DEVICES = ("microphone", "camera", "screen")


def join(step: Step, seat: Seat) -> None:
    """A socket sits in the seat."""
    if step.life.seat(seat).present:
        return
    step.set(seat, replace(step.life.seat(seat), present=True))
    if seat in SEATS:
        step.life = replace(step.life, alone_since=None)
    if step.facts.phase == "live" and seat in standing.inside(step.facts):
        step.note("join", {"seat": seat}, seat)


def leave(step: Step, seat: Seat) -> None:
    """Nobody sits there any more."""
    if not step.life.seat(seat).present:
        return
    step.set(seat, replace(step.life.seat(seat), present=False, path=None))
    if seat in SEATS and not any(step.life.seat(each).present for each in SEATS):
        step.life = replace(step.life, alone_since=step.now)
    if step.facts.phase == "live" and seat in standing.inside(step.facts):
        step.note("leave", {"seat": seat}, seat)


def devices(step: Step, seat: Seat, **told: str) -> None:
    """What the seat says of its devices."""
    before = step.life.seat(seat)
    step.set(seat, replace(before, **told))  # type: ignore[arg-type]
    for device in DEVICES if seat in standing.inside(step.facts) else ():
        if getattr(before, device) != told[device]:
            step.note("event", {"event": device, "seat": seat, "state": told[device]}, f"{device}:{seat}")
