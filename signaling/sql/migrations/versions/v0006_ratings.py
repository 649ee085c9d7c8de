"""Ratings, and which visits were rated: apart (RATING-1)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From visits that nobody could rate."""
    op.create_table(
        "ratings",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("doctor", sa.String(128), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("stars", sa.Integer, nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("state", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ratings"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_ratings_state", "ratings", ["state", "doctor"])
    op.create_table(
        "rated",
        sa.Column("visit", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("visit", name="pk_rated"),
        sqlite_with_rowid=False,
    )
