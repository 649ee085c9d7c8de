"""Watches the spool's disk: says how full it is, holds the reserve, and knows whether media pause (`recorder.spool.disk`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from recorder.spool.disk import DiskMarks
from recorder.spool.spool import Spool

EVERY_US = 1_000_000
FAILED = "spool_failed"


class DiskWatch:
    """One recorder's."""

    def __init__(
        self,
        spool: Spool,
        clock: Callable[[], int],
        tell: Callable[[str, bool], None],
        pauses_when_full: bool,
        limit: int | None,
    ) -> None:
        """`clock`: monotonic µs. `tell(code, over)` hears what is degraded. `limit`: bytes the spool may take, if not all."""
        self._spool = spool
        self._clock = clock
        self._tell = tell
        self._pauses_when_full = pauses_when_full
        self._limit = limit
        self._marks = DiskMarks()
        self._no_space = False
        """The last byte was gone, and the reserve is not held again."""
        self._failing: set[str] = set()
        self._due_us = 0

    @property
    def pauses(self) -> bool:
        """Whether no media may be kept (DISK-2)."""
        return self._no_space or (self._marks.full and self._pauses_when_full)

    def failed(self, code: str) -> None:
        """The disk did not take something: told once, until all is taken again."""
        if code not in self._failing:
            self._failing.add(code)
            self._tell(code, False)

    def gone(self) -> None:
        """The last byte is gone: the reserve is for the records that say so. Blocks."""
        if not self._no_space:
            self._no_space = True
            self._spool.release()

    async def look(self, stuck: Callable[[], bool]) -> bool:
        """Measure, if it is time; whether it was. `stuck`: whether anything waits for the disk now."""
        now_us = self._clock()
        if now_us < self._due_us:
            return False
        self._due_us = now_us + EVERY_US
        usage = await asyncio.to_thread(self._spool.usage, self._limit)
        for code, over in self._marks.measured(usage):
            self._tell(code, over)
        held = await asyncio.to_thread(self._spool.reserve, usage)
        waits = stuck()
        if self._no_space and held and not waits:
            self._no_space = False
        if FAILED in self._failing and not waits:
            self._failing.discard(FAILED)
            self._tell(FAILED, True)
        return True
