"""A small secret for somebody elsewhere: an age v1 file to one X25519 recipient (age-encryption.org/v1, C2SP age).

Whoever has the identity opens it with the public tool: `age -d -i IDENTITY FILE`, or with `open_envelope`.

AGE-1  One recipient, one chunk: what goes in here are keys, at most 64 KiB.
"""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MOST = 64 << 10
_VERSION = b"age-encryption.org/v1\n"
_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_ONCE = bytes(12)
_LAST = bytes(11) + b"\x01"


class RecipientInvalid(Exception):
    """Not an age X25519 recipient or identity."""

    code = "recipient_invalid"


class EnvelopeBroken(Exception):
    """Not an envelope for this identity, or changed."""

    code = "envelope_broken"


def recipient_of(text: str) -> bytes:
    """The 32 bytes of `age1…`. Raises `RecipientInvalid`."""
    return _bech32_decode("age", text.strip())


def new_identity(seed: bytes) -> tuple[str, str]:
    """An identity (`AGE-SECRET-KEY-1…`) from 32 random bytes, and its recipient."""
    public = X25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return _bech32_encode("age-secret-key-", seed).upper(), _bech32_encode("age", public)


def seal_envelope(content: bytes, recipient: bytes, ephemeral: bytes, file_key: bytes, nonce: bytes) -> bytes:
    """The file. `ephemeral`: 32 random bytes, `file_key` and `nonce`: 16 each (AGE-1). `ValueError` past `MOST`."""
    if len(content) > MOST:
        raise ValueError("an envelope holds 64 KiB at most")
    mine = X25519PrivateKey.from_private_bytes(ephemeral)
    share = mine.public_key().public_bytes_raw()
    wrapping = _wrapping(mine.exchange(X25519PublicKey.from_public_bytes(recipient)), share, recipient)
    body = ChaCha20Poly1305(wrapping).encrypt(_ONCE, file_key, None)
    header = _VERSION + b"-> X25519 " + _b64(share) + b"\n" + _b64(body) + b"\n---"
    payload = ChaCha20Poly1305(_hkdf(file_key, nonce, b"payload")).encrypt(_LAST, content, None)
    return header + b" " + _b64(_mac(file_key, header)) + b"\n" + nonce + payload


def open_envelope(envelope: bytes, identity: str) -> bytes:
    """What is in it. Raises `EnvelopeBroken`, `RecipientInvalid`."""
    mine = X25519PrivateKey.from_private_bytes(_bech32_decode("age-secret-key-", identity.strip().lower()))
    try:
        version, stanza, body, rest = envelope.split(b"\n", 3)
        mac, _, sealed = rest.partition(b"\n")
        kind, share64 = stanza.rsplit(b" ", 1)
        if version + b"\n" != _VERSION or kind != b"-> X25519" or not mac.startswith(b"--- "):
            raise EnvelopeBroken("no age file to one X25519 recipient")
        share = _unb64(share64)
        shared = mine.exchange(X25519PublicKey.from_public_bytes(share))
        wrapping = _wrapping(shared, share, mine.public_key().public_bytes_raw())
        file_key = ChaCha20Poly1305(wrapping).decrypt(_ONCE, _unb64(body), None)
        header = b"\n".join((version, stanza, body, b"---"))
        if not hmac.compare_digest(_mac(file_key, header), _unb64(mac[4:])):
            raise EnvelopeBroken("its head was changed")
        return ChaCha20Poly1305(_hkdf(file_key, sealed[:16], b"payload")).decrypt(_LAST, sealed[16:], None)
    except (InvalidTag, ValueError):
        raise EnvelopeBroken("not for this identity, or changed") from None


def _wrapping(shared: bytes, share: bytes, recipient: bytes) -> bytes:
    return _hkdf(shared, share + recipient, b"age-encryption.org/v1/X25519")


def _hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(key)


def _mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(_hkdf(file_key, b"", b"header"), header, sha256)


def _b64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _unb64(text: bytes) -> bytes:
    raw = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    if _b64(raw) != text:  # RFC 4648 §3.5: the spare bits are zero, or a changed bit would go unseen
        raise ValueError("not canonical base64")
    return raw


# ---- bech32 (BIP 173), without its limit of 90 characters, as age has it


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    return check


def _expanded(prefix: str) -> list[int]:
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def _regroup(values: bytes | list[int], size: int, into: int, pad: bool) -> list[int]:
    held = bits = 0
    out: list[int] = []
    for value in values:
        held = held << size | value
        bits += size
        while bits >= into:
            bits -= into
            out.append(held >> bits & (1 << into) - 1)
    if pad and bits:
        out.append(held << into - bits & (1 << into) - 1)
    return out


def _bech32_encode(prefix: str, data: bytes) -> str:
    values = _regroup(data, 8, 5, pad=True)
    check = _polymod([*_expanded(prefix), *values, 0, 0, 0, 0, 0, 0]) ^ 1
    values += [check >> 5 * (5 - n) & 31 for n in range(6)]
    return f"{prefix}1{''.join(_ALPHABET[value] for value in values)}"


def _bech32_decode(prefix: str, text: str) -> bytes:
    found, _, data = text.rpartition("1")
    if found != prefix or not all(c in _ALPHABET for c in data):
        raise RecipientInvalid(f"it does not begin with {prefix}1, or is cut")
    values = [_ALPHABET.index(c) for c in data]
    if _polymod([*_expanded(prefix), *values]) != 1:
        raise RecipientInvalid("a character of it is wrong")
    raw = bytes(_regroup(values[:-6], 5, 8, pad=False))
    if len(raw) != 32:
        raise RecipientInvalid("it has not 32 bytes")
    return raw
