"""How often a socket may speak: a token bucket, and a memory of refusals. Time is an input."""

from __future__ import annotations

from collections import deque


class Bucket:
    """`rate` events a second, `burst` at once (SIG §5: 50 and 100)."""

    __slots__ = ("_at", "_burst", "_level", "_rate")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._at: float | None = None

    def holds(self, now: float) -> bool:
        """Whether one more event would fit; it is not counted."""
        past = 0.0 if self._at is None else max(0.0, now - self._at)
        return min(self._burst, self._level + past * self._rate) >= 1

    def take(self, now: float) -> bool:
        """Whether one more event fits at `now` seconds; if so it is counted."""
        if self._at is not None:
            self._level = min(self._burst, self._level + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True


class Patience:
    """Runs out at `limit` refusals within `window_s` seconds (SIG-14: 200 in 10 s)."""

    __slots__ = ("_times", "_window_s")

    def __init__(self, limit: int, window_s: float) -> None:
        self._times: deque[float] = deque(maxlen=limit)
        self._window_s = window_s

    def refused(self, now: float) -> bool:
        """Count a refusal; true once the one that many before it is still within the window."""
        out = len(self._times) == self._times.maxlen and now - self._times[0] < self._window_s
        self._times.append(now)
        return out
