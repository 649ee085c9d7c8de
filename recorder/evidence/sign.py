"""Who signs, and whether they did (FORMAT.md §6, §7).

Ed25519 as in RFC 8032; SM2 with SM3 as in GB/T 32918.2 under the usual identifier, its signature in DER so that
`openssl pkeyutl -pkeyopt distid:1234567812345678` verifies it. Keys come in as SubjectPublicKeyInfo.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Literal, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from gmalglib.sm2 import SM2

from recorder.evidence.errors import KeyInvalid

Algorithm = Literal["ed25519", "sm2"]

SM2_IDENTIFIER = b"1234567812345678"

# DER up to the raw key: SEQUENCE { AlgorithmIdentifier, BIT STRING }. RFC 8410 §4; GB/T 35276 with OID 1.2.156.10197.1.301.
_ED25519_HEAD = bytes.fromhex("302a300506032b6570032100")
_SM2_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
_RAW_SIZE = {"ed25519": 32, "sm2": 65}
_UNCOMPRESSED = 4  # one spelling of a point, or one key would have several fingerprints
_BEGIN, _END = b"-----BEGIN PUBLIC KEY-----", b"-----END PUBLIC KEY-----"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature: `key` is the signer's fingerprint, `sig` the bytes (64 for Ed25519, DER for SM2)."""

    alg: Algorithm
    key: str
    sig: bytes


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key of version 1. `raw`: 32 bytes, or for SM2 the uncompressed point (65 bytes)."""

    alg: Algorithm
    raw: bytes

    @property
    def der(self) -> bytes:
        """SubjectPublicKeyInfo."""
        return (_ED25519_HEAD if self.alg == "ed25519" else _SM2_HEAD) + self.raw

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo, hex."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def pem(self) -> bytes:
        """The SubjectPublicKeyInfo in PEM, as openssl writes it."""
        text = base64.b64encode(self.der)
        lines = [text[at : at + 64] for at in range(0, len(text), 64)]
        return b"\n".join([_BEGIN, *lines, _END, b""])

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether this key made the signature. Never raises for what is in it."""
        if self.alg == "ed25519":
            return _ed25519_verifies(self.raw, signature, message)
        return _sm2_verifies(self.raw, signature, message)


class Signer(Protocol):
    """Signs heads with every key it has, Ed25519 first. `recorder.log.keys` makes them."""

    @property
    def fingerprint(self) -> str:
        """Of the Ed25519 key."""
        ...

    @property
    def public_keys(self) -> tuple[PublicKey, ...]:
        """All keys, Ed25519 first."""
        ...

    def sign(self, message: bytes) -> list[Signature]:
        """One signature a key."""
        ...


def public_key(pem: bytes) -> PublicKey:
    """The key in a PEM file. Raises `KeyInvalid` for anything but one plain Ed25519 or SM2 public key."""
    lines = pem.split()
    text = b" ".join(lines)
    if len(pem) > 4096 or not (text.startswith(_BEGIN) and text.endswith(_END)):
        raise KeyInvalid("not a PEM public key")
    try:
        der = base64.b64decode(text[len(_BEGIN) : -len(_END)].replace(b" ", b""), validate=True)
    except binascii.Error:
        raise KeyInvalid("not a PEM public key") from None
    for alg, head in (("ed25519", _ED25519_HEAD), ("sm2", _SM2_HEAD)):
        raw = der[len(head) :]
        if der.startswith(head) and len(raw) == _RAW_SIZE[alg] and (alg == "ed25519" or raw[0] == _UNCOMPRESSED):
            return PublicKey("ed25519" if alg == "ed25519" else "sm2", raw)
    raise KeyInvalid("neither an Ed25519 nor an SM2 key")


def sm2_der(raw: bytes) -> bytes:
    """r ‖ s as DER SEQUENCE { r, s }."""
    return encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))


def _ed25519_verifies(raw: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _sm2_verifies(raw: bytes, signature: bytes, message: bytes) -> bool:
    try:
        r, s = decode_dss_signature(signature)
        plain = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        if not SM2.is_pk_valid(raw):
            return False
        return bool(SM2(pk=raw, uid=SM2_IDENTIFIER).verify(message, plain))
    except (ValueError, OverflowError):
        return False
