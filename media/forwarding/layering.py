"""The layers of one VP9 stream: how big they are, what each costs, and what of them can be forwarded. Pure.

LAYERING-1  An *operating point* is a spatial layer, with its pictures of up to a temporal layer. It costs what is sent of
            that layer, and of those below that others lean on: in S-modes nothing, in full SVC all of it.
LAYERING-2  Points are offered from the smallest layer's fewest pictures to the biggest layer's all: who has room for any
            layer whole gets it whole, since a smaller picture that moves is better than a bigger one that jumps.
LAYERING-3  A spatial layer that has not come for `ALIVE_S` is no choice, nor one that the sender no longer counts.
"""

from __future__ import annotations

from typing import NamedTuple

from media.rtp.vp9 import MOST_LAYERS, Descriptor

ALIVE_S = 2.5
"""A screen that does not move is sent once a second."""
MEASURED_S = 2.0
"""A stretch so long has no bitrate: it was quiet in it, or has just begun."""
EVERY = MOST_LAYERS - 1
"""As a temporal layer: all pictures."""


class Point(NamedTuple):
    """An operating point, and what it costs (bit/s)."""

    spatial: int
    temporal: int
    bps: float


class _Meter:
    """What comes of one spatial and temporal layer; `leant`: of that, what others lean on."""

    __slots__ = ("bps", "leant", "leant_bps", "octets")

    def __init__(self) -> None:
        self.octets = self.leant = 0
        self.bps = self.leant_bps = 0.0


class Layering:
    """See the module's rules."""

    __slots__ = ("_heard", "_meters", "sizes")

    def __init__(self) -> None:
        """Nothing has been heard yet."""
        self.sizes: tuple[tuple[int, int], ...] = ()
        """Of the spatial layers that there are, as their sender told last."""
        self._heard = [float("-inf")] * MOST_LAYERS
        self._meters: dict[tuple[int, int], _Meter] = {}

    def hear(self, about: Descriptor, size: int, now: float) -> None:
        """A packet of so many bytes."""
        if about.sizes is not None:
            self.sizes = about.sizes
        self._heard[about.spatial] = now
        where = about.spatial, about.temporal
        meter = self._meters.get(where)
        if meter is None:
            meter = self._meters[where] = _Meter()
        meter.octets += size
        if not about.alone:
            meter.leant += size

    def measure(self, elapsed: float) -> None:
        """Count what came within so many seconds; a stream that pauses keeps its figures, and longer is no measure."""
        if elapsed <= 0:
            return
        came = any(meter.octets for meter in self._meters.values())
        for meter in self._meters.values():
            bps, leant = meter.octets * 8 / elapsed, meter.leant * 8 / elapsed
            meter.octets = meter.leant = 0
            if not came or elapsed >= MEASURED_S:
                continue
            meter.bps = 0.7 * meter.bps + 0.3 * bps if meter.bps else bps
            meter.leant_bps = 0.7 * meter.leant_bps + 0.3 * leant if meter.leant_bps else leant

    def top(self, now: float) -> int:
        """The biggest spatial layer that comes."""
        count = len(self.sizes) or MOST_LAYERS
        return next((s for s in range(count - 1, 0, -1) if now - self._heard[s] < ALIVE_S), 0)

    def lines(self, spatial: int) -> int:
        """The shorter side of this layer's picture in pixels; 0 if it was not told."""
        return min(self.sizes[spatial]) if spatial < len(self.sizes) else 0

    def points(self, now: float) -> list[Point]:
        """LAYERING-2, each with its cost."""
        steps = sorted({temporal for spatial, temporal in self._meters if spatial == 0}) or [0]
        few = [(0, temporal) for temporal in steps[:-1]]
        whole = [(spatial, EVERY) for spatial in range(self.top(now) + 1)]
        return [Point(spatial, temporal, self.cost(spatial, temporal)) for spatial, temporal in (*few, *whole)]

    def cost(self, spatial: int, temporal: int = EVERY) -> float:
        """LAYERING-1."""
        own = leant = 0.0
        for (s, t), meter in self._meters.items():
            if t <= temporal and s == spatial:
                own += meter.bps
            elif t <= temporal and s < spatial:
                leant += meter.leant_bps
        return own + leant
