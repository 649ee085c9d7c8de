"""The spool: every visit's folder on the local disk, how full that is, and what is remembered of visits that are gone.

```
DATA/spool/<visit>/journal        one line of JSON a commit
DATA/spool/.ahead                 the newest of those lines, and drafts, of all visits (`recorder.spool.ahead`)
DATA/spool/<visit>/<object name>  what is not stored yet, under the names of FORMAT.md §2
DATA/spool/.closed/<visit>.json   how a visit that is closed and stored was answered
DATA/spool/.refused/<visit>/      what was left of a closed visit whose objects the store would not all take
```
SPOOL-1, SPOOL-2, SPOOL-3, SPOOL-5: `recorder.spool.visit`.
SPOOL-4  `.reserve` holds space for the records that must still be written when the disk is full (DISK-2).
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from config.clock import monotonic_s
from recorder.spool.ahead import WriteAhead
from recorder.spool.disk import Usage
from recorder.spool.visit import VisitSpool

FULL = {errno.ENOSPC, errno.EDQUOT}
RESERVE = 8 << 20
"""Bytes, at most a twentieth of the disk: the records of a hundred visits for some minutes, until somebody makes space."""


class ClosedVisit(msgspec.Struct, frozen=True):
    """What is kept of a visit that is closed and stored: the answers to `Open` and `Close`."""

    first_hash: str
    seq: int
    hash: str
    segments: int
    bytes: int


class Spool:
    """All visits' folders below DATA/spool. Every call blocks; call it from a thread."""

    def __init__(self, root: Path, clock: Callable[[], float] = monotonic_s) -> None:
        """`clock`: monotonic seconds. Raises `OSError`."""
        self.root = root
        (root / ".closed").mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self.ahead = WriteAhead(root, clock)
        except OSError as error:
            if error.errno not in FULL:
                raise
            self.release()  # DISK-2: a full disk empties only when what lies on it is taken up and stored
            self.ahead = WriteAhead(root, clock)

    def visits(self) -> list[str]:
        """Every visit that has a journal here."""
        return sorted(p.parent.name for p in self.root.glob("*/journal"))

    def visit(self, visit: str) -> VisitSpool:
        """A visit's folder, made if it is not there."""
        return VisitSpool(self.root / visit, self.ahead)

    def closed(self, visit: str) -> ClosedVisit | None:
        """How a visit that is gone from here was closed."""
        try:
            return msgspec.json.decode((self.root / ".closed" / f"{visit}.json").read_bytes(), type=ClosedVisit)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def forget(self, visit: str, closed: ClosedVisit, refused: bool = False) -> None:
        """Remove a visit's folder: it is closed and stored. `refused`: not all of it; then it goes aside (UPLOAD-3)."""
        path = self.root / ".closed" / f"{visit}.json"
        draft = path.with_suffix(".new")
        draft.write_bytes(msgspec.json.encode(closed))
        draft.rename(path)
        if refused:
            aside = self.root / ".refused"
            aside.mkdir(exist_ok=True, mode=0o700)
            (self.root / visit).rename(aside / visit)
        shutil.rmtree(self.root / visit, ignore_errors=True)

    def usage(self, limit: int | None = None) -> Usage:
        """How full the disk is, or, with a limit in bytes, how much of that the spool takes."""
        disk = shutil.disk_usage(self.root)
        if limit is None:
            return Usage(disk.used, disk.free)
        used = sum(path.stat().st_size for path in self.root.glob("*/**/*") if path.is_file())
        return Usage(used, max(0, min(limit - used, disk.free)))

    def reserve(self, usage: Usage) -> bool:
        """Hold some space back for the moment the disk is full; whether it is held. Raises nothing."""
        path, size = self.root / ".reserve", min(RESERVE, (usage.used + usage.free) // 20)
        try:
            if path.is_file() and path.stat().st_size >= size:
                return True
            if usage.free < size * 2:
                return False
            with path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()
            return False
        return True

    def release(self) -> None:
        """Give back what was held."""
        with contextlib.suppress(OSError):
            (self.root / ".reserve").unlink()
