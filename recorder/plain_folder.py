"""Reading a folder that a stranger may have made: plain files alone, never a link, nothing that holds or fills the reader.

Knows the evidence format's names and nothing else of ours.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from recorder.evidence.layout import is_folder
from recorder.evidence.verify import Unreadable

CHUNK = 1 << 20

LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that file managers leave behind. Never opened, so never evidence (LAYOUT-1)."""


class DirectoryReader:
    """A directory's objects (`recorder.evidence.verify.Reader`). Follows no link and opens only plain files."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self) -> Iterator[str]:
        """Every file, every link or special file, and every directory that no object can stand in, which is not entered."""
        yield from self._below("")

    def _below(self, folder: str) -> Iterator[str]:
        # Four deep at most, so that no chain of directories is longer than a path may be.
        try:
            with os.scandir(self._root / folder) as found:
                entries = [(entry.name, _kind(entry)) for entry in found]
        except OSError:
            yield folder or "."
            return
        for entry, kind in entries:
            name = f"{folder}/{entry}" if folder else entry
            if kind == "folder" and is_folder(name):
                yield from self._below(name)
            elif kind != "file" or entry not in LITTER:
                yield name

    def chunks(self, name: str) -> Iterator[bytes]:
        """A plain file in pieces. Raises `Unreadable`."""
        return plain_file(self._root, name)


def plain_file(root: Path, name: str) -> Iterator[bytes]:
    """The bytes of what is a plain file and no link, in pieces. Raises `Unreadable`."""
    try:
        # Non-blocking, so that a named pipe in the place of a segment cannot hold the verifier.
        opened = os.open(root / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(opened, "rb") as file:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise Unreadable(name)
            while piece := file.read(CHUNK):
                yield piece
    except (OSError, ValueError):
        raise Unreadable(name) from None


def read_plain(root: Path, name: str, most: int) -> bytes:
    """The whole of a plain file. Raises `Unreadable`, for what is larger than `most` too."""
    taken = bytearray()
    for piece in plain_file(root, name):
        taken += piece
        if len(taken) > most:
            raise Unreadable(name)
    return bytes(taken)


def read_given(path: Path, most: int) -> bytes:
    """What a file of the reader's own holds, or a pipe. Raises `OSError`, for what is larger than `most` too."""
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def _kind(entry: os.DirEntry[str]) -> str:
    try:
        if entry.is_dir(follow_symlinks=False):
            return "folder"
        return "file" if entry.is_file(follow_symlinks=False) else "other"
    except OSError:
        return "other"
