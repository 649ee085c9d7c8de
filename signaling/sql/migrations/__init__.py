"""The database's history: Alembic migrations, run at start, packaged with the code they belong to.

MIG-1  A database that is already at `HEAD` is left alone, and Alembic is then not even imported (it costs 0.1 s).
MIG-2  With PostgreSQL, processes that start together migrate one after another (an advisory lock).
MIG-3  A database that a newer version has migrated is refused, untouched: revisions are numbered and only go up.
"""

from __future__ import annotations

import logging
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from signaling.ports import StoreAway

HEAD = "0006"

_LOCK = 0x7E1EC0


async def migrate(engine: AsyncEngine) -> None:
    """Bring the database to `HEAD`; from empty, or from any older revision. Raises `StoreAway`."""
    try:
        async with engine.begin() as db:
            await db.run_sync(_migrate)
    except DBAPIError as error:
        raise StoreAway(str(error.orig)) from error
    except (SQLAlchemyError, OSError) as error:
        raise StoreAway(str(error)) from error


def _migrate(db: Connection) -> None:
    if db.dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})  # MIG-2
    stands_at = revision(db)
    if stands_at == HEAD:  # MIG-1
        return
    if stands_at is not None and stands_at > HEAD:  # MIG-3
        raise StoreAway(f"the database is of a newer version ({stands_at}) than this program ({HEAD})")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command
    from alembic.config import Config

    history = Config()
    history.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    history.attributes["connection"] = db
    command.upgrade(history, "head")


def revision(db: Connection) -> str | None:
    """Where the database stands; None if it is empty."""
    if not inspect(db).has_table("alembic_version"):
        return None
    return db.execute(select(table("alembic_version", column("version_num")).c.version_num)).scalar_one_or_none()
