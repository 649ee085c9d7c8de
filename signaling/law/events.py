"""What a client may send (PROTOCOL.md §5), as types, and the door through which every event passes.

`parse` is total: for anything a peer can send it returns an event or raises `EventRefused`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from signaling.law.errors import EventRefused, EventUnknown, PayloadInvalid, PayloadTooLarge, VersionUnsupported
from signaling.law.facts import GuestKind, OnBehalf, RxState
from signaling.law.messages import Draft
from signaling.law.terms import Device
from signaling.law.terms import View as Most

VERSION = 1
MAX_PAYLOAD = 64 * 1024
MAX_SDP = 48 * 1024
MAX_NAME = 64

Source = Literal["microphone", "camera", "screen"]
Mid = Annotated[str, Meta(min_length=1, max_length=32)]
Count = Annotated[int, Meta(ge=0, le=(1 << 31) - 1)]
TrackId = Annotated[str, Meta(min_length=1, max_length=128)]


class _Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    v: int


class Enter(_Event, frozen=True):
    """The patient takes a place in the queue."""


class GiveConsent(_Event, frozen=True):
    """`consent`: a seat decided about being recorded."""

    decision: Literal["agreed", "refused"]
    text_version: Annotated[str, Meta(max_length=64)]
    text_sha256: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    language: Literal["zh", "en"]
    method: Literal["tap", "spoken"]
    by: OnBehalf | UnsetType = UNSET


class Withdraw(_Event, frozen=True):
    """A seat takes its consent back."""


class Admit(_Event, frozen=True):
    """The doctor lets the patient in."""


class Offer(_Event, frozen=True):
    """An SDP offer; §6 says what `publish` and `subscribe` name."""

    pc: Annotated[str, Meta(min_length=1, max_length=64)]
    sdp: Annotated[str, Meta(min_length=1, max_length=MAX_SDP)]
    publish: Annotated[dict[Mid, Source], Meta(max_length=16)]
    subscribe: Annotated[dict[Mid, TrackId], Meta(max_length=16)]


class MediaState(_Event, frozen=True):
    """What the devices are doing."""

    microphone: Device
    camera: Literal["on", "off", "failed"]
    screen: Literal["on", "off", "failed"]


class Seen(_Event, frozen=True):
    """What this browser saw of the visit so far, by its own statistics: for the certificate, proven by nobody."""

    freezes: Count | None = None
    freeze_ms: Count | None = None
    frames: Count | None = None
    loss_permille: Annotated[int, Meta(ge=0, le=1000)] | None = None
    rtt_ms: Count | None = None
    jitter_ms: Count | None = None
    relayed: bool | None = None
    protocol: Literal["udp", "tcp"] | None = None

    @property
    def detail(self) -> dict[str, int | str]:
        """What was said, and no more."""
        return {name: said for name, said in msgspec.to_builtins(self).items() if name != "v" and said is not None}


class View(_Event, frozen=True):
    """The most this seat wants to be shown of the others' pictures."""

    camera: Most
    screen: Most


class Ice(_Event, frozen=True):
    """Ask for STUN and TURN servers."""


class End(_Event, frozen=True):
    """End the visit."""

    reason: Literal["completed", "left"]


class DeskTake(_Event, frozen=True):
    """`desk.take`: ask for a token for another visit of the own queue."""

    visit: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]


class WriteMessage(_Event, frozen=True):
    """`message`: text or a photo to the other seats (§8)."""

    id: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]
    text: (
        Annotated[str, Meta(min_length=1, max_length=2_000, pattern=r"\A[^\x00-\x08\x0b-\x1f\x7f]*\Z")] | UnsetType
    ) = UNSET
    photo: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")] | UnsetType = UNSET

    def draft(self) -> Draft:
        """As the store takes it."""
        text, photo = self.text, self.photo
        return Draft(self.id, None if text is UNSET else text, None if photo is UNSET else photo)


class AskMessages(_Event, frozen=True):
    """`messages`: what was written after a number."""

    after: Annotated[int, Meta(ge=0, le=1 << 31)]


GuestSeat = Literal["guest-1", "guest-2", "guest-3"]


class AdmitGuest(_Event, frozen=True):
    """`admit_guest`: the doctor lets a guest in."""

    seat: GuestSeat


class DismissGuest(_Event, frozen=True):
    """`dismiss_guest`: and out again."""

    seat: GuestSeat


class Hold(_Event, frozen=True):
    """The doctor puts the visit on hold."""


class Resume(_Event, frozen=True):
    """And goes on."""


class ToWaiting(_Event, frozen=True):
    """`to_waiting`: back to the waiting room."""


class Advice(_Event, frozen=True):
    """What the patient is to do afterwards; empty takes it back."""

    text: Annotated[str, Meta(max_length=4_000, pattern=r"\A[^\x00-\x08\x0b-\x1f\x7f]*\Z")]


class NotesRead(_Event, frozen=True):
    """`notes.read`: the doctor's own notes."""


class NotesWrite(_Event, frozen=True):
    """`notes.write`: all of them, as they now are."""

    text: Annotated[str, Meta(max_length=8_000, pattern=r"\A[^\x00-\x08\x0b-\x1f\x7f]*\Z")]


class Reconnect(_Event, frozen=True):
    """Live again after an end by mistake."""


class PhoneBack(_Event, frozen=True):
    """`phone_back`: the patient asks to be phoned."""


class Rebook(_Event, frozen=True):
    """`rebook`: the patient asks for another time."""


RxId = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.:-]{1,128}\Z")]
Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class SlotOpen(_Event, frozen=True):
    """`slot.open`: a one-time code for the hospital's page."""


