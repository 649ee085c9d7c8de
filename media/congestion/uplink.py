"""How long what a peer sends waits in a queue on its way here, told by its sound. Pure.

Sound is sent every 20 ms and bears its time; how much later than the least of late it comes is the queue. Clocks that drift
apart and changed routes are forgotten: the least is kept over two windows in turn.
"""

from __future__ import annotations

WINDOW_S = 10.0
CALM_S = 0.06
FULL_S, FULL_FOR_S = 0.04, 0.1
"""A queue stands once all that came in a tenth of a second has waited so long: what a busy machine sends late comes all at
once, and the last of it in time."""
SMOOTHING = 0.1
JAM_S, JAM_FRESH_S = 0.2, 1.0
"""The newest sound waited so long, and came so lately: the queue is full, and what is lost is lost there."""


class Uplink:
    """One transport's way here."""

    __slots__ = (
        "_full_since",
        "_heard_at",
        "_jammed_since",
        "_late_s",
        "_least_before",
        "_least_now",
        "_smoothed",
        "_turned_at",
    )

    def __init__(self) -> None:
        self._least_before = self._least_now = float("inf")
        self._turned_at: float | None = None
        self._smoothed: float | None = None
        self._heard_at = self._late_s = 0.0
        self._full_since: float | None = None
        self._jammed_since: float | None = None

    def hear(self, sent_s: float, arrived_s: float) -> None:
        """One packet of sound; its own time in seconds, of any origin, and when it came."""
        delay = arrived_s - sent_s
        if self._smoothed is not None and abs(delay - self._smoothed) > WINDOW_S:
            self._least_before = self._least_now = float("inf")  # another stream, or its time has wrapped
            self._turned_at = self._smoothed = None
        if self._turned_at is None or arrived_s - self._turned_at > WINDOW_S:
            self._turned_at = arrived_s
            self._least_before, self._least_now = self._least_now, delay
        self._least_now = min(self._least_now, delay)
        self._smoothed = delay if self._smoothed is None else self._smoothed + SMOOTHING * (delay - self._smoothed)
        self._heard_at = arrived_s
        self._late_s = delay - min(self._least_now, self._least_before)
        if self._late_s <= JAM_S:
            self._jammed_since = None
        elif self._jammed_since is None:
            self._jammed_since = arrived_s
        if self._late_s < FULL_S:
            self._full_since = None
        elif self._full_since is None:
            self._full_since = arrived_s

    def jammed(self, now: float) -> bool:
        """Whether more would only be lost: no repair, no keyframe comes through."""
        return self._jammed_since is not None and now - self._heard_at < JAM_FRESH_S

    def jammed_s(self, now: float) -> float:
        """For how long it has been."""
        return now - self._jammed_since if self._jammed_since is not None and self.jammed(now) else 0.0

    @property
    def wait_s(self) -> float:
        """Zero until something was heard."""
        return 0.0 if self._smoothed is None else self._smoothed - min(self._least_now, self._least_before)

    @property
    def calm(self) -> bool:
        """Whether what is lost is not lost at a full queue; False while nothing is known.

        Late sound alone is no queue: what somebody's busy machine held up comes all at once, the last of it in time.
        """
        return self._smoothed is not None and (self.wait_s < CALM_S or not self._stands)

    @property
    def _stands(self) -> bool:
        return self._full_since is not None and self._heard_at - self._full_since > FULL_FOR_S
