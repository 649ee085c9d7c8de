"""Signaling's doors out: what an actor needs of SQL, the media workers and the recorder, and nothing more.

`store`, `workers` implement them; tests use fakes that pass the same contract suite.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

import msgspec

from signaling.messages import Draft, Message, Photo
from signaling.summary import Summary

if TYPE_CHECKING:
    from signaling.asked import RxConfirmed
    from signaling.captions import Caption

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


class Page(msgspec.Struct, frozen=True):
    """One page of visits, newest first; `next` is the cursor of the next one."""

    visits: list[VisitFacts]
    next: str | None


class IdempotencyConflict(Exception):
    """The same idempotency key came with another body."""

    code = "idempotency_conflict"


class StoreAway(Exception):
    """The database does not answer, or cannot now. What was asked may or may not have happened."""

    code = "store_unavailable"


class Claims(msgspec.Struct, frozen=True):
    """What a verified token says. `visit` is None for an auditor who may see every visit."""

    role: Role
    visit: str | None
    subject: str
    expires: int
    links_epoch: int = 0
    seat: str | None = None
    """A guest's."""


class VisitStore(Protocol):
    """Durable visits. Every write is committed when the call returns. Every call may raise `StoreAway`."""

    async def create(self, facts: VisitFacts, idempotency_key: str | None, body_sha256: str) -> VisitFacts:
        """Store a new visit, or return what the same key and body made before. Raises `IdempotencyConflict`."""
        ...

    async def load(self, visit: str) -> VisitFacts | None:
        """One visit."""
        ...

    async def save(self, facts: VisitFacts) -> None:
        """Replace a visit's facts. An older `seq` never overwrites a newer one."""
        ...

    async def revoke_links(self, visit: str) -> int | None:
        """Make every token issued so far for this visit worthless; the new links epoch, None if the visit is unknown.

        `save` never takes it back: a visit keeps the greatest links epoch it ever had.
        """
        ...

    async def page(self, limit: int, cursor: str | None, phase: Phase | None = None) -> Page:
        """Newest first."""
        ...

    async def open_visits(self) -> list[VisitFacts]:
        """All that are waiting, live, or have `log_open` or `rx_due`: what a start-up takes up again."""
        ...

    async def queue_of(self, doctor: str) -> list[VisitFacts]:
        """A doctor's waiting and live visits, longest wait first, at most 200."""
        ...

    async def past_of(self, doctor: str, limit: int) -> list[VisitFacts]:
        """A doctor's last visits that went live and ended, newest first."""
        ...

    async def doctors(self) -> list[Doctor]:
        """Those of the last 500 visits, each as last written, by department and name."""
        ...

    async def log_access(self, who: str, role: str, visit: str | None, what: str, at: str) -> None:
        """Append to the access log."""
        ...


class MessageStore(Protocol):
    """Durable messages. Every write is committed when the call returns. Every call may raise `StoreAway`."""

    async def append(self, visit: str, seat: str, draft: Draft, at: str, nonce: str) -> Message:
        """Store a message under the visit's next number, or return what the same seat and id made before.

        Raises `MessageConflict`, `MessagesFull`, `PhotoUnknown`.
        """
        ...

    async def after(self, visit: str, seq: int) -> list[Message]:
        """The next messages, at most `messages.PAGE`, in order."""
        ...

    async def last(self, visit: str) -> int:
        """The newest message's number, 0 if there is none."""
        ...

    async def unnoted(self, visit: str) -> list[Message]:
        """Those that are not known to be on the evidence log, in order."""
        ...

    async def noted(self, visit: str, seq: int) -> None:
        """This one is."""
        ...

    async def keep_photo(self, visit: str, seat: str, photo: Photo, at: str) -> Photo:
        """Register a photo, or return the one of the same bytes in this visit. Raises `PhotosFull`."""
        ...

    async def photo(self, photo: str) -> tuple[str, Photo] | None:
        """(visit, photo)."""
        ...


class PhotoFiles(Protocol):
    """Where photos lie. Every call may raise `StoreAway`."""

    async def put(self, visit: str, photo: str, data: bytes) -> None:
        """Keep a photo; durable when the call returns."""
        ...

    async def get(self, visit: str, photo: str) -> bytes | None:
        """Its bytes."""
        ...

    async def drop(self, visit: str, photo: str) -> None:
        """Forget a photo that got no name; fine if it is gone."""
        ...


class Tokens(Protocol):
    """Signed links."""

    def issue(
        self,
        role: Role,
        visit: str | None,
        subject: str,
        lifetime_s: int,
        links_epoch: int = 0,
        seat: str | None = None,
    ) -> str:
        """A token for one role in one visit; a guest's names its seat."""
        ...

    def verify(self, token: str) -> Claims:
        """The claims. Raises `TokenError` with code `token_invalid` or `token_expired` (signaling.tokens)."""
        ...


class IceServers(Protocol):
    """Where clients find STUN and TURN."""

    def issue(self, visit: str, seat: str, lasts_s: int = ..., /) -> tuple[list[dict[str, Any]], int]:
        """RTCIceServer dictionaries with short-lived credentials, and how many seconds those are good for."""
        ...


Clock = Callable[[], float]
"""Seconds since 1970-01-01 UTC."""

Pseudonyms = Callable[[Role, str], str]
"""(role, the hospital's id of a person) → the keyed pseudonym that stands for them in evidence."""


class Visits(Protocol):
    """The running visits: what the HTTP API may ask of them (`signaling.actor` implements it)."""

    async def end(self, visit: str, reason: Literal["completed", "cancelled"]) -> VisitFacts:
        """End a visit for the hospital. Raises `KeyError` if unknown; ending an ended visit returns it unchanged."""
        ...

    async def invite(self, visit: str, kind: GuestKind) -> tuple[Seat, VisitFacts]:
        """Give a guest the next free seat. Raises `KeyError` if the visit is unknown, `EventRefused` if it takes none."""
        ...

    def created(self, facts: VisitFacts) -> None:
        """A visit was created (and is stored)."""
        ...

    async def confirm(self, visit: str, given: RxConfirmed) -> VisitFacts:
        """What the hospital's server says of a prescription; durable when it returns. Raises `KeyError`, `EventRefused`."""
        ...

    async def caption(self, visit: str, said: Caption) -> int:
        """Show what is being said to who is in the live visit; to how many it was sent. Raises `KeyError`, `EventRefused`."""
        ...

    async def transfer(self, visit: str, doctor: str, by: Literal["doctor", "hospital"]) -> VisitFacts:
        """Give a patient to another doctor (SIG-33): the new visit. Raises `KeyError`, `EventRefused`."""
        ...

    async def reschedule(self, visit: str, starts: str, expires: str) -> VisitFacts:
        """Its appointment was moved. Raises `KeyError`, `EventRefused`."""
        ...

    def here(self) -> frozenset[str]:
        """The doctors who look at their desks now."""
        ...

    def pulse(self, visit: str) -> Pulse | None:
        """How the seats of a running visit fare; None if it is not running here."""
        ...

    async def links_revoked(self, visit: str, links_epoch: int) -> None:
        """Tokens under a smaller epoch are worthless (stored already): close their sockets with `bye` `token_revoked`."""
        ...
