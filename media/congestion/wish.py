"""What the encoding that weak viewers get should cost: asked of its publisher, so that it fills what their paths carry. Pure.

A simulcast has few sizes, and what lies between two of them would stay unused: with 100, 400 and 1 800 kbit/s a path of
1 Mbit/s would be used by half. So the encoding below the best follows the weakest viewer that does not get the best; the best
stays what it is, for the recorder and for those whose path carries it.

WISH-1  Downwards at once (at most every `DOWN_EVERY_S`), upwards in steps of a tenth and at most every `UP_EVERY_S`.
WISH-2  When every viewer has had the best, and room for it, for `CALM_S`, the wish is 0: nobody needs a small one, and the
        whole uplink is the best's. Before anything is known there is no wish, and the publisher does as it likes.
"""

from __future__ import annotations

from collections.abc import Sequence

FILLS = 0.9
"""Part of its room that the encoding may take: encoders overshoot, and repairs want something too."""
BEST_NEEDS, BEST_KEPT = 1.1, 0.9
"""Room for the best, in parts of what it costs: to be given it, and to be left with it."""
DOWN_EVERY_S, UP_EVERY_S = 0.25, 0.7
CALM_S = 4.0
LEAST_BPS = 40_000
UNIT = 10_000


class Wish:
    """One track's."""

    __slots__ = ("_calm_since", "asked_at", "bps")

    def __init__(self) -> None:
        self.bps: int | None = None
        """As it was last asked; 0: none is needed."""
        self.asked_at = float("-inf")
        self._calm_since: float | None = None

    def settle(self, rooms: Sequence[tuple[float, bool]], best_bps: float, now: float) -> bool:
        """Whether `bps` has changed. `rooms`: bit/s that each viewer's path has for it, and whether it has the best."""
        needs = BEST_KEPT if self.bps == 0 else BEST_NEEDS
        tight = [room for room, has_best in rooms if room < needs * best_bps or (self.bps != 0 and not has_best)]
        if not tight:
            return self._calm(now)
        self._calm_since = None
        wanted = max(int(FILLS * min(*tight, best_bps)) // UNIT * UNIT, LEAST_BPS)
        since = now - self.asked_at
        if self.bps:
            lower = wanted < 0.95 * self.bps and since >= DOWN_EVERY_S
            higher = wanted > 1.1 * self.bps and since >= UP_EVERY_S
            if not (lower or higher):
                return False
        self.bps, self.asked_at = wanted, now
        return True

    def _calm(self, now: float) -> bool:
        if self.bps == 0:
            return False
        if self._calm_since is None:
            self._calm_since = now
        if now - self._calm_since < CALM_S:
            return False
        self.bps, self.asked_at, self._calm_since = 0, now, None
        return True
