"""The database: one engine, transactions that commit or did not happen, and one error for a database that is away.

SQL-1  A write is committed when its call returns; SQLite runs with WAL and `synchronous=FULL`.
SQL-2  Every transaction that writes begins with a write: SQLite then waits for its turn instead of failing half way.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from signaling.ports import StoreAway

AWAY = ("08", "40", "53", "57", "58")
"""Classes of SQLSTATE that say nothing of what was asked (PostgreSQL, appendix A): no connection, a transaction that met
another one, too much at once, a server that starts or stops, a machine that fails."""


def open_engine(url: str) -> AsyncEngine:
    """The engine for a database URL. Parameters never reach an error message: they hold names."""
    # It would write every parameter of every statement.
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)
    engine = create_async_engine(url, hide_parameters=True, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        _close_to_others(engine.url.database)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction, committed at the end. Raises `StoreAway`; broken constraints (`IntegrityError`) pass."""
    with _typed():
        async with engine.begin() as db:
            yield db


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection to read from. Raises `StoreAway`."""
    with _typed():
        async with engine.connect() as db:
            yield db


@contextmanager
def _typed() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout, OSError) as error:
        raise StoreAway(type(error).__name__) from error
    except DBAPIError as error:
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if error.connection_invalidated or state.startswith(AWAY):
            raise StoreAway(state or type(error).__name__) from error
        raise


def _close_to_others(database: str | None) -> None:
    """The file holds names and messages: its owner's alone. SQLite gives the files beside it the same rights."""
    if database and database != ":memory:" and Path(database).parent.is_dir():
        Path(database).touch(0o600)
        Path(database).chmod(0o600)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):  # SQL-1
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
