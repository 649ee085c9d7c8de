"""What goes over the HTTP API: requests (unknown fields refused) and answers. The OpenAPI document is made from these."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from signaling.calendar import Appointment
from signaling.consent_text import Language
from signaling.messages import Photo
from signaling.notices import Contact
from signaling.outbox import Receiver, Told
from signaling.ports import (
    Consent,
    Contacts,
    Doctor,
    Ending,
    GuestKind,
    Patient,
    Phase,
    Pulse,
    RecordingPolicy,
    Role,
    RxStanding,
    RxState,
    VisitFacts,
)
from signaling.rating import Decision, Rating, Standing
from signaling.recordings import RecordingFacts
from signaling.store import CURSOR_PATTERN, MAX_PAGE, Access

_PLAIN = r"^[^\u0000-\u001f\u007f]+$"

Id = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]{1,64}$")]
OpaqueId = Annotated[
    str, Meta(min_length=1, max_length=128, pattern=_PLAIN, description="The hospital's own id, opaque to us.")
]
ShortText = Annotated[str, Meta(min_length=1, max_length=128, pattern=_PLAIN)]
Text = Annotated[str, Meta(max_length=1000)]
Moment = Annotated[str, Meta(description="ISO 8601, UTC, milliseconds.", examples=["2026-05-04T09:12:00.123Z"])]
Zoned = Annotated[datetime, Meta(tz=True, description="ISO 8601 with an offset.")]
LifetimeS = Annotated[int, Meta(ge=60, le=604_800, description="Seconds.")]
Limit = Annotated[int, Meta(ge=1, le=MAX_PAGE)]
Cursor = Annotated[
    str, Meta(pattern=CURSOR_PATTERN, max_length=80, description="`next` of the page before; opaque to clients.")
]

DAY_S = 86_400


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class NewDoctor(_Request, frozen=True):
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


class NewPatient(_Request, frozen=True):
    """The patient. The other party sees a masked name; evidence only a keyed pseudonym of `id`."""

    id: OpaqueId
    name: ShortText
    age: Annotated[int, Meta(ge=0, le=150)] | None = None
    sex: Literal["female", "male", "other"] | None = None
    complaint: Text | None = None

    def facts(self) -> Patient:
        """As stored."""
        return msgspec.convert(self, Patient, from_attributes=True)


class NewVisit(_Request, frozen=True):
    """A visit to be. Its links work for `expires_in_s` seconds; a visit nobody entered by then ends as `expired`."""

    doctor: NewDoctor
    patient: NewPatient
    scheduled: Zoned | None = None
    recording: RecordingPolicy = "required"
    expires_in_s: LifetimeS = DAY_S
    contacts: Annotated[
        Contacts | None, Meta(description="Whom the patient may phone; the server's own settings if left out.")
    ] = None


class EndVisit(_Request, frozen=True):
    """Why the hospital ends it."""

    reason: Literal["completed", "cancelled"] = "completed"


class NewLink(_Request, frozen=True):
    """A further link into a visit. A guest's takes a seat of its own; `as` says whom they come as, and of others nothing."""

    role: Literal["doctor", "patient", "guest", "auditor"]
    expires_in_s: LifetimeS = DAY_S
    as_: GuestKind = msgspec.field(default="specialist", name="as")


class NewDeskLink(_Request, frozen=True):
    """A link to the auditor's desk (the recordings of every visit) or the coordinator's (every queue)."""

    role: Literal["auditor", "coordinator"]
    expires_in_s: LifetimeS = DAY_S


class VisitsQuery(_Request, frozen=True):
    """Which page of visits."""

    limit: Limit = 50
    cursor: Cursor | UnsetType = UNSET
    phase: Phase | UnsetType = UNSET


class PageQuery(_Request, frozen=True):
    """Which page."""

    limit: Limit = 50
    cursor: Cursor | UnsetType = UNSET


class ConsentQuery(_Request, frozen=True):
    """In which language."""

    language: Language = "zh"


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
    held: bool


class DoctorQueue(msgspec.Struct, frozen=True):
    """One doctor's queue, longest wait first."""

    doctor: Doctor
    visits: list[QueuedVisit]


class Queues(msgspec.Struct, frozen=True):
    """All queues that are not empty. `escalations`: the visits whose `late` is `coordinator`, or who asked to be phoned."""

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


class NewReceiver(_Request, frozen=True):
    """Where to send events."""

    url: Annotated[str, Meta(max_length=2000, pattern=r"^https?://[A-Za-z0-9._~:/?%=&+@-]+$")]


class RegisteredReceiver(msgspec.Struct, frozen=True):
    """A receiver and its secret, for verifying `webhook-signature`."""

    id: Id
    url: str
    secret: str


class Receivers(msgspec.Struct, frozen=True):
    """Oldest first."""

    receivers: list[Receiver]


class EventsQuery(_Request, frozen=True):
    """From where on."""

    after: Annotated[int, Meta(ge=0, le=1 << 53)] = 0
    limit: Limit = 50


class EventPage(msgspec.Struct, frozen=True):
    """In order; `next` is `after` of the page that follows."""

    events: list[Told]
    next: int


class NewAppointment(_Request, frozen=True):
    """A slot to book, and where to tell the patient."""

    doctor: NewDoctor
    patient: NewPatient
    starts: Zoned
    recording: RecordingPolicy = "required"
    contact: Contact | None = None


class MoveAppointment(_Request, frozen=True):
    """To which slot, and where to tell the patient."""

    starts: Zoned
    contact: Contact | None = None


