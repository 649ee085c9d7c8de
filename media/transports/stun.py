"""STUN binding messages (RFC 8489), as much as an ICE-lite agent needs.

Parsing accepts a message or raises `StunError`; it never reads past the datagram. Nothing here keeps state: a
`ShortTermKey` holds the HMAC with its key already hashed, so that a check costs one copy and one digest.
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from dataclasses import dataclass
from struct import Struct

COOKIE = 0x2112A442
BINDING_REQUEST = 0x0001
BINDING_SUCCESS = 0x0101
BINDING_ERROR = 0x0111

USERNAME = 0x0006
MESSAGE_INTEGRITY = 0x0008
ERROR_CODE = 0x0009
UNKNOWN_ATTRIBUTES = 0x000A
XOR_MAPPED_ADDRESS = 0x0020
PRIORITY = 0x0024
USE_CANDIDATE = 0x0025
FINGERPRINT = 0x8028
ICE_CONTROLLING = 0x802A

MAX_USERNAME = 513  # RFC 8489 §14.3

_UNDERSTOOD = frozenset((USERNAME, MESSAGE_INTEGRITY, PRIORITY, USE_CANDIDATE))
_HEAD = Struct("!HHI12s")
_ATTRIBUTE = Struct("!HH")
_WORD = Struct("!I")
_FINGERPRINT_XOR = 0x5354554E
_ERROR_REASONS = {400: b"Bad Request", 401: b"Unauthenticated", 420: b"Unknown Attribute"}


class StunError(ValueError):
    """A datagram that is not a well-formed STUN message."""

    code = "stun_malformed"


class ShortTermKey:
    """A password's HMAC-SHA1 with the key blocks already hashed (RFC 8489 §9.1)."""

    __slots__ = ("_keyed",)

    def __init__(self, password: str) -> None:
        """`password` is the ICE password of the agent that is addressed."""
        self._keyed = hmac.new(password.encode(), digestmod=hashlib.sha1)

    def digest(self, *parts: bytes | bytearray | memoryview) -> bytes:
        """HMAC-SHA1 of the parts, 20 bytes."""
        mac = self._keyed.copy()
        for part in parts:
            mac.update(part)
        return mac.digest()


@dataclass(frozen=True, slots=True)
class Message:
    """A parsed message. `integrity_at` is the offset of MESSAGE-INTEGRITY, or 0 if there is none."""

    kind: int
    transaction: bytes
    username: str | None
    use_candidate: bool
    integrity_at: int
    has_fingerprint: bool
    unknown: tuple[int, ...]
    """Attributes that must be understood and are not (RFC 8489 §6.3.1)."""


def parse(datagram: bytes) -> Message:
    """One whole datagram. Raises `StunError` for bad lengths, cookie, fingerprint or attribute order."""
    size = len(datagram)
    if size < 20:
        raise StunError("shorter than a header")
    kind, length, cookie, transaction = _HEAD.unpack_from(datagram)
    if kind & 0xC000 or cookie != COOKIE or length + 20 != size or length & 3:
        raise StunError("not a STUN header")
    username: str | None = None
    use_candidate = has_fingerprint = False
    integrity_at = 0
    unknown: list[int] = []
    at = 20
    while at < size:
        attribute, width = _ATTRIBUTE.unpack_from(datagram, at)
        value_at = at + 4
        if value_at + width > size:
            raise StunError("an attribute is cut short")
        if attribute == FINGERPRINT:
            _check_fingerprint(datagram, at, width)
            has_fingerprint = True
        elif integrity_at:
            pass  # RFC 8489 §14.5: what follows MESSAGE-INTEGRITY is ignored
        elif attribute == USERNAME:
            username = _text(datagram[value_at : value_at + width])
        elif attribute == USE_CANDIDATE:
            use_candidate = True
        elif attribute == MESSAGE_INTEGRITY:
            if width != 20:
                raise StunError("MESSAGE-INTEGRITY of a wrong size")
            integrity_at = at
        elif attribute < 0x8000 and attribute not in _UNDERSTOOD:
            unknown.append(attribute)
        at = value_at + width + (-width & 3)
    return Message(kind, transaction, username, use_candidate, integrity_at, has_fingerprint, tuple(unknown[:8]))


