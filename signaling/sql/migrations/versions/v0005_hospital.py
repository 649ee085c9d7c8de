"""What the hospital's own systems need: claims of prescriptions, one-time codes, appointments, notices to patients."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """From visits that nobody prescribed in."""
    moment = sa.DateTime(timezone=True)
    op.add_column("visits", sa.Column("rx_due", moment))
    op.create_index("ix_visits_rx_due", "visits", ["rx_due"])
    op.create_table(
        "launches",
        sa.Column("code_sha256", sa.String(64), nullable=False),
        sa.Column("visit", sa.String(64), nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("used", moment),
        sa.PrimaryKeyConstraint("code_sha256", name="pk_launches"),
        sa.ForeignKeyConstraint(["visit"], ["visits.id"], name="fk_launches_visit"),
    )
    op.create_index("ix_launches_until", "launches", ["until"])
    op.create_table(
        "appointments",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("doctor_id", sa.String(128), nullable=False),
        sa.Column("starts", moment, nullable=False),
        sa.Column("holds", moment),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("visit", sa.String(64), nullable=False),
        sa.Column("reminded", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_appointments"),
        sa.ForeignKeyConstraint(["visit"], ["visits.id"], name="fk_appointments_visit"),
        sa.UniqueConstraint("doctor_id", "holds", name="uq_appointments_doctor_id_holds"),
    )
    op.create_index("ix_appointments_starts", "appointments", ["starts"])
    op.create_index("ix_appointments_visit", "appointments", ["visit"])
    op.create_table(
        "notices",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("visit", sa.String(64), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("starts", moment),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("due", sa.Float, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.ForeignKeyConstraint(["visit"], ["visits.id"], name="fk_notices_visit"),
    )
    op.create_index("ix_notices_due", "notices", ["state", "due"])
