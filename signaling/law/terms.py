"""The words that what happens to a visit, what it asks for and what is shown of it have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from signaling.law.facts import Seat

SEATS: tuple[Seat, Seat] = ("doctor", "patient")
GUESTS: tuple[Seat, Seat, Seat] = ("guest-1", "guest-2", "guest-3")
ALL_SEATS: tuple[Seat, ...] = (*SEATS, *GUESTS)

Decision = Literal["agreed", "refused"]
Device = Literal["on", "muted", "off", "failed"]
Transport = Literal["none", "connecting", "connected", "silent"]
View = Literal["best", "small", "none"]
RecordKind = Literal["consent", "withdraw", "join", "leave", "event"]
EndedBy = Literal["doctor", "patient", "hospital", "system"]
EndReason = Literal[
    "completed", "left", "cancelled", "abandoned", "expired", "consent_withdrawn", "server_stopped", "transferred"
]


@dataclass(frozen=True, slots=True)
class Track:
    """One published track, as `state.tracks` shows it."""

    id: str
    seat: str
    source: str
    kind: str
    codec: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What a seat is shown of a track, as `state.pictures` shows it. `lines`: its shorter side in pixels, if known."""

    seat: Seat
    track: str
    shown: bool
    lines: int | None
    why: Literal["", "network", "sender", "asked"]
    """Empty: it is the best there is."""


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
