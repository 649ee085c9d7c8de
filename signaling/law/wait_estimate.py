"""How long a patient is likely to wait, from what this doctor's own visits took lately (SIG-21). Pure.

The wait is a sum: what is left of the visit under way, a whole visit for each patient ahead, and the pauses between visits.
Each part is drawn from what was measured (the last visits), the sum's distribution is worked out by convolution on a grid of
30 s, and its 20th and 80th percentiles are shown: one wait in five is shorter, one in five is longer. Past four visits ahead
the sum is taken as normal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

KNOWN_LEAST = 5
RECENT_MOST = 50
GRID_S = 30.0
EXACT_MOST = 4
LOW, HIGH = 0.2, 0.8
Z_80 = 0.8416
PAUSE_MOST_S = 1800.0

Spread = dict[int, float]
"""A distribution: multiples of `GRID_S` → probability."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds from now: one in five waits ends before `low`, one in five after `high`. Whole minutes, rounded outwards."""

    low_s: int
    high_s: int


@dataclass(frozen=True, slots=True)
class PastVisit:
    """One visit that is over: when its patient began to wait, and when it went live and ended (seconds since 1970)."""

    entered: float
    live: float
    ended: float


def durations(past: Sequence[PastVisit]) -> list[float]:
    """What each visit took."""
    return [max(0.0, each.ended - each.live) for each in past]


def pauses(past: Sequence[PastVisit]) -> list[float]:
    """From the end of a visit to the beginning of the next, if its patient waited already; a long break is no pause."""
    ordered = sorted(past, key=lambda each: each.live)
    known = []
    for before, after in pairwise(ordered):
        if after.entered <= before.ended <= after.live <= before.ended + PAUSE_MOST_S:
            known.append(after.live - before.ended)
    return known


def estimate(past: Sequence[PastVisit], ahead: int, under_way_s: float | None) -> Estimate | None:
    """The spread for somebody with `ahead` patients before them, while a visit has been going on for `under_way_s`.

    None where fewer than five visits are known, or where nothing that was measured says when the doctor will call.
    """
    visits, between = durations(past), pauses(past)
    if len(visits) < KNOWN_LEAST or (not ahead and under_way_s is None and len(between) < KNOWN_LEAST):
        return None
    pause = _spread(between) if len(between) >= KNOWN_LEAST else {0: 1.0}
    parts = [pause]
    if under_way_s is not None:
        parts.append(_spread(_left(visits, under_way_s)))
    low, high = _percentiles(parts, _sum(_spread(visits), pause), ahead)
    return Estimate(int(low // 60) * 60, max(60, math.ceil(high / 60) * 60))


def _left(visits: Sequence[float], gone_s: float) -> list[float]:
    """What is left of a visit: what longer ones took beyond `gone_s`; of one longer than all, up to a median more."""
    longer = [each - gone_s for each in visits if each > gone_s]
    if longer:
        return longer
    median = sorted(visits)[len(visits) // 2]
    return [median * tenth / 10 for tenth in (1, 3, 5, 7, 9)]


def _percentiles(parts: Iterable[Spread], visit: Spread, ahead: int) -> tuple[float, float]:
    total: Spread = {0: 1.0}
    for part in parts:
        total = _sum(total, part)
    if ahead > EXACT_MOST:
        (mean, variance), (each, spread) = _moments(total), _moments(visit)
        middle, wide = mean + ahead * each, Z_80 * math.sqrt(variance + ahead * spread)
        return max(0.0, middle - wide), middle + wide
    for _ in range(ahead):
        total = _sum(total, visit)
    return _at(total, LOW), _at(total, HIGH)


def _spread(samples: Sequence[float]) -> Spread:
    found: Spread = {}
    for sample in samples:
        step = round(sample / GRID_S)
        found[step] = found.get(step, 0.0) + 1 / len(samples)
    return found


def _sum(one: Spread, other: Spread) -> Spread:
    total: Spread = {}
    for step, chance in one.items():
        for more, likely in other.items():
            total[step + more] = total.get(step + more, 0.0) + chance * likely
    return total


def _moments(spread: Spread) -> tuple[float, float]:
    mean = sum(step * chance for step, chance in spread.items()) * GRID_S
    return mean, sum((step * GRID_S - mean) ** 2 * chance for step, chance in spread.items())


def _at(spread: Spread, share: float) -> float:
    reached = 0.0
    for step in sorted(spread):
        reached += spread[step]
        if reached >= share - 1e-9:
            return step * GRID_S
    return max(spread) * GRID_S
