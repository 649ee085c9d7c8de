"""When an uplink loses so much that its pictures are given up."""

from __future__ import annotations

import random

from media.congestion.toll import BEARABLE_S, Toll


class Way:
    """A sender of 100 packets a second, of which some are lost."""

    def __init__(self, seed: int = 1) -> None:
        self.toll, self.sent, self.came, self.at = Toll(), 0, 0, 0.0
        self._random = random.Random(seed)

    def go(self, seconds: float, loss: float) -> float | None:
        """When it became hopeless, in seconds from now; None if it is not."""
        begin = self.at
        for _ in range(int(seconds * 5)):
            came = sum(self._random.random() >= loss for _ in range(20))
            self.sent, self.came, self.at = self.sent + 20, self.came + came, self.at + 0.2
            self.toll.count(self.sent, self.came, self.at)
            if self.toll.hopeless:
                return self.at - begin
        return None


def test_half_lost_is_hopeless_within_three_seconds() -> None:
    took = []
    for seed in range(50):
        way = Way(seed)
        assert way.go(5, 0.0) is None
        took.append(way.go(10, 0.5) or 10.0)
    assert sum(after <= 3.0 for after in took) >= 45, took
    assert max(took) < 5.0


def test_what_can_be_repaired_is_not_hopeless() -> None:
    assert all(Way(seed).go(30, 0.2) is None for seed in range(20))


def test_a_hole_is_no_way_that_loses() -> None:
    way = Way()
    way.go(5, 0.0)
    way.sent += 400  # four seconds of darkness, told by the first number after
    assert way.go(5, 0.0) is None


def test_it_has_hope_again_once_little_was_lost_for_a_while() -> None:
    way = Way()
    way.go(10, 0.6)
    assert way.toll.hopeless
    begin = way.at
    while way.toll.hopeless and way.at < begin + 20:
        way.sent, way.came, way.at = way.sent + 20, way.came + 19, way.at + 0.2
        way.toll.count(way.sent, way.came, way.at)
    assert BEARABLE_S <= way.at - begin < BEARABLE_S + 3
