"""An honest visit verifies; every tampering is caught, by the name of the rule it breaks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

import pytest

from recorder.evidence.canon import canonical
from recorder.evidence.errors import LogClosed
from recorder.evidence.heads import Statement, sign_head
from recorder.evidence.layout import heads_name, key_name, records_name
from recorder.evidence.log import Entry, VisitLog
from recorder.evidence.sign import PublicKey
from recorder.evidence.trust import Trust
from recorder.evidence.verify import Unreadable, Verdict, verify
from tests.bundles import ORIGIN, RECORDER, THIEF, MemoryReader, Scribe, honest_visit, keys_of, tamper

Objects = dict[str, bytes]

VISIT = "Vb3kTest"


def judge(objects: Objects, **asked: Any) -> Verdict:
    return verify(MemoryReader(objects), **asked)


def rules(verdict: Verdict) -> set[str]:
    return {one.rule for one in verdict.broken}


def where(verdict: Verdict, rule: str) -> list[str]:
    return [one.where for one in verdict.broken if one.rule == rule]


def segments_of(objects: Objects) -> list[str]:
    return sorted(name for name in objects if "/seg-" in name)


def plain_visit(keys: Any = RECORDER) -> Objects:
    """Two streams, one part each, no surprises: what the single tamperings are tried on."""
    scribe = plain_scribe(keys)
    scribe.close(8000)
    return scribe.objects


def plain_scribe(keys: Any = RECORDER) -> Scribe:
    scribe = Scribe(Random(1), VISIT, keys)
    scribe.open("doctor", "patient")
    scribe.consent("doctor")
    scribe.consent("patient")
    scribe.start("doctor", "patient")
    for stream in ("doctor", "patient"):
        scribe.part(stream, 0)
    for from_ms in range(0, 8000, 2000):
        scribe.until(from_ms + 2000)
        for stream in ("doctor", "patient"):
            scribe.segment(stream, from_ms, from_ms + 2000)
        scribe.flush()
    return scribe


def all_lines(objects: Objects, kind: str = "records") -> list[tuple[str, int, bytes]]:
    """(batch, index, line) of every line, in order."""
    return [
        (name, index, line)
        for name in sorted(objects)
        if name.startswith(f"{kind}/")
        for index, line in enumerate(objects[name].splitlines())
    ]


def with_lines(objects: Objects, name: str, change: Callable[[list[bytes]], list[bytes]]) -> Objects:
    lines = change(objects[name].splitlines())
    return {**objects, name: b"".join(line + b"\n" for line in lines)}


def replaced(objects: Objects, name: str, index: int, *new: bytes) -> Objects:
    """With this line gone, and others in its place."""
    return with_lines(objects, name, lambda lines: [*lines[:index], *new, *lines[index + 1 :]])


def edited(objects: Objects, kind: str, change: Callable[[dict[str, Any]], None]) -> Objects:
    """The first record of a type, changed and written canonically, nothing else touched."""
    for name, index, line in all_lines(objects):
        record = json.loads(line)
        if record["type"] == kind:
            change(record)
            return replaced(objects, name, index, canonical(record))
    raise AssertionError(kind)


class Forgery(VisitLog):
    """A log of somebody who holds the key and need not use ours, which would refuse a body of another form."""

    def append(self, kind: str, body: Mapping[str, object], at: str, mono_us: int) -> Entry:
        told = {**body, **self._opening()} if kind == "open" else dict(body)
        members = {"v": 1, "type": kind, "visit": self.visit, "seq": self.size, "at": at, "mono_us": mono_us}
        line = canonical({**members, "prev": self.last_hash, "body": told})
        self._advance(kind, line)
        return Entry(self.size - 1, line, self.last_hash)


def retold(records: list[dict[str, Any]], keys: Any = RECORDER) -> Objects:
    """A chain made anew of these records, every hash and signature right: what only the key's holder can do."""
    scribe = Scribe(Random(1), VISIT, keys)
    scribe.log = Forgery(VISIT, ORIGIN, keys)
    for record in records:
        body = {
            k: v for k, v in record["body"].items() if record["type"] != "open" or k not in {"format", "origin", "keys"}
        }
        scribe._records.append(scribe.log.append(record["type"], body, record["at"], record["mono_us"]).line)
    scribe.flush()
    return scribe.objects


def told(objects: Objects) -> list[dict[str, Any]]:
    return [json.loads(line) for _, _, line in all_lines(objects)]


# ---- honest


