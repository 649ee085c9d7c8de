"""From the spool to the object store: oldest first within a visit, several visits at a time.

UPLOAD-1  A local copy is removed only after `put` has returned.
UPLOAD-2  While the store is unreachable everything stays here and is tried again: 0.5 s, doubling to 30 s, ±50 % jitter. The
          first failure and the first success after it are told.
UPLOAD-3  An object the store will never take (its name is taken by other bytes) stays here, is told, and holds up no other.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from recorder.evidence import layout
from recorder.objects import DigestMismatch, NameRefused, ObjectExists, ObjectStore, StoreError

FIRST_DELAY_S = 0.5
LAST_DELAY_S = 30.0
PARALLEL = 4

log = logging.getLogger(__name__)


class Upload(NamedTuple):
    """An object to store: its name within the visit, where it lies, and its hash."""

    name: str
    path: Path
    sha256: str


class Uploader:
    """Every visit's queue. Bounded by the disk: an entry is a name, the bytes lie in the spool."""

    def __init__(
        self, store: ObjectStore, tell: Callable[[str, bool], None], first_delay_s: float = FIRST_DELAY_S
    ) -> None:
        """`tell(code, over)` hears that the store fails, or works again."""
        self._store = store
        self._tell = tell
        self._first_delay_s = first_delay_s
        self._queues: dict[str, deque[Upload]] = {}
        self._busy: set[str] = set()
        self._idle: dict[str, list[Callable[[], None]]] = {}
        self._wake = asyncio.Event()
        self._progress = asyncio.Event()
        self._failing: str | None = None
        self._delay_s = first_delay_s
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, visit: str, upload: Upload) -> None:
        """Store this after what the visit has already."""
        self._queues.setdefault(visit, deque()).append(upload)
        self._wake.set()

    def pending(self, visit: str) -> int:
        """How many of a visit's objects are not stored yet."""
        return len(self._queues.get(visit, ()))

    @property
    def busy(self) -> bool:
        """Whether anything is not stored yet."""
        return any(self._queues.values())

    async def progress(self) -> None:
        """Return when another object is stored, or refused."""
        self._progress.clear()
        await self._progress.wait()

    def when_stored(self, visit: str, then: Callable[[], None]) -> None:
        """Call `then` once everything added so far is stored."""
        self._idle.setdefault(visit, []).append(then)
        self._settle(visit)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._wake.wait()
                self._wake.clear()
                for visit in [v for v in self._queues if v not in self._busy]:
                    if len(self._busy) >= PARALLEL:
                        break
                    self._busy.add(visit)
                    group.create_task(self._drain(visit))

    async def _drain(self, visit: str) -> None:
        queue = self._queues[visit]
        try:
            while queue:
                if await self._store_one(visit, queue[0]):
                    queue.popleft()
                    self._progress.set()
                else:
                    await asyncio.sleep(self._delay_s * random.uniform(0.5, 1.5))  # noqa: S311
                    self._delay_s = min(self._delay_s * 2, LAST_DELAY_S)
        finally:
            self._busy.discard(visit)
            self._wake.set()
        self._settle(visit)

    async def _store_one(self, visit: str, upload: Upload) -> bool:
        try:
            await self._store.put(layout.prefix(visit) + upload.name, upload.path, upload.sha256)
        except (ObjectExists, DigestMismatch, NameRefused) as error:  # UPLOAD-3
            log.error("object refused", extra={"visit": visit, "object": upload.name, "code": error.code})
            self._tell(error.code, False)
            return True
        except FileNotFoundError:
            log.error("spooled object missing", extra={"visit": visit, "object": upload.name})
            return True
        except (StoreError, OSError) as error:
            code = getattr(error, "code", "store_unreachable")
            if self._failing is None:
                self._failing = code
                log.warning("store failing", extra={"code": code})
                self._tell(code, False)
            return False
        await asyncio.to_thread(upload.path.unlink, missing_ok=True)  # UPLOAD-1
        self._delay_s = self._first_delay_s
        if self._failing is not None:
            log.info("store works again")
            self._tell(self._failing, True)
            self._failing = None
        return True

    def _settle(self, visit: str) -> None:
        if self._queues.get(visit):
            return
        if visit not in self._busy:
            self._queues.pop(visit, None)
        for then in self._idle.pop(visit, ()):
            then()
