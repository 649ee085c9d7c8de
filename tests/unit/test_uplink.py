"""The queue on a peer's way here, told by its sound; and what is then said of its losses."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from media.congestion.twcc import Arrivals, Feedback, parse
from media.congestion.uplink import CALM_S, Uplink
from media.rtp import rtcp


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


def test_sound_that_a_busy_machine_held_up_is_no_queue() -> None:
    uplink = Uplink()
    play(uplink, 0, 5, 0.0)
    for stall in range(5):
        begins = 5.0 + stall / 2
        for n in range(25):
            sent_s = begins + n / 50
            uplink.hear(1e4 + sent_s, max(sent_s, begins + 0.3) + 0.04)
            assert uplink.calm
    assert uplink.wait_s > CALM_S / 2


def test_a_stream_of_another_time_begins_anew() -> None:
    uplink = Uplink()
    play(uplink, 0, 5, 0.0)
    uplink.hear(7.0, 5.0)
    assert uplink.wait_s == 0.0


def heard(calm: bool, loses: int, of: int) -> list[Feedback]:
    """What is said, at last, of turns of `of` packets that lose the first `loses` but one."""
    arrivals = Arrivals()
    message: bytes | None = None
    for turn in range(80):
        for n in range(turn * of, (turn + 1) * of):
            if n % of >= loses or n == 0:
                arrivals.hear(n, n / 100)
        message = arrivals.write(1, 2, calm)
    assert message is not None
    told = [packet for packet in rtcp.parse(message, len(message)) if isinstance(packet, rtcp.TransportFeedback)]
    return [parse(message[each.at : each.end]) for each in told]


def test_what_a_calm_path_loses_is_passed_over_and_what_a_full_one_loses_is_told() -> None:
    (calm,) = heard(True, 1, 10)
    assert (calm.first, len(calm.arrivals), calm.arrivals.count(None)) == (791, 9, 0)
    (full,) = heard(False, 1, 10)
    assert (full.first, full.arrivals.count(None)) == (790, 1)


def test_what_was_lost_is_never_told_as_having_come_for_it_could_not_be_sent_again() -> None:
    arrivals = Arrivals()
    for number in (10, 11, 14, 15, 17):
        arrivals.hear(number, number / 100)
    message = arrivals.write(1, 2, calm=True)
    assert message is not None
    told = [parse(message[each.at : each.end]) for each in rtcp.parse(message, len(message))]  # type: ignore[union-attr]
    assert [(each.first, each.count, len(each.arrivals)) for each in told] == [(10, 1, 2), (14, 2, 2), (17, 3, 1)]
    assert all(at is not None for each in told for at in each.arrivals)


def gaps(bursty: random.Random, count: int) -> Iterator[int]:
    """Numbers of packets that come where a tenth is lost, five at a time (Gilbert–Elliott)."""
    bad = False
    for n in range(count):
        bad = bursty.random() >= 1 / 5 if bad else bursty.random() < 0.1 / 5 / 0.9
        if not bad:
            yield n


@pytest.mark.parametrize("seed", range(10))
def test_a_tenth_lost_in_bursts_is_not_told_even_once_in_a_minute(seed: int) -> None:
    arrivals, a_second = Arrivals(), 90
    for n in gaps(random.Random(seed), 60 * a_second):
        arrivals.hear(n & 0xFFFF, n / a_second)
        if n % 5 == 0:
            message = arrivals.write(1, 2, calm=True)
            assert message is not None
            told = [parse(message[each.at : each.end]) for each in rtcp.parse(message, len(message))]  # type: ignore[union-attr]
            assert not any(None in each.arrivals for each in told)


def test_a_path_that_loses_half_is_never_said_to_be_well() -> None:
    (told,) = heard(True, 5, 10)
    assert told.arrivals.count(None) == 5


def test_a_jam_is_known_by_the_newest_sound_and_soon_forgotten() -> None:
    uplink = Uplink()
    assert not uplink.jammed(0.0)
    play(uplink, 0, 5, 0.0)
    assert not uplink.jammed(5.0)
    uplink.hear(1e4 + 5.0, 5.34)
    assert uplink.jammed(5.4)
    assert uplink.jammed_s(5.4) == pytest.approx(0.06)
    assert not uplink.jammed(6.5), "nothing was heard since: it may be dark"
    assert uplink.jammed_s(6.5) == 0
    uplink.hear(1e4 + 5.5, 5.84)
    assert uplink.jammed_s(5.85) == pytest.approx(0.51), "it lasts"
    uplink.hear(1e4 + 5.85, 5.9)
    assert not uplink.jammed(5.9)
    assert uplink.jammed_s(5.9) == 0
