"""The congestion controller against the laboratory's link, in virtual time (RFC 8867-style cases; every one seeded)."""

from __future__ import annotations

import pytest

from tests.lab.call import Call, Trace
from tests.lab.link import Forecast, Weather


def call(
    weather: Weather | Forecast, seconds: float = 30, seed: int = 1, wanted_bps: float = 3e6
) -> tuple[Call, Trace]:
    forecast = weather if isinstance(weather, Forecast) else Forecast.steady(weather)
    made = Call(forecast, seed, wanted_bps)
    return made, made.run(seconds)


@pytest.mark.parametrize("capacity", [250e3, 500e3, 1e6, 2e6])
def test_a_bottleneck_is_used_and_its_queue_stays_short(capacity: float) -> None:
    _, trace = call(Weather(delay_s=0.04, rate_bps=capacity))
    assert trace.arrived(10, 30) >= 0.8 * capacity
    assert trace.queue_p95(5, 30) <= 0.2


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("loss", "burst"), [(0.1, 1.0), (0.1, 5.0), (0.2, 1.0)])
def test_radio_loss_is_told_from_congestion(loss: float, burst: float, seed: int) -> None:
    made, trace = call(Weather(delay_s=0.04, loss=loss, burst=burst), seed=seed)
    assert trace.arrived(15, 30) >= 1e6
    assert made.controller.hear([], 0.08, 30).inherent_loss == pytest.approx(loss, abs=0.06)


def test_a_lossy_narrow_link_is_still_used() -> None:
    _, trace = call(Weather(delay_s=0.12, rate_bps=600e3, loss=0.1))
    assert trace.arrived(5, 30) >= 0.65 * 600e3
    assert trace.queue_p95(5, 30) <= 0.15


def test_jitter_alone_is_not_congestion() -> None:
    _, trace = call(Weather(delay_s=0.04, jitter_s=0.02, rate_bps=1e6))
    assert trace.arrived(10, 30) >= 0.8e6


def test_capacity_steps_are_followed_down_within_a_second_and_up_within_eight() -> None:
    steps = [(0.0, 1.0e6), (20.0, 2.5e6), (40.0, 0.6e6), (60.0, 1.0e6)]
    forecast = Forecast(tuple((begins, Weather(delay_s=0.04, rate_bps=rate)) for begins, rate in steps))
    _, trace = call(forecast, seconds=80)
    for (begins, rate), ends in zip(steps, [20.0, 40.0, 60.0, 80.0], strict=True):
        assert trace.arrived(begins + (2 if begins else 5), ends) >= 0.75 * rate
        assert next(row[0] for row in trace.between(begins, ends) if row[2] >= 0.8 * rate) - begins <= 8
    assert next(row[0] for row in trace.between(40, 60) if row[1] <= 0.6e6) - 40 <= 1
    assert trace.queue_p95(40, 60) <= 0.15


def test_after_a_blackout_the_estimate_comes_back() -> None:
    dark = Forecast.steady(Weather(delay_s=0.04, rate_bps=1e6)).with_blackout(15, 4)
    _, trace = call(dark, seconds=40)
    assert trace.arrived(27, 40) >= 0.7e6


def test_it_never_asks_for_less_than_the_least_or_more_than_the_most() -> None:
    _, trace = call(Weather(delay_s=0.04, loss=0.6, rate_bps=50e3), seconds=20)
    assert all(30e3 <= target <= 8e6 for _, target, _, _ in trace.rows)