def is_authentic(datagram: bytes, message: Message, key: ShortTermKey) -> bool:
    """Whether MESSAGE-INTEGRITY is there and right."""
    at = message.integrity_at
    if not at:
        return False
    # RFC 8489 §14.5: the length counts up to and including MESSAGE-INTEGRITY.
    head = datagram[:2] + (at + 4).to_bytes(2, "big")
    return hmac.compare_digest(key.digest(head, memoryview(datagram)[4:at]), datagram[at + 4 : at + 24])


def binding_success(transaction: bytes, mapped: tuple[bytes, int], key: ShortTermKey) -> bytes:
    """A success response; `mapped` is the packed IP address (4 or 16 bytes) and the port it was seen from."""
    return _sealed(BINDING_SUCCESS, transaction, _xor_mapped(transaction, *mapped), key)


def binding_error(transaction: bytes, status: int, key: ShortTermKey | None, unknown: tuple[int, ...] = ()) -> bytes:
    """An error response with `status` 400, 401 or 420; signed if `key` is given."""
    reason = _ERROR_REASONS[status]
    value = bytes((0, 0, status // 100, status % 100)) + reason
    attributes = _ATTRIBUTE.pack(ERROR_CODE, len(value)) + value + bytes(-len(value) & 3)
    if unknown:
        value = b"".join(number.to_bytes(2, "big") for number in unknown)
        attributes += _ATTRIBUTE.pack(UNKNOWN_ATTRIBUTES, len(value)) + value + bytes(-len(value) & 3)
    return _sealed(BINDING_ERROR, transaction, attributes, key)


def binding_request(transaction: bytes, username: str, key: ShortTermKey, priority: int, nominate: bool) -> bytes:
    """A controlling client's check: for probes and tests, an ICE-lite agent sends none."""
    name = username.encode()
    attributes = _ATTRIBUTE.pack(USERNAME, len(name)) + name + bytes(-len(name) & 3)
    attributes += _ATTRIBUTE.pack(PRIORITY, 4) + _WORD.pack(priority)
    attributes += _ATTRIBUTE.pack(ICE_CONTROLLING, 8) + bytes(8)
    if nominate:
        attributes += _ATTRIBUTE.pack(USE_CANDIDATE, 0)
    return _sealed(BINDING_REQUEST, transaction, attributes, key)


def _check_fingerprint(datagram: bytes, at: int, width: int) -> None:
    if width != 4 or at + 8 != len(datagram):  # RFC 8489 §14.7: it is the last attribute
        raise StunError("FINGERPRINT out of place")
    if zlib.crc32(memoryview(datagram)[:at]) ^ _FINGERPRINT_XOR != _WORD.unpack_from(datagram, at + 4)[0]:
        raise StunError("FINGERPRINT does not match")


def _text(value: bytes) -> str:
    if len(value) > MAX_USERNAME:
        raise StunError("USERNAME too long")
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise StunError("USERNAME is not UTF-8") from None


def _xor_mapped(transaction: bytes, ip: bytes, port: int) -> bytes:
    mask = COOKIE.to_bytes(4, "big") + transaction
    hidden = (int.from_bytes(ip, "big") ^ int.from_bytes(mask[: len(ip)], "big")).to_bytes(len(ip), "big")
    family = 1 if len(ip) == 4 else 2
    return (
        _ATTRIBUTE.pack(XOR_MAPPED_ADDRESS, 4 + len(ip))
        + bytes((0, family))
        + (port ^ (COOKIE >> 16)).to_bytes(2, "big")
        + hidden
    )


def _sealed(kind: int, transaction: bytes, attributes: bytes, key: ShortTermKey | None) -> bytes:
    """Header, attributes, MESSAGE-INTEGRITY (with a key) and FINGERPRINT."""
    if key is not None:
        head = _HEAD.pack(kind, len(attributes) + 24, COOKIE, transaction)
        attributes += _ATTRIBUTE.pack(MESSAGE_INTEGRITY, 20) + key.digest(head, attributes)
    whole = _HEAD.pack(kind, len(attributes) + 8, COOKIE, transaction) + attributes
    return whole + _ATTRIBUTE.pack(FINGERPRINT, 4) + _WORD.pack(zlib.crc32(whole) ^ _FINGERPRINT_XOR)
