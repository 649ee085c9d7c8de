"""The laboratory's link must be what it says, or nothing measured on it means anything."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.lab.link import Forecast, Link, Weather


def carry(
    weather: Weather | Forecast, packets: int = 5000, every_s: float = 0.002, size: int = 1000, seed: int = 7
) -> tuple[Link, list[tuple[float, int]]]:
    """Send evenly and step through arrivals; returns (arrival time, number)."""
    link = Link(weather if isinstance(weather, Forecast) else Forecast.steady(weather), seed)
    arrived: list[tuple[float, int]] = []

    def drain(until: float) -> None:
        while (at := link.next_at) is not None and at <= until:
            arrived.extend((at, int.from_bytes(packet[:4], "big")) for packet in link.pop(at))

    for number in range(packets):
        drain(number * every_s)
        link.push(number * every_s, number.to_bytes(4, "big") + bytes(size - 4))
    drain(float("inf"))
    return link, arrived


def test_a_clear_link_delivers_everything_in_order_after_its_delay() -> None:
    _, arrived = carry(Weather(delay_s=0.05))
    assert [number for _, number in arrived] == list(range(5000))
    assert all(at == pytest.approx(number * 0.002 + 0.05) for at, number in arrived)


@pytest.mark.parametrize(("loss", "burst"), [(0.1, 1.0), (0.3, 1.0), (0.1, 5.0), (0.5, 3.0)])
def test_it_loses_the_fraction_it_says_in_bursts_of_the_length_it_says(loss: float, burst: float) -> None:
    _, arrived = carry(Weather(loss=loss, burst=burst), packets=40_000)
    got = {number for _, number in arrived}
    assert 1 - len(got) / 40_000 == pytest.approx(loss, rel=0.1)
    starts = sum(number not in got and (number == 0 or number - 1 in got) for number in range(40_000))
    independent = 1 / (1 - loss)
    assert (40_000 - len(got)) / starts == pytest.approx(burst if burst > 1 else independent, rel=0.1)


def test_a_rate_shapes_and_a_full_queue_drops_at_the_tail() -> None:
    link, arrived = carry(Weather(rate_bps=1e6, queue_s=0.2), packets=2000, every_s=0.004)
    assert link.tally.overflowed > 0
    assert max(link.tally.queue_s) <= 0.2
    spacing = [later[0] - earlier[0] for earlier, later in pairwise(arrived[100:])]
    assert sum(spacing) / len(spacing) == pytest.approx(0.008, rel=0.02)


def test_jitter_stretches_but_never_overtakes_unless_told() -> None:
    _, straight = carry(Weather(delay_s=0.05, jitter_s=0.01))
    _, mixed = carry(Weather(delay_s=0.05, jitter_s=0.01, reorder=0.05))
    assert [number for _, number in straight] == sorted(number for _, number in straight)
    assert [number for _, number in mixed] != sorted(number for _, number in mixed)


def test_a_blackout_lets_nothing_through_and_then_everything() -> None:
    _, arrived = carry(Forecast.steady(Weather(delay_s=0.02)).with_blackout(2.0, 4.0))
    numbers = [number for _, number in arrived]
    assert not [number for number in numbers if 2.0 <= number * 0.002 < 6.0]
    assert [number for number in numbers if number * 0.002 >= 6.0] == list(range(3000, 5000))


def test_the_same_seed_gives_the_same_losses() -> None:
    weather = Weather(loss=0.2, burst=4, jitter_s=0.005, reorder=0.02)
    assert carry(weather, seed=3)[1] == carry(weather, seed=3)[1]
    assert carry(weather, seed=3)[1] != carry(weather, seed=4)[1]
