"""What a subscriber gets when there is not enough for everything."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from media.congestion.allocation import Allocator, Layer, Want

CAMERA = Want("doctor.camera", 1, (Layer(0, 0, 60e3), Layer(0, 2, 120e3), Layer(1, 2, 400e3), Layer(2, 2, 1.2e6)))
SCREEN = Want("doctor.screen", 2, (Layer(0, 0, 150e3), Layer(0, 2, 800e3)))


def given_out(budget: float, *wants: Want) -> dict[str, Layer | None]:
    return Allocator().allocate(budget, wants, 0.0)


def test_with_plenty_everybody_gets_the_best() -> None:
    assert given_out(5e6, CAMERA, SCREEN) == {"doctor.camera": CAMERA.layers[3], "doctor.screen": SCREEN.layers[1]}


def test_the_screen_comes_before_the_camera() -> None:
    assert given_out(170e3, CAMERA, SCREEN) == {"doctor.camera": None, "doctor.screen": SCREEN.layers[0]}


def test_nobody_gets_more_than_they_can_see() -> None:
    small = Want(CAMERA.track, 1, CAMERA.layers, most=1)
    assert given_out(5e6, small)["doctor.camera"] == CAMERA.layers[1]


def test_a_step_up_needs_a_tenth_more_and_a_step_down_is_immediate() -> None:
    allocator = Allocator()
    assert allocator.allocate(405e3, [CAMERA], 0)["doctor.camera"] == CAMERA.layers[1]
    assert allocator.allocate(445e3, [CAMERA], 1)["doctor.camera"] == CAMERA.layers[2]
    assert allocator.allocate(405e3, [CAMERA], 2)["doctor.camera"] == CAMERA.layers[2]
    assert allocator.allocate(390e3, [CAMERA], 3)["doctor.camera"] == CAMERA.layers[1]


def test_a_layer_given_up_is_not_tried_again_at_once_and_later_each_time() -> None:
    allocator = Allocator()
    climbed_at = []
    level = None
    for tenth in range(2000):
        now = tenth / 10
        rich = level is None or level.spatial < 1
        before, level = level, allocator.allocate(600e3 if rich else 300e3, [CAMERA], now)["doctor.camera"]
        if before and level and level.spatial > before.spatial:
            climbed_at.append(now)
    waits = [later - earlier for earlier, later in itertools.pairwise(climbed_at)]
    assert waits[0] >= 5
    assert max(waits) >= 40
    assert all(later >= earlier - 0.2 for earlier, later in itertools.pairwise(waits))


def test_a_layer_that_its_publisher_left_out_is_given_again_at_once() -> None:
    allocator = Allocator()
    less = Want(CAMERA.track, 1, CAMERA.layers[:2])
    for now in range(10):
        there = CAMERA if now % 2 else less
        assert allocator.allocate(5e6, [there], now)["doctor.camera"] == there.layers[-1]


def test_what_is_paused_comes_back() -> None:
    allocator = Allocator()
    allocator.allocate(100e3, [CAMERA], 0)
    assert allocator.allocate(20e3, [CAMERA], 1)["doctor.camera"] is None
    assert allocator.allocate(100e3, [CAMERA], 4)["doctor.camera"] is None
    assert allocator.allocate(100e3, [CAMERA], 30)["doctor.camera"] == CAMERA.layers[0]


layers = st.lists(st.integers(20_000, 2_000_000), min_size=1, max_size=5, unique=True).map(
    lambda costs: tuple(Layer(0, place, float(cost)) for place, cost in enumerate(sorted(costs)))
)


@given(
    st.lists(st.tuples(st.integers(1, 2), layers), min_size=1, max_size=4),
    st.lists(st.integers(0, 4_000_000), max_size=30),
)
def test_it_never_spends_more_than_there_is(tracks: list[tuple[int, tuple[Layer, ...]]], budgets: list[int]) -> None:
    wants = [Want(f"t{place}", priority, ladder) for place, (priority, ladder) in enumerate(tracks)]
    allocator = Allocator()
    for second, budget in enumerate(budgets):
        chosen = allocator.allocate(budget, wants, float(second))
        assert sum(layer.bps for layer in chosen.values() if layer) <= budget
