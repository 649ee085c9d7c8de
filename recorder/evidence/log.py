"""One visit's chain of records, being written.

A `VisitLog` makes lines; whoever holds it stores them, in order, before anybody is told (REC-1). It keeps no line, only
what the next one needs, so a visit of any length costs the same memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from recorder.evidence.canon import canonical, parse
from recorder.evidence.errors import ChainBroken, EvidenceError, LogClosed, NotCanonical, RecordInvalid
from recorder.evidence.heads import Statement, first_hashes, next_hashes, sign_head
from recorder.evidence.records import FORMAT, Record, body_of, record_of
from recorder.evidence.sign import Signer


class Entry(NamedTuple):
    """A record appended: its line (no newline) and the line's SHA-256, hex."""

    seq: int
    line: bytes
    hash: str


class VisitLog:
    """Appends records and signs heads. `signer` has the keys that `open` will name."""

    def __init__(self, visit: str, origin: str, signer: Signer) -> None:
        self.visit = visit
        self.origin = origin
        self.signer = signer
        self._last, self._sm3 = first_hashes(visit)
        self._size = 0
        self._closed = False

    @classmethod
    def resume(cls, visit: str, origin: str, signer: Signer, lines: Iterable[bytes]) -> VisitLog:
        """Go on after these lines, which must be the whole chain so far. Raises `ChainBroken` or `RecordInvalid`.

        The keys must be those that `open` names: a visit is signed by the same ones from first to last (KEY-1).
        """
        log = cls(visit, origin, signer)
        for line in lines:
            log._take(line.removesuffix(b"\n"))
        return log

    @property
    def size(self) -> int:
        """Records so far."""
        return self._size

    @property
    def last_hash(self) -> str:
        """Hash of the last record; before the first, what its `prev` will be."""
        return self._last

    @property
    def closed(self) -> bool:
        """Whether `close` is written."""
        return self._closed

    def append(self, kind: str, body: Mapping[str, object], at: str, mono_us: int) -> Entry:
        """The next record. To the body of `open`, `format`, `origin` and `keys` are added here.

        Raises `RecordInvalid`, `NotCanonical` (a body that does not fit; nothing was appended) or `LogClosed`.
        """
        if self._closed:
            raise LogClosed(self.visit)
        if (kind == "open") != (self._size == 0):
            raise RecordInvalid("`open` is the first record, and only the first")
        if kind == "open":
            body = {**body, **self._opening()}
        members = {
            "v": 1,
            "type": kind,
            "visit": self.visit,
            "seq": self._size,
            "at": at,
            "mono_us": mono_us,
            "prev": self._last,
            "body": msgspec.to_builtins(body_of(kind, body)),
        }
        record_of(members)
        entry = Entry(self._size, line := canonical(members), next_hashes(line, self._sm3)[0])
        self._advance(kind, line)
        return entry

    def head(self, at: str) -> bytes:
        """A signed head over every record so far, one line without newline. Raises `EvidenceError` for an empty log."""
        if not self._size:
            raise EvidenceError("a log without records has no head")
        statement = Statement(
            at=at,
            head=self._last,
            head_sm3=self._sm3.hex(),
            origin=self.origin,
            size=self._size,
            v=1,
            visit=self.visit,
        )
        return sign_head(statement, self.signer)

    def _opening(self) -> dict[str, object]:
        keys = [{"alg": key.alg, "key": key.fingerprint} for key in self.signer.public_keys]
        return {"format": FORMAT, "origin": self.origin, "keys": keys}

    def _advance(self, kind: str, line: bytes) -> None:
        self._last, self._sm3 = next_hashes(line, self._sm3)
        self._size += 1
        self._closed = kind == "close"

    def _take(self, line: bytes) -> None:
        where = f"record {self._size}"
        try:
            record = record_of(parse(line))
        except NotCanonical:
            raise ChainBroken("FORM-1", where) from None
        except RecordInvalid:
            raise ChainBroken("FORM-2", where) from None
        for rule, broken in self._breaches(record):
            if broken:
                raise ChainBroken(rule, where)
        if self._size == 0 and any(record.body.get(name) != self._opening()[name] for name in ("origin", "keys")):
            raise ChainBroken("KEY-1", where)
        self._advance(record.type, line)

    def _breaches(self, record: Record) -> tuple[tuple[str, bool], ...]:
        return (
            ("CLOSE-2", self._closed),
            ("CHAIN-1", (record.type == "open") != (self._size == 0)),
            ("CHAIN-2", record.seq != self._size),
            ("CHAIN-3", record.prev != self._last),
            ("CHAIN-4", record.visit != self.visit),
        )
