"""Alembic's entry: it migrates over the connection `migrate` hands it, and only so."""

from __future__ import annotations

from alembic import context

from signaling.sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
