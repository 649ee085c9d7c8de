"""What is asked of the encoding that weak viewers get."""

from __future__ import annotations

from media.congestion.wish import (
    BORNE_S,
    CALM_S,
    DOWN_EVERY_S,
    HEEDED_S,
    LEAP_EVERY_S,
    LEAST_BPS,
    MOST_GAIN,
    UP_EVERY_S,
    Wish,
)
from media.python_plane.steering import COMES_BACK, PAUSED_FILLS

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
    assert wish.bps == 470_000


def test_who_has_not_got_the_best_is_given_all_its_path_carries_until_it_has() -> None:
    wish = Wish()
    assert wish.settle([(2e6, False)], BEST, 0.0)
    assert wish.bps == 1_710_000


def test_who_could_take_any_best_needs_no_small_one_even_while_the_best_does_not_come() -> None:
    wish = Wish()
    assert not wish.settle([(9e6, False)], 2e5, 0.0)
    assert wish.settle([(9e6, False)], 3e5, CALM_S)
    assert wish.bps == 0


def test_it_falls_at_once_and_climbs_in_steps() -> None:
    wish = Wish()
    wish.settle([(1.0e6, False)], BEST, 0.0)
    assert wish.settle([(4e5, False)], BEST, DOWN_EVERY_S)
    assert wish.bps == 380_000
    assert not wish.settle([(4.2e5, False)], BEST, 60.0)
    assert not wish.settle([(8e5, False)], BEST, DOWN_EVERY_S + LEAP_EVERY_S / 2)
    assert wish.settle([(8e5, False)], BEST, DOWN_EVERY_S + LEAP_EVERY_S)
    assert wish.bps == 760_000


def test_the_small_one_goes_only_when_all_has_been_well_for_a_while_and_is_back_at_once() -> None:
    wish = Wish()
    wish.settle([(4e5, False)], BEST, 0.0)
    assert not wish.settle([(3e6, True)], BEST, 1.0)
    wish.settle([(4e5, False)], BEST, 2.0)
    assert not wish.settle([(3e6, True)], BEST, 1.0 + CALM_S)
    assert wish.settle([(3e6, True)], BEST, 1.0 + 2 * CALM_S)
    assert wish.bps == 0
    assert wish.settle([(8e5, True)], BEST, 1.1 + 2 * CALM_S)
    assert wish.bps == 760_000
    assert (wish.parted_at, wish.whole_bps) == (1.1 + 2 * CALM_S, BEST)


def test_small_steps_up_are_rare_because_each_takes_the_encoders_bits_for_a_second() -> None:
    wish = Wish()
    wish.settle([(4e5, False)], BEST, 0.0)
    assert not wish.settle([(5e5, False)], BEST, UP_EVERY_S - 0.1)
    assert wish.settle([(5e5, False)], BEST, UP_EVERY_S)


def test_an_encoder_that_stays_behind_what_it_is_asked_for_is_asked_for_more() -> None:
    wish = Wish()
    wish.settle([(4e5, False)], BEST, 0.0)
    for n in range(20):
        assert not wish.settle([(4e5, False)], BEST, n * HEEDED_S / 20, 1e5), "it has not had time"
    for n in range(200):
        wish.settle([(4e5, False)], BEST, HEEDED_S + n / 5, 1e5)
    assert wish.bps == int(380_000 * MOST_GAIN) // 10_000 * 10_000


def test_once_nobody_needs_a_small_one_a_room_a_little_short_is_borne_for_a_moment() -> None:
    wish = Wish()
    wish.settle([(3e6, True)], BEST, 0.0)
    assert wish.settle([(3e6, True)], BEST, CALM_S)
    assert not wish.settle([(1.2e6, True)], BEST, CALM_S + 0.1)
    assert not wish.settle([(3e6, True)], BEST, CALM_S + BORNE_S / 2)
    assert not wish.settle([(1.2e6, True)], BEST, CALM_S + 0.2 + BORNE_S), "it had been well in between"
    assert wish.settle([(1.2e6, True)], BEST, CALM_S + 0.2 + 2 * BORNE_S)


def test_a_hopeless_path_asks_for_the_least_there_is() -> None:
    wish = Wish()
    wish.settle([(-2e4, False)], BEST, 0.0)
    assert wish.bps == LEAST_BPS


def test_what_follows_the_room_of_a_paused_viewer_is_small_enough_to_come_back() -> None:
    wish = Wish()
    wish.settle([(1e6 * PAUSED_FILLS, False)], BEST, 0.0)
    for n in range(200):
        wish.settle([(1e6 * PAUSED_FILLS, False)], BEST, HEEDED_S + n / 5, 1e5)
    assert wish.bps is not None
    assert wish.bps * COMES_BACK < 1e6
