"""The outbox in SQL: what happened, who is to be told, and what of it was received (HOOK-1, HOOK-2).

`write` is called inside the transaction that changes the fact; everything else is for the sender and the API.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Float, Row, and_, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from config.clock import now_iso, random_name
from signaling.law.happenings import Happening
from signaling.sql.database import reading, writing
from signaling.sql.tables import deliveries, happenings, receivers

PAGE = 200


class KeptEvent(msgspec.Struct, frozen=True):
    """One event as kept."""

    seq: int
    id: str
    visit: str
    at: str
    type: str
    data: dict[str, Any]


class Delivery(msgspec.Struct, frozen=True):
    """One event on its way to one receiver."""

    receiver: str
    url: str
    tries: int
    event: KeptEvent


class Receiver(msgspec.Struct, frozen=True):
    """A registered receiver; `waiting` and `parked` count events."""

    id: str
    url: str
    created: str
    active: bool
    waiting: int
    parked: int


async def write(db: AsyncConnection, happened: Sequence[Happening]) -> None:
    """HOOK-1: within the caller's transaction, for every receiver there is."""
    for each in happened:
        visit = each.data["visit"]
        said = {"id": f"evt_{random_name(16)}", "visit": visit, "at": now_iso(), "type": each.type, "data": each.data}
        seq = (await db.execute(insert(happenings).values(said).returning(happenings.c.seq))).scalar_one()
        row = (receivers.c.id, literal(seq), literal(visit), literal(0), literal(0.0, Float), literal("waiting"))
        to_all = select(*row).where(receivers.c.active)
        await db.execute(insert(deliveries).from_select(["receiver", "seq", "visit", "tries", "due", "state"], to_all))


class SqlOutbox:
    """See the module. Every call may raise `StoreAway`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def register(self, receiver: str, url: str) -> None:
        """From now on this receiver is told."""
        async with writing(self._engine) as db:
            await db.execute(insert(receivers).values(id=receiver, url=url, created=now_iso(), active=True))

    async def stop(self, receiver: str) -> bool:
        """It is told no more; what waits is parked. False if there is none."""
        async with writing(self._engine) as db:
            mine = update(receivers).where(receivers.c.id == receiver).values(active=False)
            done = await db.execute(mine.returning(receivers.c.id))
            waits = and_(deliveries.c.receiver == receiver, deliveries.c.state == "waiting")
            await db.execute(update(deliveries).where(waits).values(state="parked"))
            return done.scalar_one_or_none() is not None

    async def receivers(self) -> list[Receiver]:
        """All, oldest first."""
        async with reading(self._engine) as db:
            counted = select(deliveries.c.receiver, deliveries.c.state, func.count()).group_by(
                deliveries.c.receiver, deliveries.c.state
            )
            counts = {(row[0], row[1]): int(row[2]) for row in await db.execute(counted)}
            rows = await db.execute(select(receivers).order_by(receivers.c.created, receivers.c.id))
            return [
                Receiver(
                    *(row.id, row.url, row.created, row.active),
                    waiting=counts.get((row.id, "waiting"), 0),
                    parked=counts.get((row.id, "parked"), 0),
                )
                for row in rows
            ]

    async def after(self, seq: int, limit: int) -> list[KeptEvent]:
        """HOOK-4."""
        wanted = select(happenings).where(happenings.c.seq > seq).order_by(happenings.c.seq).limit(min(limit, PAGE))
        async with reading(self._engine) as db:
            return [_told(row) for row in await db.execute(wanted)]

    async def due(self, now: float, limit: int) -> list[Delivery]:
        """HOOK-2: the first event of each stream (receiver × visit) that waits, if its time has come."""
        other = deliveries.alias("other")
        earlier = and_(
            *(other.c.receiver == deliveries.c.receiver, other.c.visit == deliveries.c.visit),
            *(other.c.state == "waiting", other.c.seq < deliveries.c.seq),
        )
        first = and_(deliveries.c.state == "waiting", deliveries.c.due <= now, ~select(1).where(earlier).exists())
        wanted = (
            select(happenings, deliveries.c.receiver, deliveries.c.tries, receivers.c.url)
            .join(deliveries, deliveries.c.seq == happenings.c.seq)
            .join(receivers, receivers.c.id == deliveries.c.receiver)
            .where(first)
            .order_by(happenings.c.seq)
            .limit(limit)
        )
        async with reading(self._engine) as db:
            return [Delivery(row.receiver, row.url, row.tries, _told(row)) for row in await db.execute(wanted)]

    async def received(self, delivery: Delivery) -> None:
        """It arrived."""
        await self._set(delivery, state="done")

    async def failed(self, delivery: Delivery, again_at: float) -> None:
        """It did not; try again then."""
        await self._set(delivery, tries=delivery.tries + 1, due=again_at)

    async def parked(self, delivery: Delivery) -> None:
        """HOOK-3: given up."""
        await self._set(delivery, state="parked")

    async def _set(self, delivery: Delivery, **values: Any) -> None:
        mine = and_(deliveries.c.receiver == delivery.receiver, deliveries.c.seq == delivery.event.seq)
        async with writing(self._engine) as db:
            await db.execute(update(deliveries).where(mine, deliveries.c.state == "waiting").values(**values))


def _told(row: Row[Any]) -> KeptEvent:
    return KeptEvent(row.seq, row.id, row.visit, row.at, row.type, row.data)
