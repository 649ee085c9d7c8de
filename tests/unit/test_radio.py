"""A radio that loses is taken for one until it has lost less for a while."""

from __future__ import annotations

from media.congestion.radio import ENTERED, KEPT_S, LEFT, Radio


def test_much_is_much_at_once_and_for_a_while() -> None:
    radio = Radio()
    assert radio.hear(0.02, 0.0) == 0
    assert radio.hear(0.3, 1.0) == 2
    assert radio.hear(0.0, 1.0 + KEPT_S) == 2
    assert radio.hear(0.0, 1.1 + KEPT_S) == 1
    assert radio.hear(0.0, 1.1 + 2 * KEPT_S) == 1
    assert radio.hear(0.0, 1.2 + 2 * KEPT_S) == 0


def test_what_swings_about_a_bound_does_not_change_the_picture() -> None:
    radio = Radio()
    steps = [radio.hear(ENTERED[0] + (0.01 if n % 2 else -0.02), n / 4) for n in range(200)]
    assert set(steps[1:]) == {1}
    assert LEFT < ENTERED
