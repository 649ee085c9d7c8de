"""A chain, read line by line: form, order, hashes and time (FORM, CHAIN, TIME of FORMAT.md §3)."""

from __future__ import annotations

from typing import NamedTuple

from recorder.evidence.canon import parse
from recorder.evidence.errors import NotCanonical, RecordInvalid
from recorder.evidence.findings import Findings
from recorder.evidence.heads import first_hashes, next_hashes
from recorder.evidence.records import Body, Record, body_of, instant_ms, record_of

TIME_TOLERANCE_MS = 2000


class Link(NamedTuple):
    """What is kept of each record: its hash, the SM3 chain with it, its wall time (None if it could not be read)."""

    hash: str
    sm3: bytes
    at_ms: int | None


class Chain:
    """Feed it every line; it says what is broken and gives back each record that can be read."""

    def __init__(self, visit: str | None, findings: Findings) -> None:
        """`visit`: the one asked for, or None to take the first record's."""
        self.visit = visit
        self.links: list[Link] = []
        self._asked = visit
        self._findings = findings
        self._seq = 0
        self._before: Record | None = None
        self._line = b""

    @property
    def size(self) -> int:
        """Lines so far, readable or not."""
        return len(self.links)

    def feed(self, line: bytes, where: str) -> tuple[Record, Body] | None:
        """Check the next line. None: it cannot be read, and the rules that need its content were not checked."""
        record, body = self._read(line, where)
        if record is not None:
            self._order(record, where)
            self._time(record, where)
        self._advance(line, record)
        return (record, body) if record is not None and body is not None else None

    def _read(self, line: bytes, where: str) -> tuple[Record | None, Body | None]:
        try:
            record = record_of(parse(line))
        except NotCanonical:
            self._findings.add("FORM-1", where)
            return None, None
        except RecordInvalid:
            self._findings.add("FORM-2", where)
            return None, None
        try:
            return record, body_of(record.type, record.body)
        except RecordInvalid:
            self._findings.add("FORM-3", where)
            return record, None

    def _order(self, record: Record, where: str) -> None:
        if self.visit is None:
            self.visit = record.visit
        if not self.links and record.type != "open":
            self._findings.add("CHAIN-1", where)
        if record.seq != self._seq:
            self._findings.add("CHAIN-2", where)
        before = self.links[-1].hash if self.links else first_hashes(record.visit)[0]
        if record.prev != before:
            self._findings.add("CHAIN-3", where)
        if record.visit != self.visit or (self.links and record.type == "open"):
            self._findings.add("CHAIN-4", where)

    def _time(self, record: Record, where: str) -> None:
        before = self._before
        if before is None or record.type == "recovered":
            return
        if record.mono_us < before.mono_us:
            self._findings.add("TIME-1", where)
        wall_ms = instant_ms(record.at) - instant_ms(before.at)
        if abs(wall_ms - (record.mono_us - before.mono_us) / 1000) > TIME_TOLERANCE_MS:
            self._findings.add("TIME-2", where)

    def _advance(self, line: bytes, record: Record | None) -> None:
        sm3 = self.links[-1].sm3 if self.links else first_hashes(self.visit or "")[1]
        at_ms = instant_ms(record.at) if record is not None else None
        self.links.append(Link(*next_hashes(line, sm3), at_ms))
        # After a hole the count goes on from what is there: each hole is named once.
        self._seq = record.seq + 1 if record is not None else self._seq + 1
        self._before = record if record is not None else self._before
