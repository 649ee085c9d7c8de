"""Durable visits in SQL: `ports.VisitStore` over SQLAlchemy, SQLite embedded and PostgreSQL in production.

For SQL-1 and SQL-2 see `signaling.sql.database`.
SQL-3  `save` never takes a visit back: not to an older `seq`, and never to a smaller links epoch.
SQL-4  A cursor is where the last page ended (creation time and id), so pages stay whole while visits are added.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import JSON, ColumnElement, Row, Select, and_, case, insert, or_, select, type_coerce, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from config.clock import iso, parse_iso
from signaling.law.facts import Doctor, Phase, VisitFacts
from signaling.law.happenings import happened
from signaling.ports import Access, IdempotencyConflict, Page, StoreAway
from signaling.sql import outbox
from signaling.sql.database import reading, writing
from signaling.sql.tables import accesses, idempotency, visits

CURSOR_PATTERN = r"\A[0-9]{13}\.[A-Za-z0-9_-]{1,64}\Z"
MAX_PAGE = 200
_COLUMNS = frozenset(visits.columns.keys())
"""What SQL orders or filters by, or a person might ask for in SQL; all other facts of a visit stand in `more`."""
MAX_QUEUE = 200
DOCTORS_OF = 500


class CursorInvalid(Exception):
    """A cursor that no page of ours ended with."""

    code = "cursor_invalid"


class LoggedAccess(Access, frozen=True, kw_only=True):
    """The same, numbered, with the reason in the words it was given in."""

    id: int
    reason: str | None


class Search(msgspec.Struct, frozen=True):
    """Which visits. Each word begins the visit's id or the patient's code, or is in the doctor's name or id."""

    words: tuple[str, ...] = ()
    since: str | None = None
    before: str | None = None
    doctor: str | None = None
    visits: tuple[str, ...] | None = None


