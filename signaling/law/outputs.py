"""What a visit asks for, in the imperative. Nothing here does anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from signaling.law.facts import Seat
from signaling.law.messages import Message
from signaling.law.terms import SEATS, RecordKind, View


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
class SetView:
    """Show the seat no more of the pictures than this."""

    seat: Seat
    camera: View
    screen: View


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
RoomErrand = OpenRoom | SetTap | SetView | DropSeat | CloseRoom
Output = Save | Push | TellMessage | MarkNoted | RoomErrand | Errand
