"""The verifier: is a recording intact, is it complete, and if not, which rule is broken first (FORMAT.md §9).

It needs the recording's objects and nothing else: no server, no database, no secret. It never raises for what the objects
hold. Objects are read once, in pieces; memory grows with the number of records, never with the size of the media.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import msgspec

from recorder.evidence.chain import Chain
from recorder.evidence.digest import Digest
from recorder.evidence.errors import EvidenceError, KeyInvalid, NotCanonical, RecordInvalid
from recorder.evidence.findings import Broken, Findings
from recorder.evidence.heads import Head, parse_head
from recorder.evidence.layout import batch_of, heads_name, is_extra, is_plain, key_name, records_name
from recorder.evidence.ledger import Expected, Ledger
from recorder.evidence.logged import Witnessed
from recorder.evidence.records import Anchor, Leg, instant_ms
from recorder.evidence.sign import PublicKey, public_key
from recorder.evidence.stamped import Timestamped
from recorder.evidence.third_parties import ThirdParties
from recorder.evidence.tree import leaf_hash
from recorder.evidence.trust import Trust

MAX_BATCH = 16 << 20
MAX_KEY = 4096

Progress = Callable[[int, int], None]
"""Bytes done, bytes in all: as the records declare them."""


class Unreadable(EvidenceError):
    """An object is not there, or cannot be read, or is no plain file. Readers raise it, and nothing else."""

    code = "object_unreadable"


class Reader(Protocol):
    """Where a recording's objects are."""

    def names(self) -> Iterable[str]:
        """Every name there is below the root, also of what is no plain file."""
        ...

    def chunks(self, name: str) -> Iterator[bytes]:
        """An object's bytes in pieces. Raises `Unreadable`."""
        ...


class Summary(msgspec.Struct, frozen=True):
    """Figures for people. They are what the chain says, and as good as the verdict."""

    records: int = 0
    heads: int = 0
    streams: int = 0
    segments: int = 0
    bytes: int = 0
    gaps: int = 0
    recovered: int = 0
    duration_ms: int | None = None
    opened: str | None = None
    closed: str | None = None
    longest_head_wait_ms: int | None = None
    first: str | None = None
    last: str | None = None
    """Hashes of the first and the last record."""


class Verdict(msgspec.Struct, frozen=True):
    """`broken` has the first breach first, at most 20 of a rule; `broken_total` counts them all.

    `key` is the Ed25519 fingerprint. `trusted`: None without an entry for the origin in the trust list.
    `timestamped`: whose word the `timestamps` are, first to last; `closed_at` is the time of the closing one, if any.
    `quality`: the certificate of the call, by seat. `anchors`: what evidence services answered.
    `log`: the name of the log that has the recording, `witnesses`: who cosigned it, `witnessed`: what that is worth.
    """

    intact: bool
    complete: bool
    broken: list[Broken]
    broken_total: int
    visit: str | None
    origin: str | None
    key: str | None
    trusted: bool | None
    summary: Summary
    witnessed: Witnessed = "none"
    log: str | None = None
    witnesses: list[str] = []
    timestamped: Timestamped = "none"
    timestamps: list[str] = []
    closed_at: str | None = None
    authorities: list[str] = []
    anchors: list[Anchor] = []
    manifest: str | None = None
    """The day whose manifest has the visit."""
    quality: dict[str, Leg] = {}


def verify(
    reader: Reader, visit: str | None = None, trust: Trust | None = None, progress: Progress | None = None
) -> Verdict:
    """Judge a recording. `visit`: the one it must be, or None to take it as it names itself."""
    return _Verification(reader, visit, trust, progress).run()


