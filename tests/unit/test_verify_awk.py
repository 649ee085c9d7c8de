"""awk takes for numbers what looks like numbers, and loses last digits: nothing is judged otherwise for it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from recorder.bundle.texts import verifiers
from recorder.evidence.records import SAFE
from tests.bundles import ORIGIN, Scribe, write_bundle
from tests.forgeries import VISIT, Forgery, Objects, judge
from tests.unit.test_verify_sh import ALONE, alike

SEATS = ("doctor", "patient")


@pytest.fixture(scope="module")
def script() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield write_bundle(verifiers(), Path(folder)) / "verify.sh"


def begun(*seats: str, visit: str = VISIT) -> Scribe:
    """A visit that has just started, told by somebody who may write whatever follows."""
    scribe = Scribe(Random(5), visit, ALONE)
    scribe.log = Forgery(visit, ORIGIN, ALONE)
    scribe.open(*seats)
    for seat in seats:
        scribe.consent(seat)
    scribe.start(*seats)
    return scribe


def ended(scribe: Scribe, end_ms: int) -> Objects:
    """The visit closed."""
    scribe.until(end_ms)
    scribe.close(end_ms)
    return scribe.objects


def judged(script: Path, objects: Objects, intact: bool, first: str | None) -> None:
    verdict = judge(objects)
    assert (verdict.intact, verdict.broken[0].rule if verdict.broken else None) == (intact, first), verdict.broken
    alike(script, objects, first)


@pytest.mark.parametrize(("visit", "other"), [("1e1", "10"), ("0", "00"), ("0x10", "16"), ("inf", "INF")])
def test_a_record_of_another_visit_is_not_taken_for_one_of_equal_worth(script: Path, visit: str, other: str) -> None:
    scribe = begun(*SEATS, visit=visit)
    for seat in SEATS:
        scribe.gap(seat, 0, 1000, "off")
    scribe.log.visit = other
    scribe._records.append(scribe.log.append("heartbeat", {"streams": {}}, scribe.at, scribe.mono_us).line)
    scribe.log.visit = visit
    judged(script, ended(scribe, 1000), False, "CHAIN-4")


@pytest.mark.parametrize(("us", "rule"), [(2_000_000, "CLOSE-1"), (2_000_001, "TIME-2"), (-2_000_001, "TIME-2")])
def test_a_clock_is_followed_to_the_microsecond(script: Path, us: int, rule: str) -> None:
    scribe = Scribe(Random(5), VISIT, ALONE)
    scribe.open(*SEATS)
    later = scribe.mono_us + 3_000_000
    for second, mono_us in ((5, later), (8, later + 3_000_000 + us)):
        told = scribe.log.append("heartbeat", {"streams": {}}, f"2026-05-04T09:12:0{second}.000Z", mono_us)
        scribe._records.append(told.line)
    scribe.flush()
    judged(script, scribe.objects, rule == "CLOSE-1", rule)


def test_a_visit_of_a_month_adds_up(script: Path) -> None:
    scribe = begun(*SEATS)
    month_ms = 30 * 86_400_000
    for seat in SEATS:
        scribe.gap(seat, 0, month_ms, "off")
    judged(script, ended(scribe, month_ms), True, None)


def test_seats_may_be_called_like_members_and_streams_alike(script: Path) -> None:
    seats = ("coverage", "bytes", "doctor", "doctor-screen")
    scribe = begun(*seats)
    for seat in (*seats, "doctor.screen"):
        scribe.part(seat, 0)
        scribe.segment(seat, 0, 1000)
    judged(script, ended(scribe, 1000), True, None)


@pytest.mark.parametrize(("more", "rule"), [(0, "CONSENT-3"), (1, None), (-1, "CONSENT-3")])
def test_a_withdrawal_is_placed_exactly_where_differences_have_no_number(
    script: Path, more: int, rule: str | None
) -> None:
    from_ms = 9_007_199_254_741  # so many that their microseconds are beyond 2^53
    scribe = begun("doctor")
    scribe.mono_us = SAFE - 10_000_000
    scribe._zero_us = scribe.mono_us - from_ms * 1000 - more
    scribe.log = Forgery(VISIT, ORIGIN, ALONE)
    scribe._records, scribe._heads, scribe._batch = [], [], 0
    scribe.open("doctor")
    scribe.consent("doctor")
    scribe.note("start", {"seats": ["doctor"], "from_ms": 0, "zero_mono_us": scribe._zero_us})
    scribe.gap("doctor", 0, from_ms, "off")
    scribe.note("withdraw", {"seat": "doctor"})
    scribe.part("doctor", from_ms)
    scribe.segment("doctor", from_ms, from_ms + 5)
    scribe.close(from_ms + 5)
    verdict = judge(scribe.objects)
    assert (verdict.broken[0].rule if verdict.broken else None) == rule, verdict.broken
    alike(script, scribe.objects, more)


def test_a_stream_that_began_after_the_end_does_not_add_up(script: Path) -> None:
    scribe = begun("doctor")
    scribe.gap("doctor", 0, 1000, "off")
    scribe.note("join", {"seat": "guest"})
    scribe.consent("guest")
    scribe.note("start", {"seats": ["guest"], "from_ms": 5000, "zero_mono_us": scribe._zero_us})
    scribe._first["guest"] = 5000
    judged(script, ended(scribe, 1000), True, "COV-2")


@pytest.mark.parametrize("from_ms", [0, 500])
def test_a_seat_that_never_started_has_no_account(script: Path, from_ms: int) -> None:
    scribe = begun("doctor")
    scribe.gap("doctor", 0, 1000, "off")
    scribe.note("join", {"seat": "guest"})
    scribe.gap("guest", from_ms, 1000, "off")
    judged(script, ended(scribe, 1000), True, "COV-3")
