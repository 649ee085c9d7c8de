"""The visit's room on a media worker: whether there is one, its tracks, and the transports of the seats."""

from __future__ import annotations

from dataclasses import replace

from signaling.law import pictures, record, standing
from signaling.law.facts import Seat
from signaling.law.reported import Negotiated, RoomFound, RoomOpened, TracksChanged, TransportChanged, WorkerLost
from signaling.law.step import Step


def hear(
    step: Step, given: RoomOpened | RoomFound | WorkerLost | TracksChanged | TransportChanged | Negotiated
) -> None:
    """What the worker tells."""
    match given:
        case RoomOpened(epoch):
            if step.life.epoch not in (None, epoch):
                step.note("event", {"event": "worker", "state": "lost"}, "worker")
            for seat in standing.inside(step.facts):
                step.set(seat, replace(step.life.seat(seat), tapped=False))
            _found(step, RoomFound(epoch))
            pictures.repeat(step)
        case RoomFound():
            _found(step, given)
        case WorkerLost():
            step.life = replace(step.life, media_available=False)
        case TracksChanged(tracks):
            step.life = replace(step.life, tracks=tracks)
            pictures.prune(step)
        case Negotiated(seat, pc):
            before = step.life.seat(seat)
            if before.pc != pc:
                pictures.forget(step, seat)
            media = before.media if before.pc == pc and before.media != "none" else "connecting"
            step.set(seat, replace(before, pc=pc, media=media))
        case TransportChanged(seat, pc, state):
            _move_transport(step, seat, pc, state)


def _found(step: Step, room: RoomFound) -> None:
    """Begin again from what a worker holds."""
    step.life = replace(step.life, epoch=room.epoch, media_available=True, tracks=room.tracks)
    for seat in standing.inside(step.facts):
        there = room.seats.get(seat)
        nothing = replace(step.life.seat(seat), pc=None, media="none")
        step.set(seat, nothing if there is None else replace(nothing, pc=there[0], media=there[1]))
    if step.life.stopped:
        record.shut_taps(step)
    elif step.life.started:
        record.open_taps(step)


def _move_transport(step: Step, seat: Seat, pc: str, state: str) -> None:
    before = step.life.seat(seat)
    if before.pc not in (None, pc) or before.media == state:
        return  # of a transport that was replaced
    gone = state == "none"
    if before.pc != pc or gone:
        pictures.forget(step, seat)  # PICT-2: the next one's offer is answered only after it has begun
    step.set(seat, replace(before, media=state, pc=None if gone else pc))  # type: ignore[arg-type]
    step.note("event", {"event": "transport", "seat": seat, "state": "gone" if gone else state}, f"transport:{seat}")
