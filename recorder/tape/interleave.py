"""The frames of a stream's tracks, waiting to be written in the order of stream time.

INTERLEAVE-1  One frame waits for the other tracks at most `HOLD_US` (STREAM-1), and only for those of which packets come.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter

from recorder.tape.depacketize import MediaFrame
from recorder.tape.track import PlacedFrame, Track

HOLD_US = 600_000
START_WAIT_US = 1_000_000
ACTIVE_US = 1_000_000
_standing = itemgetter(0)


class Interleave:
    """Frames by stream time; equal ones in the order in which they came."""

    def __init__(self) -> None:
        self.last_arrival_us = 0
        self._queue: list[PlacedFrame] = []
        """Earliest first; the first `_gone` of them are taken."""
        self._gone = 0
        self._horizon_us = -1
        """Every track of which packets come has given a frame that stands here or later."""
        self._latest_us: dict[Track, int] = {}
        self._at_hand: PlacedFrame | None = None

    def __bool__(self) -> bool:
        return len(self._queue) > self._gone

    def __iter__(self) -> Iterator[PlacedFrame]:
        """In no order."""
        return iter(self._queue[self._gone :])

    def draw(self, tracks: Sequence[Track], now_us: int, flush: bool = False) -> None:
        """Take what the tracks have. `flush`: nothing more of them is waited for."""
        queue = self._queue
        del queue[: self._gone]
        self._gone = 0
        for track in tracks:
            drawn = track.drain(now_us, flush)
            if drawn:
                self._latest_us[track] = drawn[-1].at_us
                self.last_arrival_us = max(self.last_arrival_us, max([placed[2][3] for placed in drawn]))
                queue += drawn
        queue.sort(key=_standing)  # which leaves equal ones in their order
        self._look(tracks, now_us)

    def put(self, placed: PlacedFrame) -> None:
        """Let a frame wait."""
        bisect.insort(self._queue, placed, lo=self._gone, key=_standing)

    def take(self) -> PlacedFrame:
        """The first of all; it counts as waiting until it is `let_go`."""
        self._at_hand = placed = self._queue[self._gone]
        self._gone += 1
        return placed

    def sure(self) -> list[PlacedFrame]:
        """Those that may go whatever comes, in order (INTERLEAVE-1)."""
        return self._queue[self._gone : bisect.bisect(self._queue, self._horizon_us, lo=self._gone, key=_standing)]

    def went(self, count: int) -> None:
        """So many of the first are written."""
        self._gone += count

    def let_go(self) -> None:
        """The frame taken is written or dropped."""
        self._at_hand = None

    def due(self, tracks: Sequence[Track], now_us: int) -> bool:
        """Whether the first may go (INTERLEAVE-1)."""
        head = self._queue[self._gone]
        at_us = head.at_us
        if at_us <= self._horizon_us:  # the usual case, looked at once a drain instead of once a frame
            return True
        if head.frame.arrival_us + HOLD_US <= now_us:
            return True
        for track in tracks:
            if track is head.track or track.ended or track.last_arrival_us is None:
                continue
            if now_us - track.last_arrival_us < ACTIVE_US and self._latest_us.get(track, -1) < at_us:
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
        for placed in self:
            if placed.track is track and placed.frame.keyframe:
                return placed.frame
        return None

    def flows(self, track: Track) -> bool:
        """Whether the track has given a frame."""
        return track in self._latest_us

    def move(self, moved: Mapping[Track, int]) -> None:
        """Tracks were placed anew, so much later (µs)."""
        self._queue = [placed._replace(at_us=placed.at_us + moved.get(placed.track, 0)) for placed in self]
        self._gone = 0
        self._queue.sort(key=_standing)
        self._horizon_us = -1
        for track, by in moved.items():
            if track in self._latest_us:
                self._latest_us[track] += by

    def forget(self, track: Track) -> None:
        """The track is over."""
        self._latest_us.pop(track, None)

    def _look(self, tracks: Sequence[Track], now_us: int) -> None:
        """How far every track is of which packets come."""
        self._horizon_us = min(
            (
                self._latest_us.get(track, -1)
                for track in tracks
                if not track.ended and track.last_arrival_us is not None and now_us - track.last_arrival_us < ACTIVE_US
            ),
            default=-1,
        )
