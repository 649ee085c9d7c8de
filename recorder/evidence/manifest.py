"""The manifest of a day: every visit that a recorder had open on it, so that one that was removed is missed (FORMAT.md §8).

Lines of canonical JSON: a head, then a line for each visit, in order of their hashes. A visit stands in it under a hash of
its id, so that whoever is handed one recording learns of the others only how many there were.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from recorder.evidence.canon import canonical, parse
from recorder.evidence.checkpoint import Checkpoint, NoteInvalid, NoteKey
from recorder.evidence.errors import EvidenceError, NotCanonical, RecordInvalid
from recorder.evidence.logged import LogBroken
from recorder.evidence.proof import check_proof, parse_proof
from recorder.evidence.records import Count, Hex, Instant, Positive, Text, instant_ms
from recorder.evidence.tree import ProofInvalid

DOMAIN = b"teleconsult-visit-v1\n"
MAX_MANIFEST = 1 << 26

Day = Annotated[str, Meta(pattern=r"\A[0-9]{4}-[01][0-9]-[0-3][0-9]\Z")]


class ManifestInvalid(EvidenceError):
    """The bytes are no manifest."""

    code = "manifest_invalid"


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an evidence service answered when it was given the hash of the visit's `close`."""

    service: Text
    reference: Text


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One visit: the hash of its id, of its first record, and, if it is closed, of its last and how many there are."""

    visit: Hex
    open: Hex
    close: Hex | None
    records: Positive | None
    anchors: list[Receipt]


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line. `prev`: hash of the manifest before, `null` in a log's first."""

    v: Literal[1]
    log: Text
    day: Day
    at: Instant
    prev: Hex | None
    visits: Count


class Manifest(NamedTuple):
    """A day."""

    head: Head
    visits: Sequence[Entry]

    @property
    def encoded(self) -> bytes:
        """All lines."""
        lines = [self.head, *self.visits]
        return b"".join(canonical(msgspec.to_builtins(line)) + b"\n" for line in lines)

    def entry(self, visit: str) -> Entry | None:
        """What it says of a visit; None if it does not have it."""
        wanted = visit_hash(visit)
        return next((entry for entry in self.visits if entry.visit == wanted), None)


def visit_hash(visit: str) -> str:
    """The name under which a visit stands in a manifest."""
    return hashlib.sha256(DOMAIN + visit.encode()).hexdigest()


def proven_by(proof: bytes, data: bytes, log: NoteKey) -> Checkpoint:
    """That this log has the manifest; who cosigned is not looked at. Raises `LogBroken`."""
    try:
        read = parse_proof(proof)
        if read.extra or read.encoded != proof:
            raise LogBroken("LOG-1")
        return check_proof(read, data, log)
    except (NoteInvalid, ProofInvalid):
        raise LogBroken("LOG-3") from None


def make_manifest(log: str, day: str, at: str, prev: str | None, visits: Iterable[Entry]) -> Manifest:
    """The manifest of a day."""
    ordered = sorted(visits, key=lambda entry: entry.visit)
    return Manifest(Head(1, log, day, at, prev, len(ordered)), ordered)


def parse_manifest(data: bytes) -> Manifest:
    """Read one. Raises `ManifestInvalid` for anything but what `encoded` gives."""
    *lines, rest = data.split(b"\n")
    if rest or not lines or len(data) > MAX_MANIFEST:
        raise ManifestInvalid("not whole lines")
    try:
        head = msgspec.convert(parse(lines[0]), Head)
        entries = [msgspec.convert(parse(line), Entry) for line in lines[1:]]
        instant_ms(head.at), instant_ms(f"{head.day}T00:00:00.000Z")
    except (NotCanonical, RecordInvalid, msgspec.ValidationError, RecursionError) as error:
        raise ManifestInvalid(str(error)) from None
    names = [entry.visit for entry in entries]
    if head.visits != len(entries) or names != sorted(set(names)):
        raise ManifestInvalid("not as many visits as it says, or not in order")
    if any((entry.close is None) != (entry.records is None) for entry in entries):
        raise ManifestInvalid("an end without a count")
    return Manifest(head, entries)