def test_an_honest_visit_is_intact_and_complete() -> None:
    verdict = judge(plain_visit())
    assert (verdict.intact, verdict.complete, verdict.broken) == (True, True, [])
    assert (verdict.visit, verdict.origin, verdict.key) == (VISIT, ORIGIN, RECORDER.fingerprint)
    assert verdict.summary.segments == 8
    assert verdict.summary.duration_ms == 8000


def test_an_honest_visit_signed_with_ed25519_alone_is_intact_and_complete() -> None:
    assert judge(plain_visit(keys_of("plain", sm2=False))).complete


def test_fifty_honest_visits_of_every_kind_raise_no_alarm() -> None:
    for seed in range(50):
        verdict = judge(honest_visit(Random(seed)), visit=VISIT)
        assert verdict.broken == [], seed


def test_a_recording_still_going_on_is_intact_and_not_complete() -> None:
    for seed in range(10):
        verdict = judge(honest_visit(Random(seed), closed=False))
        assert verdict.intact
        assert not verdict.complete
        assert rules(verdict) == {"CLOSE-1"}


def test_a_visit_that_was_never_recorded_closes_complete() -> None:
    scribe = Scribe(Random(1))
    scribe.open("doctor", "patient")
    scribe.consent("patient", "refused")
    scribe.close(None, "consent_refused")
    assert judge(scribe.objects).complete


def test_progress_is_told_up_to_the_whole() -> None:
    told_of: list[tuple[int, int]] = []
    judge(plain_visit(), progress=lambda done, total: told_of.append((done, total)))
    assert told_of[-1][0] == told_of[-1][1] > 0
    assert [done for done, _ in told_of] == sorted(done for done, _ in told_of)


def test_what_a_file_manager_or_the_bundle_adds_is_no_breach() -> None:
    extras = dict.fromkeys(["README.zh.md", "README.en.md", "verify.sh", "verify.awk"], b"x")
    extras["bundle.json"] = b"not even json"
    assert judge({**plain_visit(), **extras}).complete


# ---- media


@pytest.mark.parametrize("at", [0, 100, -1])
def test_a_flipped_byte_in_a_segment_is_caught(at: int) -> None:
    objects = plain_visit()
    name = segments_of(objects)[2]
    spoiled = bytearray(objects[name])
    spoiled[at] ^= 1
    verdict = judge({**objects, name: bytes(spoiled)})
    assert verdict.broken == [("SEG-2", name)]
    assert not verdict.intact
    assert not verdict.complete


def test_a_segment_cut_short_or_lengthened_is_caught() -> None:
    objects = plain_visit()
    name = segments_of(objects)[0]
    for data in (objects[name][:-1], objects[name] + b"\0", b""):
        assert judge({**objects, name: data}).broken == [("SEG-2", name)]


def test_a_deleted_segment_is_caught() -> None:
    objects = plain_visit()
    name = segments_of(objects)[3]
    del objects[name]
    assert judge(objects).broken == [("SEG-1", name)]


def test_two_segments_swapped_are_both_caught() -> None:
    objects = plain_visit()
    one, other = segments_of(objects)[1], segments_of(objects)[5]
    objects[one], objects[other] = objects[other], objects[one]
    assert judge(objects).broken == [("SEG-2", one), ("SEG-2", other)] or rules(judge(objects)) == {"SEG-2"}
    assert set(where(judge(objects), "SEG-2")) == {one, other}


def test_a_changed_or_deleted_init_is_caught() -> None:
    objects = plain_visit()
    name = "streams/doctor/part-001/init.webm"
    assert judge({**objects, name: objects[name] + b"x"}).broken == [("PART-2", name)]
    del objects[name]
    assert judge(objects).broken == [("PART-2", name)]


@pytest.mark.parametrize(
    "name",
    [
        "streams/doctor/part-001/seg-000099.webm",
        "streams/doctor/part-002/init.webm",
        "streams/stranger/part-001/seg-000001.webm",
        "records/1.jsonl",
        "records/000000.jsonl",
        f"keys/{'0' * 64}.pem",
        "notes.txt",
        "streams",
    ],
)
def test_an_object_that_no_record_names_is_caught(name: str) -> None:
    assert judge({**plain_visit(), name: b"more"}).broken == [("LAYOUT-1", name)]


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "streams/../x", "a\\b", "a//b", "a/", "", "two words", "é"]
)
def test_an_unsafe_name_is_refused(name: str) -> None:
    assert "LAYOUT-4" in rules(judge({**plain_visit(), name: b"x"}))


# ---- records


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


# ---- rules that hold even against whoever holds the key


