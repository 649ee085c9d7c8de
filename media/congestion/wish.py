"""What the encoding that weak viewers get should cost: asked of its publisher, so that it fills what their paths carry. Pure.

A simulcast has few sizes, and what lies between two of them would stay unused: with 100, 400 and 1 800 kbit/s a path of
1 Mbit/s would be used by half. So the encoding below the best follows the weakest viewer that does not get the best; the best
stays what it is, for the recorder and for those whose path carries it.

WISH-1  Downwards at once (at most every `DOWN_EVERY_S`), upwards by an eighth at the least and at most every `UP_EVERY_S`, by
        half or more every `LEAP_EVERY_S`: after each wish a Chromium takes its encoders for wasteful, and has all of them
        make five sixths of what they may for 30 frames.
WISH-2  When every viewer has had room for the best for `CALM_S`, and has it or room for more than any best costs, the wish
        is 0: nobody needs a small one, and the whole uplink is the best's. Before anything is known there is no wish, and the
        publisher does as it likes.
WISH-3  Who makes less than it is asked for, though it has had time, is asked for more, by `MOST_GAIN` at the most.
WISH-4  Once it is 0, a room that is but a little short is borne for `BORNE_S`: to go back and forth is a picture without bits
        each time.
"""

from __future__ import annotations

from collections.abc import Sequence

FILLS, FILLS_NARROW, NARROW_BPS = 0.95, 0.85, 300_000.0
"""Part of its room that the encoding may take: encoders overshoot, and repairs want something too. In a narrow room less, and
no more than it is asked for (WISH-3): a keyframe there stands as a queue of a tenth of a second by itself."""
LOWER, HIGHER, LEAP = 0.9, 1.12, 1.5
"""What is asked follows what could be asked only so far from it."""
BEST_NEEDS, BEST_KEPT = 1.1, 0.9
"""Room for the best, in parts of what it costs: to be given it, and to be left with it."""
AMPLE_BPS = 2_200_000.0
"""A viewer with such a room, and without the best, lacks it because the publisher's uplink does: two encodings there starve
each other (the bigger came and went on uplinks of 500 kbit/s)."""
DOWN_EVERY_S, UP_EVERY_S, LEAP_EVERY_S = 0.25, 1.3, 0.7
CALM_S = 4.0
BORNE, BORNE_S = 0.5, 0.6
"""Room in parts of what the best costs: with less it is not borne."""
HEEDED_S, MOST_GAIN, GAIN_STEP = 1.5, 1.2, 0.1
LEAST_BPS = 40_000
UNIT = 10_000


class Wish:
    """One track's."""

    __slots__ = ("_calm_since", "_gain", "_tight_since", "asked_at", "bps", "parted_at", "whole_bps")

    def __init__(self) -> None:
        self.bps: int | None = None
        """As it was last asked; 0: none is needed."""
        self.asked_at = self.parted_at = float("-inf")
        """When it was last asked, and when it was last no longer 0."""
        self.whole_bps = 0.0
        """What the best cost then, alone."""
        self._calm_since: float | None = None
        self._tight_since: float | None = None
        self._gain = 1.0

    def settle(
        self, rooms: Sequence[tuple[float, bool]], best_bps: float, now: float, made_bps: float | None = None
    ) -> bool:
        """Whether `bps` has changed. `rooms`: bit/s that each viewer's path has for it, and whether it has the best.
        `made_bps`: what the encoding costs, if it is sent."""
        needs = BEST_KEPT if self.bps == 0 else BEST_NEEDS
        tight = [
            room for room, best in rooms if room < needs * best_bps or not (best or self.bps == 0 or room > AMPLE_BPS)
        ]
        if not tight:
            return self._calm(now)
        self._calm_since = None
        if self._borne(min(tight), best_bps, now):
            return False
        self._learn(made_bps, now)
        room = min(*tight, best_bps)
        part = FILLS_NARROW if room < NARROW_BPS else self._gain * FILLS
        wanted = max(int(part * room) // UNIT * UNIT, LEAST_BPS)
        since = now - self.asked_at
        if self.bps == 0:
            self.parted_at, self.whole_bps = now, best_bps
        if self.bps:
            lower = wanted < LOWER * self.bps and since >= DOWN_EVERY_S
            higher = wanted > HIGHER * self.bps and since >= (LEAP_EVERY_S if wanted > LEAP * self.bps else UP_EVERY_S)
            if not (lower or higher):
                return False
        self.bps, self.asked_at = wanted, now
        return True

    def _borne(self, room: float, best_bps: float, now: float) -> bool:
        """WISH-4."""
        if self.bps != 0 or room < BORNE * best_bps:
            return False
        if self._tight_since is None:
            self._tight_since = now
        return now - self._tight_since < BORNE_S

    def _learn(self, made_bps: float | None, now: float) -> None:
        """WISH-3."""
        if made_bps is None or not self.bps or now - self.asked_at < HEEDED_S:
            return
        self._gain += GAIN_STEP * (self.bps / max(made_bps, 1.0) - self._gain)
        self._gain = min(max(self._gain, 1.0), MOST_GAIN)

    def _calm(self, now: float) -> bool:
        self._tight_since = None
        if self.bps == 0:
            return False
        if self._calm_since is None:
            self._calm_since = now
        if now - self._calm_since < CALM_S:
            return False
        self.bps, self.asked_at, self._calm_since = 0, now, None
        return True
