"""A sender of sound and pictures against the laboratory's link, in virtual time: what the pacer, the hold and repairs add."""

from __future__ import annotations

from dataclasses import replace

import pytest

from media.congestion.downlink import Downlink
from tests.lab.link import Forecast, Weather
from tests.lab.visit import Camera, Visit

BASE = Weather(delay_s=0.04, jitter_s=0.002, queue_s=0.3)
STEPS = (1.0e6, 2.5e6, 0.6e6, 1.0e6)
EACH_S = 12.0


def visit(rates: tuple[float, ...], each_s: float, seed: int, weather: Weather = BASE) -> Visit:
    forecast = Forecast(tuple((n * each_s, replace(weather, rate_bps=rate)) for n, rate in enumerate(rates)))
    made = Visit(forecast, forecast, seed)
    made.run(each_s * len(rates))
    return made


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("jitter_s", [0.002, 0.01])
def test_steps_are_used_by_three_quarters_with_short_queues_and_whole_sound(seed: int, jitter_s: float) -> None:
    played = visit(STEPS, EACH_S, seed, replace(BASE, jitter_s=jitter_s))
    trace = played.trace
    carried = sum(trace.arrived(n * EACH_S, (n + 1) * EACH_S) for n in range(4))
    assert carried >= 0.7 * sum(STEPS), "the encoder makes 2 Mbit/s at the most"
    assert trace.queue_p95(0, 4 * EACH_S) <= 0.15
    assert next(row[0] for row in trace.between(24, 36) if row[1] <= 0.66e6) - 24 <= 1
    assert next(row[0] for row in trace.between(36.1, 48) if row[2] >= 0.8e6) - 36 <= 8
    assert min(row[1] for row in trace.between(24, 28)) >= 0.2e6, "it does not fall through the floor"
    assert played.sound.lost <= 0.01


@pytest.mark.parametrize("seed", range(3))
def test_a_path_that_falls_to_a_hundredth_costs_less_than_a_second_of_sound(seed: int) -> None:
    played = visit((3e7, 1e5), 10.0, seed)
    assert played.sound.sent - played.sound.heard <= 45
    assert all(row[1] <= 2e5 for row in played.trace.between(11, 20))


def test_a_path_that_says_nothing_any_more_is_sent_no_pictures() -> None:
    dark = Forecast.steady(replace(BASE, rate_bps=2e6)).with_blackout(10, 4)
    played = Visit(dark, dark, 1)
    played.run(20)
    assert played.trace.arrived(15, 20) >= 0.5e6


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("loss", "burst", "least"), [(0.1, 5.0, 330e3), (0.1, 1.0, 330e3), (0.3, 1.0, 200e3)])
def test_a_small_picture_is_not_starved_by_a_radio_that_loses(
    loss: float, burst: float, least: float, seed: int
) -> None:
    forecast = Forecast.steady(replace(BASE, loss=loss, burst=burst))
    played = Visit(forecast, forecast, seed, wanted_bps=4e5)
    assert played.run(30).arrived(5, 30) >= least


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("rate_bps", "stall_s"), [(2.5e5, 0.1), (2.5e5, 0.2), (5e5, 0.2)])
def test_a_browser_that_is_held_up_and_a_timid_encoder_are_not_taken_for_a_full_path(
    rate_bps: float, stall_s: float, seed: int
) -> None:
    """Before a queue had to stand the mean was 0.58 and 0.59 with stalls of 200 ms."""
    path, back = (Forecast.steady(each) for each in (replace(BASE, rate_bps=rate_bps), BASE))
    played = Visit(path, back, seed, camera=Camera(makes=0.6, stalls_per_s=2, stall_s=stall_s))
    rows = played.run(30).between(8, 30)
    assert sum(row[1] for row in rows) / len(rows) >= 0.85 * rate_bps
    assert played.trace.queue_p95(8, 30) <= 0.15


@pytest.mark.parametrize(("loss", "burst"), [(0.0, 1.0), (0.1, 1.0), (0.1, 5.0), (0.2, 5.0), (0.3, 1.0)])
def test_a_sender_whose_estimate_fell_for_nothing_is_back_within_seconds_though_it_shows_little(
    loss: float, burst: float
) -> None:
    """A machine that stood still for a second leaves a few kbit/s and a picture that is paused: only probes lead back."""
    back = [_back_after_a_fall(replace(BASE, loss=loss, burst=burst), seed) for seed in range(6)]
    assert max(back) <= 4, "with 30 % lost it was never, before probes were sent again"
    assert sum(back) / len(back) <= 2.5


def _back_after_a_fall(weather: Weather, seed: int) -> float:
    """Seconds until half a megabit is believed again, once the estimate is 77 kbit/s."""
    played = Visit(Forecast.steady(weather), Forecast.steady(BASE), seed, camera=Camera())
    controller = played.downlink.controller
    controller._rate.bps = controller._target = 77e3
    return next((row[0] for row in played.run(8).rows if row[1] >= 500e3), 99.0)


def test_after_a_silence_what_comes_through_a_queue_is_what_the_path_carries() -> None:
    downlink = Downlink(0.0)
    downlink._heard_at, downlink._last_feedback = 0.0, 3.0
    downlink.controller._standing._least_now = 0.0
    downlink.controller._standing._lately.append((0.0, 1.0))
    downlink.controller._acked.hear([(0.0, 250, 2.0 + n / 100, None) for n in range(60)])
    for at in (3.0, 4.0):
        for _ in range(50):
            downlink.number(at, 1000)
        assert downlink.hold(at)
        downlink.ledger._told = downlink.ledger._total
        assert not downlink.hold(at + 0.5)
        assert downlink.controller.capacity_bps == pytest.approx(200e3, rel=0.05), "and no less the second time"


def test_repairs_have_a_share_and_none_while_a_queue_stands() -> None:
    downlink = Downlink(0.0)
    paid = sum(downlink.may_repair(1000, 1.0 + n / 1000) for n in range(1000))
    assert 0.4 * 300e3 / 8000 <= paid <= 1.6 * 0.5 * 300e3 / 8000
    downlink.controller._standing._smoothed = 10.0
    downlink.controller._standing._least_now = 0.0
    assert not downlink.may_repair(100, 60.0)
