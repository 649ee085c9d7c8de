"""Visits, idempotency keys and the access log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From an empty database."""
    moment = sa.DateTime(timezone=True)
    document = sa.JSON().with_variant(JSONB(), "postgresql")
    op.create_table(
        "visits",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.Column("expires", moment, nullable=False),
        sa.Column("scheduled", moment),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("recording", sa.String(16), nullable=False),
        sa.Column("doctor_id", sa.String(128), nullable=False),
        sa.Column("doctor", document, nullable=False),
        sa.Column("patient", document, nullable=False),
        sa.Column("consents", document, nullable=False),
        sa.Column("entered", moment),
        sa.Column("live", moment),
        sa.Column("ended_at", moment),
        sa.Column("ended", document),
        sa.Column("links_epoch", sa.Integer, nullable=False),
        sa.Column("log_open", sa.Boolean, nullable=False),
        sa.Column("more", document, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_visits"),
    )
    op.create_index("ix_visits_newest", "visits", ["created", "id"])
    op.create_index("ix_visits_phase", "visits", ["phase", "created", "id"])
    op.create_index("ix_visits_queue", "visits", ["doctor_id", "phase"])
    op.create_index("ix_visits_log_open", "visits", ["log_open"])
    op.create_table(
        "idempotency",
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("body_sha256", sa.String(64), nullable=False),
        sa.Column("visit", sa.String(64), nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_idempotency"),
        sa.ForeignKeyConstraint(["visit"], ["visits.id"], name="fk_idempotency_visit"),
    )
    op.create_table(
        "accesses",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("visit", sa.String(64)),
        sa.Column("what", sa.String(256), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accesses"),
    )
    op.create_index("ix_accesses_visit", "accesses", ["visit", "id"])
