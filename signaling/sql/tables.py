"""The tables behind `store`: what SQL holds, in types that mean the same in SQLite and PostgreSQL.

The migrations build these tables; a test compares the two, so neither can drift from the other.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from config.clock import iso, parse_iso


class Moment(TypeDecorator[str]):
    """ISO 8601 UTC text with milliseconds on our side, a timestamp with time zone on the database's."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> datetime | None:
        """SQLite keeps no zone: everything there is UTC."""
        if value is None:
            return None
        moment = parse_iso(value)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Back to the text it came from."""
        if value is None:
            return None
        return iso(value.replace(tzinfo=UTC) if value.tzinfo is None else value)


class Document(TypeDecorator[Any]):
    """JSON; in PostgreSQL JSONB, whose dialect costs 0.1 s to import and is loaded only there."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Which JSON this database has."""
        if dialect.name != "postgresql":
            return super().load_dialect_impl(dialect)
        from sqlalchemy.dialects.postgresql import JSONB

        return dialect.type_descriptor(JSONB(none_as_null=True))


Serial = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

visits = Table(
    "visits",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("created", Moment, nullable=False),
    Column("expires", Moment, nullable=False),
    Column("scheduled", Moment),
    Column("phase", String(16), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("recording", String(16), nullable=False),
    Column("doctor_id", String(128), nullable=False),
    Column("doctor", Document, nullable=False),
    Column("patient", Document, nullable=False),
    Column("consents", Document, nullable=False),
    Column("entered", Moment),
    Column("live", Moment),
    Column("ended_at", Moment),
    Column("ended", Document),
    Column("links_epoch", Integer, nullable=False),
    Column("log_open", Boolean, nullable=False),
    Column("patient_code", String(32)),
    Column("rx_due", Moment),
    Column("more", Document, nullable=False),
    Index("ix_visits_newest", "created", "id"),
    Index("ix_visits_phase", "phase", "created", "id"),
    Index("ix_visits_queue", "doctor_id", "phase"),
    Index("ix_visits_log_open", "log_open"),
    Index("ix_visits_patient_code", "patient_code"),
    Index("ix_visits_rx_due", "rx_due"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("body_sha256", String(64), nullable=False),
    Column("visit", String(64), ForeignKey("visits.id"), nullable=False),
    Column("created", Moment, nullable=False),
)

accesses = Table(
    "accesses",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("who", String(128), nullable=False),
    Column("role", String(16), nullable=False),
    Column("visit", String(64)),
    Column("what", String(256), nullable=False),
    Column("outcome", String(32), nullable=False, server_default="allowed"),
    Column("granted_by", String(64)),
    Column("purpose", String(32)),
    Column("reason", Text),
    Index("ix_accesses_visit", "visit", "id"),
    Index("ix_accesses_reason", "who", "visit", "what", "id"),
)

grants = Table(
    "grants",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("who", String(128), nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("begins", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("scope", Document, nullable=False),
    Column("case", String(256), nullable=False),
    Column("created", Moment, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("revoked", Moment),
    Column("revoked_by", String(128)),
    Index("ix_grants_who", "who", "until"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("who", String(128), nullable=False),
    Column("role", String(16), nullable=False),
    Column("doctor", String(128)),
    Column("created", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("ended", Moment),
    Index("ix_sessions_until", "until"),
)

exports = Table(
    "exports",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("visit", String(64), ForeignKey("visits.id"), nullable=False),
    Column("asked_by", String(128), nullable=False),
    Column("asked", Moment, nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", Moment, nullable=False),
    Column("decided_by", String(128)),
    Column("decided", Moment),
    Column("approved", Boolean),
    Column("taken", Moment),
    Index("ix_exports_visit", "visit", "asked"),
    Index("ix_exports_until", "until"),
)

copies = Table(
    "copies",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("visit", String(64), ForeignKey("visits.id"), nullable=False),
    Column("asked_by", String(128), nullable=False),
    Column("asked", Moment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("recipe", Document, nullable=False),
    Column("manifest", Document),
    Index("ix_copies_visit", "visit", "asked"),
)

receivers = Table(
    "receivers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("url", String(2048), nullable=False),
    Column("created", Moment, nullable=False),
    Column("active", Boolean, nullable=False),
)

happenings = Table(
    "happenings",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("visit", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("type", String(32), nullable=False),
    Column("data", Document, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("receiver", String(64), ForeignKey("receivers.id"), primary_key=True),
    Column("seq", BigInteger().with_variant(Integer(), "sqlite"), ForeignKey("happenings.seq"), primary_key=True),
    Column("visit", String(64), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due", Float, nullable=False),
    Column("state", String(16), nullable=False),
    Index("ix_deliveries_stream", "state", "receiver", "visit", "seq"),
)

launches = Table(
    "launches",
    metadata,
    Column("code_sha256", String(64), primary_key=True),
    Column("visit", String(64), ForeignKey("visits.id"), nullable=False),
    Column("until", Moment, nullable=False),
    Column("used", Moment),
    Index("ix_launches_until", "until"),
)

appointments = Table(
    "appointments",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("doctor_id", String(128), nullable=False),
    Column("starts", Moment, nullable=False),
    Column("holds", Moment),
    Column("state", String(16), nullable=False),
    Column("visit", String(64), ForeignKey("visits.id"), nullable=False),
    Column("reminded", Boolean, nullable=False),
    UniqueConstraint("doctor_id", "holds"),
    Index("ix_appointments_starts", "starts"),
    Index("ix_appointments_visit", "visit"),
)

notices = Table(
    "notices",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("visit", String(64), ForeignKey("visits.id"), nullable=False),
    Column("at", Moment, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("address", String(320), nullable=False),
    Column("language", String(8), nullable=False),
    Column("starts", Moment),
    Column("tries", Integer, nullable=False),
    Column("due", Float, nullable=False),
    Column("state", String(16), nullable=False),
    Index("ix_notices_due", "state", "due"),
)

ratings = Table(
    "ratings",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("doctor", String(128), nullable=False),
    Column("month", String(7), nullable=False),
    Column("stars", Integer, nullable=False),
    Column("text", Text),
    Column("state", String(16), nullable=False),
    Index("ix_ratings_state", "state", "doctor"),
    sqlite_with_rowid=False,  # RATING-1: a row's number would tell the order of coming
)

rated = Table("rated", metadata, Column("visit", String(64), primary_key=True), sqlite_with_rowid=False)

photos = Table(
    "photos",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("visit", String(64), ForeignKey("visits.id"), nullable=False),
    Column("seat", String(16), nullable=False),
    Column("at", Moment, nullable=False),
    Column("media", String(32), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    UniqueConstraint("visit", "sha256"),
)

messages = Table(
    "messages",
    metadata,
    Column("visit", String(64), ForeignKey("visits.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("id", String(64), nullable=False),
    Column("seat", String(16), nullable=False),
    Column("at", Moment, nullable=False),
    Column("nonce", String(32), nullable=False),
    Column("text", Text),
    Column("photo", String(64), ForeignKey("photos.id")),
    Column("noted", Boolean, nullable=False),
    UniqueConstraint("visit", "seat", "id"),
    Index("ix_messages_unnoted", "visit", "noted"),
)
