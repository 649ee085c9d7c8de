"""What a participant takes home: that this closing record, and so the whole visit before it, was in the log (FORMAT.md §8).

A receipt is a C2SP tlog-proof whose extra bytes are one line of canonical JSON: the closing record, the recorder's key and
the witnesses that may stand under the checkpoint. The short form, for a QR code, has the hashes alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec

from recorder.evidence.canon import canonical, parse
from recorder.evidence.checkpoint import NoteInvalid
from recorder.evidence.errors import EvidenceError, KeyInvalid, NotCanonical, RecordInvalid
from recorder.evidence.layout import HEX, VISIT
from recorder.evidence.logged import LogBroken, Logged, judge_proof
from recorder.evidence.proof import LogProof, parse_proof
from recorder.evidence.records import record_of
from recorder.evidence.sign import PublicKey, public_key
from recorder.evidence.trust import Trust

FORMAT = "teleconsult-receipt/1"
MAX_RECEIPT = 1 << 17

_SHORT = re.compile(rf"{re.escape(FORMAT)} ({VISIT}) ([1-9][0-9]{{0,8}}) ({HEX})\n?")


class ReceiptInvalid(EvidenceError):
    """Not a receipt, or one that does not prove itself; `rule` is the LOG rule it breaks, or RECEIPT-1."""

    code = "receipt_invalid"

    def __init__(self, rule: str) -> None:
        super().__init__(f"the receipt breaks {rule}")
        self.rule = rule


class _Extra(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal["teleconsult-receipt/1"]
    key: str
    record: str
    witnesses: list[str]


class Receipt(NamedTuple):
    """The visit closed with `records` records, the last of this hash. `logged`, `key`, `proof`: None in the short form."""

    visit: str
    records: int
    hash: str
    at: str | None = None
    origin: str | None = None
    key: PublicKey | None = None
    logged: Logged | None = None
    proof: LogProof | None = None

    def trusted_by(self, trust: Trust) -> bool | None:
        """Whether the list has the key under a name it is known by; None if it knows none.

        A log is named after its origin and its key, unless the origin already ends with the key (`open` of FORMAT.md §4).
        """
        if self.origin is None or self.key is None:
            return None
        names = (self.origin, f"{self.origin}/{self.key.fingerprint[:16]}")
        said = {trust.allows(name, self.key.fingerprint) for name in names} - {None}
        return all(said) if said else None

    @property
    def short(self) -> str:
        """One line for a QR code."""
        return f"{FORMAT} {self.visit} {self.records} {self.hash}"


def make_receipt(proof: bytes, close: bytes, key: PublicKey, witnesses: Iterable[str]) -> bytes:
    """A receipt's bytes. `proof`: the recording's own; `close`: the line of its closing record."""
    bare = parse_proof(proof)
    extra = _Extra("teleconsult-receipt/1", key.pem.decode(), close.decode(), list(witnesses))
    return LogProof(bare.index, bare.path, bare.note, canonical(msgspec.to_builtins(extra))).encoded


def parse_receipt(data: bytes) -> Receipt:
    """Read a receipt of either form, and check what it proves by itself. Raises `ReceiptInvalid`."""
    short = _SHORT.fullmatch(data[:512].decode("ascii", "replace"))
    if short is not None and len(data) < 512:
        return Receipt(short[1], int(short[2]), short[3])
    try:
        proof = parse_proof(data[:MAX_RECEIPT])
        extra = msgspec.convert(parse(proof.extra), _Extra)
        line = extra.record.encode()
        record = record_of(parse(line))
        key = public_key(extra.key.encode())
    except (NoteInvalid, NotCanonical, RecordInvalid, KeyInvalid, msgspec.ValidationError):
        raise ReceiptInvalid("RECEIPT-1") from None
    if record.type != "close" or proof.encoded != data or key.alg != "ed25519" or key.pem.decode() != extra.key:
        raise ReceiptInvalid("RECEIPT-1")
    bare = LogProof(proof.index, proof.path, proof.note)
    try:
        logged = judge_proof(bare.encoded, line, key, extra.witnesses)
    except LogBroken as broken:
        raise ReceiptInvalid(broken.rule) from None
    origin = logged.log.rpartition("/")[0]
    return Receipt(record.visit, record.seq + 1, hashlib.sha256(line).hexdigest(), record.at, origin, key, logged, bare)
