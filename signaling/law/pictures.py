"""What each seat is shown of the others' pictures, what it wants to be shown, and how big its own should be sent.

PICT-1  A picture that is less than its sender's best is told to everyone, with the reason, and noted on the evidence log; so
        is its return. What is as good as it can be is told to nobody.
PICT-2  What a worker said of a seat's pictures holds for the transport it said it of, and for tracks that are there.
"""

from __future__ import annotations

from dataclasses import replace

from signaling.law import standing
from signaling.law.asked import Viewed
from signaling.law.errors import PhaseWrong
from signaling.law.facts import Seat
from signaling.law.outputs import SetView
from signaling.law.reported import CodecMissed, PictureChanged, SizeWished
from signaling.law.step import Step
from signaling.law.terms import ALL_SEATS, Picture


def hear(step: Step, given: PictureChanged | SizeWished | CodecMissed) -> None:
    """What the worker tells."""
    match given:
        case PictureChanged(picture):
            if all(track.id != picture.track for track in step.life.tracks):
                return
            others = tuple(p for p in step.life.pictures if (p.seat, p.track) != (picture.seat, picture.track))
            kept = (*others, picture) if picture.why else others
            if kept != step.life.pictures:
                step.life = replace(step.life, pictures=kept)
                _note(step, picture)
        case SizeWished(seat, source, bps):
            wishes = {**step.life.wishes.get(seat, {})}
            if bps is None:
                wishes.pop(source, None)
            else:
                wishes[source] = bps
            step.life = replace(step.life, wishes={**step.life.wishes, seat: wishes})
        case CodecMissed():  # MEDIA-9
            step.life = replace(step.life, plain_cameras=True)


def view(step: Step, given: Viewed) -> None:
    """`view`. Raises `PhaseWrong`."""
    seat = given.seat
    if step.facts.phase != "live" or seat not in standing.inside(step.facts):
        raise PhaseWrong
    before = step.life.seat(seat)
    after = replace(before, sees_camera=given.camera, sees_screen=given.screen)
    if after != before:
        step.set(seat, after)
        step.out.append(SetView(seat, given.camera, given.screen))


def repeat(step: Step) -> None:
    """A room that is new knows nobody's wishes."""
    step.life = replace(step.life, pictures=(), wishes={})
    for seat in ALL_SEATS:
        life = step.life.seat(seat)
        if (life.sees_camera, life.sees_screen) != ("best", "best"):
            step.out.append(SetView(seat, life.sees_camera, life.sees_screen))


def forget(step: Step, seat: Seat) -> None:
    """PICT-2: another transport."""
    step.life = replace(step.life, pictures=tuple(p for p in step.life.pictures if p.seat != seat))


def prune(step: Step) -> None:
    """PICT-2: tracks have gone."""
    there = {track.id for track in step.life.tracks}
    kept = tuple(picture for picture in step.life.pictures if picture.track in there)
    sources = {(track.seat, track.source) for track in step.life.tracks}
    wishes = {
        seat: {source: bps for source, bps in each.items() if (seat, source) in sources}
        for seat, each in step.life.wishes.items()
    }
    step.life = replace(step.life, pictures=kept, wishes=wishes)


def _note(step: Step, picture: Picture) -> None:
    state = "full" if not picture.why else "small" if picture.shown else "none"
    detail = {"track": picture.track, "lines": picture.lines, "why": picture.why}
    body = {"event": "picture", "seat": picture.seat, "state": state, "detail": detail}
    step.note("event", body, f"picture:{picture.seat}:{picture.track}")
