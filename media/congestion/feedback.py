"""What a sender remembers of each packet, and what the receiver says became of it (transport-wide numbering).

Every class here takes a feedback message at once, in one loop: a call for each packet and each thing that wants to know of it
was twice the price (`python -m tests.bench.feedback_micro`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

Report = tuple[float, int, float | None, int | None]
"""One packet's fate: when it was sent and its size; when it arrived, on the receiver's clock, None if it did not; the probe
cluster it belonged to, if it did. Seconds and bytes. A plain tuple: it is taken apart six times."""


class AckedRate:
    """Bits per second that really arrived, over a sliding window of arrivals."""

    WINDOW_S = 0.5

    def __init__(self) -> None:
        self._arrivals: deque[tuple[float, int]] = deque()
        self._bytes = 0

    def hear(self, reports: Sequence[Report]) -> None:
        """What arrived of one message's packets."""
        arrivals, new = self._arrivals, 0
        append = arrivals.append
        for _, size, at, _ in reports:
            if at is not None:
                append((at, size))
                new += size
        if not new:
            return
        total, since = self._bytes + new, arrivals[-1][0] - self.WINDOW_S
        while arrivals[0][0] < since:
            total -= arrivals.popleft()[1]
        self._bytes = total

    @property
    def bps(self) -> float | None:
        """None until half a window has been seen."""
        if len(self._arrivals) < 2:
            return None
        span = self._arrivals[-1][0] - self._arrivals[0][0]
        return self._bytes * 8 / max(span, self.WINDOW_S) if span > self.WINDOW_S / 2 else None


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

    def hear(self, reports: Sequence[Report]) -> None:
        """What arrived of one message's packets, probes aside."""
        waits = [(at, at - sent_at) for sent_at, _, at, probe in reports if at is not None and probe is None]
        if not waits:
            return
        smoothed = waits[0][1] if self._smoothed is None else self._smoothed
        low, undercut = float("inf"), []
        for _, delay in waits:
            smoothed += 0.1 * (delay - smoothed)
        for wait in reversed(waits):
            if wait[1] < low:
                low = wait[1]
                undercut.append(wait)
        lately = self._lately
        while lately and lately[-1][1] >= low:
            lately.pop()
        lately.extend(reversed(undercut))
        self._smoothed, newest = smoothed, waits[-1][0]
        while lately[0][0] < newest - self.LATELY_S:
            lately.popleft()
        if self._turned_at is None or newest - self._turned_at > self.WINDOW_S:
            self._turned_at = newest
            self._least_before, self._least_now = self._least_now, low
        self._least_now = min(self._least_now, low)

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
