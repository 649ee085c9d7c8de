"""Appointments in slots of 30 minutes: a visit each, and never two for one doctor at one time.

CAL-1  A slot begins at a full or half hour, UTC. Visit, appointment and the notice of it are written in one transaction.
CAL-2  The database holds a slot for one appointment (a unique pair of doctor and beginning): of many at once one gets it, the
       others are told `slot_taken`, in however many processes they ask.
CAL-3  An appointment can be moved and cancelled while nobody has entered its visit.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from config.clock import parse_iso
from signaling.law.facts import VisitFacts
from signaling.law.happenings import happened
from signaling.outbound import notices
from signaling.outbound.notices import Addresses
from signaling.sql import outbox
from signaling.sql.database import reading, writing
from signaling.sql.store import to_row
from signaling.sql.tables import appointments, visits

SLOT_S = 1800
OPEN_AFTER_S = 4 * 3600
"""How long after its beginning a visit's links still work."""
PAGE = 200


class Appointment(msgspec.Struct, frozen=True):
    """One, as kept; times as the protocol writes them."""

    id: str
    visit: str
    doctor: str
    starts: str
    state: str


class SlotTaken(Exception):
    """Another appointment holds this slot."""

    code = "slot_taken"


def on_a_slot(moment: datetime) -> bool:
    """CAL-1."""
    return moment.timestamp() % SLOT_S == 0


class SqlCalendar:
    """See the module. Every call may raise `StoreAway`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def book(self, appointment: str, facts: VisitFacts, contact: Addresses | None) -> None:
        """Raises `SlotTaken`. `facts.scheduled` is the slot."""
        assert facts.scheduled is not None
        row = {"id": appointment, "doctor_id": facts.doctor.id, "visit": facts.id, "state": "booked", "reminded": False}
        try:
            async with writing(self._engine) as db:
                await db.execute(insert(visits).values(to_row(facts)))
                await db.execute(
                    insert(appointments).values(row | {"starts": facts.scheduled, "holds": facts.scheduled})
                )
                await outbox.write(db, happened(None, facts))
                await notices.write(db, facts.id, "booked", facts.scheduled, contact)
        except IntegrityError:
            raise SlotTaken from None

    async def move(self, appointment: str, starts: str, contact: Addresses | None) -> Appointment | None:
        """None if there is no such booked one. Raises `SlotTaken`."""
        mine = (appointments.c.id == appointment, appointments.c.state == "booked")
        try:
            async with writing(self._engine) as db:
                done = update(appointments).where(*mine).values(starts=starts, holds=starts, reminded=False)
                row = (await db.execute(done.returning(*appointments.c))).one_or_none()
                if row is not None:
                    await notices.take_back(db, row.visit)
                    await notices.write(db, row.visit, "moved", starts, contact)
        except IntegrityError:
            raise SlotTaken from None
        return None if row is None else _read(row)

    async def cancel(self, appointment: str, contact: Addresses | None) -> Appointment | None:
        """Idempotent: the slot is free. None if there is no such one."""
        async with writing(self._engine) as db:
            mine = (appointments.c.id == appointment, appointments.c.state == "booked")
            freed = update(appointments).where(*mine).values(state="cancelled", holds=None)
            if (row := (await db.execute(freed.returning(*appointments.c))).one_or_none()) is not None:
                await notices.take_back(db, row.visit)
                await notices.write(db, row.visit, "cancelled", row.starts, contact)
        return await self.one(appointment)

    async def one(self, appointment: str) -> Appointment | None:
        """By its id."""
        async with reading(self._engine) as db:
            row = (await db.execute(select(appointments).where(appointments.c.id == appointment))).one_or_none()
        return None if row is None else _read(row)

    async def between(self, begins: str, ends: str, doctor: str | None) -> list[Appointment]:
        """Booked ones, earliest first, at most 200."""
        wanted = select(appointments).where(
            appointments.c.state == "booked", appointments.c.starts >= begins, appointments.c.starts < ends
        )
        if doctor is not None:
            wanted = wanted.where(appointments.c.doctor_id == doctor)
        async with reading(self._engine) as db:
            rows = await db.execute(wanted.order_by(appointments.c.starts, appointments.c.id).limit(PAGE))
            return [_read(row) for row in rows]


def expiry_of(starts: str) -> float:
    """Seconds since 1970."""
    return parse_iso(starts).timestamp() + OPEN_AFTER_S


def _read(row: Row[Any]) -> Appointment:
    return Appointment(row.id, row.visit, row.doctor_id, row.starts, row.state)
