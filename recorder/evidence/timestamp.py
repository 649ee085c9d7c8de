"""Third-party time: RFC 3161 requests, and what is in a time-stamp authority's reply.

Only DER (X.690) and only as far as RFC 3161 §2.4 goes: a definite-length reader and the few values of a request. Whether the
reply is *signed* by an authority one trusts is not judged here; `openssl ts -verify` does (`recorder.timestamps`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from recorder.evidence.errors import EvidenceError

MAX_REPLY = 1 << 16

_SHA256 = bytes.fromhex("300d06096086480165030402010500")  # AlgorithmIdentifier, NULL parameters
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_TST_INFO = bytes.fromhex("060b2a864886f70d0109100104")
_INTEGER, _OCTETS, _OID, _TIME, _SEQUENCE, _EXPLICIT_0 = 0x02, 0x04, 0x06, 0x18, 0x30, 0xA0


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
    imprint = _element(_SEQUENCE, _SHA256 + _element(_OCTETS, hashlib.sha256(data).digest()))
    return _element(_SEQUENCE, _number(1) + imprint + _number(nonce) + b"\x01\x01\xff")


def parse_reply(reply: bytes) -> Timestamp:
    """What a TimeStampResp says. Raises `TimestampInvalid`."""
    try:
        return _parse(reply)
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


def _parse(reply: bytes) -> Timestamp:
    if len(reply) > MAX_REPLY:
        raise ValueError("too long")
    status, *tokens = _children(_only(reply, _SEQUENCE))
    granted = next(iter(_children(status[1])))
    if granted not in ((_INTEGER, b"\x00"), (_INTEGER, b"\x01")):
        raise TimestampInvalid("refused")
    (token,) = tokens
    kind, content = _children(token[1])
    if _element(*kind) != _SIGNED_DATA:
        raise ValueError("no signed data")
    signed = list(_children(_only(content[1], _SEQUENCE)))
    inner, wrapped = _children(signed[2][1])
    if _element(*inner) != _TST_INFO:
        raise ValueError("no time in it")
    said = list(_children(_only(_only(wrapped[1], _OCTETS), _SEQUENCE)))
    (version, policy, imprint, serial, at, *rest) = said
    algorithm, digest = _children(imprint[1])
    if version[1] != b"\x01" or policy[0] != _OID or at[0] != _TIME or digest[0] != _OCTETS or len(digest[1]) != 32:
        raise ValueError("not of version 1")
    if bytes(algorithm[1])[:11] != _SHA256[2:13]:
        raise ValueError("not SHA-256")
    nonces = [int.from_bytes(value, "big", signed=True) for tag, value in rest if tag == _INTEGER]
    return Timestamp(bytes(digest[1]), _time(at[1]), int.from_bytes(serial[1], "big"), nonces[0] if nonces else None)


def _time(text: bytes) -> datetime:
    whole, _, fraction = text.decode("ascii").removesuffix("Z").partition(".")
    at = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return at.replace(microsecond=int(fraction[:6].ljust(6, "0")) if fraction else 0)


def _children(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(content):
        tag, value, at = _take(content, at)
        yield tag, value


def _only(content: bytes, wanted: int) -> bytes:
    tag, value, end = _take(content, 0)
    if tag != wanted or end != len(content):
        raise ValueError("something else")
    return value


def _take(content: bytes, at: int) -> tuple[int, bytes, int]:
    tag, length, start = content[at], content[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4:
            raise ValueError("indefinite or huge")
        length, start = int.from_bytes(content[start : start + octets], "big"), start + octets
    if start + length > len(content):
        raise ValueError("cut short")
    return tag, content[start : start + length], start + length


def _element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def _number(value: int) -> bytes:
    return _element(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))
