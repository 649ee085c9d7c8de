"""The facts of a visit: who its people are, what was decided, and all of it that survives a restart."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from signaling.law.summary import Summary

Role = Literal["doctor", "patient", "guest", "auditor", "coordinator"]
Seat = Literal["doctor", "patient", "guest-1", "guest-2", "guest-3"]
GuestKind = Literal["specialist", "village_doctor", "interpreter", "family"]
Phase = Literal["scheduled", "waiting", "live", "ended"]
ConsentState = Literal["undecided", "agreed", "refused", "withdrawn"]
RecordingPolicy = Literal["required", "optional"]


class Doctor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The doctor as shown to the patient. `id` is the hospital's own, opaque to us; one doctor's visits make a queue."""

    id: str
    name: str
    title: str | None = None
    department: str | None = None
    licence: str | None = None
    picture: str | None = None
    """Name of a portrait under `/api/v1/pictures/`."""


class Slot(msgspec.Struct, frozen=True):
    """Where the hospital's own prescribing page is: its address, and exactly the origin it may speak from."""

    url: str
    origin: str


class Patient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The patient as the hospital gave them. Only masked forms leave `signaling`; evidence gets a keyed pseudonym."""

    id: str
    name: str
    age: int | None = None
    sex: Literal["female", "male", "other"] | None = None
    complaint: str | None = None


BehalfKind = Literal["guardian", "family"]
Relation = Literal["mother", "father", "grandparent", "guardian", "child", "spouse", "sibling", "other"]


class OnBehalf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who decides for the patient: a small child's guardian, or family at an old person's side (SIG-40)."""

    as_: BehalfKind = msgspec.field(name="as")
    relation: Relation
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"\A[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*\Z")]


class Contact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place that can be phoned, as the patient's page shows it."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"\A[^\x00-\x1f\x7f]+\Z")]
    phone: Annotated[str, msgspec.Meta(pattern=r"\A\+?[0-9][0-9 -]{1,23}\Z")]


class Contacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom the patient may phone: the clinic itself, and the hospital nearby that takes emergencies."""

    clinic: Contact | None = None
    emergency: Contact | None = None


class Consent(msgspec.Struct, frozen=True):
    """What a seat decided about being recorded, and about which words."""

    state: ConsentState = "undecided"
    text_version: str | None = None
    text_sha256: str | None = None
    language: str | None = None
    method: str | None = None
    at: str | None = None
    by: OnBehalf | None = None
    """Who decided for the patient; None where the person in the seat did."""


class Ending(msgspec.Struct, frozen=True):
    """Who ended a visit, and why (PROTOCOL.md §4, `ended`)."""

    by: Literal["doctor", "patient", "hospital", "system"]
    reason: Literal[
        "completed", "left", "cancelled", "abandoned", "expired", "consent_withdrawn", "server_stopped", "transferred"
    ]


Level = Literal["good", "slow", "bad"]
RxState = Literal["signed", "reviewed", "returned", "released", "dispensed", "cancelled", "expired"]
RxStanding = Literal["claimed", "confirmed", "unconfirmed", "contradicted"]


class Prescription(msgspec.Struct, frozen=True):
    """One version of a prescription made in the hospital's own page: what it claims, what its server says (RX-1 … 5)."""

    rx: str
    version: int
    sha256: str
    state: RxState
    standing: RxStanding
    sm3: str | None = None
    claimed: str | None = None
    """When the page first claimed it; None if the hospital's server spoke first."""
    confirmed: str | None = None
    late: bool = False
    """It stood unconfirmed before."""

    @property
    def key(self) -> str:
        """What names it within a visit."""
        return f"{self.rx}#{self.version}"

    @property
    def shown(self) -> dict[str, object]:
        """What others are told of it: when that changes, they are told again."""
        names = ("rx", "version", "state", "sha256", "sm3", "standing", "late")
        return {name: getattr(self, name) for name in names}


class VisitFacts(msgspec.Struct, frozen=True):
    """The durable facts of a visit: what survives a restart. Times are ISO 8601 UTC with milliseconds."""

    id: str
    doctor: Doctor
    patient: Patient
    recording: RecordingPolicy
    created: str
    expires: str
    scheduled: str | None = None
    phase: Phase = "scheduled"
    seq: int = 0
    consents: dict[str, Consent] = {}
    entered: str | None = None
    live: str | None = None
    ended_at: str | None = None
    ended: Ending | None = None
    links_epoch: int = 0
    """Tokens issued under a smaller epoch are revoked."""
    guests: dict[Seat, GuestKind] = {}
    """Who holds a link to a guest's seat."""
    admitted: dict[str, int] = {}
    """Guests who are in the visit, and the newest message's number when they came in."""
    came: dict[Seat, str] = {}
    """When each of them did."""
    promised_until: str | None = None
    """Until when the next patient should be called (SIG-22); given once a wait."""
    late: Literal["doctor", "coordinator"] | None = None
    """Who has been told that the promise is past."""
    phone_back: str | None = None
    """When the patient asked to be phoned."""
    rebook: str | None = None
    """When the patient asked for another time."""
    held: bool = False
    advice: str | None = None
    """What the doctor wrote for afterwards."""
    notes: str | None = None
    """The doctor's own (NOTE-1)."""
    summary: Summary | None = None
    """What the hospital said of the patient beforehand: the doctor's alone (SUM-1)."""
    prescriptions: list[Prescription] = []
    """In the order they were first heard of."""
    rx_due: str | None = None
    """When the oldest claim that nobody has confirmed becomes `unconfirmed`: a restart takes the visit up again for it."""
    contacts: Contacts | None = None
    """Whom the patient may phone."""
    moved_to: str | None = None
    """The visit with another doctor that this one was transferred to (SIG-33)."""
    moved_from: str | None = None
    log_open: bool = False
    """An evidence log was begun and is not closed yet: a restart takes the visit up again, even an ended one."""


class Pulse(msgspec.Struct, frozen=True):
    """Who is there, and how the lines are: `good`, `slow`, `bad`, or None while nobody knows."""

    doctor_present: bool
    patient_present: bool
    doctor: Level | None
    patient: Level | None
    recording: str
