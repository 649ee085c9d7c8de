"""A log's tree on a disk: one file a level, 32 bytes a hash, so that a log of any size costs no memory.

LEAVES-1  A hash is in its file whole or not at all: a torn end is cut off when the file is opened, and so is what was
          never said to be durable.
LEAVES-2  `sync` returns when all that was appended is durable. A level that is short is completed from the one below.
"""

from __future__ import annotations

import os
from pathlib import Path

from recorder.evidence.tree import Tree

HASH = 32


class FileRow:
    """One level (`recorder.evidence.tree.Row`). What is appended is written at once and durable after `sync`."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._length = os.fstat(self._file).st_size // HASH
        os.ftruncate(self._file, self._length * HASH)  # LEAVES-1
        self._dirty = False

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> bytes:
        at = index if index >= 0 else self._length + index
        if not 0 <= at < self._length:
            raise IndexError("no such hash")
        return os.pread(self._file, HASH, at * HASH)

    def append(self, value: bytes) -> None:
        """Write one at the end. Raises `OSError`; then nothing was appended."""
        if os.pwrite(self._file, value, self._length * HASH) != HASH:
            raise OSError("the disk took only a part")
        self._length += 1
        self._dirty = True

    def cut(self, length: int) -> None:
        """Forget what comes after this many."""
        os.ftruncate(self._file, length * HASH)
        self._length = length

    def sync(self) -> None:
        """Return when it is durable."""
        if self._dirty:
            os.fdatasync(self._file)
            self._dirty = False

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


class TreeFiles:
    """The levels of one tree in a folder. One owner; every call blocks."""

    def __init__(self, folder: Path, leaves: int) -> None:
        """`leaves`: how many are known to be durable; what follows is cut off (LEAVES-1)."""
        self._folder = folder
        self._rows: list[FileRow] = []
        self._leaves = leaves
        self.tree = Tree(row=self._open)

    def sync(self) -> None:
        """Return when everything is durable (LEAVES-2)."""
        for row in self._rows:
            row.sync()

    def close(self) -> None:
        """Let go of the files."""
        for row in self._rows:
            row.close()

    def _open(self, level: int) -> FileRow:
        row = FileRow(self._folder / f"level-{level:02d}")
        # A level may be opened long after the others: what a dead life left in it is of leaves that were never durable.
        most = self._leaves >> level
        if len(row) > most:
            row.cut(most)
        self._rows.append(row)
        return row
