"""From the words of the media worker and the recorder to those of a visit."""

from __future__ import annotations

from typing import Literal

from media import control as media
from recorder import control as recorder
from signaling.law.facts import Seat
from signaling.law.inputs import Input
from signaling.law.reported import (
    GapDeclared,
    PictureChanged,
    QualityTold,
    RoomFound,
    SizeWished,
    StreamsAlive,
    TracksChanged,
    TransportChanged,
)
from signaling.law.terms import ALL_SEATS, Gap, Picture, Stream, Track, Transport

WHY: dict[str, Literal["", "network", "sender", "asked"]] = {
    "": "",
    "bandwidth": "network",
    "publisher": "sender",
    "asked": "asked",
}
"""From the plane's reasons to those of `state.pictures`."""


def seat_of(name: str) -> Seat | None:
    """The seat with this name."""
    return next((seat for seat in ALL_SEATS if seat == name), None)


def tracks(given: list[media.Track]) -> tuple[Track, ...]:
    """A room's tracks."""
    return tuple(Track(each.id, each.seat, each.source, each.kind, each.codec) for each in given)


def transport(state: media.TransportState) -> Transport:
    """A transport's state: one that is gone is none."""
    return "none" if state == "gone" else state


def quality(told: media.Quality) -> dict[str, int | None]:
    """A line's quality in the integers that evidence keeps (FORMAT.md §4, `quality`)."""
    return {
        "loss_up_permille": round(told.loss_up * 1000),
        "loss_down_permille": round(told.loss_down * 1000),
        "rtt_ms": None if told.rtt_ms is None else round(told.rtt_ms),
        "bitrate_up_bps": told.bitrate_up_bps,
        "bitrate_down_bps": told.bitrate_down_bps,
    }


def room(epoch: str, state: media.RoomState) -> RoomFound:
    """A room found again."""
    seats = {seat: state.seats[seat] for seat in ALL_SEATS if seat in state.seats}
    return RoomFound(
        epoch, tracks(state.tracks), {seat: (each.pc, transport(each.state)) for seat, each in seats.items()}
    )


def media_news(news: media.FromWorker) -> tuple[str, Input] | None:
    """(room, what happened there), or None for news about no visit."""
    match news:
        case media.TracksChanged(room, changed):
            return room, TracksChanged(tracks(changed))
        case media.TransportChanged(room, name, pc, state) if (seat := seat_of(name)) is not None:
            return room, TransportChanged(seat, pc, transport(state))
        case media.LayerChanged(room, name, track, layer, _, reason, lines) if (seat := seat_of(name)) is not None:
            return room, PictureChanged(Picture(seat, track, layer is not None, lines, WHY[reason]))
        case media.SizeWished(room, name, source, bps) if (seat := seat_of(name)) is not None:
            return room, SizeWished(seat, source, bps)
        case media.Quality(room, name) if (seat := seat_of(name)) is not None:
            return room, QualityTold(seat, quality(news))
    return None


def recorder_news(news: recorder.FromRecorder) -> tuple[str, Input] | None:
    """(visit, what the recorder did), or None for news about no visit."""
    match news:
        case recorder.Alive(visit, streams):
            alive = tuple(Stream(each.stream, each.sealed_to_ms, each.state) for each in streams)
            return visit, StreamsAlive(alive)
        case recorder.Gapped(visit, stream, from_ms, to_ms, cause):
            return visit, GapDeclared(Gap(stream, from_ms, to_ms, cause))
    return None