class _Verification:
    def __init__(self, reader: Reader, visit: str | None, trust: Trust | None, progress: Progress | None) -> None:
        self._reader = reader
        self._trust = trust
        self._progress = progress
        self._findings = Findings()
        self._chain = Chain(visit, self._findings)
        self._ledger = Ledger(self._findings)
        self._names: set[str] = set()
        self._known: set[str] = set()
        self._keys: dict[tuple[str, str], PublicKey] = {}
        self._trusted: bool | None = None
        self._ends: list[int] = []
        self._heads = 0
        self._covered = 0
        self._wait_ms: int | None = None
        self._last = records_name(1)
        self._last_line = b""
        self._leaves: list[bytes] = []
        self._third = ThirdParties(self._whole, self._names, self._ledger, trust or Trust(), self._findings)

    def run(self) -> Verdict:
        self._list()
        self._records()
        self._read_keys()
        self._read_heads()
        hashes = [link.hash for link in self._chain.links]
        if hashes:
            self._third.read_log(self._key_of_log, self._chain.visit or "", hashes[0], self._last_line, hashes[-1])
        self._objects()
        self._third.read_stamps(self._key_of_log, self._leaves)
        self._known.update(self._third.known)
        self._leftovers()
        self._ledger.settle(self._chain.size, self._last)
        if self._ledger.closed is not None and self._covered < self._chain.size:
            self._findings.add("CLOSE-1", self._last)  # CLOSE-1
        return self._verdict()

    # ---- 1. the names

    def _list(self) -> None:
        try:
            names = list(self._reader.names())
        except Unreadable:
            names = []
        for name in sorted(names):
            if name in self._names:
                self._findings.add("LAYOUT-1", name)
            self._names.add(name)
            if not is_plain(name):
                self._findings.add("LAYOUT-4", name)  # LAYOUT-4
        records, heads = self._numbers("records"), self._numbers("heads")
        for number in range(1, max(records | heads, default=0) + 1):
            for there, name in ((records, records_name(number)), (heads, heads_name(number))):
                if number not in there:
                    self._findings.add("LAYOUT-2", name)

    def _numbers(self, kind: str) -> set[int]:
        found = (batch_of(name) for name in self._names)
        return {batch[1] for batch in found if batch is not None and batch[0] == kind and batch[1] > 0}

    # ---- 2. the records

    def _records(self) -> None:
        for number in sorted(self._numbers("records")):
            name = records_name(number)
            self._known.add(name)
            for line, where in self._lines(name, "FORM-1"):
                self._last, self._last_line = where, line
                self._leaves.append(leaf_hash(line))
                read = self._chain.feed(line, where)
                if read is not None:
                    self._ledger.feed(*read, where)
            self._ends.append(self._chain.size)
        if not self._chain.size:
            self._findings.add("CHAIN-1", records_name(1))

    def _lines(self, name: str, rule: str) -> Iterator[tuple[bytes, str]]:
        try:
            whole = self._whole(name, MAX_BATCH)
        except Unreadable:
            self._findings.add(rule, name)
            return
        *lines, rest = whole.split(b"\n")
        if rest or not lines:
            self._findings.add(rule, f"{name}:{len(lines) + 1}")
        for number, line in enumerate(lines, 1):
            yield line, f"{name}:{number}"

    def _whole(self, name: str, limit: int) -> bytes:
        taken = bytearray()
        for piece in self._reader.chunks(name):
            taken += piece
            if len(taken) > limit:
                raise Unreadable(name)
        return bytes(taken)

    # ---- 3. the keys

    def _read_keys(self) -> None:
        opened = self._ledger.opened
        if opened is None:
            return
        algorithms = [named.alg for named in opened.keys]
        if algorithms.count("ed25519") != 1 or algorithms.count("sm2") > 1:
            self._findings.add("KEY-1", records_name(1))
        for named in opened.keys:
            name = key_name(named.key)
            self._known.add(name)
            key = self._key(name)
            if key is None or key.alg != named.alg or key.fingerprint != named.key:
                self._findings.add("KEY-1", name)  # KEY-1
            else:
                self._keys[named.alg, named.key] = key
        if self._trust is not None and self._fingerprint is not None:
            self._trusted = self._trust.allows(opened.origin, self._fingerprint)
            if self._trusted is False:
                self._findings.add("KEY-2", key_name(self._fingerprint))  # KEY-2

    def _key(self, name: str) -> PublicKey | None:
        if name not in self._names:
            return None
        try:
            pem = self._whole(name, MAX_KEY)
            key = public_key(pem)
            return key if key.pem == pem else None  # KEY-1: byte for byte, so that nothing can ride along
        except (Unreadable, KeyInvalid):
            return None

    @property
    def _fingerprint(self) -> str | None:
        opened = self._ledger.opened
        named = [one.key for one in opened.keys if one.alg == "ed25519"] if opened else []
        return named[0] if named else None

    # ---- 4. the heads

    def _read_heads(self) -> None:
        numbers = sorted(self._numbers("heads"))
        where = heads_name(1)
        for number in numbers:
            name = heads_name(number)
            self._known.add(name)
            for line, where in self._lines(name, "HEAD-1"):
                self._head(line, where)
            if number <= len(self._ends) and self._covered != self._ends[number - 1]:
                self._findings.add("LAYOUT-3", name)  # LAYOUT-3
        if not self._heads:
            self._findings.add("HEAD-1", where)
        if self._covered < self._chain.size:
            self._findings.add("HEAD-7", self._last)  # HEAD-7

    def _head(self, line: bytes, where: str) -> None:
        try:
            head = parse_head(line)
            at_ms = instant_ms(head.statement.at)
        except (NotCanonical, RecordInvalid):
            self._findings.add("HEAD-1", where)  # HEAD-1
            return
        statement, opened = head.statement, self._ledger.opened
        self._heads += 1
        if statement.visit != self._chain.visit or opened is None or statement.origin != opened.origin:
            self._findings.add("HEAD-2", where)  # HEAD-2
        if statement.size < self._covered:
            self._findings.add("HEAD-3", where)  # HEAD-3
        if statement.size > self._chain.size:
            self._findings.add("HEAD-6", where)  # HEAD-6
        else:
            link = self._chain.links[statement.size - 1]
            if (statement.head, statement.head_sm3) != (link.hash, link.sm3.hex()):
                self._findings.add("HEAD-4", where)  # HEAD-4
        if not self._signed(head):
            self._findings.add("HEAD-5", where)  # HEAD-5
        self._waited(statement.size, at_ms)
        self._covered = statement.size

    def _signed(self, head: Head) -> bool:
        message = head.statement.message
        signers = {(one.alg, one.key) for one in head.signatures}
        named = {(one.alg, one.key) for one in self._ledger.opened.keys} if self._ledger.opened else set()
        if not named or signers != named or len(head.signatures) != len(named):
            return False
        keys = [(self._keys.get((one.alg, one.key)), one.sig) for one in head.signatures]
        return all(key is not None and key.verifies(sig, message) for key, sig in keys)

    def _waited(self, size: int, at_ms: int) -> None:
        for link in self._chain.links[self._covered : size]:
            if link.at_ms is not None:
                self._wait_ms = max(self._wait_ms or 0, at_ms - link.at_ms)

    @property
    def _key_of_log(self) -> PublicKey | None:
        return self._keys.get(("ed25519", self._fingerprint or ""))

    # ---- 6. the objects

    def _objects(self) -> None:
        expected = self._ledger.expected
        total = sum(one.bytes for one in expected.values())
        done = 0
        for name, wanted in expected.items():
            self._known.add(name)
            if name not in self._names:
                self._findings.add(wanted.missing, name)  # SEG-1, STAMP-1
            else:
                self._object(name, wanted, done, total)
            done += wanted.bytes
            if self._progress is not None:
                self._progress(done, total)

    def _object(self, name: str, wanted: Expected, done: int, total: int) -> None:
        digest = Digest()
        try:
            for piece in self._reader.chunks(name):
                digest.update(piece)
                if digest.size > wanted.bytes:
                    break
                if self._progress is not None:
                    self._progress(done + digest.size, total)
        except Unreadable:
            self._findings.add(wanted.missing, name)
            return
        if (digest.size, digest.sha256, digest.sm3) != (wanted.bytes, wanted.sha256, wanted.sm3):
            self._findings.add(wanted.altered, name)  # PART-2, SEG-2, STAMP-1

    def _leftovers(self) -> None:
        for name in sorted(self._names - self._known):
            if not (is_extra(name) and self._opens(name)):
                self._findings.add("LAYOUT-1", name)  # LAYOUT-1

    def _opens(self, name: str) -> bool:
        # What a bundle adds is not judged, but it is a file, not a link to another.
        try:
            next(iter(self._reader.chunks(name)), b"")
        except Unreadable:
            return False
        return True

    # ---- the verdict

    def _verdict(self) -> Verdict:
        found, ledger, logged = self._findings, self._ledger, self._third.logged
        return Verdict(
            intact=found.intact,
            complete=found.complete,
            broken=found.kept,
            broken_total=found.total,
            visit=self._chain.visit,
            origin=ledger.opened.origin if ledger.opened else None,
            key=self._fingerprint,
            trusted=self._trusted,
            summary=Summary(
                records=self._chain.size,
                heads=self._heads,
                streams=len(ledger.streams),
                segments=sum(stream.segments for stream in ledger.streams.values()),
                bytes=sum(stream.bytes for stream in ledger.streams.values()),
                gaps=sum(len(stream.lost) for stream in ledger.streams.values()),
                recovered=ledger.recovered,
                duration_ms=ledger.closed.end_ms if ledger.closed else None,
                opened=ledger.opened_at,
                closed=ledger.closed_at,
                longest_head_wait_ms=self._wait_ms,
                first=self._chain.links[0].hash if self._chain.links else None,
                last=self._chain.links[-1].hash if self._chain.links else None,
            ),
            witnessed=logged.by(self._trust) if logged else "none",
            log=logged.log if logged else None,
            witnesses=[key.name for key in logged.witnesses] if logged else [],
            timestamped=self._third.timestamped,
            timestamps=[stamp.told for stamp in self._third.stamps],
            closed_at=self._third.closed_at,
            authorities=sorted({stamp.authority for stamp in self._third.stamps}),
            anchors=ledger.anchors,
            manifest=self._third.manifest.head.day if self._third.manifest else None,
            quality=ledger.certificate.legs if ledger.certificate else {},
        )
