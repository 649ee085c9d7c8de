"""What an object store is to the recorder: immutable objects under names, and the ways it can fail.

STORE-1  `put` returns when the object is durable. The same bytes under the same name are fine, any number of times: a put
         whose answer was lost is safe to repeat. Other bytes under a name that is taken raise `ObjectExists`, change nothing.
STORE-2  `put` checks the bytes against the hash it is given before anything becomes visible.
STORE-3  An object is there whole or not at all.

Both implementations, and any other, pass `tests/contract/test_object_store.py`.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple, Protocol

CHUNK = 256 << 10

_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}"
_NAME = re.compile(rf"{_PART}(/{_PART}){{0,15}}")


class StoreError(Exception):
    """What can go wrong with an object store.

    ├── NameRefused        not a name for an object
    ├── ObjectMissing      no such object
    ├── ObjectExists       the name is taken by other bytes
    ├── DigestMismatch     the bytes are not those of the hash given
    ├── StoreUnavailable   not reachable, or not able, now: try again later
    │   └── StoreFull      no space
    └── StoreRefused       reachable and refusing: somebody must change the configuration
        ├── LockNotEnforced    it should keep objects from being deleted, and does not
        └── PromiseShortened   it was promised a longer retention before
    """

    code = "store_error"


class NameRefused(StoreError):
    """A name that could leave the store, or that no store can hold."""

    code = "name_refused"


class ObjectMissing(StoreError):
    """There is no object of this name."""

    code = "object_missing"


class ObjectExists(StoreError):
    """The name is taken by other bytes; objects are never changed."""

    code = "object_exists"


class DigestMismatch(StoreError):
    """The bytes given do not have the SHA-256 given."""

    code = "digest_mismatch"


class StoreUnavailable(StoreError):
    """The store cannot be reached or cannot answer now. What was asked may or may not have happened: ask again."""

    code = "store_unreachable"


class StoreFull(StoreUnavailable):
    """There is no space left."""

    code = "store_full"


class StoreRefused(StoreError):
    """The store answers, and refuses: wrong credentials, no such bucket, no permission."""

    code = "store_refused"


class LockNotEnforced(StoreRefused):
    """The store was asked to keep objects from being deleted, and does not. The text says what it let happen."""

    code = "lock_not_enforced"


class PromiseShortened(StoreRefused):
    """The settings promise a shorter retention than was promised before for this store."""

    code = "retention_shortened"


class Stored(NamedTuple):
    """An object is durable. `version` is the store's own version id, where it has one.

    `retain_until`: until then (ISO 8601, UTC) the store lets nobody delete this version; None where it promises nothing.
    """

    version: str | None
    retain_until: str | None = None


class ObjectEntry(NamedTuple):
    """One line of a listing; `size` in bytes."""

    name: str
    size: int


class ObjectStore(Protocol):
    """Names are relative to the store's root. Every method may raise `StoreUnavailable` or `StoreRefused`."""

    async def put(self, name: str, data: bytes | Path, sha256: str) -> Stored:
        """Make an object durable; of a `Path`, the file's bytes, which are durable there and never change after.

        Raises `ObjectExists`, `DigestMismatch`, `NameRefused`.
        """
        ...

    async def get(self, name: str) -> bytes:
        """An object, whole. Raises `ObjectMissing`."""
        ...

    def stream(self, name: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes `start` up to, not including, `end`, in pieces. Raises `ObjectMissing` at the first piece."""
        ...

    def list(self, prefix: str) -> AsyncIterator[ObjectEntry]:
        """Every object whose name begins with `prefix`, in order of their names. A folder's prefix ends in `/`."""
        ...

    def folders(self, prefix: str) -> AsyncIterator[str]:
        """The next parts of the names below `prefix` (empty, or ending in `/`) that have something below them, in order."""
        ...

    async def prove(self) -> None:
        """See that the store keeps what it promises, before it is relied on. Raises `LockNotEnforced`, `PromiseShortened`."""
        ...

    async def close(self) -> None:
        """Let go of connections. Safe to repeat."""
        ...

    @property
    def limits(self) -> str:
        """What this store cannot prevent, in plain words."""
        ...


def checked(name: str) -> str:
    """The name, if it can be an object's. Raises `NameRefused`."""
    if len(name) > 900 or _NAME.fullmatch(name) is None:
        raise NameRefused("not a name for an object")
    return name
