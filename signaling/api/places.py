"""The places for uploads: so many are read at once, and a few slow callers cannot keep all of them.

LEND-1  Sixteen at once, four of one visit: what is in memory of them is bounded. An upload holds its place until it is
        answered.
LEND-2  When all are taken, who comes from a visit that has fewer takes one from the visit that has most: its slowest. Who
        lost a place is answered 503 and sends the same again. Nobody takes one from a visit that would then have fewer than
        the newcomer's: two who want the last place do not take it from each other in turn.
LEND-3  Where that finds none, the slowest of all that are too slow to come to their end in time goes, once it has had its
        place for as long as a phone needs to change its network (`SLOW_AFTER_S`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from signaling.api.bodies import UPLOAD_WITHIN_S
from signaling.api.problems import NotReady
from signaling.ports import Clock

AT_ONCE = 16
OF_ONE = 4
SLOW_AFTER_S = 15.0


class Place:
    """One upload's. `arrived` is told how many bytes came; `lost` is done once somebody else has the place."""

    def __init__(self, visit: str | None, since: float, least_bps: float) -> None:
        self.visit = visit
        self.since = since
        self.least_bps = least_bps
        self.bytes = 0
        self.whole = False
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def arrived(self, count: int) -> None:
        """So many bytes more."""
        self.bytes += count

    def bytes_a_second(self, now: float) -> float:
        """Since it began."""
        return self.bytes / max(now - self.since, 1.0)


class Places:
    """All of one address. `most_bytes` is what an upload may have there."""

    def __init__(self, most_bytes: int, clock: Clock) -> None:
        self._least_bps = most_bytes / UPLOAD_WITHIN_S
        self._clock = clock
        self._taken: list[Place] = []

    @contextmanager
    def one(self, visit: str | None) -> Iterator[Place]:
        """A place for a caller of this visit. Raises `NotReady` if there is none."""
        held = Counter(each.visit for each in self._taken)
        if held[visit] >= OF_ONE:
            raise NotReady("this visit sends as many at once as it may")
        if len(self._taken) >= AT_ONCE:
            self._give_up(self._of_most(visit, held) or self._too_slow())
        place = Place(visit, self._clock(), self._least_bps)
        self._taken.append(place)
        try:
            yield place
        finally:
            if place in self._taken:
                self._taken.remove(place)

    def _give_up(self, place: Place | None) -> None:
        if place is None:
            raise NotReady("too many uploads at once")
        self._taken.remove(place)
        place.lost.set_result(None)

    def _of_most(self, visit: str | None, held: Counter[str | None]) -> Place | None:  # LEND-2
        open_ = [each for each in self._taken if not each.whole and held[each.visit] - 1 >= held[visit] + 1]
        now = self._clock()
        return min(open_, key=lambda each: (-held[each.visit], each.bytes_a_second(now)), default=None)

    def _too_slow(self) -> Place | None:  # LEND-3
        now = self._clock()
        slow = [
            each
            for each in self._taken
            if not each.whole and now - each.since >= SLOW_AFTER_S and each.bytes_a_second(now) < each.least_bps
        ]
        return min(slow, key=lambda each: each.bytes_a_second(now), default=None)
