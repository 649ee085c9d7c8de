"""A data key: 32 random bytes that seal one stream, and the commitment that is its name (FORMAT.md §5, Encryption).

KEYNAME-1  The name tells nothing of the key, and binds it: nobody has two keys of one name.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from recorder.sealing.seal import DATA_KEY, Suite

WrapKind = Literal["kms", "escrow", "local"]
"""The key store; the hospital's offline key; this machine, while the visit is being recorded."""


class Wrap(msgspec.Struct, frozen=True):
    """The data key as `kind`'s key `root` keeps it."""

    kind: WrapKind
    root: str
    blob: bytes

    @property
    def under(self) -> str:
        """How the record `key` names it."""
        return f"{self.kind}:{self.root}"


class HeldKey(msgspec.Struct, frozen=True):
    """A data key without its secret: what the keyring keeps. `stream` is empty before it is given to one."""

    key: str
    suite: Suite
    wraps: tuple[Wrap, ...]
    stream: str = ""

    def wrapped_by(self, kind: WrapKind) -> Wrap | None:
        """Its wrap of this kind, if there is one."""
        return next((wrap for wrap in self.wraps if wrap.kind == kind), None)

    def with_wrap(self, wrap: Wrap) -> HeldKey:
        """With this wrap in the place of the one of its kind."""
        others = tuple(one for one in self.wraps if one.kind != wrap.kind)
        return msgspec.structs.replace(self, wraps=(wrap, *others))

    def without(self, kind: WrapKind) -> HeldKey:
        """Without the wrap of this kind."""
        return msgspec.structs.replace(self, wraps=tuple(one for one in self.wraps if one.kind != kind))


def commitment(secret: bytes) -> str:
    """The name of a data key, hex (KEYNAME-1). Raises `ValueError` if that has not 32 bytes."""
    if len(secret) != DATA_KEY:
        raise ValueError("a data key has 32 bytes")
    return HKDF(SHA256(), 32, None, b"teleconsult-key-v1").derive(secret).hex()


def is_of(key: str, secret: bytes) -> bool:
    """Whether this is the key of that name."""
    return len(secret) == DATA_KEY and compare_digest(commitment(secret), key)
