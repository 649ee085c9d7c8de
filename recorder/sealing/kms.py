"""Keys that keep keys: who holds the root key wraps a stream's data key, and unwraps it for whoever may look.

KMS-1  A data key leaves the recorder only wrapped, under the root key that was newest then; its id stands beside it.
KMS-2  Rotation makes a new root key; old ones only unwrap. A key that was destroyed unwraps nothing: all it wrapped is
       shredded.
KMS-3  A wrapped key is bound to its context, the data key's name: it cannot be passed off as another.
KMS-4  A call that cannot be answered raises `KmsAway`; whoever called goes on without (`recorder.sealing.mint`).

`FileKms` is the embedded one: root keys as 0600 files in one folder. `recorder.sealing.kms_pkcs11` speaks to a hardware
module; both pass one suite of tests. KMIP would be a third.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config.clock import random_bytes, random_name

_NAME = re.compile(r"[A-Za-z0-9_-]{8,64}")
_NONCE = 12


class KmsError(Exception):
    """What can go wrong with keys.

    ├── KeyDestroyed    the root key is not there any more, or never was
    ├── KmsAway         it does not answer, or refuses us
    └── WrapBroken      the wrapped key was changed, or is another
    """

    code = "kms_error"


class KeyDestroyed(KmsError):
    """No root key of this id."""

    code = "key_destroyed"


class KmsAway(KmsError):
    """No answer, or no entry. The text says which, and names no secret."""

    code = "kms_unreachable"


class WrapBroken(KmsError):
    """Not what was wrapped, or wrapped for something else."""

    code = "wrap_broken"


class Wrapped(NamedTuple):
    """A data key under the root key `root`."""

    root: str
    blob: bytes


class Kms(Protocol):
    """What the recorder and the auditor's door ask of a key store. Calls block."""

    def wrap(self, data_key: bytes, context: bytes) -> Wrapped:
        """Under the newest root key (KMS-1)."""
        ...

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """Raises `KeyDestroyed`, `WrapBroken`."""
        ...

    def rotate(self) -> str:
        """Make a new root key, the newest from now on; its id."""
        ...

    def roots(self) -> list[str]:
        """The ids of all root keys, the newest last."""
        ...

    def destroy(self, root: str) -> None:
        """Shred everything this root key wrapped (KMS-2). Safe to repeat."""
        ...


class FileKms:
    """Root keys as files `<folder>/<number>-<id>.key`; the highest number is the newest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def rotate(self) -> str:
        """Make a new root key, durable before it is used; its id."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        root = f"k{random_name(12)}"
        number = max((int(path.name.partition("-")[0]) for path in self._keys()), default=0) + 1
        path = self._folder / f"{number:06d}-{root}.key"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(random_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        self._sync()
        return root

    def roots(self) -> list[str]:
        """The ids of all root keys, the newest last."""
        return [path.stem.partition("-")[2] for path in self._keys()]

    def wrap(self, data_key: bytes, context: bytes) -> Wrapped:
        """AES-256-GCM under the newest root key; the first use makes one."""
        keys = self._keys()
        root = keys[-1].stem.partition("-")[2] if keys else self.rotate()
        nonce = random_bytes(_NONCE)
        return Wrapped(root, nonce + AESGCM(self._root(root)).encrypt(nonce, data_key, _bound(root, context)))

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """The data key."""
        key = AESGCM(self._root(wrapped.root))
        if len(wrapped.blob) < _NONCE + 16:
            raise WrapBroken("the wrapped key is cut")
        try:
            return key.decrypt(wrapped.blob[:_NONCE], wrapped.blob[_NONCE:], _bound(wrapped.root, context))
        except InvalidTag:
            raise WrapBroken("the wrapped key was changed, or is another") from None

    def destroy(self, root: str) -> None:
        """Write over the key and remove it. A copy in a backup lives on: shred that too."""
        for path in self._keys():
            if path.stem.partition("-")[2] == root:
                with path.open("r+b") as file:
                    file.write(random_bytes(32))
                    file.flush()
                    os.fsync(file.fileno())
                path.unlink()
                self._sync()

    def _keys(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*-*.key"))

    def _root(self, root: str) -> bytes:
        if _NAME.fullmatch(root):
            for path in self._keys():
                if path.stem.partition("-")[2] == root:
                    return path.read_bytes()
        raise KeyDestroyed("no root key of this id")

    def _sync(self) -> None:
        opened = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _bound(root: str, context: bytes) -> bytes:
    return b"teleconsult-wrap-v1\0" + root.encode() + b"\0" + context
