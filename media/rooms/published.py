"""One track that a room publishes: what it was negotiated as, what its first packet said, and its recording.

ROOM-3  A track is recorded while its seat's gate is open and its codec and SSRC are known (CTL-2); a publisher that
        changes either begins a new handle.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from media.control import Source, Track
from media.plane import ProducerSpec, ProducerStarted
from media.rooms.surroundings import Surroundings
from media.tap import TapEnd, TapTrack

EndReason = Literal["unpublished", "transport_gone", "not_recorded", "room_closed"]


@dataclass(slots=True)
class Published:
    """See the module. `name` is the plane's for it."""

    track: Track
    name: str
    spec: ProducerSpec
    fmtp: str
    started: ProducerStarted | None = None
    handle: int | None = None
    """The tap's for it, while it is recorded."""

    @classmethod
    def negotiated(cls, seat: str, source: Source, spec: ProducerSpec, fmtp: Mapping[Source, str]) -> Published:
        """As an answer decided."""
        codec = next(iter(spec.codecs.values()))
        return cls(Track(f"{seat}.{source}", seat, source, spec.kind, codec), spec.track, spec, fmtp[source])

    def goes_on_as(self, spec: ProducerSpec) -> bool:
        """Whether a changed specification is still the stream that is recorded under its handle."""
        last = self.spec
        return (last.codecs, last.ssrcs, last.mid, last.rids) == (spec.codecs, spec.ssrcs, spec.mid, spec.rids)

    def open_tap(self, room: str, given: Surroundings) -> None:
        """Record it, if it has begun and is not recorded yet."""
        track, started = self.track, self.started
        if started is None or self.handle is not None:
            return
        self.handle = given.tap.begin(
            TapTrack(
                handle=0,
                visit=room,
                seat=track.seat,
                source=track.source,
                codec=_recordable(started.codec),
                clock_rate=self.spec.clock_rate,
                payload_type=started.payload_type,
                ssrc=started.ssrc,
                channels=2 if track.kind == "audio" else 1,
                fmtp=self.fmtp,
            )
        )
        given.plane.record(self.name, self.handle)
        if track.kind == "video":
            given.plane.request_keyframe(self.name)

    def shut_tap(self, given: Surroundings, reason: EndReason) -> None:
        """Record it no more. Idempotent."""
        if self.handle is None:
            return
        handle, self.handle = self.handle, None
        with suppress(KeyError):  # its transport may be gone, and the track with it
            given.plane.record(self.name, None)
        given.tap.end(TapEnd(handle, given.now_us(), reason))


def _recordable(codec: str) -> Literal["opus", "VP8", "VP9", "H264"]:
    match codec:
        case "opus" | "VP8" | "VP9" | "H264":
            return codec
        case _:
            raise AssertionError("the answerer negotiates only what can be recorded")