class CancelAppointment(_Request, frozen=True):
    """Where to tell the patient."""

    contact: Contact | None = None


class AppointmentsQuery(_Request, frozen=True):
    """Which day, and whose."""

    day: date
    doctor: OpaqueId | UnsetType = UNSET


class BookedAppointment(Appointment, frozen=True):
    """An appointment with the links of its visit."""

    links: VisitLinks


class AppointmentPage(msgspec.Struct, frozen=True):
    """Earliest first."""

    appointments: list[Appointment]


class DoctorLoad(msgspec.Struct, frozen=True):
    """One doctor. `here`: looks at the desk now; `longest_s`: the longest wait, null if nobody waits."""

    id: str
    name: str
    department: str | None
    here: bool
    waiting: int
    live: int
    longest_s: int | None


class DepartmentLoad(msgspec.Struct, frozen=True):
    """One department's doctors, the fullest queue first."""

    department: str | None
    doctors: list[DoctorLoad]


class CoordinatedVisit(msgspec.Struct, frozen=True):
    """A visit that waits or is live, for `seconds`. `escalated`: somebody must act."""

    visit: Id
    doctor: str
    phase: Phase
    patient: str
    age: int | None
    seconds: int
    promised_until: Moment | None
    late: Literal["doctor", "coordinator"] | None
    phone_back: bool
    held: bool
    escalated: bool
    moved: bool
    pulse: Pulse | None


class Coordination(msgspec.Struct, frozen=True):
    """Everything that goes on, longest wait first."""

    at: Moment
    departments: list[DepartmentLoad]
    visits: list[CoordinatedVisit]


class Reassign(_Request, frozen=True):
    """To whom."""

    doctor: OpaqueId


class MovedVisit(msgspec.Struct, frozen=True):
    """The visit that goes on, and with whom."""

    visit: Id
    doctor: str


class SlotSetting(msgspec.Struct, frozen=True):
    """The hospital's prescribing page, and the secret its server signs with."""

    url: str
    origin: str
    secret: str


class RedeemCode(_Request, frozen=True):
    """A one-time code from `tc.context`."""

    code: Annotated[str, Meta(min_length=1, max_length=128)]


class RedeemedCode(msgspec.Struct, frozen=True):
    """Who the visit is about. `patient.id` is the hospital's own; `fhir_base` its own FHIR server, as configured."""

    visit: Id
    patient: Patient
    doctor: Doctor
    fhir_base: str | None


Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="Lower-case hex.")]


class RxWord(_Request, frozen=True):
    """What the hospital's server says of one version of a prescription."""

    visit: Id
    rx: Annotated[str, Meta(pattern="^[A-Za-z0-9_.:-]{1,128}$")]
    version: Annotated[int, Meta(ge=1, le=1 << 31)]
    state: RxState
    sha256: Digest
    sm3: Digest | None = None


class ConfirmedRx(msgspec.Struct, frozen=True):
    """How it stands now; `late`: it stood unconfirmed before."""

    visit: Id
    rx: str
    version: int
    state: RxState
    standing: RxStanding
    late: bool


class ReceiptPending(msgspec.Struct, frozen=True):
    """The visit is over; its receipt comes a moment later."""

    visit: Id


class VisitReceipt(msgspec.Struct, frozen=True):
    """A receipt as recorder/FORMAT.md §8 has it: the whole text, and the one line for a QR code."""

    visit: Id
    receipt: str
    short: str


class StoredPhoto(msgspec.Struct, frozen=True):
    """A photo as kept: sides in pixels, `bytes` and `sha256` (hex) of what is stored."""

    id: Id
    media: str
    bytes: int
    width: int
    height: int
    sha256: str

    @classmethod
    def of(cls, photo: Photo) -> StoredPhoto:
        """From the stored facts."""
        return cls(**{name: getattr(photo, name) for name in cls.__struct_fields__})


class Alive(msgspec.Struct, frozen=True):
    """This process answers."""

    ok: bool = True


class Readiness(msgspec.Struct, frozen=True):
    """Whether each part behind the API answers."""

    ready: bool
    parts: dict[str, bool]


class Recording(msgspec.Struct, frozen=True):
    """A visit as an auditor sees it. `recording` is what the recorder says of it, null if it recorded nothing."""

    visit: Id
    phase: Phase
    policy: RecordingPolicy
    doctor: Doctor
    patient: Annotated[str, Meta(description="The keyed pseudonym that evidence uses.")]
    consents: dict[str, Consent]
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
            consents=facts.consents,
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


class KeptPicture(msgspec.Struct, frozen=True):
    """A portrait, as a visit's `doctor.picture` names it."""

    picture: Id
    width: int
    height: int


class NewRating(_Request, frozen=True):
    """How the visit was."""

    stars: Annotated[int, Meta(ge=1, le=5)]
    text: Annotated[str, Meta(max_length=500)] = ""


class Thanks(msgspec.Struct, frozen=True):
    """A rating was kept; somebody reads it before it is shown."""

    state: Literal["pending"] = "pending"


class RatingsQuery(_Request, frozen=True):
    """Which ratings."""

    state: Standing = "pending"
    doctor: OpaqueId | UnsetType = UNSET
    limit: Limit = 50


class RatingPage(msgspec.Struct, frozen=True):
    """In no order of time."""

    ratings: list[Rating]


class ReviewRating(_Request, frozen=True):
    """What somebody who has read it decides."""

    decision: Decision
