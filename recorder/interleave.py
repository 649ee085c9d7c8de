"""The frames of a stream's tracks, waiting to be written in the order of stream time.

INTERLEAVE-1  One frame waits for the other tracks at most `HOLD_US` (STREAM-1), and only for those of which packets come.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Mapping, Sequence

from recorder.depacketize import MediaFrame
from recorder.track import PlacedFrame, Track

HOLD_US = 600_000
START_WAIT_US = 1_000_000
ACTIVE_US = 1_000_000


class Interleave:
    """Frames by stream time; equal ones in the order in which they came."""

    def __init__(self) -> None:
        self.last_arrival_us = 0
        self._heap: list[tuple[int, int, PlacedFrame]] = []
        self._number = itertools.count()
        self._latest_us: dict[Track, int] = {}
        self._at_hand: PlacedFrame | None = None

    def __bool__(self) -> bool:
        return bool(self._heap)

    def __iter__(self) -> Iterator[PlacedFrame]:
        """In no order."""
        return (placed for _, _, placed in self._heap)

    def draw(self, tracks: Sequence[Track], now_us: int) -> None:
        """Take what the tracks have."""
        for track in tracks:
            for placed in track.drain(now_us):
                self._latest_us[track] = placed.at_us
                self.last_arrival_us = max(self.last_arrival_us, placed.frame.arrival_us)
                self.put(placed)

    def put(self, placed: PlacedFrame) -> None:
        """Let a frame wait."""
        heapq.heappush(self._heap, (placed.at_us, next(self._number), placed))

    def take(self) -> PlacedFrame:
        """The first of all; it counts as waiting until it is `let_go`."""
        self._at_hand = heapq.heappop(self._heap)[2]
        return self._at_hand

    def let_go(self) -> None:
        """The frame taken is written or dropped."""
        self._at_hand = None

    def due(self, tracks: Sequence[Track], now_us: int) -> bool:
        """Whether the first may go (INTERLEAVE-1)."""
        head = self._heap[0][2]
        if head.frame.arrival_us + HOLD_US <= now_us:
            return True
        for track in tracks:
            if track is head.track or track.ended or track.last_arrival_us is None:
                continue
            if now_us - track.last_arrival_us < ACTIVE_US and self._latest_us.get(track, -1) < head.at_us:
                return False
        return True

    def may_start(self, tracks: Sequence[Track], now_us: int) -> bool:
        """Whether every track that sends has something to show, or those that have not were waited for (STREAM-2)."""
        earliest = min(placed.frame.arrival_us for placed in self)
        if now_us - earliest >= START_WAIT_US:
            return True
        return all(t.ended or (self.holds(t) and t.report is not None) for t in tracks)

    def holds(self, track: Track) -> bool:
        """Whether a frame of the track waits."""
        return any(placed.track is track for placed in self)

    def first_pending(self, track: Track) -> int | None:
        """The first packet of the track of which a frame is given out and neither written nor dropped."""
        waiting = [placed.frame.first_seq for placed in self if placed.track is track]
        if self._at_hand is not None and self._at_hand.track is track:
            waiting.append(self._at_hand.frame.first_seq)
        return min(waiting, default=None)

    def keyframe_of(self, track: Track) -> MediaFrame | None:
        """The track's first keyframe that waits."""
        for _, _, placed in sorted(self._heap):
            if placed.track is track and placed.frame.keyframe:
                return placed.frame
        return None

    def flows(self, track: Track) -> bool:
        """Whether the track has given a frame."""
        return track in self._latest_us

    def move(self, moved: Mapping[Track, int]) -> None:
        """Tracks were placed anew, so much later (µs)."""
        heap = [
            (at + moved.get(p.track, 0), n, p._replace(at_us=p.at_us + moved.get(p.track, 0)))
            for at, n, p in self._heap
        ]
        heapq.heapify(heap)
        self._heap = heap
        for track, by in moved.items():
            if track in self._latest_us:
                self._latest_us[track] += by

    def forget(self, track: Track) -> None:
        """The track is over."""
        self._latest_us.pop(track, None)
