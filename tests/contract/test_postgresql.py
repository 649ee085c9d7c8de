"""What only a database that many write to at once can show; and that the migrations build on PostgreSQL what they should."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from signaling.calendar import SlotTaken, SqlCalendar
from signaling.law.facts import Consent, Prescription
from signaling.sql.database import open_engine
from signaling.sql.launches import SqlLaunches
from signaling.sql.migrations import HEAD, migrate, revision
from signaling.sql.outbox import SqlOutbox
from signaling.sql.store import SqlVisitStore
from signaling.sql.tables import metadata
from tests.http_api import some_visit
from tests.postgresql.server import Postgresql


@pytest.fixture
async def engine(postgresql: Postgresql) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(postgresql.database())
    await migrate(opened)
    yield opened
    await opened.dispose()


async def test_the_migrations_build_what_the_store_expects(engine: AsyncEngine) -> None:
    def difference(db: Connection) -> list[Any]:
        assert revision(db) == HEAD
        return list(compare_metadata(MigrationContext.configure(db, opts={"compare_type": True}), metadata))

    async with engine.connect() as db:
        assert await db.run_sync(difference) == []


async def test_visits_codes_and_slots_hold_under_many_at_once(engine: AsyncEngine) -> None:
    store, outbox = SqlVisitStore(engine), SqlOutbox(engine)
    await outbox.register("r1", "http://receiver.example")
    at = "2026-05-04T09:00:00.123Z"
    facts = some_visit(
        "v1",
        created=at,
        phase="waiting",
        seq=3,
        entered=at,
        rx_due=at,
        consents={"patient": Consent("agreed", "2026-05", "ab", "zh", "tap", at)},
        prescriptions=[Prescription("rx-1", 1, "ab" * 32, "signed", "claimed", claimed=at)],
    )
    made = await asyncio.gather(
        *(store.create(msgspec.structs.replace(facts, id=f"v{n}"), "key", "b") for n in range(20))
    )
    [visit] = {each.id for each in made}
    kept = await store.load(visit)
    assert kept == msgspec.structs.replace(facts, id=visit)
    await store.save(msgspec.structs.replace(kept, seq=2, phase="ended"))
    assert [each.phase for each in await store.open_visits()] == ["waiting"]
    assert [each.event.type for each in await outbox.due(1e12, 10)] == ["visit.created"]

    launches = SqlLaunches(engine)
    code = await launches.issue(visit, 1000.0)
    found = await asyncio.gather(*(launches.redeem(code, 1010.0) for _ in range(20)))
    assert sorted(str(one) for one in found) == ["None"] * 19 + [visit]

    calendar = SqlCalendar(engine)

    async def book(number: int) -> bool:
        try:
            await calendar.book(f"a{number}", some_visit(f"c{number}", scheduled="2031-05-05T09:00:00.000Z"), None)
        except SlotTaken:
            return False
        return True

    assert sum(await asyncio.gather(*(book(number) for number in range(50)))) == 1
