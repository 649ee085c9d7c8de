"""config.clock: how time is written and read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from config.clock import iso, monotonic_us, now_iso, parse_iso, random_name


def test_time_is_written_in_utc_with_milliseconds() -> None:
    beijing = timezone(timedelta(hours=8))
    assert iso(datetime(2026, 5, 4, 17, 12, 0, 123_900, tzinfo=beijing)) == "2026-05-04T09:12:00.123Z"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", now_iso())


def test_what_is_written_can_be_read() -> None:
    moment = datetime(2026, 5, 4, 9, 12, 0, 123_000, tzinfo=UTC)
    assert parse_iso(iso(moment)) == moment
    with pytest.raises(ValueError, match="offset"):
        parse_iso("2026-05-04T09:12:00")


def test_monotonic_time_does_not_go_back() -> None:
    assert monotonic_us() <= monotonic_us()


def test_names_are_url_safe_and_not_repeated() -> None:
    names = {random_name() for _ in range(2000)}
    assert len(names) == 2000
    assert not [name for name in names if name.startswith("-")]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", name) for name in names)
