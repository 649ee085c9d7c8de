"""What happens to a visit, in the past tense, and what the visit then asks for, in the imperative.

`signaling.visit` turns the first into the second. Nothing here does anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from signaling.messages import Message
from signaling.ports import GuestKind, Seat
from signaling.wait_estimate import Estimate

SEATS: tuple[Seat, Seat] = ("doctor", "patient")
GUESTS: tuple[Seat, Seat, Seat] = ("guest-1", "guest-2", "guest-3")
ALL_SEATS: tuple[Seat, ...] = (*SEATS, *GUESTS)

Decision = Literal["agreed", "refused"]
Device = Literal["on", "muted", "off", "failed"]
Transport = Literal["none", "connecting", "connected", "silent"]
RecordKind = Literal["consent", "withdraw", "join", "leave", "event"]
EndedBy = Literal["doctor", "patient", "hospital", "system"]
EndReason = Literal["completed", "left", "cancelled", "abandoned", "expired", "consent_withdrawn", "server_stopped"]


@dataclass(frozen=True, slots=True)
class Track:
    """One published track, as `state.tracks` shows it."""

    id: str
    seat: str
    source: str
    kind: str
    codec: str


@dataclass(frozen=True, slots=True)
class Stream:
    """One recorded stream, as `state.recording.streams` shows it; `sealed_to_ms` is stream time."""

    stream: str
    sealed_to_ms: int
    state: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap that was put on the record, in stream time."""

    stream: str
    from_ms: int
    to_ms: int
    cause: str


# ---- what happened


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
class ReconnectAsked:
    """`reconnect`; whether a media worker has room is known to the shell."""

    seat: Seat
    media_ready: bool


@dataclass(frozen=True, slots=True)
class PhoneBackAsked:
    """`phone_back`."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class GuestInvited:
    """The hospital makes a link for a guest."""

    seat: Seat
    kind: GuestKind


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
class MessageKept:
    """A message is durable."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessagesFound:
    """What was written before this process: the newest number, and what is not known to be on the evidence log."""

    last: int
    unnoted: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class LinksRevoked:
    """Tokens under a smaller epoch are worthless."""

    links_epoch: int


@dataclass(frozen=True, slots=True)
class QueueMoved:
    """The number of patients before this one changed, or the estimate of the wait."""

    ahead: int
    estimate: Estimate | None = None


@dataclass(frozen=True, slots=True)
class TimePassed:
    """The time that `Visit.deadline` named has come."""


@dataclass(frozen=True, slots=True)
class Negotiated:
    """The worker answered an offer of this seat."""

    seat: Seat
    pc: str


@dataclass(frozen=True, slots=True)
class RoomOpened:
    """An empty room is open on a worker; `epoch` names that worker's life."""

    epoch: str


@dataclass(frozen=True, slots=True)
class RoomFound:
    """A room that outlived our link to its worker, as it is now: seat → (pc, state)."""

    epoch: str
    tracks: tuple[Track, ...] = ()
    seats: Mapping[Seat, tuple[str, Transport]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """The link to the worker that carries the visit ended; the media may still flow."""


@dataclass(frozen=True, slots=True)
class TracksChanged:
    """All tracks of the room."""

    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class TransportChanged:
    """A seat's transport changed state; `none` when it is gone."""

    seat: Seat
    pc: str
    state: Transport


@dataclass(frozen=True, slots=True)
class QualityTold:
    """How a seat's line has been for the last two seconds."""

    seat: Seat
    detail: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class FeedChanged:
    """Whether the worker feeds the recorder."""

    fed: bool


@dataclass(frozen=True, slots=True)
class TapSet:
    """The worker answered `SetTap`."""

    seat: Seat
    on: bool


@dataclass(frozen=True, slots=True)
class MediaClosed:
    """The taps are shut and the room is closed, or its worker is gone with it."""


@dataclass(frozen=True, slots=True)
class RecorderCame:
    """The recorder greeted us."""


@dataclass(frozen=True, slots=True)
class RecorderLost:
    """The link to the recorder ended."""


@dataclass(frozen=True, slots=True)
class Noted:
    """The record with this key is durable (REC-1)."""

    key: str


@dataclass(frozen=True, slots=True)
class RecordingStarted:
    """`StartRecording` was answered."""

    seats: tuple[Seat, ...] = SEATS


@dataclass(frozen=True, slots=True)
class LogClosed:
    """The evidence log is complete."""


@dataclass(frozen=True, slots=True)
class RecorderRefused:
    """The recorder understood and refused; `code` is its own."""

    code: str


@dataclass(frozen=True, slots=True)
class StreamsAlive:
    """The recorder's proof of life."""

    streams: tuple[Stream, ...]


@dataclass(frozen=True, slots=True)
class GapDeclared:
    """A gap was put on the record."""

    gap: Gap


Input = (
    SeatJoined
    | SeatLeft
    | Entered
    | Decided
    | Withdrew
    | Admitted
    | Offered
    | DevicesTold
    | EndAsked
    | Held
    | SentBack
    | Advised
    | ReconnectAsked
    | PhoneBackAsked
    | GuestInvited
    | GuestAdmitted
    | GuestDismissed
    | Writing
    | MessageKept
    | MessagesFound
    | LinksRevoked
    | QueueMoved
    | TimePassed
    | Negotiated
    | RoomOpened
    | RoomFound
    | WorkerLost
    | TracksChanged
    | TransportChanged
    | QualityTold
    | FeedChanged
    | TapSet
    | MediaClosed
    | RecorderCame
    | RecorderLost
    | Noted
    | RecordingStarted
    | LogClosed
    | RecorderRefused
    | StreamsAlive
    | GapDeclared
)


# ---- what the visit asks for


@dataclass(frozen=True, slots=True)
class Save:
    """Make the facts durable."""


@dataclass(frozen=True, slots=True)
class Push:
    """Show both seats the new state; `urgent` (phase, room or tracks changed) is never held back to coalesce."""

    urgent: bool


@dataclass(frozen=True, slots=True)
class TellMessage:
    """Send a message to every seat."""

    message: Message


@dataclass(frozen=True, slots=True)
class MarkNoted:
    """Remember that this message is on the evidence log."""

    seq: int


@dataclass(frozen=True, slots=True)
class OpenRoom:
    """Find the visit's room on a worker, or open one."""


@dataclass(frozen=True, slots=True)
class SetTap:
    """Open or shut the tap of one seat (CTL-2)."""

    seat: Seat
    on: bool


@dataclass(frozen=True, slots=True)
class DropSeat:
    """Shut the seat's tap and end its transport."""

    seat: Seat


@dataclass(frozen=True, slots=True)
class CloseRoom:
    """Shut every tap, then close the room, then say `MediaClosed`."""


@dataclass(frozen=True, slots=True)
class OpenLog:
    """Begin the evidence log. It and what is asked for with it go before anything the recorder has not answered yet."""


@dataclass(frozen=True, slots=True)
class Note:
    """Append a record; the same `key` adds nothing twice (REC-2)."""

    key: str
    kind: RecordKind
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class StartRecording:
    """Recording may begin for these seats."""

    seats: tuple[Seat, ...] = SEATS


@dataclass(frozen=True, slots=True)
class CloseLog:
    """Seal the evidence log."""

    reason: str


Errand = OpenLog | Note | StartRecording | CloseLog
RoomErrand = OpenRoom | SetTap | DropSeat | CloseRoom
Output = Save | Push | TellMessage | MarkNoted | RoomErrand | Errand
