"""The custody chain on disk, in the log and in the store.

```
DATA/custody/journal                          one line each, durable before it counts
STORE/log/<16 digits>/custody/<seq>.jsonl     the same lines in batches, each named after its first `seq` (12 digits)
```
LOGGED-1  `say` returns when the line is durable, a leaf of the log, and covered by a signed checkpoint. What it permits is
          done after that; without a log nothing is permitted (`LogUnavailable`).
LOGGED-2  A batch is in the store before any checkpoint that covers it (NOTARY-3), so that the inventory knows every leaf.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from config.clock import UtcClock, iso, monotonic_us, utc_now
from recorder.evidence.custody import Body, CustodyChain, Standing
from recorder.evidence.errors import ChainBroken
from recorder.store.objects import ObjectExists, ObjectStore

CUSTODY = ".custody"
"""The chain's name among the visits of the log; no visit can have it."""


class LogUnavailable(Exception):
    """The log cannot take it: nothing may be looked at, given out or destroyed now."""

    code = "log_unavailable"


class CheckpointedLog(Protocol):
    """The log of all records (`recorder.log.notary`)."""

    def take(self, visit: str, seq: int, lines: Sequence[bytes]) -> None:
        """Lines that are durable."""
        ...

    def taken(self, visit: str) -> int:
        """How many of a visit it has."""
        ...

    async def cover(self, visit: str, records: int) -> bool:
        """Sign a checkpoint over so many records of a visit; whether it is durable."""
        ...


class Custody:
    """One recorder's. `say` may be asked at once by many: one line after the other."""

    def __init__(self, folder: Path, digits: str, log: CheckpointedLog | None, clock: UtcClock = utc_now) -> None:
        """`digits`: the first 16 of the log's key. Blocks. A chain that does not hold is left alone: then `say` refuses."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / "journal"
        self._digits = digits
        self._log = log
        self._clock = clock
        self._lock = asyncio.Lock()
        self._lines: list[bytes] = []
        """What is not in the store yet, from `_stored` on."""
        self._chain = CustodyChain(digits)
        self._stored = 0
        self._known = False
        self._sound = self._load()
        if log is not None and self._sound:
            self._sound = log.taken(CUSTODY) <= len(self._lines)  # the log has lines that are lost here
            if self._sound and self._lines:
                log.take(CUSTODY, 0, list(self._lines))  # it passes over those it knows (TREE-1)

    def standing(self, visit: str) -> Standing:
        """Where a visit stands."""
        return self._chain.standing(visit)

    @property
    def shredded(self) -> list[str]:
        """Every visit whose keys are to be gone."""
        return self._chain.shredded

    def now(self) -> datetime:
        """The time its lines carry."""
        return self._clock()

    async def say(self, visit: str, *bodies: Body) -> int:
        """Put them on the log, nothing between them (LOGGED-1); the number of the last.

        Raises `LogUnavailable`, `RecordInvalid`; `ChainBroken` for what may not follow here, and then nothing is written.
        """
        async with self._lock:
            if self._log is None or not self._sound:
                raise LogUnavailable("there is no log that could take it")
            lines = self._chain.lines(visit, bodies, iso(self._clock()), monotonic_us())
            try:
                await asyncio.to_thread(self._append, b"\n".join(lines))
            except OSError:
                raise LogUnavailable("the disk did not take it") from None
            seq = self._chain.size
            self._chain.take_all(lines)
            self._lines += lines
            self._log.take(CUSTODY, seq, lines)
            if not await self._log.cover(CUSTODY, self._chain.size):
                raise LogUnavailable("no checkpoint covers it")
            return self._chain.size - 1

    async def settled(self) -> None:
        """Every line so far is covered by a signed checkpoint (LOGGED-1). Raises `LogUnavailable`."""
        async with self._lock:
            if self._log is None or not self._sound or not await self._log.cover(CUSTODY, self._chain.size):
                raise LogUnavailable("no checkpoint covers it")

    async def publish(self, store: ObjectStore) -> None:
        """Give the store what it does not have (LOGGED-2). Raises `StoreError`."""
        if not self._known:
            await self._pass_over(store)
        lines, self._lines = self._lines, []
        if not lines:
            return
        try:
            content = b"".join(line + b"\n" for line in lines)
            name = f"log/{self._digits}/custody/{self._stored:012d}.jsonl"
            await store.put(name, content, hashlib.sha256(content).hexdigest())
        except ObjectExists:
            pass  # an earlier life stored more or less than this at the same place: what is there stands
        except BaseException:
            self._lines[:0] = lines
            raise
        self._stored += len(lines)

    async def _pass_over(self, store: ObjectStore) -> None:
        """What the store has already, as an earlier life left it."""
        prefix = f"log/{self._digits}/custody/"
        names = sorted([entry.name async for entry in store.list(prefix)])
        if names:
            last = await store.get(names[-1])
            self._stored = int(names[-1][len(prefix) : len(prefix) + 12]) + last.count(b"\n")
            self._lines = self._lines[self._stored :]
        self._known = True

    # ---- in a thread

    def _load(self) -> bool:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return True
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            os.truncate(self._path, whole)
        self._lines = content[:whole].split(b"\n")[:-1]
        try:
            self._chain.take_all(self._lines)
        except ChainBroken:
            return False
        return True

    def _append(self, lines: bytes) -> None:
        size = self._path.stat().st_size if self._path.exists() else 0
        opened = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.pwrite(opened, lines + b"\n", size) != len(lines) + 1:
                raise OSError("the disk took only a part")
            os.fsync(opened)
        except OSError:
            os.ftruncate(opened, size)
            raise
        finally:
            os.close(opened)
