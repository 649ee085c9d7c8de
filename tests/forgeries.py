"""Recordings that somebody changed or told anew, and what the verifier says of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from recorder.evidence.canon import canonical
from recorder.evidence.heads import Statement, sign_head
from recorder.evidence.log import Entry, VisitLog
from recorder.evidence.verify import Verdict, verify
from tests.bundles import ORIGIN, RECORDER, MemoryReader, Scribe

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


def rehead(objects: Objects, name: str, change: Callable[[dict[str, Any]], None]) -> Objects:
    def one(lines: list[bytes]) -> list[bytes]:
        head = json.loads(lines[-1])
        change(head)
        return [*lines[:-1], canonical(head)]

    return with_lines(objects, name, one)


def signed(head: dict[str, Any], keys: Any) -> None:
    head.update(json.loads(sign_head(Statement(**head["statement"]), keys)))


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