def refuted(change: Callable[[list[dict[str, Any]]], object], *expected: str) -> Verdict:
    """Tell the plain visit anew, changed, all hashes and signatures right; media as before."""
    objects = plain_visit()
    records = told(objects)
    change(records)
    media = {name: data for name, data in objects.items() if name.startswith("streams/")}
    verdict = judge({**media, **retold(records)})
    assert set(expected) <= rules(verdict), verdict.broken
    assert not {"CHAIN-2", "CHAIN-3", "HEAD-4", "HEAD-5"} & rules(verdict)
    return verdict


def first(records: list[dict[str, Any]], kind: str, n: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = [record for record in records if record["type"] == kind][n]
    return found


def body(kind: str, n: int = 0, /, **members: object) -> Callable[[list[dict[str, Any]]], object]:
    return lambda records: first(records, kind, n)["body"].update(members)


def test_media_without_consent_is_caught() -> None:
    refuted(lambda records: records.remove(first(records, "consent")), "CONSENT-1")
    refuted(body("consent", decision="refused"), "CONSENT-1")


def test_consent_after_start_is_caught() -> None:
    def late(records: list[dict[str, Any]]) -> None:
        consent = first(records, "consent")
        records.remove(consent)
        records.insert(records.index(first(records, "start")) + 1, consent)
        consent["at"], consent["mono_us"] = first(records, "start")["at"], first(records, "start")["mono_us"]

    refuted(late, "CONSENT-1")


def test_media_of_a_seat_that_was_not_started_is_caught() -> None:
    refuted(body("start", seats=["doctor"]), "CONSENT-2")


def test_media_after_withdrawal_is_caught() -> None:
    def withdrawn(records: list[dict[str, Any]]) -> None:
        segment = first(records, "segment", 2)
        told_at = {name: segment[name] for name in ("at", "mono_us", "v", "visit", "seq", "prev")}
        records.insert(records.index(segment), {**told_at, "type": "withdraw", "body": {"seat": "doctor"}})

    verdict = refuted(withdrawn, "CONSENT-3")
    assert verdict.intact is False


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (body("start", from_ms=5), ["START-1"]),
        (body("part", part=2), ["PART-1"]),
        (body("segment", 1, n=7), ["SEG-3", "SEG-4"]),
        (body("segment", 1, part=2), ["SEG-3"]),
        (body("segment", name="streams/doctor/part-001/../../../etc/passwd"), ["SEG-4"]),
        (body("segment", name="streams/patient/part-001/seg-000001.webm"), ["SEG-4"]),
        (body("segment", to_ms=0), ["SEG-5"]),
        (body("segment", 2, from_ms=1000), ["SEG-5"]),
        (body("segment", bytes=1), ["SEG-2", "CLOSE-3"]),
        (body("close", records=3), ["CLOSE-3"]),
        (body("close", streams={}), ["CLOSE-3"]),
        (body("close", end_ms=9000), ["COV-3"]),
        (body("close", end_ms=7999), ["CLOSE-4"]),
        (body("close", end_ms=None), ["CLOSE-4"]),
        (body("part", container="matroska"), ["PART-3"]),
        (body("open", seats={"patient": "p"}), ["SEAT-1"]),
        (body("part", bytes=1), ["FORM-3"]),
        (lambda records: first(records, "close")["body"]["streams"]["patient"]["coverage"].pop("off"), ["FORM-3"]),
        (lambda records: first(records, "part")["body"]["tracks"][0].update(clock_rate=0), ["FORM-3"]),
        (lambda records: first(records, "part")["body"]["tracks"][0].update(channels=0), ["FORM-3"]),
        (lambda records: first(records, "segment")["body"].update(keyframe="true"), ["FORM-3"]),
        (lambda records: first(records, "segment")["body"].pop("forced"), ["FORM-3"]),
        (lambda records: first(records, "close").update(type="ended"), ["FORM-3"]),
        (lambda records: records.pop(), ["CLOSE-1"]),
    ],
)
def test_a_chain_that_does_not_add_up_is_caught(
    change: Callable[[list[dict[str, Any]]], object], expected: list[str]
) -> None:
    refuted(change, *expected)


def test_counts_that_do_not_add_up_are_caught() -> None:
    refuted(lambda records: first(records, "segment")["body"]["tracks"][0].update(lost=9999), "SEG-6")
    refuted(lambda records: first(records, "segment")["body"]["tracks"][0].update(number=9), "SEG-6")


@pytest.mark.parametrize("told", ["none", "sm4gcm"])
def test_a_segment_that_is_not_said_to_be_sealed_as_its_stream_is_caught(told: str) -> None:
    refuted(lambda records: (_sealing(records), first(records, "segment")["body"].update(enc=told)), "ENC-1")
    refuted(body("segment", enc="aes256gcm"), "ENC-1")


