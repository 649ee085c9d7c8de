"""How many pictures of the smallest layer a viewer's room is enough for."""

from __future__ import annotations

import pytest

from media.forwarding.layering import EVERY, Point
from media.plane import ProducerSpec
from media.python_plane.offering import fewer, whole_bps
from media.transports.transport import Track

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


def test_who_has_room_for_the_biggest_of_several_layers_has_none_yet_for_the_picture_alone() -> None:
    track = Track(ProducerSpec("t", "video", "1", {98: "VP9"}, 90000), None)  # type: ignore[arg-type]
    narrow, wide = [(900_000.0, True)], [(1_900_000.0, True)]

    def settled(rooms: list[tuple[float, bool]], top_bps: float, now: float) -> int | None:
        track.wish.settle(rooms, whole_bps(track, top_bps), now)
        return track.wish.bps

    assert [settled(narrow, 540_000, now) for now in (1.0, 6.0, 11.0)] == [850_000] * 3
    assert [settled(wide, 540_000, now) for now in (12.0, 16.5)] == [850_000, 0]
    assert [settled(narrow, 1_700_000, now) for now in (20.0, 20.7)] == [0, 850_000], (
        "now it is known what it costs alone"
    )
    assert [settled([(1_800_000.0, True)], 540_000, now) for now in (22.0, 27.0)] == [1_610_000] * 2
