"""Grants and sessions of staff in SQL, and what the log of looks says of reasons.

GRANT-1  A grant is never changed and never deleted: it is revoked, and stays to be read.
SESSION-1  Of a session's token only its SHA-256 is kept; a session ends at its time, or when it is ended.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any, Literal, cast

import msgspec
from sqlalchemy import Row, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from config.clock import iso, parse_iso, random_name
from signaling.sql.database import reading, writing
from signaling.sql.tables import accesses, grants, sessions
from signaling.staff.access import REASON_S, Asker, Grant, StaffRole

TOKEN_PREFIX = "staff_"  # noqa: S105
"""What a session's token begins with: no link's does."""
MOST_GRANTS = 500
MOST_STAFF = 500
_SCOPE = ("visits", "doctor", "since", "before", "sample")


class Seen(msgspec.Struct, frozen=True):
    """Somebody who signed in: what every log calls them, and when they last did."""

    who: str
    role: StaffRole
    last: str


class SqlAccess:
    """See the module. Every call may raise `StoreAway`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def give(self, grant: Grant) -> None:
        """Store a new grant."""
        said = msgspec.to_builtins(grant)
        row = {name: said[name] for name in grants.columns.keys() if name in said}  # noqa: SIM118
        async with writing(self._engine) as db:
            await db.execute(insert(grants).values(**row, scope={name: said[name] for name in _SCOPE}))

    async def revoke(self, grant: str, by: str, at: str) -> Grant | None:
        """Take a grant back; one that was taken back before stays as it was. None if there is none."""
        async with writing(self._engine) as db:
            mine = and_(grants.c.id == grant, grants.c.revoked.is_(None))
            await db.execute(update(grants).where(mine).values(revoked=at, revoked_by=by))
            row = (await db.execute(select(grants).where(grants.c.id == grant))).one_or_none()
        return None if row is None else _grant(row)

    async def grants_of(self, who: str, not_over_before: str) -> list[Grant]:
        """Somebody's grants, revoked ones too, whose end is not before this; newest first."""
        mine = and_(grants.c.who == who, grants.c.until >= not_over_before)
        return await self._grants(mine)

    async def all_grants(self) -> list[Grant]:
        """For review: the newest 500."""
        return await self._grants(grants.c.id.is_not(None))

    async def reason_until(self, who: str, visit: str) -> str | None:
        """Until when the last reason holds that was given for this visit."""
        mine = and_(accesses.c.who == who, accesses.c.visit == visit, accesses.c.what == "reason")
        wanted = select(accesses.c.at).where(mine, accesses.c.outcome == "allowed").order_by(accesses.c.id.desc())
        async with reading(self._engine) as db:
            given = (await db.execute(wanted.limit(1))).scalar_one_or_none()
        return None if given is None else iso(parse_iso(given) + timedelta(seconds=REASON_S))

    async def purpose_of(self, who: str, visit: str) -> str | None:
        """The purpose of the last reason that was given for this visit."""
        mine = and_(accesses.c.who == who, accesses.c.visit == visit, accesses.c.what == "reason")
        wanted = select(accesses.c.purpose).where(mine, accesses.c.outcome == "allowed").order_by(accesses.c.id.desc())
        async with reading(self._engine) as db:
            return cast(str | None, (await db.execute(wanted.limit(1))).scalar_one_or_none())

    async def begin(self, asker: Asker, at: str, until: str) -> str:
        """Begin a session; its token, which is told once."""
        token = TOKEN_PREFIX + random_name(32)
        said = {"who": asker.who, "role": asker.role, "doctor": asker.doctor, "created": at, "until": until}
        async with writing(self._engine) as db:
            await db.execute(insert(sessions).values(id=_digest(token), **said))
        return token

    async def staff(self) -> list[Seen]:
        """Who ever signed in, last seen first; at most 500."""
        last = func.max(sessions.c.created).label("last")
        wanted = select(sessions.c.who, sessions.c.role, last).group_by(sessions.c.who, sessions.c.role)
        async with reading(self._engine) as db:
            found = await db.execute(wanted.order_by(last.desc(), sessions.c.who).limit(MOST_STAFF))
            return [Seen(row.who, cast(StaffRole, row.role), row.last) for row in found]

    async def session(self, token: str, at: str) -> Asker | Literal["ended", "expired"] | None:
        """Whose session this is; why it is one no more; None if it never was."""
        async with reading(self._engine) as db:
            row = (await db.execute(select(sessions).where(sessions.c.id == _digest(token)))).one_or_none()
        if row is None:
            return None
        if row.ended is not None:
            return "ended"
        return Asker(row.who, cast(StaffRole, row.role), row.doctor) if at < row.until else "expired"

    async def until(self, token: str) -> str | None:
        """When a session ends."""
        async with reading(self._engine) as db:
            wanted = select(sessions.c.until).where(sessions.c.id == _digest(token))
            return cast(str | None, (await db.execute(wanted)).scalar_one_or_none())

    async def end(self, token: str, at: str) -> None:
        """End a session."""
        mine = and_(sessions.c.id == _digest(token), sessions.c.ended.is_(None))
        async with writing(self._engine) as db:
            await db.execute(update(sessions).where(mine).values(ended=at))

    async def _grants(self, mine: Any) -> list[Grant]:
        wanted = select(grants).where(mine).order_by(grants.c.created.desc(), grants.c.id).limit(MOST_GRANTS)
        async with reading(self._engine) as db:
            return [_grant(row) for row in await db.execute(wanted)]


def _grant(row: Row[Any]) -> Grant:
    said = {name: getattr(row, name) for name in Grant.__struct_fields__ if name not in _SCOPE}
    return msgspec.convert(row.scope | said, Grant)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
