"""Objects as files in a folder.

A put writes a draft in a folder of its own, fsyncs it, links it to its name (which fails if the name is taken, so nothing is
ever replaced) and fsyncs the folder. A file of the same file system is linked itself, once it is read and found to be what it
should: half the time of a copy, and the disk writes its bytes once (`python -m tests.bench.recorder_micro`). Files are 0600.
The honest limit: whoever owns the folder can still change or delete; the evidence then shows that it was done, it cannot
prevent it (README).
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

from config.clock import monotonic_s
from recorder.store.lanes import Lanes
from recorder.store.objects import (
    CHUNK,
    DigestMismatch,
    ObjectEntry,
    ObjectExists,
    ObjectMissing,
    Stored,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
    checked,
)

_Entries = list[tuple[str, int | None]]

_DRAFTS = ".drafts"
"""Of no visit: what a recorder that was killed leaves there is in no recording, and the next one clears it away."""
AT_ONCE = 512 << 10
"""Bytes read at once: most segments whole, so that a thread asks for the interpreter once and not for every piece."""
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}


class FolderStore:
    """A store below one folder, made when first written to."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._drafts = count()
        self._lanes = Lanes(monotonic_s)

    async def put(self, name: str, data: bytes | Path, sha256: str) -> Stored:
        """Write whole or not at all (STORE-1…3)."""
        path = self._path(name)
        return await self._lanes.write(lambda: self._put(path, data, sha256))

    async def get(self, name: str) -> bytes:
        """Read whole."""
        return await asyncio.to_thread(self._get, self._path(name))

    async def stream(self, name: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Read in pieces."""
        file = await asyncio.to_thread(self._open, self._path(name), start)
        try:
            left = None if end is None else max(0, end - start)
            while left is None or left > 0:
                with _said():
                    piece = await asyncio.to_thread(file.read, CHUNK if left is None else min(CHUNK, left))
                if not piece:
                    return
                left = None if left is None else left - len(piece)
                yield piece
        finally:
            file.close()

    async def list(self, prefix: str) -> AsyncIterator[ObjectEntry]:
        """Walk, one folder at a time."""
        folder, _, _ = prefix.rpartition("/")
        for name, size in await asyncio.to_thread(self._entries, folder):
            if not name.startswith(prefix):
                continue
            if size is not None:
                yield ObjectEntry(name, size)
                continue
            async for entry in self.list(f"{name}/"):
                yield entry

    async def folders(self, prefix: str) -> AsyncIterator[str]:
        """The folders below."""
        entries = await asyncio.to_thread(self._entries, prefix.rstrip("/"))
        for name, size in entries:
            if size is None:
                yield name.rpartition("/")[2]

    async def prove(self) -> None:
        """A folder promises nothing that could be tried; what an earlier life left half written goes."""
        await asyncio.to_thread(shutil.rmtree, self._root / _DRAFTS, ignore_errors=True)

    async def close(self) -> None:
        """Nothing is held."""

    @property
    def limits(self) -> str:
        """The owner's power."""
        return (
            "a folder: whoever owns it can change and delete; the evidence shows that it was done, it cannot prevent it"
        )

    # ---- in a thread

    def _path(self, name: str) -> Path:
        return self._root / checked(name)

    def _put(self, path: Path, data: bytes | Path, sha256: str) -> Stored:
        with _said():
            self._make(path.parent)
            if isinstance(data, Path) and self._adopt(data, path, sha256):
                _sync_folder(path.parent)
                return Stored(version=None)
            self._make(self._root / _DRAFTS)
            draft = self._root / _DRAFTS / f"{os.getpid()}-{next(self._drafts)}"
            try:
                if _write(draft, data) != sha256:
                    raise DigestMismatch("the bytes are not those of the hash given")
                self._publish(draft, path, sha256)
            finally:
                with suppress(OSError):
                    draft.unlink()
            _sync_folder(path.parent)
        return Stored(version=None)

    def _adopt(self, file: Path, path: Path, sha256: str) -> bool:
        """Give a file, which is durable, the object's name beside its own; False where that cannot be."""
        opened = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            digest = hashlib.sha256()
            while piece := os.read(opened, AT_ONCE):
                digest.update(piece)
            if digest.hexdigest() != sha256:
                raise DigestMismatch("the bytes are not those of the hash given")
        finally:
            os.close(opened)
        try:
            os.link(file, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS and error.errno != errno.EXDEV:
                raise
            return False
        return True

    def _make(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        _sync_folder(folder.parent)

    def _publish(self, draft: Path, path: Path, sha256: str) -> None:
        try:
            os.link(draft, path)
        except FileExistsError:
            if _sha256(path) != sha256:
                raise ObjectExists("the name is taken by other bytes") from None
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._rename(draft, path, sha256)

    def _rename(self, draft: Path, path: Path, sha256: str) -> None:
        # A file system without hard links. This recorder is the folder's only writer, so looking first is enough.
        if path.exists():
            if _sha256(path) != sha256:
                raise ObjectExists("the name is taken by other bytes")
            return
        draft.rename(path)

    def _get(self, path: Path) -> bytes:
        with _said():
            return path.read_bytes()

    def _open(self, path: Path, start: int) -> BinaryIO:
        with _said():
            file = path.open("rb")
            file.seek(start)
            return file

    def _entries(self, folder: str) -> _Entries:
        """(name from the root, size; None for a folder), in the order of names as a store sorts them."""
        found: _Entries = []
        with _said(), suppress(FileNotFoundError, NotADirectoryError), os.scandir(self._root / folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    found.append((name, None))
                elif entry.is_file(follow_symlinks=False):
                    found.append((name, entry.stat().st_size))
        return sorted(found, key=lambda one: one[0] + "/" if one[1] is None else one[0])


@contextmanager
def _said() -> Iterator[None]:
    """The system's errors as the store's own."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError) as error:
        raise ObjectMissing("no such object") from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StoreFull("no space left") from error
        if error.errno in {errno.EACCES, errno.EROFS, errno.ENOTDIR}:
            raise StoreRefused(f"the folder cannot be used: {error.strerror}") from error
        raise StoreUnavailable(f"the folder cannot be used now: {error.strerror}") from error


def _write(draft: Path, data: bytes | Path) -> str:
    """Write, fsync, and say the SHA-256 of what was written."""
    digest = hashlib.sha256()
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for piece in _pieces(data):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _pieces(data: bytes | Path) -> Iterator[bytes]:
    if isinstance(data, bytes):
        yield data
        return
    with data.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
