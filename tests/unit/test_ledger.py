"""Fates of transport-wide numbers."""

from __future__ import annotations

from media.congestion.ledger import KEPT, Ledger
from media.congestion.twcc import REFERENCE_S, Feedback


def test_each_fate_is_told_once_in_sending_order() -> None:
    ledger = Ledger()
    assert [ledger.sent(n / 10, 100 + n) for n in range(3)] == [0, 1, 2]
    told = ledger.fates(Feedback(1, 0, 0, (5.0, None, 5.2)))
    assert told == [(0.0, 100, 5.0, None), (0.1, 101, None, None), (0.2, 102, 5.2, None)]
    assert ledger.fates(Feedback(1, 1, 0, (5.0, 5.1))) == []


def test_it_knows_since_when_the_oldest_is_on_its_way() -> None:
    ledger = Ledger()
    assert ledger.flying_since is None
    for n in range(4):
        ledger.sent(n / 10, 100)
    assert ledger.flying_since == 0.0
    ledger.fates(Feedback(1, 0, 1, (5.0, None)))
    assert ledger.flying_since == 0.3
    ledger.fates(Feedback(1, 1, 3, (5.0,)))
    assert ledger.flying_since is None


def test_numbers_wrap_and_old_ones_are_forgotten() -> None:
    ledger = Ledger()
    numbers = [ledger.sent(float(n), 1) for n in range(70_000)]
    assert numbers[65_535:65_537] == [65_535, 0]
    (told,) = ledger.fates(Feedback(1, 0, numbers[-1], (1.0,)))
    assert told[0] == 69_999.0
    assert ledger.fates(Feedback(1, 1, numbers[-KEPT - 1], (1.0,))) == []


def test_the_receivers_clock_may_turn_over() -> None:
    ledger = Ledger()
    for n in range(2):
        ledger.sent(float(n), 1)
    turn = (1 << 24) * REFERENCE_S
    (before,) = ledger.fates(Feedback(1, 0, 0, (turn - 0.01,)))
    (after,) = ledger.fates(Feedback(1, 0, 1, (0.02,)))
    assert before[2] is not None
    assert after[2] is not None
    assert 0.02 < after[2] - before[2] < 0.04


def test_a_probes_packets_carry_its_number() -> None:
    ledger = Ledger()
    ledger.sent(0.0, 1, 7)
    assert ledger.fates(Feedback(1, 0, 0, (1.0,))) == [(0.0, 1, 1.0, 7)]
