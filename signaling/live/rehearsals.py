"""Rehearsals: rooms in which a browser tries the ways of a visit before there is one. Nobody is in them, nothing is recorded.

REH-1  At most `MOST` at once, each for `LASTS_S`; then its room is closed, whatever goes on in it.
REH-2  One source begins at most six a minute, three at once. A rehearsal answers at most `OFFERS` offers.
REH-3  What a rehearsal answers is media's own answer: what works there works in a visit, over the same ports and relays.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from config.clock import random_name
from config.link import LinkError, Refusal
from media import control as media
from signaling.live.workers import MediaWorkers, Worker
from signaling.ports import Clock, IceServers
from signaling.rate import Bucket

MOST = 16
LASTS_S = 60.0
OFFERS = 16
A_SOURCE_PER_S, A_SOURCE_AT_ONCE = 0.1, 3
MOST_SOURCES = 10_000
NEGOTIATE_WITHIN_S = 5.0


class RehearsalError(Exception):
    """A rehearsal that is refused: `TooManyRehearsals`, `NoWorker`, `RehearsalUnknown`, `OfferInvalid`."""

    code = "rehearsal_error"


class TooManyRehearsals(RehearsalError):
    """REH-1, REH-2."""

    code = "rate_limited"


class NoWorker(RehearsalError):
    """No media worker answers."""

    code = "media_unavailable"


class RehearsalUnknown(RehearsalError):
    """It is over, or never was."""

    code = "rehearsal_unknown"


class OfferInvalid(RehearsalError):
    """Media refused the offer; `code` says why (PROTOCOL.md §6)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class _Rehearsal:
    room: str
    worker: Worker
    ends: asyncio.TimerHandle
    offers: int = 0


@dataclass(frozen=True, slots=True)
class Begun:
    """A rehearsal, and the relays that are tried in it."""

    rehearsal: str
    ice_servers: list[dict[str, Any]] = field(repr=False)
    lasts_s: float = LASTS_S


class Rehearsals:
    """See the module's rules."""

    def __init__(self, workers: MediaWorkers, relays: IceServers, clock: Clock) -> None:
        self._workers, self._relays, self._clock = workers, relays, clock
        self._open: dict[str, _Rehearsal] = {}
        self._sources: OrderedDict[str, Bucket] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()

    async def begin(self, source: str) -> Begun:
        """A room of its own on the worker with the fewest. `source` is the caller's IP. Raises `RehearsalError`."""
        if len(self._open) >= MOST or not self._may(source):
            raise TooManyRehearsals("too many rehearsals; try again in a minute")
        worker = self._workers.pick()
        if worker is None:
            raise NoWorker("no media worker answers")
        name = random_name(18)
        room = f"rehearsal-{name}"
        timer = asyncio.get_running_loop().call_later(LASTS_S, self._end, name)
        self._open[name] = _Rehearsal(room, worker, timer)
        try:
            await worker.ask(media.OpenRoom(room))
        except LinkError as error:
            self._end(name)
            raise NoWorker(str(error)) from None
        servers, _ = self._relays.issue(room, "rehearsal", int(LASTS_S))
        return Begun(name, servers)

    async def offer(
        self, rehearsal: str, seat: str, sdp: str, publish: dict[str, media.Source], subscribe: dict[str, str]
    ) -> str:
        """The answer's SDP. Each seat is a transport and may subscribe to the tracks of others. Raises `RehearsalError`."""
        held = self._open.get(rehearsal)
        if held is None:
            raise RehearsalUnknown("this rehearsal is over")
        held.offers += 1
        if held.offers > OFFERS:
            raise TooManyRehearsals("too many offers in one rehearsal")
        asked = media.Negotiate(held.room, seat, f"{seat}-{held.offers}", sdp, publish, subscribe)
        try:
            said = await held.worker.ask(asked, NEGOTIATE_WITHIN_S)
        except Refusal as refused:
            raise OfferInvalid(refused.code) from None
        except LinkError as error:
            raise NoWorker(str(error)) from None
        assert isinstance(said, media.Answered)
        return said.sdp

    async def close(self) -> None:
        """End all of them."""
        for name in list(self._open):
            self._end(name)
        if self._closing:
            await asyncio.wait(self._closing, timeout=1)

    def _end(self, name: str) -> None:
        held = self._open.pop(name, None)
        if held is None:
            return
        held.ends.cancel()
        task = asyncio.create_task(held.worker.close_room(held.room))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _may(self, source: str) -> bool:
        bucket = self._sources.pop(source, None) or Bucket(A_SOURCE_PER_S, A_SOURCE_AT_ONCE)
        self._sources[source] = bucket
        if len(self._sources) > MOST_SOURCES:
            self._sources.popitem(last=False)
        return bucket.take(self._clock())
