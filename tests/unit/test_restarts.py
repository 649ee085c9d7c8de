"""config.restarts: when a part that died is started again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from config.restarts import FIRST_S, MOST_S, SOUND_AFTER_S, Restarts


def test_waits_double_from_a_tenth_of_a_second_to_five() -> None:
    restarts = Restarts()
    assert [restarts.died(0.0) for _ in range(8)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_a_sound_life_forgets_earlier_deaths() -> None:
    restarts = Restarts()
    for _ in range(5):
        restarts.died(0.0)
    assert restarts.died(SOUND_AFTER_S) == FIRST_S


@given(st.lists(st.floats(0, 1e6)))
def test_the_wait_is_always_between_the_first_and_the_most(lives: list[float]) -> None:
    restarts = Restarts()
    assert all(FIRST_S <= restarts.died(lived) <= MOST_S for lived in lives)
