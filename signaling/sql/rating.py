"""What patients say of a visit afterwards: without a name, without the visit, and shown to nobody before it was read.

RATING-1  A rating is kept beside its doctor and its month, and nothing else: no visit, no seat, no time of day. That a visit
          was rated is kept apart, so that it is rated once; neither row says which the other is.
RATING-2  A new rating is `pending`. Only one that a person of the clinic has read becomes `shown` or `hidden`.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from signaling.sql.database import reading, writing
from signaling.sql.tables import rated, ratings

Decision = Literal["shown", "hidden"]
Standing = Literal["pending", "shown", "hidden"]


class Rating(msgspec.Struct, frozen=True):
    """One, as the clinic reads it."""

    id: str
    doctor: str
    month: str
    stars: int
    text: str | None
    state: Standing


class AlreadyRated(Exception):
    """This visit was rated before."""

    code = "already_rated"


class SqlRatings:
    """The ratings, in SQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def give(self, visit: str, rating: Rating) -> None:
        """Raises `AlreadyRated`, `StoreAway`."""
        try:
            async with writing(self._engine) as db:
                await db.execute(insert(rated).values(visit=visit))
                await db.execute(insert(ratings).values(msgspec.to_builtins(rating)))
        except IntegrityError:
            raise AlreadyRated from None

    async def listed(self, state: Standing, doctor: str | None, limit: int) -> list[Rating]:
        """In the order of their random names: not of their coming (RATING-1)."""
        wanted = select(ratings).where(ratings.c.state == state).order_by(ratings.c.id).limit(limit)
        if doctor is not None:
            wanted = wanted.where(ratings.c.doctor == doctor)
        async with reading(self._engine) as db:
            return [Rating(*row) for row in await db.execute(wanted)]

    async def review(self, rating: str, decision: Decision) -> Rating | None:
        """RATING-2; a decision may be changed. None if there is no such rating."""
        done = update(ratings).where(ratings.c.id == rating).values(state=decision).returning(*ratings.c)
        async with writing(self._engine) as db:
            row = (await db.execute(done)).one_or_none()
            return None if row is None else Rating(*row)