class SqlVisitStore:
    """Implements `ports.VisitStore`, and reads the access log back for auditors."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.on_happened: Callable[[], None] = lambda: None
        """Called after something was written for the hospital's receivers."""
        self.patient_code: Callable[[str], str | None] = lambda _: None
        """The hospital's id of a patient → the pseudonym to find visits by."""

    async def create(self, facts: VisitFacts, idempotency_key: str | None, body_sha256: str) -> VisitFacts:
        """See the port. Of many calls with one key at once, one stores and all return its visit."""
        try:
            async with self._writing() as db:
                row = to_row(facts) | {"patient_code": self.patient_code(facts.patient.id)}
                await db.execute(insert(visits).values(row))  # SQL-2
                await outbox.write(db, happened(None, facts))
                if idempotency_key is not None:
                    said = {"key": idempotency_key, "body_sha256": body_sha256, "visit": facts.id}
                    await db.execute(insert(idempotency).values(said | {"created": facts.created}))
                return facts
        except IntegrityError:
            before = None if idempotency_key is None else await self._made_before(idempotency_key, body_sha256)
            if before is None:
                raise
            return before

    async def load(self, visit: str) -> VisitFacts | None:
        """One visit."""
        found = await self._all(select(visits).where(visits.c.id == visit))
        return found[0] if found else None

    async def save(self, facts: VisitFacts) -> None:
        """See the port and SQL-3."""
        values = to_row(facts)
        epoch = values.pop("links_epoch")
        kept = case((visits.c.links_epoch > epoch, visits.c.links_epoch), else_=epoch)
        newer = and_(visits.c.id == values.pop("id"), visits.c.seq <= facts.seq)
        mine = visits.c.id == facts.id
        async with self._writing() as db:
            await db.execute(update(visits).where(mine).values(id=facts.id))  # SQL-2: the row is ours until the end
            row = (await db.execute(select(visits).where(mine))).one_or_none()
            if row is None or row.seq > facts.seq:
                return
            await db.execute(update(visits).where(newer).values(links_epoch=kept, **values))
            told = happened(_from_row(row), facts)
            await outbox.write(db, told)
        if told:
            self.on_happened()

    async def revoke_links(self, visit: str) -> int | None:
        """Make every token issued so far for this visit worthless; the new links epoch, None if there is no such visit."""
        epoch = visits.c.links_epoch
        async with self._writing() as db:
            done = update(visits).where(visits.c.id == visit).values(links_epoch=epoch + 1).returning(epoch)
            new = (await db.execute(done)).scalar_one_or_none()
            return None if new is None else int(new)

    async def page(
        self, limit: int, cursor: str | None, phase: Phase | None = None, search: Search | None = None
    ) -> Page:
        """Newest first. Raises `CursorInvalid`."""
        limit = max(1, min(limit, MAX_PAGE))
        wanted = select(visits).order_by(visits.c.created.desc(), visits.c.id.desc()).limit(limit + 1)
        if phase is not None:
            wanted = wanted.where(visits.c.phase == phase)
        if search is not None:
            wanted = wanted.where(*_found_by(search))
        if cursor is not None:
            wanted = _after(wanted, cursor)
        found = await self._all(wanted)
        more = len(found) > limit
        return Page(visits=found[:limit], next=cursor_of(found[limit - 1]) if more else None)

    async def open_visits(self) -> list[VisitFacts]:
        """All that are waiting or live, or have an open evidence log or an open claim, oldest first."""
        unfinished = or_(visits.c.phase.in_(("waiting", "live")), visits.c.log_open, visits.c.rx_due.is_not(None))
        return await self._all(select(visits).where(unfinished).order_by(visits.c.created, visits.c.id))

    async def overdue(self, at: str, limit: int) -> list[str]:
        """Visits still `scheduled` whose links ran out before `at`, oldest first."""
        past = and_(visits.c.phase == "scheduled", visits.c.expires < at)
        wanted = select(visits.c.id).where(past).order_by(visits.c.expires).limit(limit)
        async with self._reading() as db:
            return list((await db.execute(wanted)).scalars())

    async def queue_of(self, doctor: str) -> list[VisitFacts]:
        """A doctor's waiting and live visits, longest wait first."""
        mine = and_(visits.c.doctor_id == doctor, visits.c.phase.in_(("waiting", "live")))
        return await self._all(select(visits).where(mine).order_by(visits.c.entered, visits.c.id).limit(MAX_QUEUE))

    async def past_of(self, doctor: str, limit: int) -> list[VisitFacts]:
        """See the port."""
        mine = and_(visits.c.doctor_id == doctor, visits.c.phase == "ended", visits.c.live.is_not(None))
        return await self._all(select(visits).where(mine).order_by(visits.c.ended_at.desc()).limit(limit))

    async def doctors(self) -> list[Doctor]:
        """See the port."""
        newest = select(visits.c.doctor).order_by(visits.c.created.desc()).limit(DOCTORS_OF)
        async with self._reading() as db:
            said = [msgspec.convert(row.doctor, Doctor) for row in await db.execute(newest)]
        known = {each.id: each for each in reversed(said)}
        return sorted(known.values(), key=lambda each: (each.department or "", each.name, each.id))

    async def log_access(self, access: Access, reason: str | None = None) -> None:
        """Append to the access log, with the reason that was given for it."""
        line = {**msgspec.structs.asdict(access), "what": access.what[:256], "reason": reason}
        async with self._writing() as db:
            await db.execute(insert(accesses).values(line))

    async def accesses_of(self, visit: str, limit: int = 200) -> list[Access]:
        """Who looked at a visit, or was refused it, latest first."""
        wanted = select(accesses).where(accesses.c.visit == visit).order_by(accesses.c.id.desc()).limit(limit)
        async with self._reading() as db:
            return [_line(row, Access) for row in await db.execute(wanted)]

    async def access_log(self, after: int, limit: int) -> list[LoggedAccess]:
        """All of it, in order, from a number on."""
        wanted = select(accesses).where(accesses.c.id > after).order_by(accesses.c.id).limit(limit)
        async with self._reading() as db:
            return [_line(row, LoggedAccess) for row in await db.execute(wanted)]

    async def name_patients(self, at_once: int = 500) -> None:
        """Give visits that were made before there were codes to find them by their code."""
        while True:
            wanted = select(visits.c.id, visits.c.patient).where(visits.c.patient_code.is_(None)).limit(at_once)
            async with self._reading() as db:
                nameless = [(row.id, self.patient_code(str(row.patient["id"]))) for row in await db.execute(wanted)]
            if not nameless or nameless[0][1] is None:
                return
            async with self._writing() as db:
                for visit, code in nameless:
                    await db.execute(update(visits).where(visits.c.id == visit).values(patient_code=code))

    async def answers(self) -> bool:
        """Whether the database answers now."""
        try:
            async with self._reading() as db:
                await db.execute(select(1))
        except StoreAway:
            return False
        return True

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()

    def _writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return writing(self.engine)

    def _reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return reading(self.engine)

    async def _made_before(self, key: str, body_sha256: str) -> VisitFacts | None:
        made = select(visits, idempotency.c.body_sha256).join(idempotency, idempotency.c.visit == visits.c.id)
        async with self._reading() as db:
            row = (await db.execute(made.where(idempotency.c.key == key))).one_or_none()
        if row is None:
            return None
        if row.body_sha256 != body_sha256:
            raise IdempotencyConflict("this idempotency key came with another body before")
        return _from_row(row)

    async def _all(self, wanted: Select[Any]) -> list[VisitFacts]:
        async with self._reading() as db:
            return [_from_row(row) for row in await db.execute(wanted)]


