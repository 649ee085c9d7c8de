"""Timestamps of third parties in a recording: what they cover, who gave them, when (FORMAT.md §8, STAMP).

A stamp is a C2SP tlog-proof: a record's place in the recorder's log, and the checkpoint that an authority stamped. Its extra
bytes are the recorder's signature (64) over the authority's reply, and the reply.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from cryptography.x509 import Certificate

from recorder.evidence.checkpoint import Note, NoteInvalid, NoteKey, signed_by
from recorder.evidence.errors import EvidenceError
from recorder.evidence.proof import LogProof, parse_proof
from recorder.evidence.sign import PublicKey
from recorder.evidence.timestamp import TimestampInvalid, answers
from recorder.evidence.token import Authority
from recorder.evidence.token import signed_by as token_signed_by
from recorder.evidence.tree import ProofInvalid, check_inclusion

DOMAIN = b"teleconsult-stamp-v1\n"
SIGNATURE = 64

Timestamped = Literal["none", "declared", "trusted"]
"""By nobody; by authorities that the reader's roots do not vouch for; each by one that they do."""


class StampBroken(EvidenceError):
    """The stamp breaks `rule`."""

    code = "stamp_broken"

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class Stamped(NamedTuple):
    """What one stamp says. `trusted`: its authority's certificate leads to a root of the reader's."""

    records: int
    at: datetime
    authority: str
    trusted: bool

    @property
    def told(self) -> str:
        """The time as records write it: whole milliseconds, what is finer cut off."""
        return f"{self.at:%Y-%m-%dT%H:%M:%S}.{self.at.microsecond // 1000:03d}Z"


def make_stamp(proof: LogProof, reply: bytes, sign_with: Callable[[bytes], bytes]) -> bytes:
    """A stamp's bytes. `proof`: as the log gives it; of its signatures only the log's own is kept (STAMP-2)."""
    note = Note(proof.note.text, proof.note.signatures[:1])
    return LogProof(proof.index, proof.path, note, sign_with(DOMAIN + reply) + reply).encoded


def judge_stamp(data: bytes, leaf: bytes, records: int, key: PublicKey, roots: Sequence[Certificate]) -> Stamped:
    """Check a stamp's bytes. `leaf`: leaf hash of the last of `records` records. Raises `StampBroken`: STAMP-2, STAMP-3."""
    text, reply = _proven(data, leaf, key)
    try:
        timestamp = answers(reply, text)  # STAMP-3
        authority: Authority = token_signed_by(reply)
    except TimestampInvalid:
        raise StampBroken("STAMP-3") from None
    return Stamped(records, timestamp.at, authority.name, authority.leads_to(roots, reply))


def _proven(data: bytes, leaf: bytes, key: PublicKey) -> tuple[bytes, bytes]:
    # STAMP-2
    try:
        proof = parse_proof(data)
        checkpoint = proof.checkpoint
        check_inclusion(leaf, proof.index, checkpoint.size, proof.path, checkpoint.root)
    except (NoteInvalid, ProofInvalid):
        raise StampBroken("STAMP-2") from None
    signature, reply = proof.extra[:SIGNATURE], proof.extra[SIGNATURE:]
    alone = len(proof.note.signatures) == 1 and signed_by(proof.note, NoteKey(checkpoint.origin, key))
    if proof.encoded != data or not alone or not key.verifies(signature, DOMAIN + reply):
        raise StampBroken("STAMP-2")
    return proof.note.text.encode(), reply
