"""What a room is given by its worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from media.control import LayerChanged, Quality, SizeWished, TracksChanged, TransportChanged
from media.plane import DataPlane, IceCredentials
from media.tap import TapEnd, TapTrack

News = TracksChanged | TransportChanged | Quality | LayerChanged | SizeWished


class Tap(Protocol):
    """What a room needs of the tap's sending end."""

    def begin(self, track: TapTrack) -> int:
        """TRACK; the handle."""
        ...

    def end(self, end: TapEnd) -> None:
        """END."""
        ...


@dataclass(frozen=True, slots=True)
class Traffic:
    """Counters of transports, added up."""

    packets_in: int = 0
    packets_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(
            self.packets_in + other.packets_in,
            self.packets_out + other.packets_out,
            self.bytes_in + other.bytes_in,
            self.bytes_out + other.bytes_out,
        )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a room is given by its worker: the plane, the tap, the ears of signaling, and numbers nobody else has."""

    plane: DataPlane
    tap: Tap
    tell: Callable[[News], None]
    new_ssrc: Callable[[], int]
    new_credentials: Callable[[], IceCredentials]
    now_us: Callable[[], int]
