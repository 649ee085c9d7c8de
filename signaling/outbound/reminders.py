"""Reminders of appointments: a notice a while before the slot, to wherever the patient was told of it.

REMIND-1  Once: the mark and the notice are written in one transaction, so neither a restart nor a second process adds one.
          Moved to another slot, an appointment is reminded of anew.
REMIND-2  Nobody is reminded who entered already, left no address, or heard of the slot within that while anyway.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from config.clock import iso
from signaling.outbound import notices
from signaling.ports import Clock, StoreAway
from signaling.sql.database import reading, writing
from signaling.sql.tables import appointments, visits

LOOK_EVERY_S = 10.0
AT_ONCE = 50

log = logging.getLogger(__name__)


class Reminders:
    """See the module. `before_s`: how long before the slot; 0 means never."""

    def __init__(self, engine: AsyncEngine, clock: Clock, before_s: float) -> None:
        self._engine = engine
        self._clock = clock
        self._before_s = before_s

    async def run(self) -> None:
        """Look until cancelled."""
        while self._before_s > 0:
            try:
                await self.look()
            except StoreAway as error:
                log.warning("reminders wait", extra={"code": error.code})
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> int:
        """Write the notices that are due; for how many appointments."""
        now = self._clock()
        due = and_(
            appointments.c.state == "booked",
            appointments.c.reminded.is_(False),
            appointments.c.starts > _iso(now),
            appointments.c.starts <= _iso(now + self._before_s),
        )
        async with reading(self._engine) as db:
            rows = list(
                await db.execute(select(appointments).where(due).order_by(appointments.c.starts).limit(AT_ONCE))
            )
        return sum([await self._remind(row) for row in rows])

    async def _remind(self, row: Any) -> bool:
        same = (appointments.c.id == row.id, appointments.c.starts == row.starts, appointments.c.state == "booked")
        mark = update(appointments).where(*same, appointments.c.reminded.is_(False)).values(reminded=True)
        async with writing(self._engine) as db:
            if (await db.execute(mark.returning(appointments.c.id))).one_or_none() is None:
                return False  # REMIND-1: another process was first, or it was moved or cancelled meanwhile
            phase = select(visits.c.phase).where(visits.c.id == row.visit)
            if (await db.execute(phase)).scalar_one() != "scheduled":
                return False
            told = await notices.last_told(db, row.visit)
            if told is None or told.at >= _iso(datetime.fromisoformat(row.starts).timestamp() - self._before_s):
                return False
            await notices.write(db, row.visit, "reminder", row.starts, told.contact)
            return True


def _iso(at_s: float) -> str:
    return iso(datetime.fromtimestamp(at_s, UTC))
