"""What a short burst tells of a path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.congestion.probe import DISCOUNT, FALLEN_S, IDLE_EVERY_S, SOON_S, WIDE_EVERY_S, Prober

SIZE = 300


def carried(path_bps: float, media_bps: float = 0.0, stall_s: float = 0.0) -> float | None:
    """What a probe at 1.2 Mbit/s proves on a path of so much, beside so much media."""
    prober = Prober()
    (cluster,) = prober.first(0.4e6, 0.0)
    gap_s, left, proven = SIZE * 8 / cluster.bps, cluster.size, None
    at = free_at = owed = 0.0
    while left > 0 and proven is None:
        for probe in (*[False] * int(owed), True):
            free_at = max(free_at, at) + SIZE * 8 / path_bps
            arrived = max(free_at, stall_s) + 0.04
            if probe:
                found = prober.hear(cluster.number, at, arrived, SIZE)
                proven = found and found[0]
            else:
                prober.beside(at, arrived, SIZE)
        owed = owed % 1 + media_bps * gap_s / (SIZE * 8)
        at, left = at + gap_s, left - SIZE
    return proven


def test_a_path_with_room_proves_what_was_sent() -> None:
    assert carried(1e8) == pytest.approx(1.2e6, rel=0.1)


@pytest.mark.parametrize("media_bps", [0.0, 0.3e6, 0.6e6, 0.9e6])
def test_a_full_path_proves_what_it_carries_whatever_goes_beside(media_bps: float) -> None:
    assert carried(1e6, media_bps) == pytest.approx(DISCOUNT * 1e6, rel=0.05)


def test_what_a_busy_receiver_took_all_at_once_proves_nothing() -> None:
    assert carried(1e8, stall_s=0.2) is None
    assert carried(1e8, stall_s=0.03) is None


def test_a_fall_is_looked_into_soon_but_not_while_a_queue_stands_nor_right_after_another_probe() -> None:
    prober = Prober()
    assert prober.idle(5e5, 2e6, IDLE_EVERY_S)
    assert not prober.idle(4e5, 2e6, IDLE_EVERY_S + SOON_S)
    prober.soon(IDLE_EVERY_S + SOON_S)
    begins = IDLE_EVERY_S + SOON_S + FALLEN_S
    assert not prober.idle(4e5, 2e6, begins - 0.1)
    assert not prober.idle(4e5, 2e6, begins, queueing=True)
    assert prober.idle(4e5, 2e6, begins)
    prober.soon(begins)
    assert not prober.idle(4e5, 2e6, begins + SOON_S - 0.1)
    assert prober.idle(4e5, 2e6, begins + SOON_S)


def test_a_probe_that_found_no_room_is_sent_again_less_and_less_often() -> None:
    prober, now, waited = Prober(), 10.0, []
    assert prober.idle(1e5, 2e6, now)
    for _ in range(4):
        prober.forget(now + 1.01)
        begins = next(now + n / 10 for n in range(11, 100) if prober.idle(1e5, 2e6, now + n / 10))
        waited.append(begins - now)
        now = begins
    assert waited == pytest.approx([1.1, 2.0, IDLE_EVERY_S, IDLE_EVERY_S])


@given(st.floats(20e3, 3e6), st.floats(0, 1))
def test_where_a_radio_loses_a_probe_is_longer_by_as_much_and_by_no_more_than_twice(bps: float, loss: float) -> None:
    (plain,) = Prober().first(bps, 0.0)
    prober = Prober()
    prober.loss = loss
    (longer,) = prober.first(bps, 0.0)
    assert plain.size / (1 - min(loss, 0.3)) <= longer.size + 1 <= 2.1 * plain.size + 1


def test_a_wide_path_is_probed_more_often_than_a_narrow_one() -> None:
    for bps, every_s in ((9e5, WIDE_EVERY_S), (3e5, IDLE_EVERY_S)):
        prober = Prober()
        assert prober.idle(bps, 2e6, 10.0)
        assert not prober.idle(bps, 2e6, 10.0 + every_s - 0.1)
        assert prober.idle(bps, 2e6, 10.0 + every_s)
