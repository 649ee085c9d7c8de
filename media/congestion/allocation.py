"""Which layer of which track a subscriber gets from what its path carries. Pure; called on each new estimate.

ALLOC-1  Audio is not in here: it is taken off the estimate first and never managed away.
ALLOC-2  By priority, every track gets its lowest layer; what is left lifts them one step at a time, again by priority.
         The screen comes before the camera.
ALLOC-3  A step up needs 10 % more than the layer costs, and a layer that was given up is not tried again for a while, twice
         as long after each failure (5 s to 40 s): a picture that flickers between sizes is worse than a small one. A layer
         that its publisher has left out was not given up.
ALLOC-4  A step down is immediate. A track whose lowest layer does not fit is paused, and stays so for at least 5 s.
ALLOC-5  No track gets more than its viewer can see (`most`), whatever there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

HYSTERESIS = 1.10
RETRY_S, MOST_RETRY_S = 5.0, 40.0
STEADY_S = 20.0


@dataclass(frozen=True, slots=True)
class Layer:
    """One thing that can be forwarded: simulcast or spatial layer, highest temporal layer kept, and its measured cost."""

    spatial: int
    temporal: int
    bps: float


@dataclass(frozen=True, slots=True)
class Want:
    """One subscribed video track: its layers from cheapest to best, and the index of the best its viewer can use."""

    track: str
    priority: int
    layers: tuple[Layer, ...]
    most: int | None = None

    @property
    def usable(self) -> tuple[Layer, ...]:
        """The layers up to `most` (ALLOC-5)."""
        return self.layers if self.most is None else self.layers[: self.most + 1]


@dataclass(slots=True)
class _Memory:
    level: int = -1
    since: float = 0.0
    barred_until: float = 0.0
    bar_s: float = RETRY_S


@dataclass(slots=True)
class Allocator:
    """Remembers what each track had, for ALLOC-3 and ALLOC-4."""

    _tracks: dict[str, _Memory] = field(default_factory=dict)

    def allocate(self, budget_bps: float, wants: Sequence[Want], now: float) -> dict[str, Layer | None]:
        """The layer of each track, None where it is paused."""
        ordered = sorted(wants, key=lambda want: (-want.priority, want.track))
        self._tracks = {want.track: self._tracks.get(want.track, _Memory(since=now)) for want in wants}
        levels = self._fill(budget_bps, ordered, now)
        for want in ordered:
            self._remember(self._tracks[want.track], levels[want.track], len(want.usable), now)
        return {want.track: want.layers[levels[want.track]] if levels[want.track] >= 0 else None for want in ordered}

    def _fill(self, budget_bps: float, ordered: Sequence[Want], now: float) -> dict[str, int]:
        levels = {want.track: -1 for want in ordered}
        left = budget_bps
        highest = max((len(want.usable) for want in ordered), default=0)
        for level in range(highest):
            for want in ordered:
                if level >= len(want.usable) or levels[want.track] != level - 1:
                    continue
                step = want.layers[level].bps - (want.layers[level - 1].bps if level else 0.0)
                if self._affordable(want, level, step, left, now):
                    levels[want.track] = level
                    left -= step
        return levels

    def _affordable(self, want: Want, level: int, step: float, left: float, now: float) -> bool:
        memory = self._tracks[want.track]
        if level <= memory.level:
            return step <= left
        if now < memory.barred_until:  # ALLOC-3
            return False
        return step + (HYSTERESIS - 1) * want.layers[level].bps <= left

    def _remember(self, memory: _Memory, level: int, offered: int, now: float) -> None:
        if level < min(memory.level, offered - 1):  # not where its publisher has left out what it had
            quick = now - memory.since < STEADY_S
            memory.bar_s = min(memory.bar_s * 2, MOST_RETRY_S) if quick else RETRY_S
            memory.barred_until = now + memory.bar_s
        if level != memory.level:
            memory.level, memory.since = level, now
