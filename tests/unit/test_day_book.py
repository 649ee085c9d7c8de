"""The book of days: what was open on a day, over midnights and crashes."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.clock import iso
from recorder.evidence.manifest import Entry, Manifest, parse_manifest, visit_hash
from recorder.log.day_book import Day, DayBook

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
    book.opened("a", FIRST, iso(calendar.now))
    book.opened("b", OTHER, iso(calendar.now))
    book.closed("a", FIRST, LAST, 9, iso(calendar.now))
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
    book.closed("b", OTHER, LAST, 4, iso(calendar.now))
    book.closed("a", FIRST, LAST, 9, iso(calendar.now))  # told again by a later life: its day has it
    calendar.now += timedelta(days=1)
    (second,) = read(book.finish("log"))
    assert second.head.prev is not None
    assert (second.entry("a"), second.head.visits) == (None, 1)
    assert second.entry("b") is not None


def test_a_crash_at_any_moment_makes_no_second_manifest_of_a_day(tmp_path: Path) -> None:
    calendar = Calendar()
    DayBook(tmp_path, calendar).opened("a", FIRST, iso(calendar.now))
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
    book.opened("a", FIRST, iso(calendar.now))  # it is still open, and known
    calendar.now += timedelta(days=1)
    assert [one.name for one in book.finish("log")] == ["2026-05-05"]


def names(days: list[Day]) -> list[tuple[str, list[str]]]:
    """Each manifest's day, and which of the visits a … e stand in it."""
    return [(m.head.day, [visit for visit in "abcde" if m.entry(visit) is not None]) for m in read(days)]


def test_a_visit_is_of_the_day_that_its_records_name_however_late_it_is_told(tmp_path: Path) -> None:
    calendar = Calendar()
    book = DayBook(tmp_path, calendar)
    calendar.now = datetime(2026, 5, 5, 0, 0, 1, tzinfo=UTC)
    book.opened("a", FIRST, "2026-05-04T23:59:59.998Z")
    book.closed("a", FIRST, LAST, 9, "2026-05-04T23:59:59.999Z")
    book.opened("b", FIRST, "2026-05-04T23:59:59.999Z")
    book.closed("b", FIRST, LAST, 9, "2026-05-05T00:00:00.000Z")
    book.opened("c", FIRST, "2026-05-05T00:00:00.000Z")
    calendar.now += timedelta(minutes=2)
    assert names(book.finish("log")) == [("2026-05-04", ["a", "b"])]
    assert read(book.finish("log"))[0].entry("b") == Entry(visit_hash("b"), FIRST, None, None, [])
    calendar.now += timedelta(days=1)
    assert names(book.finish("log"))[1] == ("2026-05-05", ["b", "c"])


def test_a_clock_set_back_or_on_makes_no_second_manifest_of_a_day_and_loses_no_visit(tmp_path: Path) -> None:
    calendar = Calendar()
    DayBook(tmp_path, calendar).opened("a", FIRST, iso(calendar.now))
    calendar.now += timedelta(days=2)
    book = DayBook(tmp_path, calendar)
    book.closed("a", FIRST, LAST, 9, iso(calendar.now))
    assert names(book.finish("log")) == [("2026-05-04", ["a"])]
    calendar.now -= timedelta(days=2)  # back to a day that has its manifest
    book.opened("b", FIRST, iso(calendar.now))
    book = DayBook(tmp_path, calendar)
    book.closed("b", FIRST, LAST, 9, iso(calendar.now))
    assert len(book.finish("log")) == 1
    calendar.now += timedelta(days=1000)  # and far into the future
    book.opened("c", FIRST, iso(calendar.now))
    calendar.now += timedelta(days=1)
    assert [name for name, _ in names(DayBook(tmp_path, calendar).finish("log"))][3:] == ["2029-01-28"]
    calendar.now = datetime(2026, 5, 7, 12, 0, tzinfo=UTC)  # and right again
    book = DayBook(tmp_path, calendar)
    book.opened("d", FIRST, iso(calendar.now))
    calendar.now += timedelta(days=1)
    made = book.finish("log")
    assert names(made) == [
        ("2026-05-04", ["a"]),
        ("2026-05-05", ["b"]),
        ("2026-05-06", ["a"]),
        ("2026-05-07", ["d"]),
        ("2029-01-28", ["c"]),
    ]
    chain = {m.head.prev: hashlib.sha256(day.content).hexdigest() for m, day in zip(read(made), made, strict=True)}
    at, order = None, []
    while at in chain:
        at = chain[at]
        order.append(at)
    assert len(order) == 5  # one chain, in the order they were made


def test_a_visit_open_while_the_recorder_was_away_goes_over_into_the_next_list_there_is(tmp_path: Path) -> None:
    calendar = Calendar()
    book = DayBook(tmp_path, calendar)
    book.opened("a", FIRST, iso(calendar.now))
    calendar.now += timedelta(days=2)
    book.opened("b", FIRST, iso(calendar.now))
    calendar.now += timedelta(days=3)
    assert names(DayBook(tmp_path, calendar).finish("log")) == [("2026-05-04", ["a"]), ("2026-05-06", ["a", "b"])]
