"""What the people of a visit, and the hospital, did or asked for, in the past tense. `signaling.law.visit` takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from signaling.law.facts import GuestKind, OnBehalf, RxState, Seat
from signaling.law.terms import Decision, Device, EndedBy, EndReason, View


@dataclass(frozen=True, slots=True)
class SeatJoined:
    """A socket sits in the seat (the first one, or one that took over)."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class SeatLeft:
    """The seat's socket is gone and none took over."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class Entered:
    """`enter`."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class Decided:
    """`consent`, about a text this server shows."""

    seat: Seat
    decision: Decision
    text_version: str
    text_sha256: str
    language: str
    method: str
    by: OnBehalf | None = None


@dataclass(frozen=True, slots=True)
class Withdrew:
    """`withdraw`."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class Admitted:
    """`admit`; whether a media worker has room is known to the shell."""

    seat: Seat
    media_ready: bool


@dataclass(frozen=True, slots=True)
class Offered:
    """`offer`: may this seat negotiate now?"""

    seat: Seat


@dataclass(frozen=True, slots=True)
class DevicesTold:
    """`media_state`."""

    seat: Seat
    microphone: Device
    camera: Device
    screen: Device


@dataclass(frozen=True, slots=True)
class SeenTold:
    """`seen`: what a browser says it saw."""

    seat: Seat
    detail: Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class Viewed:
    """`view`: the most this seat wants to be shown."""

    seat: Seat
    camera: View
    screen: View


@dataclass(frozen=True, slots=True)
class EndAsked:
    """`end` by a seat, or by the hospital through the HTTP API."""

    by: EndedBy
    reason: EndReason


@dataclass(frozen=True, slots=True)
class Held:
    """`hold` or `resume`."""

    seat: Seat
    on: bool


@dataclass(frozen=True, slots=True)
class SentBack:
    """`to_waiting`."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class Advised:
    """`advice`: empty text takes it back."""

    seat: Seat
    text: str


@dataclass(frozen=True, slots=True)
class NotesWritten:
    """`notes.write`: all of them, as they now are."""

    seat: Seat
    text: str


@dataclass(frozen=True, slots=True)
class ReconnectAsked:
    """`reconnect`; whether a media worker has room is known to the shell."""

    seat: Seat
    media_ready: bool


@dataclass(frozen=True, slots=True)
class PhoneBackAsked:
    """`phone_back`."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class RebookAsked:
    """`rebook`."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class RxClaimed:
    """`slot.claim`: what the hospital's page says."""

    rx: str
    version: int
    state: RxState
    sha256: str
    sm3: str | None


@dataclass(frozen=True, slots=True)
class RxConfirmed:
    """What the hospital's server says of the same."""

    rx: str
    version: int
    state: RxState
    sha256: str
    sm3: str | None


@dataclass(frozen=True, slots=True)
class Rescheduled:
    """The appointment was moved; times in ISO 8601."""

    starts: str
    expires: str


@dataclass(frozen=True, slots=True)
class Transferred:
    """The patient goes on in a visit with another doctor, which is stored already."""

    by: EndedBy
    to: str


@dataclass(frozen=True, slots=True)
class GuestInvited:
    """The hospital, or the doctor, makes a link for a guest in this seat; of `kind` it may have it already if that is `said`
    again."""

    seat: Seat
    kind: GuestKind
    said: bool = False


@dataclass(frozen=True, slots=True)
class GuestAdmitted:
    """`admit_guest`."""

    seat: Seat
    guest: Seat


@dataclass(frozen=True, slots=True)
class GuestDismissed:
    """`dismiss_guest`."""

    seat: Seat
    guest: Seat


@dataclass(frozen=True, slots=True)
class Writing:
    """`message`: may this seat write now?"""

    seat: Seat


@dataclass(frozen=True, slots=True)
class LinksRevoked:
    """Tokens under a smaller epoch are worthless."""

    links_epoch: int


Asked = (
    SeatJoined
    | SeatLeft
    | Entered
    | Decided
    | Withdrew
    | Admitted
    | Offered
    | DevicesTold
    | SeenTold
    | Viewed
    | EndAsked
    | Held
    | SentBack
    | Advised
    | NotesWritten
    | ReconnectAsked
    | PhoneBackAsked
    | RebookAsked
    | Rescheduled
    | Transferred
    | RxClaimed
    | RxConfirmed
    | GuestInvited
    | GuestAdmitted
    | GuestDismissed
    | Writing
    | LinksRevoked
)
