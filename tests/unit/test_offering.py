"""How many pictures of the smallest layer a viewer's room is enough for."""

from __future__ import annotations

import pytest

from media.forwarding.layering import EVERY, Point
from media.offering import fewer

POINTS = [Point(0, 0, 60_000), Point(0, 1, 100_000), Point(0, EVERY, 170_000), Point(1, EVERY, 500_000)]


@pytest.mark.parametrize(
    ("room_bps", "shown", "temporal"),
    [
        (900_000, 0, EVERY),
        (155_000, 0, EVERY),
        (150_000, 0, 1),
        (150_000, EVERY, EVERY),  # what is shown is kept a little longer
        (135_000, EVERY, 1),
        (70_000, 1, 0),
        (10_000, EVERY, 0),  # whether any of it is shown is asked elsewhere
    ],
)
def test_as_many_pictures_of_the_smallest_layer_are_sent_as_there_is_room_for(
    room_bps: float, shown: int, temporal: int
) -> None:
    assert fewer(POINTS, room_bps, shown) == next(p for p in POINTS if p.temporal == temporal)
