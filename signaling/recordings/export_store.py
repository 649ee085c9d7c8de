"""Exports in SQL: what `signaling.recordings.exports` says of them is checked in the transaction that writes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from config.clock import iso, parse_iso
from signaling.recordings.exports import BOX, Export, check_decidable, check_takeable
from signaling.sql.database import reading, writing
from signaling.sql.tables import exports

MOST_LISTED = 200
SEEN_FOR = timedelta(days=1)


class SqlExports:
    """See the module. Every call may raise `StoreAway`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def ask(self, export: Export) -> None:
        """Store a new one."""
        async with writing(self._engine) as db:
            await db.execute(insert(exports).values({n: getattr(export, n) for n in Export.__struct_fields__}))

    async def load(self, export: str) -> Export | None:
        """One export."""
        async with reading(self._engine) as db:
            row = (await db.execute(select(exports).where(exports.c.id == export))).one_or_none()
        return None if row is None else _export(row)

    async def recent(self, at: str, visit: str | None = None) -> list[Export]:
        """Those asked for within a day, newest first; or all of one visit."""
        since = iso(parse_iso(at) - SEEN_FOR)
        mine = or_(exports.c.asked >= since, exports.c.until >= at) if visit is None else exports.c.visit == visit
        wanted = select(exports).where(mine).order_by(exports.c.asked.desc(), exports.c.id).limit(MOST_LISTED)
        async with reading(self._engine) as db:
            return [_export(row) for row in await db.execute(wanted)]

    async def decide(self, export: str, by: str, approve: bool, at: str) -> Export:
        """The second person's word. Raises `ExportRefused`; `KeyError` if there is none."""
        async with writing(self._engine) as db:
            mine = exports.c.id == export
            await db.execute(update(exports).where(mine).values(id=export))  # SQL-2
            row = (await db.execute(select(exports).where(mine))).one_or_none()
            if row is None:
                raise KeyError(export)
            check_decidable(_export(row), at)
            until = iso(parse_iso(at) + BOX)
            said = {"decided_by": by, "decided": at, "approved": approve, "until": until}
            await db.execute(update(exports).where(mine).values(said))
            return _export((await db.execute(select(exports).where(mine))).one())

    async def taken(self, export: str, at: str) -> None:
        """It went out whole. Raises `ExportRefused` if another download was faster."""
        async with writing(self._engine) as db:
            mine = exports.c.id == export
            await db.execute(update(exports).where(mine).values(id=export))  # SQL-2
            check_takeable(_export((await db.execute(select(exports).where(mine))).one()), at)
            await db.execute(update(exports).where(mine).values(taken=at))


def _export(row: Row[Any]) -> Export:
    return Export(**{name: getattr(row, name) for name in Export.__struct_fields__})
