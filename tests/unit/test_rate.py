"""How often a socket may speak."""

from __future__ import annotations

from signaling.rate import Bucket, Patience


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    bucket = Bucket(50, 100)
    assert sum(bucket.take(0.0) for _ in range(500)) == 100
    assert sum(bucket.take(1.0) for _ in range(500)) == 50
    assert sum(bucket.take(60.0) for _ in range(500)) == 100


def test_a_clock_that_steps_back_gives_nothing_and_breaks_nothing() -> None:
    bucket = Bucket(1, 1)
    assert bucket.take(10.0)
    assert not bucket.take(5.0)
    assert bucket.take(6.5)


def test_patience_runs_out_after_200_refusals_within_ten_seconds() -> None:
    patience = Patience(200, 10.0)
    assert not any(patience.refused(0.01 * number) for number in range(200))
    assert patience.refused(3.0)


def test_refusals_far_apart_are_borne() -> None:
    patience = Patience(200, 10.0)
    assert not any(patience.refused(0.06 * number) for number in range(5000))
