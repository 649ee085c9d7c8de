"""Sees a queue grow: the slope of the path's accumulated delay over the last bursts, against a threshold that adapts.

draft-ietf-rmcat-gcc-02 §5.3–5.4 with the trendline filter that senders use today: 20 samples, smoothing 0.9, gain 4,
threshold 12.5 ms at first, kept within 6–600 ms, moving at 0.0087 (up) and 0.039 (down) per ms.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

from media.congestion.arrival import Delta

WINDOW = 20
SMOOTHING = 0.9
GAIN = 4.0
MAX_SAMPLES = 60
OVERUSE_S = 0.010
FIRST_THRESHOLD_MS, LEAST_MS, MOST_MS = 12.5, 6.0, 600.0
UP, DOWN = 0.0087, 0.039
JUMP_MS = 15.0
RENEWED = 100

Usage = Literal["normal", "over", "under"]


class Trendline:
    """Feed deltas; `usage` says what the path is doing."""

    def __init__(self) -> None:
        self.usage: Usage = "normal"
        self._line = _Line()
        self._accumulated_ms = self._smoothed_ms = 0.0
        self._count = 0
        self._first_arrival: float | None = None
        self._threshold_ms = FIRST_THRESHOLD_MS
        self._threshold_at: float | None = None
        self._over_for_s = 0.0
        self._last_slope = 0.0

    def hear(self, delta: Delta) -> Usage:
        """One burst."""
        if self._first_arrival is None:
            self._first_arrival = delta.arrived_at
        self._count = min(self._count + 1, MAX_SAMPLES)
        self._accumulated_ms += delta.growth_s * 1000
        self._smoothed_ms = SMOOTHING * self._smoothed_ms + (1 - SMOOTHING) * self._accumulated_ms
        self._judge(self._line.slope((delta.arrived_at - self._first_arrival) * 1000, self._smoothed_ms), delta)
        return self.usage

    def _judge(self, slope: float, delta: Delta) -> None:
        trend_ms = self._count * slope * GAIN
        if trend_ms > self._threshold_ms:
            self._over_for_s += delta.sent_s if self._over_for_s else delta.sent_s / 2
            if self._over_for_s > OVERUSE_S and slope >= self._last_slope:
                self.usage = "over"
        else:
            self._over_for_s = 0.0
            self.usage = "under" if trend_ms < -self._threshold_ms else "normal"
        self._last_slope = slope
        self._adapt(trend_ms, delta.arrived_at)

    def _adapt(self, trend_ms: float, now: float) -> None:
        if self._threshold_at is not None and abs(trend_ms) <= self._threshold_ms + JUMP_MS:
            rate = DOWN if abs(trend_ms) < self._threshold_ms else UP
            elapsed_ms = min((now - self._threshold_at) * 1000, 100.0)
            moved = self._threshold_ms + rate * (abs(trend_ms) - self._threshold_ms) * elapsed_ms
            self._threshold_ms = min(max(moved, LEAST_MS), MOST_MS)
        self._threshold_at = now


class _Line:
    """Least squares over the last `WINDOW` points (ms, ms). Sums are kept, and counted anew every `RENEWED` points."""

    __slots__ = ("_at", "_count", "_points", "_x", "_xx", "_xy", "_y")

    def __init__(self) -> None:
        self._points: deque[tuple[float, float]] = deque()
        self._at = self._x = self._y = self._xx = self._xy = 0.0
        self._count = 0

    def slope(self, at: float, y: float) -> float:
        """With this point; 0 while there are too few."""
        self._count += 1
        if self._count % RENEWED == 1:
            self._renew(at)
        x = at - self._at
        points = self._points
        points.append((at, y))
        self._x += x
        self._y += y
        self._xx += x * x
        self._xy += x * y
        if len(points) < WINDOW:
            return 0.0
        if len(points) > WINDOW:
            at, y = points.popleft()
            x = at - self._at
            self._x -= x
            self._y -= y
            self._xx -= x * x
            self._xy -= x * y
        across = self._xx - self._x * self._x / WINDOW
        return (self._xy - self._x * self._y / WINDOW) / across if across > 1e-9 else 0.0

    def _renew(self, at: float) -> None:
        """Small numbers, and no error that adds up."""
        self._at, self._x, self._y, self._xx, self._xy = at, 0.0, 0.0, 0.0, 0.0
        for then, y in self._points:
            x = then - at
            self._x += x
            self._y += y
            self._xx += x * x
            self._xy += x * y
