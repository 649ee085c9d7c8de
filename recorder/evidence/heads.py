"""Heads: signed statements of how far a chain was (FORMAT.md §7).

HEAD-1  A head is the canonical form of exactly `signatures` and `statement`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Annotated, Literal

import msgspec

from recorder.evidence.canon import canonical, parse
from recorder.evidence.digest import sm3
from recorder.evidence.errors import RecordInvalid
from recorder.evidence.records import SAFE, Hex, Instant, Origin, Visit
from recorder.evidence.sign import Signature, Signer

CHAIN_DOMAIN = b"teleconsult-log-v1\n"
HEAD_DOMAIN = b"teleconsult-head-v1\n"


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed: `size` records, the last of which has the hash `head`, at this time."""

    at: Instant
    head: Hex
    head_sm3: Hex
    origin: Origin
    size: Annotated[int, msgspec.Meta(ge=1, le=SAFE)]
    v: Literal[1]
    visit: Visit

    @property
    def message(self) -> bytes:
        """The bytes that every key signs."""
        return HEAD_DOMAIN + canonical(msgspec.to_builtins(self))


class _Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alg: Literal["ed25519", "sm2"]
    key: Hex
    sig: Annotated[str, msgspec.Meta(max_length=128)]


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    signatures: Annotated[list[_Signed], msgspec.Meta(max_length=2)]
    statement: Statement


class Head(msgspec.Struct, frozen=True):
    """A statement and its signatures, not yet verified."""

    statement: Statement
    signatures: tuple[Signature, ...]


def first_hashes(visit: str) -> tuple[str, bytes]:
    """What stands before the first record: `prev` of it, and m₀ of the SM3 chain."""
    seed = CHAIN_DOMAIN + visit.encode()
    return hashlib.sha256(seed).hexdigest(), sm3(seed)


def next_hashes(line: bytes, chain_sm3: bytes) -> tuple[str, bytes]:
    """A record's hash, and the SM3 chain with it."""
    return hashlib.sha256(line).hexdigest(), sm3(chain_sm3 + line)


def sign_head(statement: Statement, signer: Signer) -> bytes:
    """The head's line, without its newline."""
    signatures = [
        {"alg": one.alg, "key": one.key, "sig": base64.b64encode(one.sig).decode()}
        for one in signer.sign(statement.message)
    ]
    return canonical({"signatures": signatures, "statement": msgspec.to_builtins(statement)})


def parse_head(line: bytes) -> Head:
    """The head a line holds. Raises `NotCanonical` or `RecordInvalid` (HEAD-1)."""
    try:
        read = msgspec.convert(parse(line), _Line)
        signatures = tuple(
            Signature(one.alg, one.key, base64.b64decode(one.sig, validate=True)) for one in read.signatures
        )
        # The spare bits of a last group could say anything (RFC 4648 §3.5): only zeros are canonical.
        if any(
            base64.b64encode(kept.sig).decode() != one.sig
            for kept, one in zip(signatures, read.signatures, strict=True)
        ):
            raise RecordInvalid("not canonical base64")
    except (msgspec.ValidationError, RecursionError, binascii.Error) as error:
        raise RecordInvalid(str(error)) from None
    return Head(read.statement, signatures)
