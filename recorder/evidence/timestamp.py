"""Third-party time: RFC 3161 requests, and what is in a time-stamp authority's reply.

As far as RFC 3161 §2.4 goes. Whether the reply is signed, and by whom, is for `recorder.evidence.token`.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import NamedTuple

from recorder.evidence.der import EXPLICIT_0, INTEGER, OCTETS, OID, SEQUENCE, TIME, children, element, number, only
from recorder.evidence.errors import EvidenceError

MAX_REPLY = 1 << 16

_SHA256 = bytes.fromhex("300d06096086480165030402010500")  # AlgorithmIdentifier, NULL parameters
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
TST_INFO = bytes.fromhex("060b2a864886f70d0109100104")


class TimestampInvalid(EvidenceError):
    """The bytes are no granted reply, or not to this request."""

    code = "timestamp_invalid"


class Timestamp(NamedTuple):
    """An authority says that bytes with this SHA-256 existed at this time."""

    sha256: bytes
    at: datetime
    serial: int
    nonce: int | None


def request(data: bytes, nonce: int) -> bytes:
    """TimeStampReq for the SHA-256 of `data`, with the certificate asked for. `nonce`: below 2^63, unpredictable."""
    imprint = element(SEQUENCE, _SHA256 + element(OCTETS, hashlib.sha256(data).digest()))
    return element(SEQUENCE, number(1) + imprint + number(nonce) + b"\x01\x01\xff")


def parse_reply(reply: bytes) -> Timestamp:
    """What a TimeStampResp says. Raises `TimestampInvalid`."""
    try:
        return _read(tst_info(token_in(reply)))
    except (IndexError, ValueError, StopIteration):
        raise TimestampInvalid("not a reply of RFC 3161") from None


def answers(reply: bytes, data: bytes, nonce: int | None = None) -> Timestamp:
    """The timestamp, if it is of these bytes (and answers this nonce). Raises `TimestampInvalid`."""
    timestamp = parse_reply(reply)
    if timestamp.sha256 != hashlib.sha256(data).digest():
        raise TimestampInvalid("of other bytes")
    if nonce is not None and timestamp.nonce != nonce:
        raise TimestampInvalid("an answer to another request")
    return timestamp


def token_in(reply: bytes) -> bytes:
    """SignedData's content, of a reply that is granted. Raises `TimestampInvalid`, `ValueError`, `IndexError`."""
    if len(reply) > MAX_REPLY:
        raise ValueError("too long")
    status, *tokens = children(only(reply, SEQUENCE))
    granted = next(iter(children(status.content)), None)
    if granted is None or granted.raw not in (b"\x02\x01\x00", b"\x02\x01\x01"):
        raise TimestampInvalid("refused")
    (token,) = tokens
    kind, wrapped = children(token.content)
    if kind.raw != SIGNED_DATA or wrapped.tag != EXPLICIT_0:
        raise ValueError("no signed data")
    return only(wrapped.content, SEQUENCE)


def tst_info(signed_data: bytes) -> bytes:
    """The octets that SignedData signs, a TSTInfo. Raises `ValueError`, `IndexError`."""
    parts = list(children(signed_data))
    kind, wrapped = children(parts[2].content)
    if kind.raw != TST_INFO:
        raise ValueError("no time in it")
    return only(wrapped.content, OCTETS)


def _read(info: bytes) -> Timestamp:
    (version, policy, imprint, serial, at, *rest) = children(only(info, SEQUENCE))
    algorithm, digest = children(imprint.content)
    if version.content != b"\x01" or policy.tag != OID or at.tag != TIME or digest.tag != OCTETS:
        raise ValueError("not of version 1")
    if algorithm.content[:11] != _SHA256[2:13] or len(digest.content) != 32:
        raise ValueError("not SHA-256")
    nonces = [int.from_bytes(one.content, "big", signed=True) for one in rest if one.tag == INTEGER]
    return Timestamp(
        digest.content, _time(at.content), int.from_bytes(serial.content, "big"), nonces[0] if nonces else None
    )


def _time(text: bytes) -> datetime:
    whole, _, fraction = text.decode("ascii").removesuffix("Z").partition(".")
    at = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return at.replace(microsecond=int(fraction[:6].ljust(6, "0")) if fraction else 0)
