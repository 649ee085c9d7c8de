"""Messages and photos in SQL: `ports.MessageStore`. The database numbers messages, so no two processes can do it twice."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, Row, and_, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from signaling.law.messages import (
    MOST_MESSAGES,
    MOST_PHOTOS,
    PAGE,
    Draft,
    Message,
    MessageConflict,
    MessagesFull,
    Photo,
    PhotosFull,
    PhotoUnknown,
    says,
)
from signaling.sql.database import reading, writing
from signaling.sql.tables import Moment, messages, photos

TRIES = 8
_COLUMNS = ("visit", "seq", "id", "seat", "at", "nonce", "text", "photo", "noted")
_WITH_PHOTO = select(messages, *(photos.c[name].label(f"photo_{name}") for name in Photo.__struct_fields__)).outerjoin(
    photos, messages.c.photo == photos.c.id
)


class SqlMessageStore:
    """See the module and the port."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def append(self, visit: str, seat: str, draft: Draft, at: str, nonce: str) -> Message:
        """See the port. Two processes may race for a number: the loser takes the next one."""
        if draft.photo is not None:
            found = await self.photo(draft.photo)
            if found is None or found[0] != visit:
                raise PhotoUnknown
        for _ in range(TRIES):
            try:
                seq = await self._insert(visit, seat, draft, at, nonce)
            except IntegrityError:
                seq = None
            stored = await self._one(visit, seat, draft.id)
            if stored is not None:
                if not says(stored, draft):
                    raise MessageConflict
                return stored
            if seq == 0:
                raise MessagesFull
        raise MessageConflict

    async def after(self, visit: str, seq: int) -> list[Message]:
        """See the port."""
        mine = and_(messages.c.visit == visit, messages.c.seq > seq)
        return await self._all(_WITH_PHOTO.where(mine).order_by(messages.c.seq).limit(PAGE))

    async def last(self, visit: str) -> int:
        """See the port."""
        async with reading(self._engine) as db:
            return int((await db.execute(select(_newest()).where(messages.c.visit == visit))).scalar_one())

    async def unnoted(self, visit: str) -> list[Message]:
        """See the port."""
        mine = and_(messages.c.visit == visit, messages.c.noted.is_(False))
        return await self._all(_WITH_PHOTO.where(mine).order_by(messages.c.seq))

    async def noted(self, visit: str, seq: int) -> None:
        """See the port."""
        async with writing(self._engine) as db:
            mine = and_(messages.c.visit == visit, messages.c.seq == seq)
            await db.execute(update(messages).where(mine).values(noted=True))

    async def keep_photo(self, visit: str, seat: str, photo: Photo, at: str) -> Photo:
        """See the port."""
        said = {name: getattr(photo, name) for name in Photo.__struct_fields__}
        try:
            async with writing(self._engine) as db:
                await db.execute(insert(photos).values(visit=visit, seat=seat, at=at, **said))
                kept = await db.execute(select(func.count()).select_from(photos).where(photos.c.visit == visit))
                if kept.scalar_one() > MOST_PHOTOS:
                    raise PhotosFull
        except IntegrityError:
            mine = and_(photos.c.visit == visit, photos.c.sha256 == photo.sha256)
            async with reading(self._engine) as db:
                row = (await db.execute(select(photos).where(mine))).one_or_none()
            if row is None:
                raise
            return _photo(row)
        return photo

    async def photo(self, photo: str) -> tuple[str, Photo] | None:
        """See the port."""
        async with reading(self._engine) as db:
            row = (await db.execute(select(photos).where(photos.c.id == photo))).one_or_none()
        return None if row is None else (row.visit, _photo(row))

    async def _insert(self, visit: str, seat: str, draft: Draft, at: str, nonce: str) -> int:
        """The number given; 0 if the visit is full. Raises `IntegrityError`."""
        said: list[Any] = [
            *(literal(visit), _newest() + 1, literal(draft.id), literal(seat), literal(at, Moment), literal(nonce)),
            *(literal(draft.text), literal(draft.photo), literal(False)),
        ]
        numbered = select(*said).where(messages.c.visit == visit).having(_newest() < MOST_MESSAGES)
        async with writing(self._engine) as db:
            done = await db.execute(insert(messages).from_select(_COLUMNS, numbered).returning(messages.c.seq))
            return int(done.scalar_one_or_none() or 0)

    async def _one(self, visit: str, seat: str, message: str) -> Message | None:
        mine = and_(messages.c.visit == visit, messages.c.seat == seat, messages.c.id == message)
        found = await self._all(_WITH_PHOTO.where(mine))
        return found[0] if found else None

    async def _all(self, wanted: Any) -> list[Message]:
        async with reading(self._engine) as db:
            return [_message(row) for row in await db.execute(wanted)]


def _newest() -> Any:
    return func.coalesce(func.max(messages.c.seq), 0, type_=Integer)


def _photo(row: Row[Any], prefix: str = "") -> Photo:
    return Photo(**{name: getattr(row, prefix + name) for name in Photo.__struct_fields__})


def _message(row: Row[Any]) -> Message:
    photo = None if row.photo is None else _photo(row, "photo_")
    return Message(row.visit, row.seq, row.id, row.seat, row.at, row.nonce, row.text, photo)
