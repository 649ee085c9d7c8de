"""A store's folder, or a copy of a bucket, as the inventory reads it; and what a spool still holds of visits that go on.

Needs no server, no network and no secret, like `recorder.bundle.directory`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from recorder.evidence.layout import is_visit
from recorder.plain_folder import plain_file


class NotAStore(Exception):
    """The path is no directory, or has neither recordings nor a log in it."""

    code = "not_a_store"


class StoreFolder:
    """A store on disk (`recorder.evidence.inventory.StoreReader`). Follows no link and opens only plain files."""

    def __init__(self, root: Path) -> None:
        """Raises `NotAStore`."""
        if not ((root / "recordings").is_dir() or (root / "log").is_dir()):
            raise NotAStore(f"{root} is not a store: it has neither `recordings` nor `log` in it")
        self._root = root

    def names(self) -> Iterator[str]:
        """Every file below `recordings`, `log` and `manifests`."""
        for top in ("recordings", "log", "manifests"):
            for folder, _, files in os.walk(self._root / top):
                yield from ((Path(folder) / file).relative_to(self._root).as_posix() for file in files)

    def chunks(self, name: str) -> Iterator[bytes]:
        """A plain file in pieces. Raises `Unreadable`."""
        return plain_file(self._root, name)


class _Line(msgspec.Struct):
    records: list[str] = []


def waiting(spool: Path) -> Iterator[bytes]:
    """The lines of all records in the journals of a spool (`recorder.spool.spool`): written, and perhaps not stored yet."""
    decoder = msgspec.json.Decoder(_Line)
    for folder in sorted(spool.iterdir()) if spool.is_dir() else []:
        journal = folder / "journal"
        if not is_visit(folder.name) or not journal.is_file():
            continue
        for line in journal.read_bytes().split(b"\n")[:-1]:  # what follows the last newline was never durable (SPOOL-2)
            try:
                yield from (record.encode() for record in decoder.decode(line).records)
            except (msgspec.DecodeError, RecursionError):
                continue