def _sealing(records: list[dict[str, Any]]) -> None:
    part = first(records, "part")
    said = {"stream": part["body"]["stream"], "key": "0" * 64, "suite": "aes256gcm", "under": []}
    records.insert(records.index(part), {**part, "type": "key", "body": said})
    for record in records:
        if record["type"] == "segment" and record["body"]["stream"] == said["stream"]:
            record["body"]["enc"] = "aes256gcm"


def test_a_hole_in_a_stream_is_caught() -> None:
    def shorter(records: list[dict[str, Any]]) -> None:
        first(records, "segment", 2)["body"]["to_ms"] -= 100

    verdict = refuted(shorter, "COV-1", "COV-2")
    assert verdict.intact  # the chain says honestly what there is; it only does not account for all of it
    assert not verdict.complete


def test_coverage_that_was_not_counted_is_caught() -> None:
    def boast(records: list[dict[str, Any]]) -> None:
        first(records, "close")["body"]["streams"]["patient"]["coverage"].update(present=7999, off=1)

    assert refuted(boast, "COV-2").intact


def test_gaps_that_overlap_or_run_backwards_are_caught() -> None:
    def gaps(*spans: tuple[int, int]) -> Callable[[list[dict[str, Any]]], None]:
        def change(records: list[dict[str, Any]]) -> None:
            close = records[-1]
            told_at = {name: close[name] for name in ("at", "mono_us", "v", "visit", "seq", "prev")}
            for from_ms, to_ms in spans:
                gap = {"stream": "doctor", "from_ms": from_ms, "to_ms": to_ms, "cause": "network", "packets": 3}
                records.insert(-1, {**told_at, "type": "gap", "body": gap})

        return change

    refuted(gaps((100, 200), (150, 250)), "GAP-1")
    refuted(gaps((200, 100)), "GAP-1")


def test_a_clock_that_runs_backwards_or_leaps_is_caught() -> None:
    refuted(lambda records: first(records, "segment", 3).update(mono_us=1), "TIME-1")

    def yesterday(records: list[dict[str, Any]]) -> None:
        for record in records[5:]:
            record["at"] = record["at"].replace("2026-05-04", "2026-05-03")

    refuted(yesterday, "TIME-2")


# ---- heads and keys


def rehead(objects: Objects, name: str, change: Callable[[dict[str, Any]], None]) -> Objects:
    def one(lines: list[bytes]) -> list[bytes]:
        head = json.loads(lines[-1])
        change(head)
        return [*lines[:-1], canonical(head)]

    return with_lines(objects, name, one)


def signed(head: dict[str, Any], keys: Any) -> None:
    head.update(json.loads(sign_head(Statement(**head["statement"]), keys)))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda head: head["statement"].update(origin="elsewhere"), "HEAD-2"),
        (lambda head: head["statement"].update(visit="other"), "HEAD-2"),
        (lambda head: head["statement"].update(size=1), "HEAD-3"),
        (lambda head: head["statement"].update(size=999), "HEAD-6"),
        (lambda head: head["statement"].update(head="0" * 64), "HEAD-4"),
        (lambda head: head["statement"].update(head_sm3="0" * 64), "HEAD-4"),
        (lambda head: head["statement"].update(at="2026-05-04T09:12:00.000Z"), "HEAD-5"),
        (lambda head: head["statement"].update(at="2026-13-45T09:12:00.000Z"), "HEAD-1"),
        (lambda head: head["signatures"].pop(), "HEAD-5"),
        (lambda head: head["signatures"].clear(), "HEAD-5"),
        (lambda head: head["signatures"].reverse(), None),
        (lambda head: head["signatures"][0].update(sig="AAAA"), "HEAD-5"),
        (lambda head: head["signatures"][1].update(sig="AAAA"), "HEAD-5"),
        (lambda head: head["signatures"][0].update(sig="=!"), "HEAD-1"),
        (lambda head: head["signatures"][0].update(sig=head["signatures"][0]["sig"][:-3] + "B=="), "HEAD-1"),
        (lambda head: head.update(signatures=[head["signatures"][0]] * 2), "HEAD-5"),
        (lambda head: head.update(more=1), "HEAD-1"),
        (lambda head: signed(head, THIEF), "HEAD-5"),
    ],
)
def test_a_changed_head_is_caught(change: Callable[[dict[str, Any]], None], expected: str | None) -> None:
    verdict = judge(rehead(plain_visit(), heads_name(3), change))
    assert rules(verdict) >= ({expected} if expected else set())
    assert verdict.intact is (expected is None)


