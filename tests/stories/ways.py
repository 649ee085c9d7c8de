"""The way of a seat's packets to the worker: they are lost in bursts, come late, twice, out of order, or by repair."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from media.tap import RECOVERED
from tests.stories.senders import Packet
from tests.stories.steps import Weather

GIVEN_UP_MS = 450
"""Later than the packets behind it the recorder does not wait for one (ORDER-1)."""


class Came(NamedTuple):
    """A packet at the worker. Ordered by time, then as sent; `late`: after the recorder may have given it up."""

    at_us: int
    number: int
    handle: int
    flags: int
    packet: Packet
    late: bool

    def noted(self) -> None:
        """The worker took it, for the first time or again."""
        shot, place = self.packet.shot, self.packet.place
        if shot is None:
            return
        if shot.came_us[place] is not None:
            shot.again = True
            return
        shot.came_us[place] = self.at_us
        shot.late |= self.late


class Way:
    """One seat's."""

    def __init__(self, rng: Random, seat: str) -> None:
        self.weather = Weather(0, seat)
        self.dark_until_us = 0
        self._rng = rng
        self._burst = 0
        self._newest_us = 0

    def carry(self, at_us: int, handle: int, packet: Packet, number: int) -> list[Came]:
        """When it comes, if it does."""
        rng, weather = self._rng, self.weather
        if self._lost(at_us):
            if at_us < self.dark_until_us or rng.random() >= weather.repairs:
                return []
            came_us, flags = at_us + (weather.delay_ms + weather.repair_ms) * 1000, packet.flags | RECOVERED
        else:
            came_us, flags = at_us + weather.delay_ms * 1000, packet.flags
            if weather.jitter_ms:
                came_us += rng.randrange(weather.jitter_ms * 1000)
            else:  # a queue: nothing overtakes
                came_us = self._newest_us = max(came_us, self._newest_us)
        late = came_us - at_us > (weather.delay_ms + GIVEN_UP_MS) * 1000
        times = [came_us] if rng.random() >= weather.doubles else [came_us, came_us + rng.randrange(300_000)]
        return [Came(time, 2 * number + again, handle, flags, packet, late) for again, time in enumerate(times)]

    def _lost(self, at_us: int) -> bool:
        if at_us < self.dark_until_us:
            return True
        if self._burst:
            self._burst -= 1
            return True
        weather = self.weather
        if weather.loss and self._rng.random() < weather.loss / weather.burst:
            self._burst = weather.burst - 1
            return True
        return False
