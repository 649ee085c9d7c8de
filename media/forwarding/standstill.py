"""How long a picture stands still for its keyframes: what they cost on the way from their sender. Pure.

The frame behind a keyframe comes once all of the keyframe has. On an uplink with room that is the next one, on a thin one it
waits for a queue of the keyframe's own, and is one that was made after others were left out. A camera that makes few frames,
or a sender that had no processor for a moment, is no thin uplink: what counts is how much longer than usual it took, and
that it took so long twice in a row.
"""

from __future__ import annotations

DEAR_S = 0.1
"""Measured after a keyframe, medians: 0.02 s on a wide uplink beside busy loops, 0.07 on 250 kbit/s with a plain wall behind
a face, 0.25 with a patterned one (`media/decisions/0028`)."""
PAUSE_S = 2.0
"""A camera that was off is not slow."""
_SMOOTHING = 1 / 8


class Standstill:
    """One stream's."""

    __slots__ = ("_at", "_key", "_last", "_usual")

    def __init__(self) -> None:
        self._at: float | None = None
        self._key = False
        self._last = (0.0, 0.0)
        self._usual = 0.0

    def frame(self, now: float) -> None:
        """Another frame begins to come."""
        if self._at is not None:
            gap = now - self._at
            if self._key:
                self._last = (self._last[1], gap - self._usual)
            elif gap < PAUSE_S:
                self._usual += (gap - self._usual) * _SMOOTHING
        self._at, self._key = now, False

    def keyframe(self) -> None:
        """The frame that began to come is one."""
        self._key = True

    @property
    def dear(self) -> bool:
        """Whether the last two keyframes stopped the picture."""
        return min(self._last) > DEAR_S
