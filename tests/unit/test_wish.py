"""What is asked of the encoding that weak viewers get."""

from __future__ import annotations

from media.congestion.wish import CALM_S, DOWN_EVERY_S, LEAST_BPS, UP_EVERY_S, Wish

BEST = 1.8e6


def test_with_room_for_the_best_nothing_is_wished_at_first_and_soon_nobody_needs_a_small_one() -> None:
    wish = Wish()
    assert not wish.settle([(2.5e6, True), (float("inf"), True)], BEST, 0.0)
    assert wish.bps is None
    assert wish.settle([(2.5e6, True)], BEST, CALM_S)
    assert wish.bps == 0
    assert not wish.settle([], BEST, 60.0)


def test_the_weakest_viewer_decides_and_is_not_filled_to_the_brim() -> None:
    wish = Wish()
    assert wish.settle([(1.0e6, False), (5e5, False), (9e6, True)], BEST, 0.0)
    assert wish.bps == 450_000


def test_who_has_not_got_the_best_is_given_all_its_path_carries_until_it_has() -> None:
    wish = Wish()
    assert wish.settle([(9e6, False)], BEST, 0.0)
    assert wish.bps == 1_620_000


def test_it_falls_at_once_and_climbs_in_steps() -> None:
    wish = Wish()
    wish.settle([(1.0e6, False)], BEST, 0.0)
    assert wish.settle([(4e5, False)], BEST, DOWN_EVERY_S)
    assert wish.bps == 360_000
    assert not wish.settle([(4.2e5, False)], BEST, 60.0)
    assert not wish.settle([(8e5, False)], BEST, DOWN_EVERY_S + UP_EVERY_S / 2)
    assert wish.settle([(8e5, False)], BEST, DOWN_EVERY_S + UP_EVERY_S)
    assert wish.bps == 720_000


def test_the_small_one_goes_only_when_all_has_been_well_for_a_while_and_is_back_at_once() -> None:
    wish = Wish()
    wish.settle([(4e5, False)], BEST, 0.0)
    assert not wish.settle([(3e6, True)], BEST, 1.0)
    wish.settle([(4e5, False)], BEST, 2.0)
    assert not wish.settle([(3e6, True)], BEST, 1.0 + CALM_S)
    assert wish.settle([(3e6, True)], BEST, 1.0 + 2 * CALM_S)
    assert wish.bps == 0
    assert wish.settle([(1e6, True)], BEST, 1.1 + 2 * CALM_S)
    assert wish.bps == 900_000


def test_a_hopeless_path_asks_for_the_least_there_is() -> None:
    wish = Wish()
    wish.settle([(-2e4, False)], BEST, 0.0)
    assert wish.bps == LEAST_BPS
