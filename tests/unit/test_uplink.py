"""The queue on a peer's way here, told by its sound; and what is then said of its losses."""

from __future__ import annotations

from media.congestion.twcc import Arrivals, parse
from media.congestion.uplink import Uplink


def play(uplink: Uplink, begins: float, ends: float, wait_s: float) -> None:
    for n in range(int(begins * 50), int(ends * 50)):
        uplink.hear(1e4 + n / 50, n / 50 + 0.04 + wait_s)


def test_nothing_is_known_at_first_and_a_steady_path_is_calm() -> None:
    uplink = Uplink()
    assert not uplink.calm
    play(uplink, 0, 5, 0.0)
    assert uplink.calm


def test_a_queue_is_seen_and_its_end_too() -> None:
    uplink = Uplink()
    play(uplink, 0, 5, 0.0)
    play(uplink, 5, 6, 0.25)
    assert not uplink.calm
    assert 0.2 < uplink.wait_s < 0.26
    play(uplink, 6, 8, 0.0)
    assert uplink.calm


def test_a_stream_of_another_time_begins_anew() -> None:
    uplink = Uplink()
    play(uplink, 0, 5, 0.0)
    uplink.hear(7.0, 5.0)
    assert uplink.wait_s == 0.0


def heard(calm: bool, loses: int, of: int) -> tuple[float | None, ...]:
    arrivals = Arrivals()
    told: tuple[float | None, ...] = ()
    for turn in range(20):
        for n in range(turn * of, (turn + 1) * of):
            if n % of >= loses or n == 0:
                arrivals.hear(n, n / 100)
        message = arrivals.write(1, 2, calm)
        assert message is not None
        told = parse(message).arrivals
    return told


def test_what_a_calm_path_loses_is_told_as_come_and_what_a_full_one_loses_is_not() -> None:
    assert heard(True, 1, 10).count(None) == 0
    assert heard(False, 1, 10).count(None) == 1
    times = [at for at in heard(True, 2, 10) if at is not None]
    assert times == sorted(times)
    assert len(times) == 10


def test_a_path_that_loses_half_is_never_said_to_be_well() -> None:
    assert heard(True, 5, 10).count(None) == 5
