"""A visit's records gathered into batches."""

from __future__ import annotations

from recorder.live.batches import BATCH_RECORDS, BATCH_US, Batches
from recorder.spool.visit import Line


def test_a_batch_is_complete_with_so_many_records_after_so_long_or_with_the_last() -> None:
    batches = Batches(1000)
    assert batches.complete_with(1, False, 1000) is None
    assert batches.complete_with(BATCH_RECORDS, False, 1000) == 1
    assert batches.complete_with(1, False, 1000 + BATCH_US) == 1
    assert batches.complete_with(1, True, 1000) == 1
    batches.take(Line(records=["{}"] * (BATCH_RECORDS - 1), head="h"))
    assert batches.complete_with(1, False, 1000) == 1


def test_a_batch_is_two_objects_of_lines_and_the_next_one_begins_empty() -> None:
    batches = Batches(0)
    batches.take(Line(records=["a", "b"], head="h1"))
    batches.take(Line(records=["c"]))
    assert batches.cut(1, BATCH_US) == [("records/000001.jsonl", b"a\nb\nc\n"), ("heads/000001.jsonl", b"h1\n")]
    assert batches.complete_with(1, False, BATCH_US + 1) is None
    assert batches.complete_with(1, False, BATCH_US * 2) == 2
    assert [content for _, content in batches.cut(2, 0)] == [b"", b""]
