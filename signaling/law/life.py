"""What is true of a visit only while this process runs: presence, transports, tracks, and where the recording stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from signaling.law.facts import Level, Seat
from signaling.law.messages import Message
from signaling.law.terms import Device, Gap, Picture, Stream, Track, Transport, View
from signaling.law.wait_estimate import Estimate


@dataclass(frozen=True, slots=True)
class SeatLife:
    """One seat now. `pc` names its transport; `tapped`: the worker has said that its tap is open."""

    present: bool = False
    media: Transport = "none"
    pc: str | None = None
    microphone: Device = "off"
    camera: Device = "off"
    screen: Device = "off"
    tapped: bool = False
    path: Level | None = None
    """How the seat's socket answers; None until it was asked."""
    sees_camera: View = "best"
    sees_screen: View = "best"


_NOBODY = SeatLife()


@dataclass(frozen=True, slots=True)
class Life:
    """A visit now. Times are seconds since 1970, `since` is ISO 8601."""

    doctor: SeatLife = field(default_factory=SeatLife)
    patient: SeatLife = field(default_factory=SeatLife)
    guests: Mapping[Seat, SeatLife] = field(default_factory=dict)
    tracks: tuple[Track, ...] = ()
    pictures: tuple[Picture, ...] = ()
    """Those that are less than their sender's best."""
    wishes: Mapping[Seat, Mapping[str, int]] = field(default_factory=dict)
    plain_cameras: bool = False
    """Somebody cannot decode what cameras would rather send: VP8, for all of the visit (MEDIA-9)."""
    """Seat → source → what its small encoding should cost (bit/s)."""
    epoch: str | None = None
    media_available: bool = False
    room_closed: bool = False
    ahead: int | None = None
    estimate: Estimate | None = None
    alone_since: float | None = None
    """When the last present seat left a live visit (SIG-9)."""

    last_message: int = 0
    seen: Mapping[Seat, Mapping[str, int | str]] = field(default_factory=dict)
    """What each browser last said it saw of the visit (SIG-42)."""
    unnoted: tuple[Message, ...] = ()
    """Messages that are not known to be on the evidence log."""

    recorder_up: bool = False
    fed: bool = True
    noted: frozenset[Seat] = frozenset()
    """Seats whose consent in force is durable, by what the recorder said in this life of the link."""
    asked: bool = False
    started: bool = False
    """`StartRecording` was asked for, and answered, in this life of the link."""
    guests_asked: frozenset[Seat] = frozenset()
    guests_started: frozenset[Seat] = frozenset()
    """The same for guests, each for itself (SIG-27)."""
    begun: bool = False
    """It was answered at least once."""
    stopped: bool = False
    """Consent was withdrawn in an optional visit, or the log is closed: nothing more is recorded."""
    sealing: bool = False
    since: str | None = None
    streams: tuple[Stream, ...] = ()
    gaps: tuple[Gap, ...] = ()
    retry_at: float | None = None

    def seat(self, seat: Seat) -> SeatLife:
        """One seat's."""
        match seat:
            case "doctor":
                return self.doctor
            case "patient":
                return self.patient
        return self.guests.get(seat, _NOBODY)

    def with_seat(self, seat: Seat, life: SeatLife) -> Life:
        """The same, but for one seat."""
        match seat:
            case "doctor":
                return replace(self, doctor=life)
            case "patient":
                return replace(self, patient=life)
        return replace(self, guests={**self.guests, seat: life})
