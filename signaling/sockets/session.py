"""PROTOCOL.md §5 over the wire: what one socket says after another.

A session is one accepted connection. It has its own bounded inbox and one task, so that its events are carried out in
the order they came (SIG-13) while heartbeats are still answered. It ends with its connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from signaling.law import events, quality
from signaling.law.errors import EventRefused, NamespaceUnknown, RateLimited
from signaling.law.facts import Level, Seat
from signaling.law.reported import PathTold, TimePassed
from signaling.law.standing import seconds
from signaling.live.actor import VisitActor
from signaling.ports import Claims
from signaling.rate import Bucket, Patience
from signaling.sockets.commands import Commands, Reach
from signaling.sockets.wire import Wire

EVENTS_PER_S = 50.0
EVENTS_AT_ONCE = 100.0
REFUSALS_MOST = 200
REFUSALS_WITHIN_S = 10.0
INBOX = 128
EXPIRY_LOOK_S = 30.0
WHOLE_SECONDS_S = 2.0  # tokens count whole seconds from a whole second, visits milliseconds
CLOCKS_S = 0.01  # a sleep may end a little early by the clock that visits go by

log = logging.getLogger(__name__)

Heard = tuple[object, events.Event, int | None]


class Session:
    """One socket in a seat; a `Channel` for actor and desk."""

    def __init__(
        self, wire: Wire, reach: Reach, connection: str, claims: Claims, seat: Seat, actor: VisitActor
    ) -> None:
        self._wire = wire
        self._registry = reach.registry
        self._clock = reach.clock
        self._commands = Commands(reach, claims, seat, actor)
        self._connection = connection
        self._claims = claims
        self._seat: Seat = seat
        self._actor = actor
        self._doctor = actor.facts.doctor.id if seat == "doctor" else None
        self._inbox: asyncio.Queue[Heard] = asyncio.Queue(INBOX)
        self._bucket = Bucket(EVENTS_PER_S, EVENTS_AT_ONCE)
        self._patience = Patience(REFUSALS_MOST, REFUSALS_WITHIN_S)
        self._closed = False
        self._path: Level | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._farewell: asyncio.Task[None] | None = None

    # ---- as a channel

    @property
    def links_epoch(self) -> int:
        """The epoch of this socket's token."""
        return self._claims.links_epoch

    def send(self, event: str, payload: dict[str, Any]) -> None:
        """Send an event, if anybody is there."""
        if not self._closed:
            self._wire.tell(self._connection, event, payload)

    def bye(self, code: str) -> None:
        """Say why, and hang up."""
        if self._closed:
            return
        self.send("bye", {"v": events.VERSION, "code": code})
        self._closed = True
        self._closing = asyncio.create_task(self._wire.hang_up(self._connection))

    # ---- its life

    def begin(self) -> None:
        """The client knows that it is in."""
        self._task = asyncio.create_task(self._run(), name="session")
        self._watch_expiry()

    def hear(self, name: object, arguments: list[object], ack: int | None, size: int, namespace: str) -> None:
        """An event came: refuse it now, or put it in line."""
        if self._closed:
            return
        try:
            if not self._bucket.take(asyncio.get_running_loop().time()):
                raise RateLimited
            if namespace != "/":
                raise NamespaceUnknown
            event = events.parse(name, arguments, size)
            if self._inbox.full():
                raise RateLimited
        except EventRefused as refusal:
            self._refuse(name, refusal, ack, namespace)
        else:
            self._inbox.put_nowait((name, event, ack))

    def pulse(self, rtt_s: float) -> None:
        """A ping was answered."""
        before, self._path = self._path, quality.of_socket(rtt_s, self._path)
        if before != self._path and not self._closed:
            self._actor.post(PathTold(self._seat, self._path))

    def end(self) -> None:
        """The connection is gone: leave the seat unless another socket took it."""
        self._closed = True
        if self._expiry is not None:
            self._expiry.cancel()
        if self._farewell is not None:
            self._farewell.cancel()
        if self._task is not None:
            self._task.cancel()
        if self._doctor is not None:
            self._registry.turn_away(self._doctor, self)
        self._actor.leave(self._seat, self)

    async def finished(self) -> None:
        """Wait until the connection is hung up on, after `bye`."""
        if self._closing is not None:
            await self._closing

    async def _run(self) -> None:
        try:
            await self._actor.join(self._seat, self)
            if self._doctor is not None:
                self._registry.look(self._doctor, self)
            while True:
                name, event, ack = await self._inbox.get()
                if self._closed:
                    return  # SIG-1: the seat is another socket's
                await self._answer(name, event, ack)
        except EventRefused:
            self.bye("server_stopping")  # the actor ended between finding and joining it

    async def _answer(self, name: object, event: events.Event, ack: int | None) -> None:
        try:
            carried = await self._commands.carry_out(event)
        except EventRefused as refusal:
            self._refuse(name, refusal, ack)
        else:
            if ack is not None and not self._closed:
                self._wire.acknowledge(self._connection, ack, events.acknowledged(**carried))

    def _refuse(self, name: object, refusal: EventRefused, ack: int | None, namespace: str = "/") -> None:
        if self._closed:
            return
        if ack is not None:
            self._wire.acknowledge(self._connection, ack, events.refused(refusal), namespace)
        else:
            self.send("problem", events.problem(name, refusal))
        if self._patience.refused(asyncio.get_running_loop().time()):  # SIG-14
            log.warning("socket flooding", extra={"visit": self._actor.facts.id, "seat": self._seat})
            self.bye("flooding")

    def _watch_expiry(self) -> None:
        """A token that runs out sends its socket away, but never out of a live visit."""
        left_s = self._claims.expires - self._clock()
        if left_s <= 0 and self._actor.facts.phase != "live":
            self._farewell = asyncio.create_task(self._expire())
            return
        wait_s = min(left_s, 3600.0) if left_s > 0 else EXPIRY_LOOK_S
        self._expiry = asyncio.get_running_loop().call_later(wait_s, self._watch_expiry)

    async def _expire(self) -> None:
        """The visit usually ends with its links (SIG-4): whoever waits is shown how it ended before being sent away."""
        if 0 < (left_s := self._left_s()) <= WHOLE_SECONDS_S:
            await asyncio.sleep(left_s + CLOCKS_S)
        with contextlib.suppress(EventRefused):
            await self._actor.ask(TimePassed())
        if not self._closed:
            self.send("state", self._actor.state(self._seat))
            self.bye("token_expired")

    def _left_s(self) -> float:
        """Until the visit ends by itself; 0 if it will not."""
        facts = self._actor.facts
        return seconds(facts.expires) - self._clock() if facts.phase in ("scheduled", "waiting") else 0.0
