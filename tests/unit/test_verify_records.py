"""Records: what is edited, dropped, exchanged or no record is caught, by its rule."""

from __future__ import annotations

import json

import pytest

from recorder.evidence.errors import LogClosed
from recorder.evidence.layout import heads_name, records_name
from tests.forgeries import (
    VISIT,
    all_lines,
    edited,
    judge,
    plain_scribe,
    plain_visit,
    replaced,
    retold,
    rules,
    segments_of,
    told,
    with_lines,
)


def test_the_last_segment_and_its_record_dropped_are_caught() -> None:
    objects = plain_visit()
    last = segments_of(objects)[-1]
    for name, index, line in all_lines(objects):
        if json.loads(line)["body"].get("name") == last:
            del objects[last]
            verdict = judge(replaced(objects, name, index))
            assert {"CHAIN-2", "CHAIN-3", "HEAD-4"} <= rules(verdict)
            return
    raise AssertionError


def test_a_tail_of_records_cut_off_is_caught_by_the_heads() -> None:
    objects = plain_visit()
    last = max(name for name in objects if name.startswith("records/"))
    verdict = judge(with_lines(objects, last, lambda lines: lines[:-1]))
    assert {"HEAD-6", "CLOSE-1"} <= rules(verdict)
    assert not verdict.intact


def test_close_and_its_head_dropped_leaves_an_unfinished_recording() -> None:
    objects = plain_visit()
    records, heads = (max(n for n in objects if n.startswith(kind)) for kind in ("records/", "heads/"))
    del objects[records], objects[heads]
    verdict = judge(objects)
    assert verdict.intact
    assert not verdict.complete
    assert rules(verdict) == {"CLOSE-1"}


def test_the_last_batch_of_records_dropped_is_caught() -> None:
    objects = plain_visit()
    del objects[max(name for name in objects if name.startswith("records/"))]
    assert {"LAYOUT-2", "HEAD-6"} <= rules(judge(objects))


def test_a_batch_in_the_middle_dropped_is_caught() -> None:
    objects = plain_visit()
    del objects[records_name(2)]
    verdict = judge(objects)
    assert verdict.broken[0] == ("LAYOUT-2", records_name(2))
    assert {"CHAIN-2", "CHAIN-3", "HEAD-4"} <= rules(verdict)


def test_two_batches_swapped_are_caught() -> None:
    objects = plain_visit()
    one, other = records_name(2), records_name(3)
    objects[one], objects[other] = objects[other], objects[one]
    assert {"CHAIN-2", "CHAIN-3", "HEAD-4"} <= rules(judge(objects))


@pytest.mark.parametrize(
    ("kind", "member", "value"),
    [
        ("consent", "decision", "refused"),
        ("consent", "text_sha256", "0" * 64),
        ("segment", "to_ms", 2001),
        ("segment", "sha256", "0" * 64),
        ("close", "reason", "left"),
        ("open", "origin", "elsewhere.example"),
        ("part", "why", "pause"),
    ],
)
def test_an_edited_record_is_caught(kind: str, member: str, value: object) -> None:
    verdict = judge(edited(plain_visit(), kind, lambda record: record["body"].update({member: value})))
    assert not verdict.intact
    assert rules(verdict) & {"CHAIN-3", "HEAD-4"}


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("FORM-1", b""),
        ("FORM-1", b"{"),
        ("FORM-1", b"[]"),
        ("FORM-1", b'{"a": 1}'),
        ("FORM-1", b'{"a":1,"a":1}'),
        ("FORM-1", b'{"a":1e999}'),
        ("FORM-1", b"\xff\xfe"),
        ("FORM-1", b"[" * 10_000),
        ("FORM-1", b'{"a":' * 1000 + b"1" + b"}" * 1000),
        ("FORM-1", b'{"a":"' + b"x" * 70_000 + b'"}'),
        ("FORM-2", b"{}"),
        ("FORM-2", b'{"v":1}'),
    ],
)
def test_a_line_that_is_no_record_is_caught(rule: str, line: bytes) -> None:
    verdict = judge(with_lines(plain_visit(), records_name(2), lambda lines: [line, *lines[1:]]))
    assert rule in rules(verdict)
    assert verdict.broken[0].where == f"{records_name(2)}:1"


def test_a_batch_without_its_last_newline_is_caught() -> None:
    objects = plain_visit()
    objects[records_name(2)] = objects[records_name(2)][:-1]
    assert "FORM-1" in rules(judge(objects))
    objects = plain_visit()
    objects[heads_name(2)] = objects[heads_name(2)][:-1]
    assert "HEAD-1" in rules(judge(objects))


def test_an_empty_chain_does_not_verify() -> None:
    for objects in ({}, {"bundle.json": b"{}"}, {records_name(1): b"", heads_name(1): b""}):
        verdict = judge(objects)
        assert not verdict.intact
        assert "CHAIN-1" in rules(verdict)


def test_another_visits_recording_is_caught() -> None:
    verdict = judge(plain_visit(), visit="another")
    assert "CHAIN-4" in rules(verdict)
    assert not verdict.intact


def test_records_after_close_are_caught() -> None:
    scribe = plain_scribe()
    scribe.close(8000)
    with pytest.raises(LogClosed, match=VISIT):  # our own log refuses to write them
        scribe.note("heartbeat", {"streams": {}})
    objects = plain_visit()
    records = told(objects)
    assert "CLOSE-2" in rules(judge(retold([*records, records[-1]])))  # who holds the key does not
    last = max(name for name in objects if name.startswith("records/"))
    verdict = judge(with_lines(objects, last, lambda lines: [*lines, lines[-1]]))
    assert {"CLOSE-2", "HEAD-7"} <= rules(verdict)
