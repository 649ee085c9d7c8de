"""What the auditor's desk and its administration send and get over HTTP: grants, reasons, names, messages, exports."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from signaling.api.kinds import Cursor, Id, Limit, Moment, OpaqueId, Request, Zoned
from signaling.law.facts import Consent, Doctor, OnBehalf, VisitFacts
from signaling.law.messages import Message, Photo, sha256
from signaling.recordings.copies import Copy
from signaling.recordings.exports import Export
from signaling.sql.store import LoggedAccess
from signaling.staff.access import PER_MILLE, Grant, Purpose, StaffRole
from signaling.staff.access_store import Seen

_PLAIN = r"\A[^\x00-\x1f\x7f]+\Z"

Reason = Annotated[
    str, Meta(min_length=4, max_length=1000, pattern=_PLAIN, description="In words, for the log of looks.")
]
UnixS = Annotated[
    int, Meta(ge=0, le=1 << 32, description="Seconds since 1970, UTC: visits made from then, or before then.")
]
Words = Annotated[str, Meta(min_length=1, max_length=128, pattern=_PLAIN)]
Who = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z", description="As `GET /api/v1/session` calls them.")]


class RecordingsQuery(Request, frozen=True):
    """Which visits, and which page. Each word of `q` begins a visit's id or a patient's pseudonym, or is in
    the doctor's name."""

    limit: Limit = 50
    cursor: Cursor | UnsetType = UNSET
    q: Words | UnsetType = UNSET
    since: UnixS | UnsetType = UNSET
    before: UnixS | UnsetType = UNSET


class GiveReason(Request, frozen=True):
    """Why this visit is looked at. `purpose` goes on the evidence log, the words on the access log alone."""

    purpose: Purpose
    reason: Reason


class SetHold(Request, frozen=True):
    """Hold it, or no more, and why."""

    on: bool
    purpose: Purpose
    reason: Reason


Span = tuple[Annotated[int, Meta(ge=0, le=86_400_000)], Annotated[int, Meta(ge=1, le=86_400_000)]]
Spans = Annotated[tuple[Span, ...], Meta(max_length=200, description="From, to: milliseconds of stream time.")]


class NewRedaction(Request, frozen=True):
    """Take the picture or the sound of one stream out of a copy, from, to: milliseconds of stream time."""

    stream: Literal["patient", "doctor"]
    what: Literal["picture", "sound"]
    from_ms: Annotated[int, Meta(ge=0, le=86_400_000)]
    to_ms: Annotated[int, Meta(ge=1, le=86_400_000)]


class NewCopy(GiveReason, frozen=True):
    """What to take out of both streams of a copy (`mute`, `black`), or of one (`redact`), and why it is made."""

    mute: Spans = ()
    black: Spans = ()
    redact: Annotated[tuple[NewRedaction, ...], Meta(max_length=200)] = ()


class CopyList(msgspec.Struct, frozen=True):
    """Newest first."""

    copies: list[Copy]


class GivenReason(msgspec.Struct, frozen=True):
    """Until when it holds."""

    until: Moment


class PatientNames(msgspec.Struct, frozen=True):
    """The patient, as the hospital gave them, without what is wrong with them."""

    id: str
    name: str
    age: int | None
    sex: str | None


class Names(msgspec.Struct, frozen=True):
    """Who they were, and who decided for the patient if somebody did."""

    doctor: Doctor
    patient: PatientNames
    by: OnBehalf | None

    @classmethod
    def of(cls, facts: VisitFacts) -> Names:
        """From the stored facts."""
        one, by = facts.patient, facts.consents.get("patient", Consent()).by
        return cls(facts.doctor, PatientNames(one.id, one.name, one.age, one.sex), by)


class KeptMessage(msgspec.Struct, frozen=True):
    """A message with its nonce: PROTOCOL.md, SIG-20, says how `sha256` on the evidence log is counted from these."""

    seq: int
    seat: str
    at: Moment
    nonce: str
    text: str | None
    photo: Photo | None
    sha256: str

    @classmethod
    def of(cls, message: Message) -> KeptMessage:
        """From the stored message."""
        one = message
        return cls(one.seq, one.seat, one.at, one.nonce, one.text, one.photo, sha256(one))


class KeptMessages(msgspec.Struct, frozen=True):
    """All messages of a visit, in order."""

    visit: Id
    messages: list[KeptMessage]


class NewGrant(Request, frozen=True):
    """What somebody may see, and until when. At least one of `visits`, `doctor`, `since` and `per_mille` is given."""

    who: Who
    purpose: Purpose
    until: Zoned
    begins: Zoned | UnsetType = UNSET
    visits: Annotated[tuple[Id, ...], Meta(max_length=1000)] = ()
    doctor: OpaqueId | None = None
    since: Zoned | UnsetType = UNSET
    before: Zoned | UnsetType = UNSET
    per_mille: Annotated[int, Meta(ge=1, le=PER_MILLE)] | UnsetType = UNSET
    case: Annotated[str, Meta(max_length=200, description="The case's number; no person's name.")] = ""


class Grants(msgspec.Struct, frozen=True):
    """Newest first, revoked and expired ones too."""

    grants: list[Grant]


class Staff(msgspec.Struct, frozen=True):
    """Who signed in, last seen first."""

    staff: list[Seen]


class AccessQuery(Request, frozen=True):
    """From where on."""

    after: Annotated[int, Meta(ge=0, le=1 << 53)] = 0
    limit: Limit = 50


class AccessLog(msgspec.Struct, frozen=True):
    """In order; `next` is `after` of the page that follows."""

    accesses: list[LoggedAccess]
    next: int


class Exports(msgspec.Struct, frozen=True):
    """Those that are still to be decided or taken, newest first."""

    exports: list[Export]


class TakeExport(Request, frozen=True):
    """For whom the keys are encrypted, if for somebody alone."""

    recipient: (
        Annotated[
            str,
            Meta(
                pattern=r"\Aage1[02-9ac-hj-np-z]{20,100}\Z",
                description="An age recipient: the keys in the archive are then an age file, which only its identity opens.",
            ),
        ]
        | UnsetType
    ) = UNSET


class DecideExport(Request, frozen=True):
    """The second person's word."""

    approve: bool


class Session(msgspec.Struct, frozen=True):
    """Who this session is. `who` stands for a person in every log, and names nobody."""

    who: str
    role: StaffRole
    until: Moment | None
    kind: Literal["session", "link"]
