"""From the spool to the object store: oldest first, several objects and several visits at a time.

UPLOAD-1  A local copy is removed only after `put` has returned, and, where the store gives versions, only after the record
          that names the version is durable (`keep`).
UPLOAD-2  While the store is unreachable everything stays here and is tried again: 0.5 s, doubling to 30 s, ±50 % jitter. The
          first failure and the first success after it are told.
UPLOAD-3  An object the store will never take (its name is taken by other bytes) stays here, is told, and holds up no other;
          once its visit is over, what is left of it is in `.refused`.
UPLOAD-4  The visit whose oldest object has waited longest goes first. Within a visit the oldest go first, up to eight at
          once; a batch of records goes only when all media before it is stored, and media wait for no batch.
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
from recorder.store.objects import DigestMismatch, NameRefused, ObjectExists, ObjectStore, Stored, StoreError

FIRST_DELAY_S = 0.5
LAST_DELAY_S = 30.0
PARALLEL = 4
AT_ONCE = 8
"""A store that takes 3 s for every object then still takes more than a live visit brings (about 1.2 a second)."""

log = logging.getLogger(__name__)


class Upload(NamedTuple):
    """An object to store: its name within the visit, where it lies, and its hash."""

    name: str
    path: Path
    sha256: str


Keep = Callable[[str, Upload, Stored], bool]
"""(visit, what, how it is stored) → whether its local copy stays; who keeps it removes it."""


class Uploader:
    """Every visit's queue. Bounded by the disk: an entry is a name, the bytes lie in the spool."""

    def __init__(
        self,
        store: ObjectStore,
        tell: Callable[[str, bool], None],
        first_delay_s: float = FIRST_DELAY_S,
        keep: Keep = lambda *_: False,
    ) -> None:
        """`tell(code, over)` hears that the store fails, or works again."""
        self._store = store
        self._keep = keep
        self._tell = tell
        self._first_delay_s = first_delay_s
        self._queues: dict[str, deque[Upload]] = {}
        self._oldest: dict[str, tuple[Upload, float]] = {}
        """Each visit's first object, and when it was written."""
        self._busy: set[str] = set()
        self.refused: set[str] = set()
        """Visits with an object that the store will never take."""
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
                for visit in sorted((v for v in self._queues if v not in self._busy), key=self._since):  # UPLOAD-4
                    if len(self._busy) >= PARALLEL:
                        break
                    self._busy.add(visit)
                    group.create_task(self._drain(visit))

    def _since(self, visit: str) -> float:
        queue = self._queues[visit]
        if not queue:
            return 0.0
        known = self._oldest.get(visit)
        if (
            known is None or known[0] is not queue[0]
        ):  # asked of the disk once an object: every wake-up asks of all visits
            try:
                known = (queue[0], queue[0].path.stat().st_mtime)
            except OSError:
                return 0.0
            self._oldest[visit] = known
        return known[1]

    async def _drain(self, visit: str) -> None:
        queue = self._queues[visit]
        try:
            while queue:
                wave = _wave(queue)
                failures = await asyncio.gather(*(self._store_one(visit, upload) for upload in wave))
                stored = {upload for upload, code in zip(wave, failures, strict=True) if code is None}
                left = [upload for upload in queue if upload not in stored]
                queue.clear()
                queue.extend(left)
                if None in failures:
                    self._progress.set()
                code = next((code for code in failures if code is not None), None)
                self._went(code)
                if code is not None:
                    await asyncio.sleep(self._delay_s * random.uniform(0.5, 1.5))  # noqa: S311
                    self._delay_s = min(self._delay_s * 2, LAST_DELAY_S)
        finally:
            self._busy.discard(visit)
            self._wake.set()
        self._settle(visit)

    async def _store_one(self, visit: str, upload: Upload) -> str | None:
        """Store it; the code of what prevented that for now."""
        try:
            stored = await self._store.put(layout.prefix(visit) + upload.name, upload.path, upload.sha256)
        except (ObjectExists, DigestMismatch, NameRefused) as error:  # UPLOAD-3
            log.error("object refused", extra={"visit": visit, "object": upload.name, "code": error.code})
            self.refused.add(visit)
            self._tell(error.code, False)
            return None
        except FileNotFoundError:
            log.error("spooled object missing", extra={"visit": visit, "object": upload.name})
            return None
        except (StoreError, OSError) as error:
            return getattr(error, "code", "store_unreachable")
        if not self._keep(visit, upload, stored):  # UPLOAD-1
            await asyncio.to_thread(upload.path.unlink, missing_ok=True)
        return None

    def _went(self, failure: str | None) -> None:
        """UPLOAD-2: tell the first failure, and the first time all goes well again."""
        if failure is None:
            self._delay_s = self._first_delay_s
            if self._failing is not None:
                log.info("store works again")
                self._tell(self._failing, True)
            self._failing = None
        elif self._failing is None:
            self._failing = failure
            log.warning("store failing", extra={"code": failure})
            self._tell(failure, False)

    def _settle(self, visit: str) -> None:
        if self._queues.get(visit):
            return
        if visit not in self._busy:
            self._queues.pop(visit, None)
            self._oldest.pop(visit, None)
        for then in self._idle.pop(visit, ()):
            then()


def _wave(queue: deque[Upload]) -> list[Upload]:
    """What of the queue may be stored at once: the oldest media, and what else has no media before it."""
    wave: list[Upload] = []
    behind_media = False
    for upload in queue:
        if _is_media(upload):
            behind_media = True
        elif behind_media:
            continue
        wave.append(upload)
        if len(wave) == AT_ONCE:
            break
    return wave


def _is_media(upload: Upload) -> bool:
    return upload.name.startswith("streams/")
