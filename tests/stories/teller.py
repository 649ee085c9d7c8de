"""Makes stories up: the same seed tells the same story.

Most of what it draws is plain, so that the odd step falls into a visit that works; few stories have everything at once.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.stories import steps as s

HOUR_MS = 3_600_000
SEATS = ("doctor", "patient", "guest-1")


def tell(seed: int) -> s.Story:
    """The story of a seed."""
    rng = Random(seed)
    end_ms = rng.choice([rng.randrange(200, 4000), rng.randrange(2000, 12_000), rng.randrange(2000, 12_000), 16_000])
    seats = SEATS[: rng.choice([1, 1, 2, 2, 3])]
    steps: list[s.Step] = []
    for seat in seats:
        steps += _arrives(rng, seat, end_ms)
    for _ in range(rng.choice([0, 1, 1, 2, 3, 5, 9])):
        steps.append(rng.choice(_TURNS)(rng, 20 * rng.randrange(end_ms // 20), rng.choice(seats)))
    steps.sort(key=lambda step: step.at_ms)
    return s.Story(seed, end_ms, rng.random() < 0.25, rng.random() < 0.5, tuple(steps))


def _arrives(rng: Random, seat: str, end_ms: int) -> list[s.Step]:
    came_ms = 0 if rng.random() < 0.7 else 20 * rng.randrange(end_ms // 20)
    steps: list[s.Step] = [s.Agree(came_ms, seat)]
    if rng.random() < 0.4:
        steps.append(_weather(rng, 0, seat))
    wanted = rng.choice(
        [("microphone", "camera")] * 4 + [("microphone",), ("camera",), ("microphone", "camera", "screen")]
    )
    for source in wanted:
        early = rng.random() < 0.3
        at_ms = 0 if early else came_ms + 20 * rng.choice([0, 1, 5, rng.randrange(100)])
        steps.append(s.Publish(at_ms, seat, source, _codec(rng, source)))  # type: ignore[arg-type]
    return steps


def _codec(rng: Random, source: str) -> s.Codec:
    return "opus" if source == "microphone" else rng.choice(["VP8", "VP8", "VP9", "H264"])


def _source(rng: Random) -> s.Source:
    return rng.choice(["microphone", "microphone", "camera", "camera", "camera", "screen"])


def _weather(rng: Random, at_ms: int, seat: str) -> s.Weather:
    bad = rng.random() < 0.5
    return s.Weather(
        at_ms,
        seat,
        loss=rng.choice([0, 0.01, 0.05, 0.2, 0.5]) if bad else 0,
        burst=rng.choice([1, 3, 20]),
        doubles=rng.choice([0, 0, 0.05]),
        repairs=rng.choice([0, 0.5, 1.0]),
        repair_ms=rng.choice([60, 200, 450, 900]),
        delay_ms=rng.choice([5, 20, 20, 150, 400]),
        jitter_ms=rng.choice([0, 0, 5, 30, 120]),
    )


def _publish(rng: Random, at_ms: int, seat: str) -> s.Step:
    source = _source(rng)
    return s.Publish(at_ms, seat, source, _codec(rng, source), rng.random() < 0.3)


def _device(rng: Random, at_ms: int, seat: str) -> s.Step:
    return s.Device(at_ms, seat, _source(rng), rng.choice(["on", "muted", "off", "failed"]), rng.random() < 0.6)


def _jump(rng: Random, at_ms: int, seat: str) -> s.Step:
    near, far = rng.randint(-2500, 2500), rng.choice([-6000, 6000, -HOUR_MS, HOUR_MS, 20 * HOUR_MS])
    return s.Jump(at_ms, seat, _source(rng), rng.choice([near, near, near, far]))


def _leap(rng: Random, at_ms: int, seat: str) -> s.Step:
    return s.Leap(at_ms, seat, _source(rng), rng.choice([-200, -3, 5, 300, 2900, 3100, 32_768, 40_000]))


def _set_clock(rng: Random, at_ms: int, seat: str) -> s.Step:
    return s.SetClock(at_ms, seat, rng.choice([-400, -150, 90, 300, 700, 5000, -HOUR_MS]))


def _lasting(rng: Random) -> int:
    return 20 * rng.choice([1, 10, 15, 30, 60, 120, rng.randrange(1, 250)])


_TURNS: tuple[Callable[[Random, int, str], s.Step], ...] = (
    lambda rng, at_ms, seat: s.Withdraw(at_ms, seat, rng.random() < 0.5),
    lambda rng, at_ms, seat: s.Agree(at_ms, seat),
    lambda rng, at_ms, seat: s.Unpublish(at_ms, seat, _source(rng), rng.random() < 0.4),
    lambda rng, at_ms, seat: s.Silence(at_ms, seat, _source(rng), _lasting(rng)),
    lambda rng, at_ms, seat: s.Resize(at_ms, seat, _source(rng)),
    lambda rng, at_ms, seat: s.Blackout(at_ms, seat, _lasting(rng)),
    lambda rng, at_ms, seat: s.TapBreaks(at_ms, _lasting(rng)),
    lambda rng, at_ms, seat: s.WorkerDies(at_ms, _lasting(rng)),
    lambda rng, at_ms, seat: s.Starve(at_ms, _lasting(rng)),
    lambda rng, at_ms, seat: s.Crash(at_ms, _lasting(rng), rng.random() < 0.5),
    lambda rng, at_ms, seat: s.Crash(at_ms, _lasting(rng), rng.random() < 0.5),
    lambda rng, at_ms, seat: s.DiskFails(at_ms, _lasting(rng)),
    lambda rng, at_ms, seat: s.Pause(at_ms, _lasting(rng)),
    _publish,
    _publish,
    _device,
    _device,
    _jump,
    _jump,
    _leap,
    _set_clock,
    _weather,
    _weather,
)
