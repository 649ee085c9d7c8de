"""PROTOCOL.md §2 and §5 over the wire: who may sit down, and what one socket says after another.

A session is one accepted connection. It has its own bounded inbox and one task, so that its events are carried out in
the order they came (SIG-13) while heartbeats are still answered. It ends with its connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from signaling import consent_text, events, snapshot
from signaling.actor import VisitActor
from signaling.asked import (
    Advised,
    Decided,
    DevicesTold,
    EndAsked,
    Entered,
    GuestAdmitted,
    GuestDismissed,
    Held,
    PhoneBackAsked,
    SentBack,
    Withdrew,
)
from signaling.errors import (
    ConsentTextUnknown,
    EventRefused,
    Internal,
    NamespaceUnknown,
    PayloadInvalid,
    PhaseWrong,
    RateLimited,
    RoleWrong,
    StoreUnavailable,
    VersionUnsupported,
    VisitEnded,
    VisitUnknown,
)
from signaling.ports import Claims, Clock, IceServers, Seat, StoreAway, Tokens
from signaling.rate import Bucket, Patience
from signaling.registry import VisitRegistry
from signaling.reported import TimePassed
from signaling.standing import seconds
from signaling.terms import GUESTS
from signaling.tokens import TokenError
from signaling.wire import Refused, Wire

EVENTS_PER_S = 50.0
EVENTS_AT_ONCE = 100.0
REFUSALS_MOST = 200
REFUSALS_WITHIN_S = 10.0
SESSIONS_MOST = 4096
INBOX = 128
EXPIRY_LOOK_S = 30.0
WHOLE_SECOND_S = 1.0  # tokens count whole seconds, visits milliseconds

log = logging.getLogger(__name__)

_GUESTS_MAY = (
    events.GiveConsent
    | events.Withdraw
    | events.Offer
    | events.MediaState
    | events.Ice
    | events.WriteMessage
    | events.AskMessages
    | events.Resync
)
Heard = tuple[object, events.Event, int | None]


class Gateway:
    """Implements `wire.Listener`. `origins` are all that browsers may come from (`https://host[:port]`): a Host header is
    the client's word, and under DNS rebinding a stranger's page says it truthfully."""

    def __init__(
        self, registry: VisitRegistry, tokens: Tokens, ice_servers: IceServers, origins: Sequence[str], clock: Clock
    ) -> None:
        self.registry = registry
        self.tokens = tokens
        self.ice_servers = ice_servers
        self.clock = clock
        self.wire = Wire(self)
        self._origins = frozenset(map(_origin, origins))
        self._sessions: dict[str, Session] = {}

    def attach(self, app: web.Application) -> None:
        """Serve `/socket.io/` on this application; what is still connected when it cleans up is hung up on."""
        self.wire.attach(app)
        app.on_shutdown.append(self._shut)

    async def _shut(self, _app: web.Application) -> None:
        for session in list(self._sessions.values()):
            session.bye("server_stopping")
        await asyncio.gather(*(session.finished() for session in list(self._sessions.values())))
        await self.wire.shutdown()

    # ---- the wire tells

    async def connected(self, connection: str, request: web.Request, auth: object) -> None:
        """Let a client in, or refuse it with a code of §2."""
        if not self._origin_allowed(request):  # SIG-3
            raise _refusal("origin_refused", "this origin may not connect")
        if len(self._sessions) >= SESSIONS_MOST or self.registry.stopping:
            raise _refusal("server_busy", "try again soon")
        try:
            hello = events.parse_hello(auth)
            claims = self.tokens.verify(hello.token)
        except VersionUnsupported as error:
            raise _refusal(error.code, str(error)) from None
        except PayloadInvalid:
            raise _refusal("auth_missing", "the auth payload carries no token") from None
        except TokenError as error:
            raise _refusal(error.code, "the token is not accepted") from None
        seat, actor = await self._place(claims)
        self._sessions[connection] = Session(self, connection, claims, seat, actor)

    def welcomed(self, connection: str) -> None:
        """Sit the client down."""
        self._sessions[connection].begin()

    def heard(
        self, connection: str, name: object, arguments: list[object], ack: int | None, size: int, namespace: str
    ) -> None:
        """Pass an event to its session."""
        session = self._sessions.get(connection)
        if session is not None:
            session.hear(name, arguments, ack, size, namespace)

    def gone(self, connection: str) -> None:
        """The connection ended."""
        session = self._sessions.pop(connection, None)
        if session is not None:
            session.end()

    async def _place(self, claims: Claims) -> tuple[Seat, VisitActor]:
        if claims.role == "auditor" or claims.visit is None:
            raise _refusal("role_not_seated", "auditors have no seat in a visit")
        actor = await self.registry.get(claims.visit)
        if actor is None:
            raise _refusal("visit_unknown", "no such visit")
        if claims.links_epoch < actor.facts.links_epoch:
            raise _refusal("token_revoked", "this link was withdrawn")
        if claims.role == "guest":
            seat = next((each for each in GUESTS if each == claims.seat and each in actor.facts.guests), None)
            if seat is None:
                raise _refusal("token_revoked", "this link was withdrawn")
            return seat, actor
        return claims.role, actor

    def _origin_allowed(self, request: web.Request) -> bool:
        """A browser always names its origin; what names none is no browser, and has no ambient rights to abuse."""
        origin = request.headers.get("Origin")
        return origin is None or _origin(origin) in self._origins


class Session:
    """One socket in a seat; a `Channel` for actor and desk."""

    def __init__(self, gateway: Gateway, connection: str, claims: Claims, seat: Seat, actor: VisitActor) -> None:
        self._gateway = gateway
        self._connection = connection
        self._claims = claims
        self._seat: Seat = seat
        self._actor = actor
        self._doctor = actor.facts.doctor.id if seat == "doctor" else None
        self._inbox: asyncio.Queue[Heard] = asyncio.Queue(INBOX)
        self._bucket = Bucket(EVENTS_PER_S, EVENTS_AT_ONCE)
        self._patience = Patience(REFUSALS_MOST, REFUSALS_WITHIN_S)
        self._closed = False
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
            self._gateway.wire.tell(self._connection, event, payload)

    def bye(self, code: str) -> None:
        """Say why, and hang up."""
        if self._closed:
            return
        self.send("bye", {"v": events.VERSION, "code": code})
        self._closed = True
        self._closing = asyncio.create_task(self._gateway.wire.hang_up(self._connection))

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
            self._gateway.registry.turn_away(self._doctor, self)
        self._actor.leave(self._seat, self)

    async def finished(self) -> None:
        """Wait until the connection is hung up on, after `bye`."""
        if self._closing is not None:
            await self._closing

    async def _run(self) -> None:
        try:
            await self._actor.join(self._seat, self)
            if self._doctor is not None:
                self._gateway.registry.look(self._doctor, self)
            while True:
                name, event, ack = await self._inbox.get()
                if self._closed:
                    return  # SIG-1: the seat is another socket's
                await self._answer(name, event, ack)
        except EventRefused:
            self.bye("server_stopping")  # the actor ended between finding and joining it

    async def _answer(self, name: object, event: events.Event, ack: int | None) -> None:
        try:
            carried = await self._carry_out(event)
        except EventRefused as refusal:
            self._refuse(name, refusal, ack)
        else:
            if ack is not None and not self._closed:
                self._gateway.wire.acknowledge(self._connection, ack, events.acknowledged(**carried))

    def _refuse(self, name: object, refusal: EventRefused, ack: int | None, namespace: str = "/") -> None:
        if self._closed:
            return
        if ack is not None:
            self._gateway.wire.acknowledge(self._connection, ack, events.refused(refusal), namespace)
        else:
            self.send("problem", events.problem(name, refusal))
        if self._patience.refused(asyncio.get_running_loop().time()):  # SIG-14
            log.warning("socket flooding", extra={"visit": self._actor.facts.id, "seat": self._seat})
            self.bye("flooding")

    def _watch_expiry(self) -> None:
        """A token that runs out sends its socket away, but never out of a live visit."""
        left_s = self._claims.expires - self._gateway.clock()
        if left_s <= 0 and self._actor.facts.phase != "live":
            self._farewell = asyncio.create_task(self._expire())
            return
        wait_s = min(left_s, 3600.0) if left_s > 0 else EXPIRY_LOOK_S
        self._expiry = asyncio.get_running_loop().call_later(wait_s, self._watch_expiry)

    async def _expire(self) -> None:
        """The visit usually ends with its links (SIG-4): whoever waits is shown how it ended before being sent away."""
        facts = self._actor.facts
        left_s = seconds(facts.expires) - self._gateway.clock()
        if facts.phase in ("scheduled", "waiting") and 0 < left_s <= WHOLE_SECOND_S:
            await asyncio.sleep(left_s)
        with contextlib.suppress(EventRefused):
            await self._actor.ask(TimePassed())
        if not self._closed:
            self.send("state", self._actor.state(self._seat))
            self.bye("token_expired")

    # ---- what each event does

    async def _carry_out(self, event: events.Event) -> dict[str, Any]:
        """What the acknowledgement carries. Raises `EventRefused`."""
        actor, seat = self._actor, self._seat
        if seat in GUESTS and not isinstance(event, _GUESTS_MAY):  # SIG-28
            raise RoleWrong
        match event:
            case events.Enter():
                await actor.ask(Entered(seat))
            case events.GiveConsent():
                await self._consent(event)
            case events.Withdraw():
                await actor.ask(Withdrew(seat))
            case events.Admit():
                await actor.admit(seat)
            case events.Offer():
                return await actor.offer(seat, event)
            case events.MediaState():
                await actor.ask(DevicesTold(seat, event.microphone, event.camera, event.screen))
            case events.Ice():
                return self._ice()
            case events.End(reason=reason):
                assert seat == "doctor" or seat == "patient"
                await actor.ask(EndAsked(seat, reason))
            case events.AdmitGuest(seat=guest):
                await actor.ask(GuestAdmitted(seat, guest))
            case events.DismissGuest(seat=guest):
                await actor.ask(GuestDismissed(seat, guest))
            case events.DeskTake(visit=visit):
                return await self._take(visit)
            case events.WriteMessage():
                message = await actor.write(seat, event)
                return {"seq": message.seq, "at": message.at}
            case events.AskMessages(after=after):
                return await self._messages(after)
            case events.Hold() | events.Resume():
                await actor.ask(Held(seat, on=isinstance(event, events.Hold)))
            case events.ToWaiting():
                await actor.ask(SentBack(seat))
            case events.Advice(text=text):
                await actor.ask(Advised(seat, text))
            case events.Reconnect():
                await actor.reconnect(seat)
            case events.PhoneBack():
                await actor.ask(PhoneBackAsked(seat))
            case events.Resync():
                return {"state": actor.state(seat)}
        return {}

    async def _consent(self, event: events.GiveConsent) -> None:
        if not consent_text.is_shown(event.language, event.text_version, event.text_sha256):
            raise ConsentTextUnknown
        decided = Decided(
            self._seat, event.decision, event.text_version, event.text_sha256, event.language, event.method
        )
        await self._actor.ask(decided)

    async def _messages(self, after: int) -> dict[str, Any]:
        if self._seat in GUESTS:  # SIG-26
            if self._seat not in self._actor.facts.admitted:
                raise PhaseWrong
            after = max(after, self._actor.facts.admitted[self._seat])
        try:
            found = await self._gateway.registry.messages.after(self._actor.facts.id, after)
        except StoreAway:
            raise StoreUnavailable from None
        newest = found[-1].seq if found else after
        return {
            "messages": [snapshot.message(each) for each in found],
            "last": max(newest, self._actor.visit.life.last_message),
        }

    def _ice(self) -> dict[str, Any]:
        if self._actor.facts.phase == "ended":
            raise VisitEnded
        servers, ttl_s = self._gateway.ice_servers.issue(self._actor.facts.id, self._seat)
        return {"ice_servers": servers, "ttl_s": ttl_s}

    async def _take(self, visit: str) -> dict[str, Any]:
        if self._doctor is None:
            raise RoleWrong
        other = await self._gateway.registry.get(visit)
        if other is None or other.facts.doctor.id != self._doctor:
            raise VisitUnknown
        left_s = int(self._claims.expires - self._gateway.clock())
        if left_s <= 0:
            raise Internal("the token of this socket has run out")
        token = self._gateway.tokens.issue(
            "doctor", visit, self._claims.subject, left_s, links_epoch=other.facts.links_epoch
        )
        return {"token": token}


def _origin(url: str) -> str:
    """An origin as a browser writes it (RFC 6454 §6.2): no path, and no port that the scheme implies."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host = parts.netloc.lower()
    return f"{parts.scheme}://{host.removesuffix({'http': ':80', 'https': ':443'}.get(parts.scheme, ' '))}"


def _refusal(code: str, message: str) -> Refused:
    return Refused({"v": events.VERSION, "code": code, "message": message})
