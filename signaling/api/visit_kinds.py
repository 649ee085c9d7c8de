"""Visits over the HTTP API: what creates, lists, links and ends them, and the queues they wait in."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from signaling.api.kinds import DAY_S, Cursor, Id, LifetimeS, Limit, Moment, OpaqueId, Request, ShortText, Text, Zoned
from signaling.law.facts import (
    Consent,
    Contacts,
    Doctor,
    Ending,
    GuestKind,
    Patient,
    Phase,
    RecordingPolicy,
    Role,
    VisitFacts,
)
from signaling.law.summary import Summary


class NewDoctor(Request, frozen=True):
    """The doctor, as the patient will see them."""

    id: OpaqueId
    name: ShortText
    title: ShortText | None = None
    department: ShortText | None = None
    licence: ShortText | None = None
    picture: Annotated[Id | None, Meta(description="Of a portrait that `addPicture` keeps.")] = None

    def facts(self) -> Doctor:
        """As stored."""
        return msgspec.convert(self, Doctor, from_attributes=True)


class NewPatient(Request, frozen=True):
    """The patient. The other party sees a masked name; evidence only a keyed pseudonym of `id`."""

    id: OpaqueId
    name: ShortText
    age: Annotated[int, Meta(ge=0, le=150)] | None = None
    sex: Literal["female", "male", "other"] | None = None
    complaint: Text | None = None

    def facts(self) -> Patient:
        """As stored."""
        return msgspec.convert(self, Patient, from_attributes=True)


class NewVisit(Request, frozen=True):
    """A visit to be. Its links work for `expires_in_s` seconds; a visit nobody entered by then ends as `expired`."""

    doctor: NewDoctor
    patient: NewPatient
    summary: Annotated[Summary | None, Meta(description="The doctor's alone; what is left out was not asked.")] = None
    scheduled: Zoned | None = None
    recording: RecordingPolicy = "required"
    expires_in_s: LifetimeS = DAY_S
    contacts: Annotated[
        Contacts | None, Meta(description="Whom the patient may phone; the server's own settings if left out.")
    ] = None


class EndVisit(Request, frozen=True):
    """Why the hospital ends it."""

    reason: Literal["completed", "cancelled"] = "completed"


class NewLink(Request, frozen=True):
    """A further link into a visit. A guest's takes a seat of its own; `as` says whom they come as, and of others nothing."""

    role: Literal["doctor", "patient", "guest", "auditor"]
    expires_in_s: LifetimeS = DAY_S
    as_: GuestKind = msgspec.field(default="specialist", name="as")


class NewDeskLink(Request, frozen=True):
    """A link to the auditor's desk (the recordings of every visit) or the coordinator's (every queue)."""

    role: Literal["auditor", "coordinator"]
    expires_in_s: LifetimeS = DAY_S


class VisitsQuery(Request, frozen=True):
    """Which page of visits."""

    limit: Limit = 50
    cursor: Cursor | UnsetType = UNSET
    phase: Phase | UnsetType = UNSET


class VisitLinks(msgspec.Struct, frozen=True):
    """Signed links, one role each. Whoever holds a link holds the seat: send it over a channel of its own."""

    doctor: str
    patient: str
    auditor: str


class Visit(msgspec.Struct, frozen=True):
    """A visit as the hospital sees it."""

    id: Id
    phase: Phase
    recording: RecordingPolicy
    doctor: Doctor
    patient: Patient
    consents: dict[str, Consent]
    created: Moment
    expires: Moment
    scheduled: Moment | None
    entered: Moment | None
    live: Moment | None
    ended_at: Moment | None
    ended: Ending | None

    @classmethod
    def of(cls, facts: VisitFacts) -> Visit:
        """From the stored facts."""
        return cls(**{name: getattr(facts, name) for name in cls.__struct_fields__})


class VisitNotes(msgspec.Struct, frozen=True):
    """The doctor's notes of a visit, as last written; null if there are none."""

    visit: Id
    notes: str | None


class CreatedVisit(Visit, frozen=True, kw_only=True):
    """A visit with its links."""

    links: VisitLinks

    @classmethod
    def with_links(cls, facts: VisitFacts, links: VisitLinks) -> CreatedVisit:
        """From the stored facts and fresh links."""
        return cls(**{name: getattr(facts, name) for name in Visit.__struct_fields__}, links=links)


class QueuedVisit(msgspec.Struct, frozen=True):
    """A visit that waits or is live. `late`: who has been told that the promised time is past (PROTOCOL.md, SIG-22)."""

    id: Id
    phase: Phase
    entered: Moment | None
    live: Moment | None
    promised_until: Moment | None
    late: Literal["doctor", "coordinator"] | None
    phone_back: Moment | None
    rebook: Moment | None
    held: bool


class DoctorQueue(msgspec.Struct, frozen=True):
    """One doctor's queue, longest wait first."""

    doctor: Doctor
    visits: list[QueuedVisit]


class Queues(msgspec.Struct, frozen=True):
    """All queues that are not empty. `escalations`: the visits whose `late` is `coordinator`, or whose patient asked to be
    phoned or for another time."""

    at: Moment
    queues: list[DoctorQueue]
    escalations: list[Id]


class VisitPage(msgspec.Struct, frozen=True):
    """Newest first. `next` is null on the last page."""

    visits: list[Visit]
    next: Cursor | None


class IssuedLink(msgspec.Struct, frozen=True):
    """A link and the moment it stops working."""

    role: Role
    link: str
    expires: Moment
    seat: Annotated[str | None, Meta(description="A guest's seat.")] = None


class RevokedLinks(msgspec.Struct, frozen=True):
    """Every link issued under a smaller epoch is refused from now on."""

    links_epoch: int
