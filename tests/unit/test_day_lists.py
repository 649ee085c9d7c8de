"""Manifests held against a store: a day's list that leaves a visit out, lies, or is not of the chain, is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random

import pytest

from recorder.evidence.inventory import Inventory, take_inventory
from recorder.evidence.manifest import Entry, make_manifest, visit_hash
from recorder.evidence.tree import Tree, leaf_hash
from tests.bundles import MemoryReader, honest_visit
from tests.estate import ALONE, lines_of, log_key, log_objects

ROOT = ALONE.fingerprint[:16]
LATER = "2099-01-01T00:01:00.000Z"


@dataclass
class Book:
    """A log that has some visits and, between them, the manifests of its days."""

    tree: Tree = field(default_factory=Tree)
    objects: dict[str, bytes] = field(default_factory=dict)
    prev: str | None = None

    def visit(self, name: str, closed: bool = True) -> Entry:
        recording = honest_visit(Random(name), name, ALONE)
        lines = lines_of(recording)
        for line in lines:
            self.tree.append(leaf_hash(line))
        self.objects |= {f"recordings/{name}/{key}": data for key, data in recording.items()}
        first, last = (sha256(line).hexdigest() for line in (lines[0], lines[-1]))
        return Entry(visit_hash(name), first, last if closed else None, len(lines) if closed else None, [])

    def day(self, day: str, *entries: Entry, at: str = LATER) -> bytes:
        data = make_manifest(log_key().name, day, at, self.prev, entries).encoded
        self.tree.append(leaf_hash(data))
        self.prev = sha256(data).hexdigest()
        self.objects[f"manifests/{ROOT}/{day}.jsonl"] = data
        return data

    def counted(self) -> Inventory:
        return take_inventory(MemoryReader({**self.objects, **log_objects(self.tree, [self.tree.size])}))

    def broken(self) -> list[tuple[str, str]]:
        # These recordings have no proof of the log: that is INV-7, and not judged here.
        return [(one.rule, one.where) for one in self.counted().broken if one.rule != "INV-7"]


def test_honest_lists_are_whole_also_where_days_are_missing_and_a_visit_is_told_late() -> None:
    book = Book()
    a, b = book.visit("a"), book.visit("b")
    book.day("2026-05-04", a)
    book.day("2026-05-09", b)
    book.visit("c")  # its day is not over
    book.day("2026-05-10", b)
    assert book.broken() == []


def test_a_visit_that_no_list_has_is_named() -> None:
    book = Book()
    a = book.visit("a")
    book.visit("left-out")
    book.day("2026-05-04", a)
    assert book.broken() == []  # it may have begun after midnight
    book.day("2026-05-05")
    assert book.broken() == [("INV-9", "recordings/left-out")]


def test_a_visit_that_began_by_a_clock_that_was_on_is_not_asked_of_lists_written_before() -> None:
    book = Book()
    book.visit("a")
    for day in ("2020-05-04", "2020-05-05"):
        book.day(day, at=f"{day}T23:59:59.000Z")
    assert book.broken() == []


LIES: dict[str, Callable[[Entry], Entry]] = {
    "another beginning": lambda e: Entry(e.visit, "0" * 64, e.close, e.records, []),
    "another end": lambda e: Entry(e.visit, e.open, "0" * 64, e.records, []),
    "another count": lambda e: Entry(e.visit, e.open, e.close, (e.records or 0) + 1, []),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_list_that_lies_of_a_recording_is_named(lie: str) -> None:
    book = Book()
    book.day("2026-05-04", LIES[lie](book.visit("a")))
    assert book.broken() == [("INV-9", f"manifests/{ROOT}/2026-05-04.jsonl")]


def test_lists_that_are_no_chain_or_not_what_they_are_named_are_caught() -> None:
    book = Book()
    a = book.visit("a")
    book.day("2026-05-04", a)
    second = book.day("2026-05-05")
    book.prev = None
    book.day("2026-05-06")
    assert ("INV-9", f"manifests/{ROOT}/2026-05-05.jsonl") in book.broken() or (
        "INV-9",
        f"manifests/{ROOT}/2026-05-04.jsonl",
    ) in book.broken()
    book = Book()
    book.day("2026-05-04", book.visit("a"))
    book.objects[f"manifests/{ROOT}/2026-05-07.jsonl"] = book.objects.pop(f"manifests/{ROOT}/2026-05-04.jsonl")
    assert book.broken() == [("INV-9", f"manifests/{ROOT}/2026-05-07.jsonl")]
    assert json.loads(second.splitlines()[0])["visits"] == 0


def test_a_list_written_anew_and_one_taken_away_leave_a_leaf_that_nobody_has() -> None:
    book = Book()
    a = book.visit("a")
    first = book.day("2026-05-04", a)
    book.day("2026-05-05")
    del book.objects[f"manifests/{ROOT}/2026-05-04.jsonl"]
    assert {rule for rule, _ in book.broken()} == {"INV-3", "INV-9"}
    anew = make_manifest(log_key().name, "2026-05-04", LATER, None, []).encoded
    assert anew != first
    book.objects[f"manifests/{ROOT}/2026-05-04.jsonl"] = anew
    book.objects[f"manifests/{ROOT}/2026-05-04.tlog-proof"] = b"of the first"
    assert {rule for rule, _ in book.broken()} == {"INV-3", "INV-4", "INV-9"}
