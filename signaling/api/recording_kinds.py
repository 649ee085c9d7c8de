"""Recordings and their receipts over the HTTP API."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from signaling.api.kinds import Cursor, Id, Moment
from signaling.law.facts import (
    BehalfKind,
    Consent,
    ConsentState,
    Doctor,
    Ending,
    Phase,
    RecordingPolicy,
    Relation,
    VisitFacts,
)
from signaling.ports import Access
from signaling.recordings.door import RecordingFacts


class ShownBehalf(msgspec.Struct, frozen=True):
    """Who decided for the patient. The name is among the names, after a reason (ACCESS-5)."""

    as_: BehalfKind = msgspec.field(name="as")
    relation: Relation


class ShownConsent(msgspec.Struct, frozen=True):
    """What a seat decided, and about which words; a person in it is no name."""

    state: ConsentState
    text_version: str | None
    text_sha256: str | None
    language: str | None
    method: str | None
    at: str | None
    by: ShownBehalf | None

    @classmethod
    def of(cls, kept: Consent) -> ShownConsent:
        """From the stored decision."""
        by = None if kept.by is None else ShownBehalf(kept.by.as_, kept.by.relation)
        return cls(kept.state, kept.text_version, kept.text_sha256, kept.language, kept.method, kept.at, by)


class Recording(msgspec.Struct, frozen=True):
    """A visit as an auditor sees it. `recording` is what the recorder says of it, null if it recorded nothing."""

    visit: Id
    phase: Phase
    policy: RecordingPolicy
    doctor: Doctor
    patient: Annotated[str, Meta(description="The keyed pseudonym that evidence uses.")]
    consents: dict[str, ShownConsent]
    created: Moment
    entered: Moment | None
    live: Moment | None
    ended_at: Moment | None
    ended: Ending | None
    recording: RecordingFacts | None

    @classmethod
    def of(cls, facts: VisitFacts, pseudonym: str, recording: RecordingFacts | None) -> Recording:
        """From the stored facts and what the recorder says."""
        return cls(
            visit=facts.id,
            phase=facts.phase,
            policy=facts.recording,
            doctor=facts.doctor,
            patient=pseudonym,
            consents={seat: ShownConsent.of(each) for seat, each in facts.consents.items()},
            created=facts.created,
            entered=facts.entered,
            live=facts.live,
            ended_at=facts.ended_at,
            ended=facts.ended,
            recording=recording,
        )


class RecordingDetail(Recording, frozen=True, kw_only=True):
    """With the access log, latest first, this look included."""

    recorder_available: bool
    accesses: list[Access]

    @classmethod
    def with_accesses(cls, shown: Recording, recorder_available: bool, accesses: list[Access]) -> RecordingDetail:
        """From a recording and who looked at it."""
        said = {name: getattr(shown, name) for name in Recording.__struct_fields__}
        return cls(**said, recorder_available=recorder_available, accesses=accesses)


class RecordingPage(msgspec.Struct, frozen=True):
    """Newest first. With `recorder_available` false, recordings may be null although there are some."""

    recordings: list[Recording]
    next: Cursor | None
    recorder_available: bool


class ReceiptPending(msgspec.Struct, frozen=True):
    """The visit is over; its receipt comes a moment later."""

    visit: Id


class VisitReceipt(msgspec.Struct, frozen=True):
    """A receipt as recorder/FORMAT.md §8 has it: the whole text, and the one line for a QR code."""

    visit: Id
    receipt: str
    short: str
