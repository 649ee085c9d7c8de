"""One direction of a bad network, pure: packets and times go in, packets and the times they arrive come out.

A link is a queue served at a rate, then a delay with jitter. What is lost is lost before the queue (radio) or at its tail
(congestion). The same seed and the same packets give the same losses, whatever the machine does.

LAB-1  Order is kept unless `reorder` says otherwise: jitter stretches, it does not overtake.
LAB-2  The queue is a bound on time (`queue_s` at the current rate); what would wait longer is dropped at the tail.
LAB-3  A blackout drops everything; what waits in the queue is dropped with it.
"""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Weather:
    """How a link is just now. Times in seconds, rates in bit/s, probabilities 0–1."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    reorder: float = 0.0
    loss: float = 0.0
    burst: float = 1.0
    """Mean length of a loss burst in packets; 1 is independent loss, more is Gilbert–Elliott."""
    rate_bps: float | None = None
    queue_s: float = 0.3
    dark: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """A link's weather over time: `(from second, weather)`, the first at 0."""

    changes: tuple[tuple[float, Weather], ...]

    @classmethod
    def steady(cls, weather: Weather) -> Forecast:
        """The same for ever."""
        return cls(((0.0, weather),))

    def with_blackout(self, begins: float, lasts: float) -> Forecast:
        """This forecast with nothing getting through for a while."""
        before = self.at(begins)
        after = self.at(begins + lasts)
        kept = [change for change in self.changes if not begins <= change[0] <= begins + lasts]
        dark = [(begins, replace(before, dark=True)), (begins + lasts, after)]
        return Forecast(tuple(sorted([*kept, *dark], key=lambda change: change[0])))

    def after(self, second: float) -> Forecast:
        """This forecast, begun that much later."""
        return Forecast(tuple((begins + second, weather) for begins, weather in self.changes))

    def at(self, second: float) -> Weather:
        """The weather at that time."""
        return [weather for begins, weather in self.changes if begins <= second][-1]


@dataclass(slots=True)
class Tally:
    """What became of the packets."""

    sent: int = 0
    sent_bytes: int = 0
    delivered: int = 0
    lost: int = 0
    overflowed: int = 0
    delivered_bytes: int = 0
    queue_s: list[float] = field(default_factory=list)


class Link:
    """`push` a packet when it is sent, `pop` what has arrived; `next_at` says when to come again."""

    def __init__(self, forecast: Forecast, seed: int) -> None:
        self.tally = Tally()
        self._forecast = forecast
        self._random = random.Random(seed)
        self._number = itertools.count()
        self._flying: list[tuple[float, int, bytes]] = []
        self._free_at = 0.0
        self._last_arrival = 0.0
        self._bad = False

    def turn(self, forecast: Forecast, seed: int) -> None:
        """Another forecast from now on, with luck and a tally of its own; what is on its way still arrives."""
        self.tally = Tally()
        self._forecast = forecast
        self._random = random.Random(seed)
        self._bad = False

    def push(self, now: float, packet: bytes) -> None:
        """A packet enters the link at `now` (seconds since the link began)."""
        weather = self._forecast.at(now)
        self.tally.sent += 1
        self.tally.sent_bytes += len(packet)
        if weather.dark:
            self.tally.lost += len(self._flying) + 1  # LAB-3
            self._flying.clear()
            self._free_at = now
            return
        if self._falls(weather):
            self.tally.lost += 1
            return
        begins = max(now, self._free_at)
        if weather.rate_bps is not None:
            if begins - now > weather.queue_s:  # LAB-2
                self.tally.overflowed += 1
                return
            self.tally.queue_s.append(begins - now)
            self._free_at = begins + len(packet) * 8 / weather.rate_bps
            begins = self._free_at
        self._fly(begins, weather, packet)

    def pop(self, now: float) -> list[bytes]:
        """Packets that have arrived by `now`, in the order they arrived."""
        out = []
        while self._flying and self._flying[0][0] <= now:
            out.append(heapq.heappop(self._flying)[2])
        self.tally.delivered += len(out)
        self.tally.delivered_bytes += sum(map(len, out))
        return out

    def wait_s(self, now: float) -> float:
        """How long a packet that came now would stand in the queue."""
        return max(0.0, self._free_at - now)

    @property
    def next_at(self) -> float | None:
        """When the next packet arrives."""
        return self._flying[0][0] if self._flying else None

    def _falls(self, weather: Weather) -> bool:
        if weather.loss <= 0:
            return False
        if weather.burst <= 1:
            return self._random.random() < weather.loss
        leave_bad = 1 / weather.burst
        enter_bad = weather.loss * leave_bad / (1 - weather.loss)
        self._bad = self._random.random() >= leave_bad if self._bad else self._random.random() < enter_bad
        return self._bad

    def _fly(self, leaves: float, weather: Weather, packet: bytes) -> None:
        arrives = leaves + weather.delay_s
        if weather.jitter_s:
            arrives += abs(self._random.gauss(0, weather.jitter_s))
        if weather.reorder and self._random.random() < weather.reorder:
            arrives += weather.jitter_s or 0.01
        else:
            arrives = max(arrives, self._last_arrival)  # LAB-1
            self._last_arrival = arrives
        heapq.heappush(self._flying, (arrives, next(self._number), packet))
