"""PROTOCOL.md §2 over the wire: who may connect, and in which seat they sit down."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from urllib.parse import urlsplit

from aiohttp import web

from signaling.law import events, snapshot
from signaling.law.errors import PayloadInvalid, VersionUnsupported
from signaling.law.facts import Contacts, Seat
from signaling.law.terms import GUESTS
from signaling.live.actor import VisitActor
from signaling.live.registry import VisitRegistry
from signaling.ports import Claims, Clock, IceServers, Tokens
from signaling.sockets.commands import Reach
from signaling.sockets.session import Session
from signaling.sockets.wire import Refused, Wire
from signaling.sql.launches import SqlLaunches
from signaling.tokens import TokenError

SESSIONS_MOST = 4096


class Gateway:
    """Implements `wire.Listener`. `origins` are all that browsers may come from (`https://host[:port]`): a Host header is
    the client's word, and under DNS rebinding a stranger's page says it truthfully."""

    def __init__(
        self,
        registry: VisitRegistry,
        tokens: Tokens,
        ice_servers: IceServers,
        origins: Sequence[str],
        clock: Clock,
        launches: SqlLaunches | None = None,
        contacts: Contacts | None = None,
    ) -> None:
        self.registry = registry
        self.tokens = tokens
        self.wire = Wire(self)
        self._reach = Reach(registry, tokens, ice_servers, clock, launches)
        self._contacts = snapshot.contacts_shown(contacts or Contacts())
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
        self._need_room()
        try:
            hello = events.parse_hello(auth)
            claims = self.tokens.verify(hello.token)
        except VersionUnsupported as error:
            raise _refusal(error.code, str(error)) from None
        except PayloadInvalid:
            raise _refusal("auth_missing", "the auth payload carries no token") from None
        except TokenError as error:
            raise self._shut_out(error.code, "the token is not accepted") from None
        seat, actor = await self._place(claims)
        self._need_room()  # others may have come meanwhile
        self._sessions[connection] = Session(self.wire, self._reach, connection, claims, seat, actor)

    def _need_room(self) -> None:
        if len(self._sessions) >= SESSIONS_MOST or self.registry.stopping:
            raise _refusal("server_busy", "try again soon")

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

    def pulse(self, connection: str, rtt_s: float) -> None:
        """How long a socket takes to answer tells how a waiting patient's network is."""
        session = self._sessions.get(connection)
        if session is not None:
            session.pulse(rtt_s)

    def gone(self, connection: str) -> None:
        """The connection ended."""
        session = self._sessions.pop(connection, None)
        if session is not None:
            session.end()

    async def _place(self, claims: Claims) -> tuple[Seat, VisitActor]:
        if claims.role == "auditor" or claims.role == "coordinator" or claims.visit is None:
            raise _refusal("role_not_seated", "this link has no seat in a visit")
        actor = await self.registry.get(claims.visit)
        if actor is None:
            raise self._shut_out("visit_unknown", "no such visit")
        if claims.links_epoch < actor.facts.links_epoch:
            raise self._shut_out("token_revoked", "this link was withdrawn")
        if claims.role == "guest":
            seat = next((each for each in GUESTS if each == claims.seat and each in actor.facts.guests), None)
            if seat is None:
                raise self._shut_out("token_revoked", "this link was withdrawn")
            return seat, actor
        return claims.role, actor

    def _shut_out(self, code: str, message: str) -> Refused:
        """A link that opens nothing (any more): whoever holds it can still phone."""
        return _refusal(code, message, {"contacts": self._contacts})

    def _origin_allowed(self, request: web.Request) -> bool:
        """A browser always names its origin; what names none is no browser, and has no ambient rights to abuse."""
        origin = request.headers.get("Origin")
        return origin is None or _origin(origin) in self._origins


def _origin(url: str) -> str:
    """An origin as a browser writes it (RFC 6454 §6.2): no path, and no port that the scheme implies."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host = parts.netloc.lower()
    return f"{parts.scheme}://{host.removesuffix({'http': ':80', 'https': ':443'}.get(parts.scheme, ' '))}"


def _refusal(code: str, message: str, more: Mapping[str, object] = MappingProxyType({})) -> Refused:
    return Refused({"v": events.VERSION, "code": code, "message": message, **more})
