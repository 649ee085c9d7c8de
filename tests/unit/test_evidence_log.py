"""The log being written: every line its verifier would accept, and nothing else ever appended."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from recorder.evidence.canon import canonical, parse
from recorder.evidence.errors import ChainBroken, EvidenceError, LogClosed, NotCanonical, RecordInvalid
from recorder.evidence.heads import parse_head
from recorder.evidence.log import VisitLog
from recorder.log.keys import KeyFileInvalid, load_or_create
from tests.bundles import ORIGIN, RECORDER, THIEF, honest_visit

AT = "2026-05-04T09:12:00.123Z"
OPEN = {"seats": {"doctor": "d1", "patient": "p1"}, "recorder": "r", "epoch": "e1"}


def opened() -> VisitLog:
    log = VisitLog("v1", ORIGIN, RECORDER)
    log.append("open", OPEN, AT, 1)
    return log


def test_each_line_is_chained_to_the_one_before() -> None:
    log = VisitLog("v1", ORIGIN, RECORDER)
    first = log.append("open", OPEN, AT, 1)
    second = log.append("join", {"seat": "doctor"}, AT, 2)
    assert json.loads(first.line)["prev"] == hashlib.sha256(b"teleconsult-log-v1\nv1").hexdigest()
    assert json.loads(second.line)["prev"] == first.hash == hashlib.sha256(first.line).hexdigest()
    assert (second.seq, log.size, log.last_hash) == (1, 2, second.hash)


def test_open_names_the_origin_the_format_and_the_keys() -> None:
    log = VisitLog("v1", ORIGIN, RECORDER)
    body = json.loads(log.append("open", OPEN, AT, 1).line)["body"]
    assert (body["origin"], body["format"]) == (ORIGIN, "teleconsult-recording/2")
    assert [key["alg"] for key in body["keys"]] == ["ed25519", "sm2"]


@pytest.mark.parametrize(
    ("kind", "body", "at", "mono_us"),
    [
        ("nonsense", {}, AT, 1),
        ("join", {}, AT, 1),
        ("join", {"seat": "doctor", "name": "more"}, AT, 1),
        ("join", {"seat": "Doctor"}, AT, 1),
        ("join", {"seat": "doctor\n"}, AT, 1),
        ("join", {"seat": 1}, AT, 1),
        ("join", {"seat": "doctor"}, "2026-05-04T09:12:00Z", 1),
        ("join", {"seat": "doctor"}, "2026-02-30T09:12:00.000Z", 1),
        ("join", {"seat": "doctor"}, AT, -1),
        ("join", {"seat": "doctor"}, AT, 2**53),
        ("gap", {"stream": "doctor", "from_ms": 0, "to_ms": 1.5, "cause": "network", "packets": None}, AT, 1),
        ("gap", {"stream": "doctor", "from_ms": 0, "to_ms": True, "cause": "network", "packets": None}, AT, 1),
        ("gap", {"stream": "../x", "from_ms": 0, "to_ms": 1, "cause": "network", "packets": None}, AT, 1),
        ("event", {"event": "x", "detail": {"loss": 0.5}}, AT, 1),
        ("event", {"event": "x", "detail": {"a": {"b": 1}}}, AT, 1),
        ("event", {"event": "x", "state": "y" * 1025}, AT, 1),
        ("open", OPEN, AT, 1),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(kind: str, body: Any, at: str, mono_us: int) -> None:
    log = opened()
    before = (log.size, log.last_hash)
    with pytest.raises(RecordInvalid):
        log.append(kind, body, at, mono_us)
    assert (log.size, log.last_hash) == before


def test_a_log_begins_with_open_and_ends_with_close() -> None:
    with pytest.raises(RecordInvalid):
        VisitLog("v1", ORIGIN, RECORDER).append("join", {"seat": "doctor"}, AT, 1)
    log = opened()
    log.append("close", {"reason": "completed", "records": 2, "end_ms": None, "streams": {}}, AT, 2)
    assert log.closed
    with pytest.raises(LogClosed):
        log.append("join", {"seat": "doctor"}, AT, 3)


def test_a_body_too_long_for_a_line_is_refused() -> None:
    seats = {f"s{n}": "x" * 1000 for n in range(100)}
    with pytest.raises(NotCanonical):
        VisitLog("v1", ORIGIN, RECORDER).append("open", {**OPEN, "seats": seats}, AT, 1)


def test_a_resumed_log_goes_on_where_it_was() -> None:
    log = opened()
    lines = [VisitLog("v1", ORIGIN, RECORDER).append("open", OPEN, AT, 1).line]
    resumed = VisitLog.resume("v1", ORIGIN, RECORDER, [line + b"\n" for line in lines])
    assert (resumed.size, resumed.last_hash) == (log.size, log.last_hash)
    one, other = (which.append("join", {"seat": "doctor"}, AT, 2) for which in (log, resumed))
    assert one == other
    assert parse_head(log.head(AT)).statement == parse_head(resumed.head(AT)).statement


def test_a_broken_chain_is_not_resumed() -> None:
    objects = honest_visit(Random(1), "v1")
    lines = [line for name in sorted(objects) if name.startswith("records/") for line in objects[name].splitlines()]
    assert VisitLog.resume("v1", ORIGIN, RECORDER, lines).closed
    for broken, rule in (
        (lines[1:], "CHAIN-1"),
        ([*lines[:3], *lines[4:]], "CHAIN-2"),
        ([lines[0], lines[1].replace(b"patient", b"doctor"), *lines[2:]], "CHAIN-3"),
        ([*lines, lines[-1]], "CLOSE-2"),
        ([lines[0], b"{", *lines[2:]], "FORM-1"),
        ([lines[0], b"{}", *lines[2:]], "FORM-2"),
    ):
        with pytest.raises(ChainBroken) as caught:
            VisitLog.resume("v1", ORIGIN, RECORDER, broken)
        assert caught.value.rule == rule
    for visit, origin, keys, rule in (
        ("v2", ORIGIN, RECORDER, "CHAIN-3"),
        ("v1", "other", RECORDER, "KEY-1"),
        ("v1", ORIGIN, THIEF, "KEY-1"),
    ):
        with pytest.raises(ChainBroken, match=rule):
            VisitLog.resume(visit, origin, keys, lines)


def test_an_empty_log_has_no_head() -> None:
    with pytest.raises(EvidenceError):
        VisitLog("v1", ORIGIN, RECORDER).head(AT)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b" {}",
        b"{} ",
        b'{"b":1,"a":2}',
        b'{"a":1.0}',
        b'{"a":"\\u0041"}',
        b'{"a":9007199254740993}',
        b"null",
        b'{"a":"\xed\xa0\x80"}',
    ],
)
def test_only_the_canonical_form_is_read(line: bytes) -> None:
    with pytest.raises(NotCanonical):
        parse(line)


def test_text_of_any_script_survives() -> None:
    value = {"text": '头晕 \u20ac\r\n\u007f"\\ \U0001f600'}
    assert parse(canonical(value)) == value


def test_keys_are_made_once_kept_private_and_refused_if_spoiled(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "recorder-ed25519.pem"
    first = load_or_create(path)
    assert load_or_create(path).fingerprint == first.fingerprint
    assert load_or_create(path).public_keys == first.public_keys
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    path.with_suffix(".sm2.key").write_text("zz")
    with pytest.raises(KeyFileInvalid):
        load_or_create(path)
    path.with_suffix(".sm2.key").unlink()
    assert len(load_or_create(path).public_keys) == 1
    path.write_text("no key")
    with pytest.raises(KeyFileInvalid):
        load_or_create(path)
