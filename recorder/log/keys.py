"""The recorder's signing keys, on disk: an Ed25519 key in PKCS#8 PEM and, beside it, an SM2 key.

`recorder-ed25519.pem` has the SM2 key `recorder-ed25519.sm2.key` (64 hex digits) next to it. Both are 0600, made on first
use, and never leave the machine. Losing them ends no recording's proof; having them stolen lets a thief sign (README).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from gmalglib.sm2 import SM2

from recorder.evidence.sign import SM2_IDENTIFIER, PublicKey, Signature, sm2_der


class KeyFileInvalid(Exception):
    """A key file is there and cannot be used. The text names the file and what to do."""

    code = "key_file_invalid"


class Keys:
    """Signs with Ed25519 and SM2 (`recorder.evidence.sign.Signer`)."""

    def __init__(self, ed25519_seed: bytes, sm2_secret: bytes | None = None) -> None:
        """`ed25519_seed`: 32 bytes; `sm2_secret`: 32 bytes, or None to sign with Ed25519 alone."""
        self._ed25519 = Ed25519PrivateKey.from_private_bytes(ed25519_seed)
        keys = [PublicKey("ed25519", self._ed25519.public_key().public_bytes_raw())]
        self._sm2: SM2 | None = None
        if sm2_secret is not None:
            point = bytes(SM2.get_pk(sm2_secret))
            self._sm2 = SM2(sk=sm2_secret, pk=point, uid=SM2_IDENTIFIER)
            keys.append(PublicKey("sm2", point))
        self._public = tuple(keys)
        self._fingerprints = tuple(key.fingerprint for key in keys)

    @property
    def fingerprint(self) -> str:
        """Of the Ed25519 key."""
        return self._fingerprints[0]

    @property
    def public_keys(self) -> tuple[PublicKey, ...]:
        """Ed25519 first."""
        return self._public

    def sign(self, message: bytes) -> list[Signature]:
        """One signature a key."""
        signed = [Signature("ed25519", self._fingerprints[0], self._ed25519.sign(message))]
        if self._sm2 is not None:
            signed.append(Signature("sm2", self._fingerprints[1], sm2_der(self._sm2.sign(message))))
        return signed


def load_or_create(path: Path) -> Keys:
    """The keys at `path` and beside it, made if they are not there. Raises `KeyFileInvalid`."""
    beside = path.with_suffix(".sm2.key")
    if not path.exists() and beside.exists():
        raise KeyFileInvalid(f"{beside} is there without {path}: put the key back, or move both away")
    if not path.exists():
        _write(beside, bytes(SM2().generate_keypair()[0]).hex().encode() + b"\n")
        _write(path, _new_ed25519())
    return Keys(_seed(path), _secret(beside))


def _new_ed25519() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _seed(path: Path) -> bytes:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise KeyFileInvalid(f"{path} cannot be read as a private key: {type(error).__name__}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileInvalid(f"{path} is not an Ed25519 key")
    return key.private_bytes_raw()


def _secret(path: Path) -> bytes | None:
    if not path.exists():
        return None
    try:
        secret = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError):
        raise KeyFileInvalid(f"{path} is not 64 hex digits") from None
    if not SM2.is_sk_valid(secret):
        raise KeyFileInvalid(f"{path} is no SM2 private key")
    return secret


def _write(path: Path, data: bytes) -> None:
    # Whole or not at all: written under another name, fsynced, then renamed.
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
