"""Access control: why a look was allowed, grants, sessions of staff, exports by two people, derived copies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From a log of looks that knew links only."""
    moment = sa.DateTime(timezone=True)
    document = sa.JSON().with_variant(JSONB(), "postgresql")
    op.add_column("visits", sa.Column("patient_code", sa.String(32)))
    op.create_index("ix_visits_patient_code", "visits", ["patient_code"])
    op.add_column("accesses", sa.Column("outcome", sa.String(32), nullable=False, server_default="allowed"))
    op.add_column("accesses", sa.Column("granted_by", sa.String(64)))
    op.add_column("accesses", sa.Column("purpose", sa.String(32)))
    op.add_column("accesses", sa.Column("reason", sa.Text))
    op.create_index("ix_accesses_reason", "accesses", ["who", "visit", "what", "id"])
    op.create_table(
        "grants",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("begins", moment, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("scope", document, nullable=False),
        sa.Column("case", sa.String(256), nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("revoked", moment),
        sa.Column("revoked_by", sa.String(128)),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
    )
    op.create_index("ix_grants_who", "grants", ["who", "until"])
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("doctor", sa.String(128)),
        sa.Column("created", moment, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("ended", moment),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    op.create_index("ix_sessions_until", "sessions", ["until"])
    op.create_table(
        "exports",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("visit", sa.String(64), nullable=False),
        sa.Column("asked_by", sa.String(128), nullable=False),
        sa.Column("asked", moment, nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("decided_by", sa.String(128)),
        sa.Column("decided", moment),
        sa.Column("approved", sa.Boolean),
        sa.Column("taken", moment),
        sa.PrimaryKeyConstraint("id", name="pk_exports"),
        sa.ForeignKeyConstraint(["visit"], ["visits.id"], name="fk_exports_visit"),
    )
    op.create_index("ix_exports_visit", "exports", ["visit", "asked"])
    op.create_index("ix_exports_until", "exports", ["until"])
    op.create_table(
        "copies",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("visit", sa.String(64), nullable=False),
        sa.Column("asked_by", sa.String(128), nullable=False),
        sa.Column("asked", moment, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("recipe", document, nullable=False),
        sa.Column("manifest", document),
        sa.PrimaryKeyConstraint("id", name="pk_copies"),
        sa.ForeignKeyConstraint(["visit"], ["visits.id"], name="fk_copies_visit"),
    )
    op.create_index("ix_copies_visit", "copies", ["visit", "asked"])
