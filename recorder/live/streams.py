"""Who of a visit is recorded, the streams of each, and where the tap's packets go.

STREAMS-1  A packet has a route only while its seat is active: `start` is durable, and consent stands (REC-3).
STREAMS-2  Withdrawing ends the seat's streams at that moment, with all that was kept until then (CONSENT-3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from media.tap import TapTrack
from recorder import control
from recorder.evidence import layout, records
from recorder.live.remembered import Remembered
from recorder.sealing.seal import SealBroken
from recorder.sealing.stream_seal import DRAFT, StreamSeal
from recorder.spool.visit import Open
from recorder.tape.account import Account
from recorder.tape.output import Output
from recorder.tape.passed import Passed
from recorder.tape.segment import SegmentState
from recorder.tape.stream import Stream
from recorder.tape.timeline import SenderClock
from recorder.tape.track import Track

LATE_US = 500_000
RESUME_US = 3_000_000
NOT_HEARD_US = 1 << 62

MOST_PASSED = 64
"""Tracks of a visit that are kept in mind for a later life (PASSED-1)."""

TrackKey = tuple[str, int]
"""(worker's epoch, handle)."""


class Seals(Protocol):
    """Where the data keys of a visit come from (`recorder.sealing.mint`)."""

    sealing: bool

    def begin(self, stream: str) -> StreamSeal:
        """A stream under a new key."""
        ...

    def resume(self, key: str) -> StreamSeal | None:
        """The seal of an earlier life of the recorder, if it can still be opened."""
        ...


class Streams:
    """All streams of one visit. Nothing here blocks."""

    def __init__(self, clock: Callable[[], int], seals: Seals | None = None) -> None:
        """`clock`: CLOCK_MONOTONIC, µs. `seals`: None where streams are not sealed."""
        self._seals = seals
        self.routes: dict[TrackKey, Track] = {}
        """Where packets go (STREAMS-1)."""
        self.zero_us: int | None = None
        """When recording began; None before."""
        self.resuming = False
        """A crash was just recovered from, and workers may still dial again."""
        self._clock = clock
        self._streams: dict[str, Stream] = {}
        self._senders: dict[str, SenderClock] = {}
        self._taps: dict[TrackKey, TapTrack] = {}
        self._devices: dict[str, dict[str, str]] = {}
        self._active: dict[str, int] = {}
        self._passed: dict[TrackKey, Passed] = {}
        """Up to where an earlier life of the recorder wrote tracks that it did not go on with."""
        self._resumed_us = 0
        self._paused = False

    def ms(self, at_us: int) -> int:
        """Stream time of a moment; 0 before recording began."""
        return 0 if self.zero_us is None else max(0, (at_us - self.zero_us) // 1000)

    # ---- who is recorded

    def is_active(self, seat: str) -> bool:
        """Whether a seat is recorded."""
        return seat in self._active

    def activate(self, seat: str, since_us: int) -> None:
        """Record a seat: what arrived since `since_us` may be kept."""
        self._active[seat] = since_us
        now_ms = self.ms(since_us)
        if seat not in self._streams:
            self._add(seat, now_ms, None)
        for stream in self._of(seat):
            stream.agreed(now_ms)
            stream.covering.causes.end("withdrawn", now_ms)
        for (epoch, _), tap in self._taps.items():
            if tap.seat == seat:
                self._begin_track(epoch, tap)
        if self._clock() - since_us > LATE_US:  # the disk was slow to take `start`: until now nothing could be kept
            for stream in self._of(seat):
                stream.covering.away(now_ms)
                stream.covering.back(self._clock())

    def deactivate(self, seat: str, now_us: int, out: list[Output]) -> None:
        """Record a seat no more (STREAMS-2)."""
        if self._active.pop(seat, None) is None:
            return
        now_ms = self.ms(now_us)
        for stream in self._of(seat):
            stream.stop(now_us, out, until_ms=now_ms)
            stream.covering.causes.begin("withdrawn", now_ms)
        self.routes = {key: track for key, track in self.routes.items() if track.tap.seat != seat}

    def device(self, seat: str, source: str, state: str, now_us: int) -> None:
        """A participant says that a device is `on`, `muted`, `off` or `failed`."""
        self._devices.setdefault(seat, {})[source] = state
        for stream in self._of(seat):
            stream.device(source, state, self.ms(now_us))

    # ---- the tap brings

    def track(self, epoch: str, tap: TapTrack) -> None:
        """A track of this visit is tapped. Repeating it changes nothing."""
        key = (epoch, tap.handle)
        if self._taps.get(key) == tap:
            return
        self._taps[key] = tap
        if tap.seat in self._active:
            self._begin_track(epoch, tap)

    def end(self, epoch: str, handle: int, at_us: int, reason: str) -> None:
        """A track ended at this time: what is silent from then on is so by somebody's will, however late we hear of it."""
        self._taps.pop((epoch, handle), None)
        track = self.routes.pop((epoch, handle), None)
        if track is not None:
            gone = reason == "transport_gone"
            self._streams[track.stream].end(track, self.ms(min(at_us, self._clock())), gone)

    def worker_lost(self, epoch: str) -> None:
        """This life of a worker is over: nothing follows of its tracks."""
        now_ms = self.ms(self._clock())
        for key in [key for key in self._taps if key[0] == epoch]:
            del self._taps[key]
        for key in [key for key in self.routes if key[0] == epoch]:
            track = self.routes.pop(key)
            stream = self._streams[track.stream]
            stream.covering.causes.begin("worker", now_ms)
            stream.end(track, now_ms, transport_gone=True)

    def worker_back(self, epoch: str) -> None:
        """The tap of this life of a worker works again."""
        now_ms = self.ms(self._clock())
        for key, track in self.routes.items():
            if key[0] == epoch:
                track.order.heard_us = self._clock()
                self._streams[track.stream].covering.causes.end("worker", now_ms)

    def worker_away(self, epoch: str) -> None:
        """The tap of this life of a worker is broken; it may come back."""
        now_ms = self.ms(self._clock())
        for key, track in self.routes.items():
            if key[0] == epoch:
                track.order.heard_us = NOT_HEARD_US
                self._streams[track.stream].covering.causes.begin("worker", now_ms)

    def oldest_tap_seq(self, epoch: str) -> int | None:
        """The smallest frame of this worker's life of which something is not yet written."""
        known = [s for stream in self._streams.values() if (s := stream.oldest_tap_seq(epoch)) is not None]
        return min(known, default=None)

    def keyframes_wanted(self) -> list[tuple[TrackKey, bool]]:
        """The tracks that ask for a keyframe now, and whether their last one is good, and only old."""
        now_us = self._clock()
        return [(key, track.goes_on) for key, track in self.routes.items() if track.wants_keyframe(now_us)]

    def progress(self) -> list[tuple[int | None, int]]:
        """Changes whenever packets come."""
        return [track.progress for track in self.routes.values()]

    # ---- time goes on

    def away(self) -> None:
        """Nothing is kept from now on."""
        now_ms = self.ms(self._clock())
        for stream in self._streams.values():
            stream.covering.away(now_ms)

    def back(self) -> None:
        """What arrives from now on is kept, unless paused."""
        for stream in self._streams.values() if not self._paused else ():
            stream.covering.back(self._clock())

    def pause(self, paused: bool) -> None:
        """Keep no media, or keep them again (DISK-2)."""
        self._paused = paused
        if paused:
            self.away()
        else:
            self.back()

    def drain(self, now_us: int, out: list[Output]) -> None:
        """Write what is due."""
        for stream in self._streams.values():
            stream.drain(now_us, out)

    def settle(self, now_us: int) -> None:
        """What no worker brought again in time after a crash is not the recorder's gap any more."""
        if not self.resuming or now_us - self._resumed_us <= RESUME_US:
            return
        for stream in self._streams.values():
            stream.covering.causes.end("recorder", self.ms(self._resumed_us + RESUME_US))
            stream.covering.publishing(stream.tracks, self.ms(now_us))
        self.resuming = False

    def finish(self, now_us: int, out: list[Output]) -> int | None:
        """End all streams; where the visit ends (ms), None if nothing was recorded."""
        end_ms: int | None = None
        if self.zero_us is not None:
            end_ms = self.ms(now_us)
            for stream in self._streams.values():
                stream.stop(now_us, out, end_ms=end_ms)
            ends = (end for s in self._streams.values() if (end := s.covering.account.covered_to) is not None)
            end_ms = max(end_ms, *ends, 0)
            for stream in self._streams.values():
                if "." not in stream.name:
                    stream.covering.declare_to(end_ms, stream.tracks, out)
        self.routes.clear()
        return end_ms

    # ---- what there is

    @property
    def segments(self) -> int:
        """Sealed so far."""
        return sum(len(stream.covering.account.segments) for stream in self._streams.values())

    @property
    def sealed_bytes(self) -> int:
        """Of all sealed segments."""
        return sum(stream.covering.account.bytes for stream in self._streams.values())

    def closes(self, end_ms: int | None) -> dict[str, records.StreamClose]:
        """Every stream's entry in `close`."""
        if end_ms is None:
            return {}
        entries: dict[str, records.StreamClose] = {}
        for name, stream in self._streams.items():
            first_ms, account = stream.covering.first_ms, stream.covering.account
            if "." not in name:
                entries[name] = account.close(first_ms, end_ms)
            elif account.covered_to is not None:
                entries[name] = account.close(first_ms, account.covered_to or first_ms)
        return entries

    def beats(self) -> dict[str, records.Beat]:
        """Every stream's entry in `heartbeat`."""
        known = ((name, stream.covering) for name, stream in self._streams.items())
        return {name: records.Beat(len(c.account.segments), c.account.bytes, c.sealed_to_ms) for name, c in known}

    def alive(self, now_us: int) -> list[control.StreamAlive]:
        """How far each stream is."""
        return [
            control.StreamAlive(
                name, beat.bytes, beat.segments, beat.sealed_to_ms, self._streams[name].recording(now_us)
            )
            for name, beat in self.beats().items()
        ]

    # ---- a later life of the recorder

    def held(self, now_us: int) -> Open | None:
        """What the streams are in the middle of."""
        if self.zero_us is None:
            return None
        states = [state for s in self._streams.values() if (state := s.state()) is not None]
        causes = {s.name: s.covering.causes.spans(s.covering.to_ms) for s in self._streams.values()}
        passed = self._passed | {(one.epoch, one.handle): one for s in self._streams.values() for one in s.passed()}
        return Open(now_us, states, causes, list(passed.values())[-MOST_PASSED:])

    def remember(self, before: Remembered) -> None:
        """Know what the records say."""
        self.zero_us = before.zero_us
        self._active = before.active
        self._devices = before.devices
        for name, first_ms in before.firsts.items():
            self._add(name, first_ms, before.accounts.get(name))

    def resume(
        self, held: Open | None, shift: int, now_us: int, kept: Callable[[str, int], bytes], out: list[Output]
    ) -> None:
        """Go on. `shift`: what to add to the times of `held`; `kept(name, size)`: what is on the disk of an open segment."""
        if self.zero_us is None:
            return
        away_from = self.ms(held.at_us + shift) if held is not None else 0
        now_ms = self.ms(now_us)
        self._resumed_us, self.resuming = now_us, True
        causes: Mapping[str, dict[str, list[tuple[int, int | None]]]] = held.causes if held is not None else {}
        self._passed = {(one.epoch, one.handle): one for one in (held.passed if held is not None else ())}
        for name, stream in self._streams.items():
            stream.covering.causes.restore(causes.get(name, {}))
            if (seat := layout.seat_of(name)) in self._active:
                stream.covering.causes.end(
                    "withdrawn", self.ms(self._active[seat])
                )  # its `start` may be the newest line
                stream.covering.away(min(away_from, now_ms))
                stream.covering.back(now_us)
            else:
                stream.covering.causes.begin("withdrawn", now_ms)
        for state in held.streams if held is not None else ():
            segment = state.segment
            content, seal = self._kept(segment, kept) if segment is not None else (b"", None)
            self._streams[state.stream].resume(state, self.zero_us, content, out, seal)

    # ---- inside

    def _kept(self, segment: SegmentState, kept: Callable[[str, int], bytes]) -> tuple[bytes, StreamSeal | None]:
        if not segment.draft:
            return (kept(segment.name, segment.size) if segment.size else b""), None
        seal = self._seals.resume(segment.key) if self._seals is not None else None
        try:
            return (seal.content_of(segment.name, kept(segment.name + DRAFT, segment.draft)) if seal else b""), seal
        except SealBroken:
            return b"", None

    def _of(self, seat: str) -> list[Stream]:
        return [stream for stream in self._streams.values() if layout.seat_of(stream.name) == seat]

    def _add(self, name: str, first_ms: int, account: Account | None) -> Stream:
        seat = layout.seat_of(name)
        senders = self._senders.setdefault(seat, SenderClock())
        stream = self._streams[name] = Stream(
            name,
            first_ms,
            senders,
            account,
            self._seals.begin if self._seals is not None and self._seals.sealing else None,
        )
        stream.covering.devices = self._devices.setdefault(seat, {})
        if seat in self._active:
            stream.agreed(self.ms(self._active[seat]))
        if self._paused:
            stream.covering.away(first_ms)
        return stream

    def _begin_track(self, epoch: str, tap: TapTrack) -> None:
        assert self.zero_us is not None
        now_ms = self.ms(self._clock())
        name = f"{tap.seat}.screen" if tap.source == "screen" else tap.seat
        stream = self._streams.get(name) or self._add(name, now_ms, None)
        passed = self._passed.get((epoch, tap.handle))
        track = stream.adopt(epoch, tap) or Track(epoch, tap, self.zero_us, passed=passed)
        track.from_us = self._active[tap.seat]
        self.routes[(epoch, tap.handle)] = track
        stream.add(track, now_ms)
