"""Webhooks: who is told, of what, and what of it was received."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From visits of which nobody was told."""
    moment = sa.DateTime(timezone=True)
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "receivers",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("url", sa.String(2048), nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_receivers"),
    )
    op.create_table(
        "happenings",
        sa.Column("seq", serial, nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("visit", sa.String(64), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("data", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_happenings"),
        sa.UniqueConstraint("id", name="uq_happenings_id"),
    )
    op.create_table(
        "deliveries",
        sa.Column("receiver", sa.String(64), nullable=False),
        sa.Column("seq", serial, nullable=False),
        sa.Column("visit", sa.String(64), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("due", sa.Float, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("receiver", "seq", name="pk_deliveries"),
        sa.ForeignKeyConstraint(["receiver"], ["receivers.id"], name="fk_deliveries_receiver"),
        sa.ForeignKeyConstraint(["seq"], ["happenings.seq"], name="fk_deliveries_seq"),
    )
    op.create_index("ix_deliveries_stream", "deliveries", ["state", "receiver", "visit", "seq"])
