"""A bundle: a recording as a directory that can be handed over, and its reading back (FORMAT.md §2, §9).

Needs neither the server's libraries nor its secrets, so that `teleconsult verify` runs anywhere.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from recorder.evidence.layout import is_folder
from recorder.evidence.trust import Trust
from recorder.evidence.verify import Unreadable, Verdict, verify

CHUNK = 1 << 20

LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that file managers leave behind. Never opened, so never evidence (LAYOUT-1)."""


class NotABundle(Exception):
    """The path is no directory, or one without a recording in it."""

    code = "not_a_bundle"


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


def _kind(entry: os.DirEntry[str]) -> str:
    try:
        if entry.is_dir(follow_symlinks=False):
            return "folder"
        return "file" if entry.is_file(follow_symlinks=False) else "other"
    except OSError:
        return "other"


def verify_directory(
    path: Path, trust: Trust | None = None, progress: Callable[[int, int], None] | None = None
) -> Verdict:
    """Judge a bundle. Raises `NotABundle`; for what is in a bundle it never raises."""
    if path.is_file():
        raise NotABundle(
            f"{path} is a single file: a bundle is a folder. A derived copy, like any file of media, is no evidence"
        )
    if not path.is_dir() or not ((path / "records").exists() or (path / "bundle.json").exists()):
        raise NotABundle(f"{path} is not a recording's bundle")
    return verify(DirectoryReader(path), trust=trust, progress=progress)


def exit_code(verdict: Verdict) -> int:
    """0: intact and complete; 1: a rule is broken. (2, not a bundle, is `NotABundle`.)"""
    return 0 if verdict.intact and verdict.complete else 1
