"""What may happen in a visit that is recorded, as a story tells it: one class a step, in the words of who does it.

Times are milliseconds since the story began; `ms` is how long a step lasts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

Codec = Literal["opus", "VP8", "VP9", "H264"]
Source = Literal["microphone", "camera", "screen"]


@dataclass(frozen=True)
class Step:
    """Something that happens."""

    at_ms: int

    def __str__(self) -> str:
        told = " ".join(f"{one.name}={getattr(self, one.name)}" for one in fields(self) if one.name != "at_ms")
        return f"{self.at_ms:>6} {type(self).__name__:<11} {told}"


# ---- people


@dataclass(frozen=True)
class Agree(Step):
    """A seat agrees to be recorded, and is recorded from then on; a guest comes first."""

    seat: str


@dataclass(frozen=True)
class Withdraw(Step):
    """A seat agrees no more. `untapped`: its tracks are taken off the tap at once, and come anew when it agrees again."""

    seat: str
    untapped: bool


@dataclass(frozen=True)
class Publish(Step):
    """A source begins, or is replaced: another device, another codec. `overlap`: the new one is there before the old goes."""

    seat: str
    source: Source
    codec: Codec
    overlap: bool = False


@dataclass(frozen=True)
class Unpublish(Step):
    """A source ends. `gone`: because its transport did."""

    seat: str
    source: Source
    gone: bool


@dataclass(frozen=True)
class Device(Step):
    """A participant says what a device is. `quiet`: nothing is sent while it is not on."""

    seat: str
    source: Source
    state: Literal["on", "muted", "off", "failed"]
    quiet: bool


# ---- what senders do


@dataclass(frozen=True)
class Silence(Step):
    """A source sends nothing; no packet is missing."""

    seat: str
    source: Source
    ms: int


@dataclass(frozen=True)
class Jump(Step):
    """A source's timestamps go on elsewhere."""

    seat: str
    source: Source
    by_ms: int


@dataclass(frozen=True)
class Leap(Step):
    """A source's sequence numbers go on elsewhere."""

    seat: str
    source: Source
    by: int


@dataclass(frozen=True)
class SetClock(Step):
    """A participant's wall clock is set: sender reports say another time."""

    seat: str
    by_ms: int


@dataclass(frozen=True)
class Resize(Step):
    """A picture has another size from its next keyframe on."""

    seat: str
    source: Source


# ---- the network


@dataclass(frozen=True)
class Weather(Step):
    """A seat's way up: `loss` and `doubles` of 1, losses `burst` packets long; `repairs` of 1 come, `repair_ms` later."""

    seat: str
    loss: float = 0.0
    burst: int = 1
    doubles: float = 0.0
    repairs: float = 0.0
    repair_ms: int = 100
    delay_ms: int = 20
    jitter_ms: int = 0


@dataclass(frozen=True)
class Blackout(Step):
    """Nothing of a seat comes through."""

    seat: str
    ms: int


# ---- worker, recorder, disk


@dataclass(frozen=True)
class TapBreaks(Step):
    """The worker's connection to the recorder breaks; the worker keeps what it has."""

    ms: int


@dataclass(frozen=True)
class WorkerDies(Step):
    """The media worker ends with all it kept; another life of it begins, and every source with it."""

    ms: int


@dataclass(frozen=True)
class Starve(Step):
    """The recorder gets no core: everything waits, and is read at once."""

    ms: int


@dataclass(frozen=True)
class Crash(Step):
    """The recorder is killed. `torn`: after a commit was begun, before it was durable."""

    ms: int
    torn: bool


@dataclass(frozen=True)
class DiskFails(Step):
    """The disk takes nothing."""

    ms: int


@dataclass(frozen=True)
class Pause(Step):
    """The disk is full: no media is kept."""

    ms: int


@dataclass(frozen=True)
class Story:
    """A visit from its beginning to its end. `sealed`: its streams are. `tidy`: every source ends before the visit does."""

    seed: int
    end_ms: int
    sealed: bool
    tidy: bool
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        head = f"story {self.seed}: {self.end_ms} ms{', sealed' * self.sealed}{', tidy' * self.tidy}"
        return "\n".join([head, *map(str, self.steps)])
