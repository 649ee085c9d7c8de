"""The migrations build exactly the tables the store uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from signaling.ports import StoreAway
from signaling.sql import migrations
from signaling.sql.database import open_engine
from signaling.sql.migrations import HEAD, migrate, revision
from signaling.sql.tables import metadata


async def test_an_empty_database_becomes_the_one_the_store_expects(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'visits.db'}")

    def difference(db: Connection) -> list[Any]:
        assert revision(db) == HEAD
        return list(compare_metadata(MigrationContext.configure(db, opts={"compare_type": True}), metadata))

    await migrate(engine)
    async with engine.connect() as db:
        assert await db.run_sync(difference) == []
    await engine.dispose()


async def test_a_database_that_is_up_to_date_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'visits.db'}")
    await migrate(engine)
    monkeypatch.setattr("alembic.command.upgrade", lambda *_: pytest.fail("it was migrated again"))
    await migrate(engine)
    await engine.dispose()


async def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'visits.db'}")
    await migrate(engine)
    async with engine.begin() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreAway, match="newer version"):
        await migrate(engine)
    await engine.dispose()


async def test_what_is_no_database_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "visits.db").write_bytes(b"no database at all" * 100)
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'visits.db'}")
    with pytest.raises(StoreAway):
        await migrate(engine)
    await engine.dispose()


def test_head_is_the_newest_migration_there_is() -> None:
    history = Config()
    history.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(history).get_heads() == [HEAD]


def test_the_tables_can_be_made_in_postgresql() -> None:
    made = "".join(str(CreateTable(table).compile(dialect=postgresql.dialect())) for table in metadata.sorted_tables)
    assert "patient JSONB NOT NULL" in made
    assert "created TIMESTAMP WITH TIME ZONE NOT NULL" in made
    assert "id BIGSERIAL NOT NULL" in made
