"""Messages between the seats, and their photos."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From visits that could not write to each other."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "photos",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("visit", sa.String(64), nullable=False),
        sa.Column("seat", sa.String(16), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("media", sa.String(32), nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_photos"),
        sa.ForeignKeyConstraint(["visit"], ["visits.id"], name="fk_photos_visit"),
        sa.UniqueConstraint("visit", "sha256", name="uq_photos_visit_sha256"),
    )
    op.create_table(
        "messages",
        sa.Column("visit", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("seat", sa.String(16), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("nonce", sa.String(32), nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("photo", sa.String(64)),
        sa.Column("noted", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("visit", "seq", name="pk_messages"),
        sa.ForeignKeyConstraint(["visit"], ["visits.id"], name="fk_messages_visit"),
        sa.ForeignKeyConstraint(["photo"], ["photos.id"], name="fk_messages_photo"),
        sa.UniqueConstraint("visit", "seat", "id", name="uq_messages_visit_seat_id"),
    )
    op.create_index("ix_messages_unnoted", "messages", ["visit", "noted"])
