"""Visits nobody came to: their links have run out, so the visit ends as `expired`, by its own law (SIG, `visit`)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol

from config.clock import iso
from signaling.ports import Clock, StoreAway

EVERY_S = 60.0
AT_ONCE = 100

log = logging.getLogger(__name__)


class OverdueVisits(Protocol):
    """Where overdue visits are found."""

    async def overdue(self, at: str, limit: int) -> list[str]:
        """Visits still `scheduled` whose links ran out before `at`, oldest first."""
        ...


async def expire(store: OverdueVisits, wake: Callable[[str], Awaitable[object]], clock: Clock) -> None:
    """Wake overdue visits every minute, until cancelled. An actor that wakes sees what time it is, and ends its visit."""
    while True:
        try:
            for visit in await store.overdue(iso(datetime.fromtimestamp(clock(), UTC)), AT_ONCE):
                await wake(visit)
        except StoreAway as error:
            log.warning("overdue visits wait", extra={"code": error.code})
        await asyncio.sleep(EVERY_S)
