"""What of all that a peer sends is lost on its way here, and whether that leaves pictures any hope. Pure.

TOLL-1  It is hopeless once more than `HOPELESS` is lost over `SPANS` spans of `SPAN_S`, and `MUCH` in each of them: one hole,
        such as a blackout leaves, is soon over. It is no longer once less than `BEARABLE` was lost for `BEARABLE_S`.
"""

from __future__ import annotations

from collections import deque

SPAN_S, SPANS = 0.4, 4
HOPELESS, MUCH, BEARABLE = 0.42, 0.33, 0.3
"""Fractions 0–1. At 0.42 a frame of three packets is whole one time in five."""
BEARABLE_S = 4.0


class Toll:
    """One transport's way here. Times in seconds of one clock."""

    __slots__ = ("_bad_at", "_before", "_counted_at", "_lost", "hopeless")

    def __init__(self) -> None:
        self.hopeless = False
        self._lost: deque[tuple[int, int]] = deque(maxlen=SPANS)
        self._before = 0, 0
        self._counted_at = self._bad_at = 0.0

    def count(self, expected: int, received: int, now: float) -> None:
        """Packets that were sent and that came by themselves, since the beginning; to be called a few times a second."""
        if now - self._counted_at < SPAN_S:
            return
        self._counted_at = now
        new, came = expected - self._before[0], received - self._before[1]
        self._before = expected, received
        self._lost.append((max(0, new), min(max(0, new - came), max(0, new))))
        lost = self._share(list(self._lost))
        each = [self._share([span]) for span in self._lost]
        if lost > HOPELESS and len(each) == SPANS and min(each) > MUCH:
            self.hopeless = True
        if lost > BEARABLE:
            self._bad_at = now
        elif now - self._bad_at > BEARABLE_S:
            self.hopeless = False

    @staticmethod
    def _share(spans: list[tuple[int, int]]) -> float:
        sent = sum(new for new, _ in spans)
        return sum(lost for _, lost in spans) / sent if sent else 0.0
