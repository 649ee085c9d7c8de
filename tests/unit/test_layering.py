"""What a stream's layers are said to cost, and which of them can be had."""

from __future__ import annotations

import pytest

from media.forwarding.layering import ALIVE_S, EVERY, Layering
from media.rtp.vp9 import descriptor
from tests.vp9 import described

SIZES = ((320, 180), (640, 360), (1280, 720))


def hear(layering: Layering, now: float, spatial: int, size: int, temporal: int = 0, **more: object) -> None:
    packet = described(bytes(9), spatial=spatial, temporal=temporal, **more)  # type: ignore[arg-type]
    about = descriptor(packet, 0, len(packet))
    assert about is not None
    layering.hear(about, size, now)


def second(layering: Layering, now: float, alone: bool, layers: int = 3) -> None:
    """A second of a camera: 1 000, 3 000 and 9 000 bytes, half of each in the lowest temporal layer."""
    hear(layering, now, 0, 0, sizes=SIZES[:layers], alone=alone)
    for spatial in range(layers):
        for temporal, part in ((0, 2), (1, 4), (2, 4)):
            hear(layering, now, spatial, 1000 * 3**spatial // part, temporal, alone=alone or spatial == layers - 1)
    layering.measure(1.0)


@pytest.mark.parametrize(
    ("alone", "costs"), [(True, (4, 6, 8, 24, 72)), (False, (4, 6, 8, 32, 104))], ids=["S3T3", "L3T3"]
)
def test_each_point_costs_what_is_sent_for_it(alone: bool, costs: tuple[int, ...]) -> None:
    layering = Layering()
    second(layering, 0.0, alone)
    points = layering.points(0.0)
    assert [(spatial, temporal) for spatial, temporal, _ in points] == [
        (0, 0),
        (0, 1),
        (0, EVERY),
        (1, EVERY),
        (2, EVERY),
    ]
    assert [round(bps / 1000) for _, _, bps in points] == list(costs)
    assert [layering.lines(spatial) for spatial in range(4)] == [180, 360, 720, 0]


def test_a_layer_that_no_longer_comes_is_no_choice() -> None:
    layering = Layering()
    second(layering, 0.0, True)
    assert layering.top(ALIVE_S - 0.1) == 2
    hear(layering, ALIVE_S, 1, 100)
    assert layering.top(ALIVE_S + 0.1) == 1
    hear(layering, ALIVE_S + 0.1, 0, 100, sizes=SIZES[:1])
    assert layering.top(ALIVE_S + 0.1) == 0, "its sender says so at once"
    assert [point.spatial for point in layering.points(ALIVE_S + 0.1)] == [0, 0, 0]


def test_a_stream_without_layers_is_one_point() -> None:
    layering = Layering()
    hear(layering, 0.0, 0, 5000, layered=False)
    layering.measure(1.0)
    assert [(point.spatial, point.temporal, point.bps) for point in layering.points(0.0)] == [(0, EVERY, 40000.0)]


def test_a_stream_that_pauses_keeps_its_figures() -> None:
    layering = Layering()
    second(layering, 0.0, True)
    before = layering.points(0.0)
    layering.measure(1.0)
    assert layering.points(0.0) == before
    hear(layering, 9.0, 0, 5000)
    layering.measure(8.0)
    layering.measure(0.2)
    assert layering.points(0.0) == before, "what came in a stretch that is no measure does not count in the next"
