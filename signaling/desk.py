"""One doctor's desk: the queue, and every socket of that doctor that wants to see it.

DESK-1  Every change reaches every connected socket of the doctor; bursts are shown at most 20 times a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from signaling import snapshot
from signaling.channel import Channel
from signaling.ports import Clock
from signaling.waiting import Queue, Row

BURST_S = 0.05


class Desk:
    """See the module. `moved(visit, ahead)` is called for each waiting visit after a change."""

    def __init__(self, clock: Clock, moved: Callable[[str, int], None]) -> None:
        self._queue = Queue()
        self._clock = clock
        self._moved = moved
        self._seqs: dict[Channel, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._shown_at = float("-inf")

    @property
    def idle(self) -> bool:
        """Whether nobody looks and nobody waits."""
        return not self._seqs and not len(self._queue)

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
        for each, ahead in self._queue.ahead().items():
            self._moved(each, ahead)

    def close(self) -> None:
        """Forget the timer."""
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
        self.close()
        self._shown_at = asyncio.get_running_loop().time()
        for channel in list(self._seqs):
            self._show_to(channel)

    def _show_to(self, channel: Channel) -> None:
        self._seqs[channel] += 1
        channel.send("queue", snapshot.queue(self._queue.rows(), self._seqs[channel], self._clock()))
