"""What clocks, queues, stores, workers and recorder report to a visit, in the past tense. `signaling.law.visit` takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from signaling.law.facts import Level, Seat
from signaling.law.messages import Message
from signaling.law.terms import SEATS, Gap, Picture, Stream, Track, Transport
from signaling.law.wait_estimate import Estimate


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
class PictureChanged:
    """A seat is shown another size of a picture, or none."""

    picture: Picture


@dataclass(frozen=True, slots=True)
class SizeWished:
    """What a seat's small encoding of a source should cost (bit/s); None: as it likes."""

    seat: Seat
    source: str
    bps: int | None


@dataclass(frozen=True, slots=True)
class CodecMissed:
    """Somebody in the visit cannot decode the codec of a camera."""


@dataclass(frozen=True, slots=True)
class QualityTold:
    """How a seat's line has been for the last two seconds."""

    seat: Seat
    detail: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class PathTold:
    """How long a seat's socket takes to answer, judged."""

    seat: Seat
    path: Level


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


Reported = (
    MessageKept
    | MessagesFound
    | QueueMoved
    | TimePassed
    | Negotiated
    | RoomOpened
    | RoomFound
    | WorkerLost
    | TracksChanged
    | TransportChanged
    | PictureChanged
    | SizeWished
    | CodecMissed
    | QualityTold
    | PathTold
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
