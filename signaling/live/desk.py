"""One doctor's desk: the queue, and every socket of that doctor that wants to see it.

DESK-1  Every change reaches every connected socket of the doctor; bursts are shown at most 20 times a second.
DESK-2  Whoever waits is told their place and the estimate of their wait (SIG-21) after every change, and anew every 15 s; how
        long visits take is read again after every visit that ended.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from signaling.law import snapshot
from signaling.law.facts import VisitFacts
from signaling.law.standing import seconds
from signaling.law.wait_estimate import RECENT_MOST, Estimate, PastVisit, estimate
from signaling.law.waiting import Queue, Row
from signaling.live.channel import Channel
from signaling.ports import Clock, StoreAway

BURST_S = 0.05
ANEW_S = 15.0

log = logging.getLogger(__name__)


class Desk:
    """See the module. `moved(visit, ahead, estimate)` tells a waiting visit; `past` reads the doctor's last ones."""

    def __init__(
        self,
        clock: Clock,
        moved: Callable[[str, int, Estimate | None], None],
        past: Callable[[int], Awaitable[list[VisitFacts]]],
    ) -> None:
        self._queue = Queue()
        self._read = past
        self._past: list[PastVisit] = []
        self._learning: asyncio.Task[None] | None = None
        self._anew: asyncio.TimerHandle | None = None
        self._clock = clock
        self._moved = moved
        self._seqs: dict[Channel, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._shown_at = float("-inf")

    @property
    def idle(self) -> bool:
        """Whether nobody looks and nobody waits."""
        return not self._seqs and not len(self._queue)

    @property
    def watched(self) -> bool:
        """Whether the doctor looks."""
        return bool(self._seqs)

    def look(self, channel: Channel) -> None:
        """A socket of the doctor came: it sees the queue at once, and from now on."""
        self._seqs[channel] = 0
        self._show_to(channel)

    def turn_away(self, channel: Channel) -> None:
        """It went."""
        self._seqs.pop(channel, None)

    def change(self, visit: str, row: Row | None) -> None:
        """A visit's row changed; None takes it out."""
        changed = self._queue.remove(visit) if row is None else self._queue.put(row)
        if not changed:
            return
        self._show()
        if row is None or self._learning is None:
            self._learn()
        self._tell_places()

    def close(self) -> None:
        """Forget the timers."""
        if self._anew is not None:
            self._anew.cancel()
            self._anew = None
        if self._learning is not None:
            self._learning.cancel()
        self._forget_burst()

    # ---- how long it takes

    def _tell_places(self) -> None:
        places = self._queue.ahead()
        since = self._queue.under_way_since()
        under_way_s = None if since is None else max(0.0, self._clock() - seconds(since))
        for visit, ahead in places.items():
            self._moved(visit, ahead, estimate(self._past, ahead, under_way_s))
        if self._anew is not None:
            self._anew.cancel()
        self._anew = asyncio.get_running_loop().call_later(ANEW_S, self._tell_places) if places else None

    def _learn(self) -> None:
        if self._learning is None or self._learning.done():
            self._learning = asyncio.create_task(self._learned(), name="desk")

    async def _learned(self) -> None:
        try:
            found = await self._read(RECENT_MOST)
        except StoreAway as error:
            log.warning("waits not estimated anew", extra={"code": error.code})
            return
        self._past = [past for past in map(_past_visit, found) if past is not None]
        self._tell_places()

    # ---- showing

    def _forget_burst(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _show(self) -> None:
        loop = asyncio.get_running_loop()
        wait_s = self._shown_at + BURST_S - loop.time()
        if wait_s <= 0:
            self._show_now()
        elif self._timer is None:
            self._timer = loop.call_later(wait_s, self._show_now)

    def _show_now(self) -> None:
        self._forget_burst()
        self._shown_at = asyncio.get_running_loop().time()
        for channel in list(self._seqs):
            self._show_to(channel)

    def _show_to(self, channel: Channel) -> None:
        self._seqs[channel] += 1
        channel.send("queue", snapshot.queue(self._queue.rows(), self._seqs[channel], self._clock()))


def _past_visit(facts: VisitFacts) -> PastVisit | None:
    """What a visit took, if people ended it."""
    if facts.ended is None or facts.ended.reason not in ("completed", "left"):
        return None
    if facts.live is None or facts.ended_at is None:
        return None
    return PastVisit(seconds(facts.entered or facts.live), seconds(facts.live), seconds(facts.ended_at))
