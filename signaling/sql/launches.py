"""One-time codes: the doctor's page hands one to the hospital's, whose server redeems it for what no browser should hold.

LAUNCH-1  A code is 256 bit, good for 60 s, and for one redemption, in however many processes it is tried at once. Of a code
          only its SHA-256 is kept.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from config.clock import random_name
from signaling.law.standing import iso
from signaling.sql.database import writing
from signaling.sql.tables import launches

GOOD_FOR_S = 60


class SqlLaunches:
    """See the module. Every call may raise `StoreAway`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def issue(self, visit: str, now: float) -> str:
        """A new code for this visit; what has run out is forgotten."""
        code = random_name(32)
        async with writing(self._engine) as db:
            await db.execute(delete(launches).where(launches.c.until < iso(now - GOOD_FOR_S)))
            row = {"code_sha256": _digest(code), "visit": visit, "until": iso(now + GOOD_FOR_S)}
            await db.execute(insert(launches).values(row))
        return code

    async def redeem(self, code: str, now: float) -> str | None:
        """The visit; None if there is no such code, or it was redeemed or ran out (LAUNCH-1)."""
        good = (launches.c.code_sha256 == _digest(code), launches.c.used.is_(None), launches.c.until > iso(now))
        async with writing(self._engine) as db:
            used = update(launches).where(*good).values(used=iso(now)).returning(launches.c.visit)
            found = (await db.execute(used)).scalar_one_or_none()
        return None if found is None else str(found)


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
