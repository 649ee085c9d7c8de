"""The book of days: what was open on a day, over midnights and crashes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from recorder.day_book import Day, DayBook
from recorder.evidence.manifest import Manifest, parse_manifest

FIRST, LAST, OTHER = "aa" * 32, "bb" * 32, "cc" * 32


class Calendar:
    def __init__(self) -> None:
        self.now = datetime(2026, 5, 4, 23, 50, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def read(days: list[Day]) -> list[Manifest]:
    return [parse_manifest(day.content) for day in days]


def test_a_day_is_written_once_it_is_over_and_an_open_visit_goes_over_into_the_next(tmp_path: Path) -> None:
    calendar = Calendar()
    book = DayBook(tmp_path, calendar)
    book.opened("a", FIRST)
    book.opened("b", OTHER)
    book.closed("a", FIRST, LAST, 9)
    book.anchored("a", "notary.example", "42")
    assert book.finish("log") == []
    calendar.now += timedelta(minutes=10, seconds=30)
    assert book.finish("log") == []  # what was under way at midnight is given a minute
    calendar.now += timedelta(minutes=1)
    (day,) = book.finish("log")
    (first,) = read([day])
    a, b = first.entry("a"), first.entry("b")
    assert a is not None
    assert b is not None
    assert (first.head.day, first.head.visits, a.close, a.records, b.close) == ("2026-05-04", 2, LAST, 9, None)
    assert a.anchors[0].reference == "42"
    book.proven(day)
    book.closed("b", OTHER, LAST, 4)
    book.closed("a", FIRST, LAST, 9)  # told again by a later life: its day has it
    calendar.now += timedelta(days=1)
    (second,) = read(book.finish("log"))
    assert second.head.prev is not None
    assert (second.entry("a"), second.head.visits) == (None, 1)
    assert second.entry("b") is not None


def test_a_crash_at_any_moment_makes_no_second_manifest_of_a_day(tmp_path: Path) -> None:
    calendar = Calendar()
    DayBook(tmp_path, calendar).opened("a", FIRST)
    with (tmp_path / "2026-05-04.jsonl").open("ab") as file:
        file.write(b'{"visit":"torn')
    calendar.now += timedelta(days=1)
    (day,) = DayBook(tmp_path, calendar).finish("log")
    calendar.now += timedelta(minutes=1)
    assert DayBook(tmp_path, calendar).finish("log") == [day]
    assert DayBook(tmp_path, calendar).unproven() == [day.leaf]
    DayBook(tmp_path, calendar).proven(day)
    book = DayBook(tmp_path, calendar)
    assert book.finish("log") == []
    book.opened("a", FIRST)  # it is still open, and known
    calendar.now += timedelta(days=1)
    assert [one.name for one in book.finish("log")] == ["2026-05-05"]
