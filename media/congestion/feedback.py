"""What a sender remembers of each packet, and what the receiver says became of it (transport-wide numbering)."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple


class Report(NamedTuple):
    """One packet's fate. Times in seconds; `arrived_at` is on the receiver's clock, None if it did not arrive."""

    sent_at: float
    size: int
    arrived_at: float | None
    probe: int | None = None
    """The probe cluster it belonged to."""


class AckedRate:
    """Bits per second that really arrived, over a sliding window of arrivals."""

    WINDOW_S = 0.5

    def __init__(self) -> None:
        self._arrivals: deque[tuple[float, int]] = deque()
        self._bits = 0

    def hear(self, arrived_at: float, size: int) -> None:
        """One arrival."""
        arrivals = self._arrivals
        bits = size * 8
        arrivals.append((arrived_at, bits))
        self._bits += bits
        since = arrived_at - self.WINDOW_S
        while arrivals[0][0] < since:
            self._bits -= arrivals.popleft()[1]

    @property
    def bps(self) -> float | None:
        """None until half a window has been seen."""
        if len(self._arrivals) < 2:
            return None
        span = self._arrivals[-1][0] - self._arrivals[0][0]
        return self._bits / max(span, self.WINDOW_S) if span > self.WINDOW_S / 2 else None


class Standing:
    """How long packets wait in the path's queue just now: their delay beyond the least seen lately (seconds).

    The clocks of both ends differ by an unknown constant; only differences count. The least is kept over two windows of
    ten seconds in turn, so that clock drift and a changed route are forgotten.
    """

    WINDOW_S = 10.0
    LATELY_S = 0.1

    def __init__(self) -> None:
        self._lately: deque[tuple[float, float]] = deque()
        """Arrivals of the last `LATELY_S` and their delays, without those that a later one has undercut."""
        self._least_before = self._least_now = float("inf")
        self._turned_at: float | None = None
        self._smoothed: float | None = None

    def hear(self, sent_at: float, arrived_at: float) -> None:
        """One arrival."""
        delay = arrived_at - sent_at
        if self._turned_at is None or arrived_at - self._turned_at > self.WINDOW_S:
            self._turned_at = arrived_at
            self._least_before, self._least_now = self._least_now, delay
        if delay < self._least_now:
            self._least_now = delay
        self._smoothed = delay if self._smoothed is None else 0.9 * self._smoothed + 0.1 * delay
        lately = self._lately
        while lately and lately[-1][1] >= delay:
            lately.pop()
        lately.append((arrived_at, delay))
        since = arrived_at - self.LATELY_S
        while lately[0][0] < since:
            lately.popleft()

    @property
    def queue_s(self) -> float:
        """What every packet of the last moment has waited. A keyframe's own queue is soon gone, and of packets that a busy
        receiver took late the last came in time: neither is a queue that stands."""
        return max(0.0, self._lately[0][1] - min(self._least_now, self._least_before)) if self._lately else 0.0

    @property
    def wait_s(self) -> float:
        """Zero until something was seen."""
        if self._smoothed is None:
            return 0.0
        return max(0.0, self._smoothed - min(self._least_now, self._least_before))