def _after(wanted: Select[Any], cursor: str) -> Select[Any]:
    if re.fullmatch(CURSOR_PATTERN, cursor) is None:
        raise CursorInvalid(cursor[:80])
    ms, _, visit = cursor.partition(".")
    created = iso(datetime.fromtimestamp(int(ms) / 1000, UTC))
    older = visits.c.created < created
    return wanted.where(or_(older, and_(visits.c.created == created, visits.c.id < visit)))


def _found_by(search: Search) -> list[ColumnElement[bool]]:
    name = type_coerce(visits.c.doctor, JSON())["name"].as_string()
    found: list[ColumnElement[bool]] = [
        or_(
            visits.c.id.startswith(word, autoescape=True),
            visits.c.patient_code.startswith(word.lower(), autoescape=True),
            visits.c.doctor_id == word,
            name.contains(word, autoescape=True),
        )
        for word in search.words
    ]
    if search.since is not None:
        found.append(visits.c.created >= search.since)
    if search.before is not None:
        found.append(visits.c.created < search.before)
    if search.doctor is not None:
        found.append(visits.c.doctor_id == search.doctor)
    if search.visits is not None:
        found.append(visits.c.id.in_(search.visits))
    return found


Line = TypeVar("Line", bound=Access)


def _line(row: Row[Any], kind: type[Line]) -> Line:
    return kind(**{name: getattr(row, name) for name in kind.__struct_fields__})


def cursor_of(facts: VisitFacts) -> str:
    """The cursor of a page that ends with this visit."""
    return f"{round(parse_iso(facts.created).timestamp() * 1000):013d}.{facts.id}"


def to_row(facts: VisitFacts) -> dict[str, Any]:
    """A visit as its row."""
    row: dict[str, Any] = {"more": {}, "doctor_id": facts.doctor.id}
    for name, value in msgspec.to_builtins(facts).items():
        (row if name in _COLUMNS else row["more"])[name] = value
    return row


def _from_row(row: Row[Any]) -> VisitFacts:
    said = {name: getattr(row, name) for name in VisitFacts.__struct_fields__ if name in _COLUMNS}
    return msgspec.convert(row.more | said, VisitFacts)