def test_all_heads_gone_is_caught() -> None:
    objects = {name: data for name, data in plain_visit().items() if not name.startswith("heads/")}
    assert {"HEAD-1", "HEAD-7", "LAYOUT-2"} <= rules(judge(objects))


def test_a_batch_whose_heads_stop_short_is_caught() -> None:
    verdict = judge(with_lines(plain_visit(), heads_name(2), lambda lines: lines[:-1] or lines))
    assert rules(verdict) <= {"LAYOUT-3"}


def test_everything_signed_anew_with_another_key_is_told_apart_by_the_trust_list() -> None:
    forged = plain_visit(THIEF)
    assert judge(forged).trusted is None
    assert judge(forged).complete  # by itself it is a recording like any other
    trust = Trust({ORIGIN: frozenset({RECORDER.fingerprint})})
    verdict = judge(forged, trust=trust)
    assert verdict.trusted is False
    assert verdict.broken == [("KEY-2", key_name(THIEF.fingerprint))]
    assert not verdict.intact
    assert judge(plain_visit(), trust=trust).trusted is True
    assert judge(plain_visit(), trust=Trust({"other": frozenset()})).trusted is None


def test_a_key_replaced_or_removed_is_caught() -> None:
    for fingerprint in (key.fingerprint for key in RECORDER.public_keys):
        name = key_name(fingerprint)
        for pem in (THIEF.public_keys[0].pem, b"", b"-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----"):
            verdict = judge({**plain_visit(), name: pem})
            assert verdict.broken[0] == ("KEY-1", name)
            assert "HEAD-5" in rules(verdict)
        objects = plain_visit()
        del objects[name]
        assert judge(objects).broken[0] == ("KEY-1", name)


class OnlySm2:
    """A signer without Ed25519."""

    fingerprint = RECORDER.fingerprint
    public_keys: tuple[PublicKey, ...] = RECORDER.public_keys[1:]

    def sign(self, message: bytes) -> list[Any]:
        return RECORDER.sign(message)[1:]


def test_a_visit_without_an_ed25519_key_is_caught() -> None:
    assert "KEY-1" in rules(judge(plain_visit(OnlySm2())))


# ---- hostile readers


class Hostile(MemoryReader):
    """Lists what it will not give."""

    def chunks(self, name: str) -> Iterator[bytes]:
        raise Unreadable(name)


def test_objects_that_cannot_be_read_are_named() -> None:
    verdict = verify(Hostile(plain_visit()))
    assert not verdict.intact
    assert {"FORM-1", "CHAIN-1"} <= rules(verdict)


def test_thousands_of_breaches_are_counted_and_few_kept() -> None:
    objects = {**plain_visit(), **{f"junk{n}": b"" for n in range(3000)}}
    verdict = judge(objects)
    assert verdict.broken_total == 3000
    assert len(verdict.broken) == 20


# ---- at random


def harmless(before: Objects, after: Objects) -> bool:
    """Whether only heads were taken away, doubled or moved that later heads stand for: no fact is lost (FORMAT.md §7)."""
    if before.keys() != after.keys():
        return False
    touched = [name for name in before if before[name] != after[name]]
    return all(name.startswith("heads/") and still_covers(before[name], after[name]) for name in touched)


def still_covers(before: bytes, after: bytes) -> bool:
    if not after.endswith(b"\n") or not set(after.splitlines()) <= set(before.splitlines()):
        return False
    sizes = [json.loads(line)["statement"]["size"] for line in after.splitlines()]
    covered: int = json.loads(before.splitlines()[-1])["statement"]["size"]
    return sizes == sorted(sizes) and sizes[-1] == covered


def test_three_hundred_and_twenty_random_tamperings_are_all_caught() -> None:
    alone = keys_of("the recorder", sm2=False)  # SM2 takes nine tenths of the time: every third visit has it
    visits = [honest_visit(Random(n), VISIT, alone if n % 3 else RECORDER, n % 4 != 0) for n in range(20)]
    tried = 0
    seed = 0
    while tried < 320:
        seed += 1
        rng = Random(seed)
        honest = rng.choice(visits)
        tampered, what = tamper(rng, honest)
        if harmless(honest, tampered):
            continue
        tried += 1
        verdict = judge(tampered)
        assert not (verdict.intact and verdict.complete), (seed, what)
        assert rules(verdict) - {"CLOSE-1"} or "CLOSE-1" not in rules(judge(honest)), (seed, what)
