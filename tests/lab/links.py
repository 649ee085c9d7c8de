"""The links of the goals table, by name; the patient's is bad, the doctor's is clean.

A steady link is already bad when the two meet. A link with a story (`seconds` of its own) is good until the story begins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.lab.link import Forecast
from tests.lab.place import BASE, Plan

QUEUE_S = 0.3
DARK_AT_S, DARK_FOR_S = 3.0, 4.0
STEPS_BPS = (1.0e6, 2.5e6, 0.6e6, 1.0e6)
STEP_S = 12.0
MOVE_AT_S = 3.0


@dataclass(frozen=True, slots=True)
class Goal:
    """What the medians must reach; None is not asked."""

    fps: float | None = None
    freeze: float | None = None
    concealed: float | None = None
    screen_fps: float | None = None
    picture_back_s: float | None = None
    sound_back_s: float | None = None
    used: float | None = None
    down_s: float | None = None
    back_s: float | None = None
    queue_p95_ms: float | None = None
    audio_only_s: float | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A link, how it is told, and its goal."""

    name: str
    words: str
    plan: Plan
    goal: Goal = Goal()
    seconds: float = 0.0
    """A story lasts at least this long, and begins once the two see each other on a good link."""
    uplink_too: bool = True
    """Whether the goal stands for what the doctor receives as well."""
    shares: bool = False
    moves: bool = False

    @property
    def steady(self) -> bool:
        """Whether it is like this from the start."""
        return self.seconds == 0


def _rate(bps: float) -> Plan:
    return Plan.both(replace(BASE, rate_bps=bps, queue_s=QUEUE_S))


def _steps() -> Forecast:
    changes = [(n * STEP_S, replace(BASE, rate_bps=bps, queue_s=QUEUE_S)) for n, bps in enumerate(STEPS_BPS)]
    return Forecast(tuple(changes))


_BAD = replace(BASE, delay_s=0.12, loss=0.1, rate_bps=6e5, queue_s=QUEUE_S)
_DARK = Forecast.steady(BASE).with_blackout(DARK_AT_S, DARK_FOR_S)

LINKS = {
    link.name: link
    for link in (
        Named("clear", "80 ms, nothing lost", Plan.both(BASE), Goal(24, 0.01, 0.01)),
        Named("random10", "10 % random", Plan.both(replace(BASE, loss=0.1)), Goal(22, 0.03, 0.015)),
        Named(
            *("random30down", "30 % random, downlink", Plan.downlink(replace(BASE, loss=0.3)), Goal(12, 0.2, 0.03)),
            uplink_too=False,
        ),
        Named("bursty10", "10 % bursty", Plan.both(replace(BASE, loss=0.1, burst=5)), Goal(22, 0.06, 0.05)),
        Named("500k", "500 kbit/s", _rate(5e5), Goal(20, 0.02, 0.01)),
        Named("250k", "250 kbit/s", _rate(2.5e5), Goal(15, 0.05, 0.01)),
        Named(
            "300k-down-share",
            "300 kbit/s down, screen shared",
            Plan.downlink(replace(BASE, rate_bps=3e5, queue_s=QUEUE_S)),
            Goal(concealed=0.01, screen_fps=2),
            uplink_too=False,
            shares=True,
        ),
        Named("600k+10+240", "600 kbit/s, 10 %, 240 ms", Plan.both(_BAD), Goal(15, 0.12, 0.03)),
        Named("100k", "100 kbit/s", _rate(1e5), Goal(concealed=0.02, audio_only_s=3), seconds=15),
        Named(
            "random50",
            "50 % random",
            Plan.both(replace(BASE, loss=0.5)),
            Goal(concealed=0.15, audio_only_s=3),
            seconds=15,
        ),
        Named(
            *("blackout4", "4 s blackout", Plan.both(_DARK), Goal(picture_back_s=1.0, sound_back_s=0.5)),
            seconds=DARK_AT_S + DARK_FOR_S + 8,
        ),
        Named(
            *(
                "steps",
                "1.0/2.5/0.6/1.0 Mbit/s",
                Plan.both(_steps()),
                Goal(used=0.75, down_s=1, back_s=8, queue_p95_ms=150),
            ),
            seconds=STEP_S * len(STEPS_BPS),
            uplink_too=False,  # media/decisions/0012: a Chromium's own control, directly too
        ),
        Named(
            *("switch", "the address changes", Plan.both(BASE), Goal(sound_back_s=1.5)),
            seconds=MOVE_AT_S + 12,
            moves=True,
        ),
    )
}