class SlotClaim(_Event, frozen=True):
    """`slot.claim`: the hospital's page says that there is a prescription."""

    visit: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]
    rx: RxId
    version: Annotated[int, Meta(ge=1, le=(1 << 31) - 1)]
    state: RxState
    sha256: Digest
    sm3: Digest | None = None


class Invite(_Event, frozen=True):
    """A link for a third party."""

    as_: GuestKind = msgspec.field(name="as")
    seat: GuestSeat | UnsetType = UNSET


class Colleagues(_Event, frozen=True):
    """Ask to whom a patient may be given."""


class Transfer(_Event, frozen=True):
    """Give the patient to a colleague."""

    doctor: Annotated[str, Meta(min_length=1, max_length=128)]


class Follow(_Event, frozen=True):
    """The patient goes along: ask for a token of the visit that goes on."""


class Resync(_Event, frozen=True):
    """Ask for `state` now."""


Event = (
    Enter
    | GiveConsent
    | Withdraw
    | Admit
    | Offer
    | MediaState
    | Seen
    | View
    | Ice
    | End
    | DeskTake
    | WriteMessage
    | AskMessages
    | AdmitGuest
    | DismissGuest
    | Hold
    | Resume
    | ToWaiting
    | Advice
    | NotesRead
    | NotesWrite
    | Reconnect
    | PhoneBack
    | Rebook
    | SlotOpen
    | SlotClaim
    | Invite
    | Colleagues
    | Transfer
    | Follow
    | Resync
)

TYPES: dict[str, type[Event]] = {
    "enter": Enter,
    "consent": GiveConsent,
    "withdraw": Withdraw,
    "admit": Admit,
    "offer": Offer,
    "media_state": MediaState,
    "seen": Seen,
    "view": View,
    "ice": Ice,
    "end": End,
    "desk.take": DeskTake,
    "message": WriteMessage,
    "messages": AskMessages,
    "admit_guest": AdmitGuest,
    "dismiss_guest": DismissGuest,
    "hold": Hold,
    "resume": Resume,
    "to_waiting": ToWaiting,
    "advice": Advice,
    "notes.read": NotesRead,
    "notes.write": NotesWrite,
    "reconnect": Reconnect,
    "phone_back": PhoneBack,
    "rebook": Rebook,
    "slot.open": SlotOpen,
    "slot.claim": SlotClaim,
    "invite": Invite,
    "colleagues": Colleagues,
    "transfer": Transfer,
    "follow": Follow,
    "resync": Resync,
}


class Hello(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The auth payload of a Socket.IO CONNECT (§2)."""

    v: int
    token: Annotated[str, Meta(min_length=1, max_length=4096)]


def parse(name: object, arguments: Sequence[object], size: int) -> Event:
    """An event from its name, its arguments and the packet's size in bytes. Raises `EventRefused`."""
    if size > MAX_PAYLOAD:
        raise PayloadTooLarge
    kind = TYPES.get(name) if isinstance(name, str) else None
    if kind is None:
        raise EventUnknown
    if len(arguments) != 1:
        raise PayloadInvalid("an event carries exactly one object")
    payload = _checked(arguments[0])
    try:
        event = msgspec.convert(payload, kind)
    except msgspec.ValidationError as error:
        raise PayloadInvalid(_where(error, kind)) from None
    if isinstance(event, Offer) and len(event.sdp.encode()) > MAX_SDP:
        raise PayloadInvalid("the SDP is over 48 KiB")
    if isinstance(event, WriteMessage) and (event.text is UNSET) == (event.photo is UNSET):
        raise PayloadInvalid("a message is text or a photo")
    return event


def parse_hello(auth: object) -> Hello:
    """The auth payload. Raises `PayloadInvalid` (say `auth_missing`) or `VersionUnsupported`."""
    try:
        return msgspec.convert(_checked(auth), Hello)
    except msgspec.ValidationError:
        raise PayloadInvalid from None


def event_name(name: object) -> str:
    """An event's name as a `problem` may repeat it: at most 64 characters, and such that it can be written out."""
    return str(name)[:MAX_NAME].encode("utf-8", "replace").decode() if isinstance(name, str) else ""


def acknowledged(**carried: Any) -> dict[str, Any]:
    """A positive acknowledgement."""
    return {"v": VERSION, "ok": True, **carried}


def refused(error: EventRefused) -> dict[str, Any]:
    """A negative one."""
    return {"v": VERSION, "ok": False, "error": {"code": error.code, "message": str(error)}}


def problem(name: object, error: EventRefused) -> dict[str, Any]:
    """What is sent instead when no acknowledgement was asked for."""
    return {"v": VERSION, "event": event_name(name), "code": error.code, "message": str(error)}


def _checked(payload: object) -> dict[str, object]:
    """An object with `"v": 1` in which every string is real text. Raises `PayloadInvalid`, `VersionUnsupported`."""
    if not isinstance(payload, dict):
        raise PayloadInvalid("the payload is not an object")
    version = payload.get("v")
    if type(version) is not int:
        raise PayloadInvalid("the payload names no version")
    if version != VERSION:
        raise VersionUnsupported
    try:
        msgspec.json.encode(payload)  # half a surrogate pair passes a JSON parser, and nothing after it
    except (UnicodeEncodeError, RecursionError, OverflowError, TypeError, ValueError):
        raise PayloadInvalid("the payload cannot be written as JSON") from None
    return payload


def _where(error: msgspec.ValidationError, kind: type[Event]) -> str | None:
    """Which of the protocol's own fields does not fit. Never what was sent: a key may be a person's name, too."""
    _, _, where = str(error).rpartition(" - at `$.")
    field = next((name for name in kind.__struct_fields__ if where == f"{name}`" or where.startswith(f"{name}[")), None)
    return None if field is None else f"`{field}` is not what the protocol says"
