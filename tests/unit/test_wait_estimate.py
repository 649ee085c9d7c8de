"""The estimate of a wait, held to simulated clinics whose visits come from a law it does not know."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from signaling.law.wait_estimate import Estimate, PastVisit, durations, estimate, pauses


def history(lengths: list[float], pause_s: float = 0.0) -> list[PastVisit]:
    """Visits one after another, with everybody waiting from the beginning."""
    at, past = 1000.0, []
    for length in lengths:
        past.append(PastVisit(0.0, at, at + length))
        at += length + pause_s
    return past


def test_nothing_is_said_of_a_doctor_of_whom_little_is_known() -> None:
    assert estimate(history([300.0] * 4), 3, None) is None
    assert estimate(history([300.0] * 5), 3, None) == Estimate(900, 900)


def test_nothing_is_said_where_only_the_doctor_knows_when_they_will_call() -> None:
    lonely = [PastVisit(at, at + 600, at + 900) for at in range(0, 9000, 1800)]
    assert estimate(lonely, 0, None) is None
    assert estimate(lonely, 0, 100.0) == Estimate(180, 240)
    assert estimate(history([300.0] * 9, pause_s=120), 0, None) == Estimate(120, 120)


def test_the_visit_under_way_and_the_pauses_count() -> None:
    past = history([600.0] * 9, pause_s=60)
    assert estimate(past, 2, 400.0) == Estimate(1560, 1620)  # 200 → 210 on the grid, 3 pauses, 2 visits
    assert estimate(past, 1, None) == Estimate(720, 720)


def test_a_visit_longer_than_all_known_ones_still_ends() -> None:
    said = estimate(history([300.0, 600.0, 900.0, 600.0, 600.0]), 0, 5000.0)
    assert said == Estimate(60, 420)


def test_only_the_time_between_two_waiting_patients_is_a_pause() -> None:
    past = [PastVisit(0, 100, 200), PastVisit(150, 230, 300), PastVisit(900, 950, 990), PastVisit(0, 5000, 5100)]
    assert pauses(past) == [30.0]
    assert durations(past) == [100.0, 70.0, 40.0, 100.0]


LAWS: dict[str, Callable[[Random], float]] = {
    "exponential": lambda random: random.expovariate(1 / 480),
    "log-normal": lambda random: random.lognormvariate(6.1, 0.5),
    "two kinds": lambda random: random.gauss(240, 40) if random.random() < 0.7 else random.gauss(1200, 150),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("ahead", [1, 3, 8])
def test_one_wait_in_five_is_shorter_and_one_in_five_longer(law: str, ahead: int) -> None:
    random, draw = Random(20260504), LAWS[law]
    shorter = longer = 0
    clinics = 400
    for _ in range(clinics):
        past = history([max(20.0, draw(random)) for _ in range(50)], pause_s=45)
        day = [max(20.0, draw(random)) for _ in range(40)]
        under_way = random.choices(day, weights=day)[0]  # a moment falls into a long visit more often
        gone = under_way * random.random()
        wait = under_way - gone + 45 + sum(max(20.0, draw(random)) + 45 for _ in range(ahead))
        said = estimate(past, ahead, gone)
        assert said is not None
        shorter += wait < said.low_s
        longer += wait > said.high_s
    assert 0.12 <= shorter / clinics <= 0.32
    assert 0.12 <= longer / clinics <= 0.32
