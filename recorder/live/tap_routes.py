"""Which recording a worker's tracks belong to: the tap brings handles, visits are opened by signaling, in any order.

ROUTES-1  A track of a visit that is not open yet waits for it; past `MAX_EARLY` of them it is not recorded until it is
          repeated.
ROUTES-2  A handle that ended is over for this life of its worker.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from struct import Struct

from media.tap import PACKET_HEAD_SIZE, SENDER_REPORT, Hello, TapEnd, TapFormatError, TapTrack, packets
from recorder.live.recording import Recording
from recorder.live.streams import TrackKey
from recorder.tape.rows import MARKER, PLAIN, RTP_HEAD, payload_at
from recorder.tape.track import Track

MAX_EARLY = 4096
_BOTH = Struct("!IBQHBBHI")
"""A packet's head in the tap, and behind it that of RTP up to the timestamp."""
_unpack = _BOTH.unpack_from

log = logging.getLogger(__name__)


class TapRoutes:
    """Who hears what workers bring (`recorder.live.intake.TapSink`)."""

    def __init__(self, visits: Mapping[str, Recording]) -> None:
        """`visits`: those that are open here, as they come and go."""
        self._visits = visits
        self._handles: dict[TrackKey, Recording] = {}
        self._over: set[TrackKey] = set()
        self._early: dict[TrackKey, TapTrack] = {}
        self._epochs: dict[str, str] = {}
        self._tracks: dict[int, Track | None] = {}
        """Where packets of `_tracks_of`'s handles go, while nothing but packets comes."""
        self._tracks_of = ""

    def opened(self, visit: str) -> None:
        """The visit is there: bring it the tracks that waited (ROUTES-1)."""
        for key in [key for key, track in self._early.items() if track.visit == visit]:
            self.track(key[0], self._early.pop(key))

    def forget(self, recording: Recording) -> None:
        """Bring it nothing more."""
        self._handles = {key: r for key, r in self._handles.items() if r is not recording}

    def hello(self, hello: Hello, known: bool) -> None:
        """A worker connected."""
        self._tracks.clear()
        old = self._epochs.get(hello.worker)
        self._epochs[hello.worker] = hello.epoch
        log.info("worker connected", extra={"worker": hello.worker, "epoch": hello.epoch, "dropped": hello.dropped})
        if known:
            for recording in self._visits.values():
                recording.streams.worker_back(hello.epoch)
        elif old is not None and old != hello.epoch:
            for recording in self._visits.values():
                recording.streams.worker_lost(old)
            self._handles = {key: r for key, r in self._handles.items() if key[0] != old}
            self._over = {key for key in self._over if key[0] != old}
            self._early = {key: track for key, track in self._early.items() if key[0] != old}

    def track(self, epoch: str, track: TapTrack) -> None:
        """A track begins, or is repeated."""
        self._tracks.clear()
        key = (epoch, track.handle)
        if key in self._over:  # ROUTES-2
            return
        recording = self._visits.get(track.visit)
        if recording is None:
            if len(self._early) < MAX_EARLY:
                self._early[key] = track
            return
        if recording.journal.is_closed:
            return
        self._handles[key] = recording
        recording.streams.track(epoch, track)

    def packets(self, epoch: str, seq: int, body: bytes) -> None:
        """A batch of packets. Raises `TapFormatError`."""
        # The tap's head and the RTP header are read in one go, and a packet that goes on with its track's row leaves nothing
        # but its payload there (as `Rows.go_on`, whose call would be 0.1 µs of the 0.7 of a packet).
        tracks = self._tracks
        if epoch != self._tracks_of:
            tracks.clear()
            self._tracks_of = epoch
        at, end = 0, len(body)
        while at < end:
            if end - at < _BOTH.size:  # the last one, too short for RTP
                for _ in packets(memoryview(body)[at:]):
                    pass
                return
            handle, flags, arrival_us, size, first, second, number, timestamp = _unpack(body, at)
            begins = at + PACKET_HEAD_SIZE
            at = begins + size
            if at > end:
                raise TapFormatError("a packet is cut short")
            try:
                track = tracks[handle]
            except KeyError:
                track = tracks[handle] = self._track(epoch, handle)
            if track is None:
                continue
            rows = track.rows
            starts = begins + RTP_HEAD if first == PLAIN else payload_at(body, first, begins, at)
            if flags or starts >= at:
                if not flags & SENDER_REPORT:
                    if arrival_us < track.from_us:
                        continue
                    track.last_arrival_us = arrival_us
                rows.push((flags, arrival_us, first, second, number, timestamp, body, begins, at, seq))
                continue
            if arrival_us < track.from_us:
                continue
            track.last_arrival_us = arrival_us
            row = rows.open
            if row is not None and number == row.next_seq and timestamp == row.timestamp:
                row.payloads.append(body[starts:at])
                row.next_seq = number + 1 & 0xFFFF
                if second >= MARKER:
                    row.marker = True
                    rows.open = None
            else:
                rows.begin(arrival_us, second, number, timestamp, body[starts:at], seq)

    def reading(self) -> None:
        """Something else may have happened since the last packet: ask anew where each track's go (STREAMS-1)."""
        self._tracks.clear()

    def _track(self, epoch: str, handle: int) -> Track | None:
        recording = self._handles.get((epoch, handle))
        return recording.streams.routes.get((epoch, handle)) if recording is not None and recording.keeps else None

    def end(self, epoch: str, end: TapEnd) -> None:
        """A track ended."""
        self._tracks.clear()
        key = (epoch, end.handle)
        self._over.add(key)
        self._early.pop(key, None)
        recording = self._handles.pop(key, None)
        if recording is not None:
            recording.streams.end(epoch, end.handle, end.at_us, end.reason)

    def away(self, epoch: str) -> None:
        """A worker's connection ended."""
        log.warning("worker away", extra={"epoch": epoch})
        for recording in self._visits.values():
            recording.streams.worker_away(epoch)
