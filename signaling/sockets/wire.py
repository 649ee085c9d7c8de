"""python-socketio made strict: what reaches the gateway is one well-formed text packet after another, in order.

The stock server is lenient where a hostile peer would like it to be: it takes binary attachments, runs the handler of
`connect` for an event of that name, forgets to hang up on a packet it cannot parse, and queues without end. Here:

WIRE-1  A frame that is binary, over 256 KiB, or no Engine.IO and Socket.IO packet ends the connection (SIG-14).
WIRE-2  One CONNECT a connection, for `/`, within 10 s; nothing else is heard before it, and nothing after a refusal.
WIRE-3  A client that leaves 128 packets unread is hung up on: it will come back to a fresh state.
WIRE-4  Events go to the listener in the order they came, and never to handlers found by name.
WIRE-5  JSON that only a lenient reader would take (a member twice, a number over 100 digits, NaN, nesting without end) is
        no reason to hang up: `UNREADABLE` stands in its place, and whoever validates refuses it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import aiohttp
import socketio
from aiohttp import web
from engineio import packet as engine
from socketio import packet as packets

PING_INTERVAL_S = 5  # SIG-2
PING_TIMEOUT_S = 10
MAX_FRAME = 256 * 1024
CONNECT_WITHIN_S = 10.0
UNREAD_MOST = 128
BYE_WITHIN_S = 1.0
DIGITS_MOST = 100
NAMESPACE_MOST = 64

# The library logs whole packets, tokens and SDP among them, from INFO down, and as an ERROR what a request was refused for,
# which quotes the request. What it says beyond that are exceptions.
_quiet = logging.getLogger("signaling.sockets.wire.library")
_quiet.setLevel(logging.ERROR)
_quiet.addFilter(lambda record: record.exc_info is not None)


class _Unreadable:
    """JSON that has no one meaning; no schema takes it."""


UNREADABLE = _Unreadable()
_EVENT_NAME = re.compile(r'\s*\[\s*"([^"\\]{0,64})"')


class _Json:
    """What the library's packets read and write JSON with (WIRE-5)."""

    @staticmethod
    def loads(text: str) -> object:
        """Read. Raises `ValueError` for what is no JSON."""
        try:
            return json.loads(text, object_pairs_hook=_members, parse_int=_whole_number, parse_constant=_constant)
        except RecursionError:
            named = _EVENT_NAME.match(text)
            return ["" if named is None else named[1], UNREADABLE]

    dumps = staticmethod(json.dumps)


def _members(pairs: list[tuple[str, object]]) -> object:
    members = dict(pairs)
    return members if len(members) == len(pairs) else UNREADABLE


def _whole_number(digits: str) -> object:
    return int(digits) if len(digits) <= DIGITS_MOST else UNREADABLE


def _constant(_name: str) -> object:
    return UNREADABLE


class _Packet(packets.Packet):  # type: ignore[misc]
    json = _Json


class Refused(Exception):
    """A CONNECT is refused; `payload` becomes the error's `data`."""

    def __init__(self, payload: dict[str, Any]) -> None:
        super().__init__(payload["code"])
        self.payload = payload


class Listener(Protocol):
    """Who hears of connections. `connection` names one for its whole life."""

    async def connected(self, connection: str, request: web.Request, auth: object) -> None:
        """A client asks to be let in. Raises `Refused`. `welcomed` follows once the client has been told."""
        ...

    def welcomed(self, connection: str) -> None:
        """The client knows that it is in: from here on events may be sent."""
        ...

    def heard(
        self, connection: str, name: object, arguments: list[object], ack: int | None, size: int, namespace: str
    ) -> None:
        """An event; `size` is that of its packet in bytes, `namespace` where the client said it: only `/` has any."""
        ...

    def pulse(self, connection: str, rtt_s: float) -> None:
        """A ping was answered after so many seconds."""
        ...

    def gone(self, connection: str) -> None:
        """The connection ended. Told once for every `connected` that did not raise."""
        ...


class _Socket:
    """Engine.IO's WebSocket over aiohttp's, strict (WIRE-1). The library makes one a connection and calls the methods."""

    def __init__(self, handler: Callable[[_Socket], Awaitable[None]], server: Any) -> None:
        self._handler = handler
        self._server = server
        self._socket = web.WebSocketResponse(max_msg_size=MAX_FRAME + 1, compress=False, timeout=BYE_WITHIN_S)
        self._request: web.Request | None = None
        self._pinged_at: float | None = None
        self.connection = ""

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        self._request = environ["aiohttp.request"]
        connection: str = self._handler.__self__.sid  # type: ignore[attr-defined]
        self._server.open_sockets[connection] = self
        self.connection = connection
        try:
            await self._socket.prepare(self._request)
            await self._handler(self)
        finally:
            del self._server.open_sockets[connection]
        return self._socket

    async def wait(self) -> str:
        """The next frame. Raises `OSError` for what is none: the library then closes in order."""
        message = await self._socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT or not _well_formed(message.data):
            raise OSError("not a packet")
        text: str = message.data
        if text[:1] == "3" and self._pinged_at is not None:
            rtt_s, self._pinged_at = asyncio.get_running_loop().time() - self._pinged_at, None
            self._server.pulse(self.connection, rtt_s)
        return text

    async def send(self, frame: str | bytes) -> None:
        """Send one frame."""
        if frame in ("2", b"2"):
            self._pinged_at = asyncio.get_running_loop().time()
        await self._socket.send_str(frame if isinstance(frame, str) else frame.decode())

    async def close(self) -> None:
        """Close politely."""
        await self._socket.close()

    def abort(self) -> None:
        """Hang up now."""
        if self._request is not None and self._request.transport is not None:
            self._request.transport.close()


class Wire(socketio.AsyncServer):  # type: ignore[misc]
    """See the module."""

    def __init__(self, listener: Listener) -> None:
        super().__init__(
            async_mode="aiohttp",
            transports=["websocket"],
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            max_http_buffer_size=MAX_FRAME,
            serializer=_Packet,
            cors_allowed_origins=[],  # SIG-3 is the gateway's, so that the refusal has a code
            logger=_quiet,
            engineio_logger=_quiet,
        )
        self.eio.open_sockets = {}
        self.eio.pulse = listener.pulse
        self.eio._async = {**self.eio._async, "websocket": _Socket}
        self._listener = listener
        self._admitted: set[str] = set()
        self._refused: set[str] = set()
        self._deadlines: dict[str, asyncio.TimerHandle] = {}

    # ---- out

    def tell(self, connection: str, event: str, payload: dict[str, Any]) -> bool:
        """Send an event; false if there is no such connection, or it was hung up on (WIRE-3)."""
        return self._put(connection, self.packet_class(packets.EVENT, data=[event, payload]))

    def acknowledge(self, connection: str, ack: int, payload: dict[str, Any], namespace: str = "/") -> bool:
        """Answer an event where it was said."""
        return self._put(connection, self.packet_class(packets.ACK, id=ack, data=[payload], namespace=namespace))

    async def hang_up(self, connection: str) -> None:
        """Close after what is queued has gone out, and in any case within a second."""
        self._admitted.discard(connection)
        try:
            async with asyncio.timeout(BYE_WITHIN_S):
                await self.eio.disconnect(connection)
                await asyncio.sleep(BYE_WITHIN_S / 4)
        except TimeoutError:
            pass
        self.abort(connection)

    def abort(self, connection: str) -> None:
        """Close now."""
        socket = self.eio.open_sockets.get(connection)
        if socket is not None:
            socket.abort()

    def _put(self, connection: str, packet: packets.Packet) -> bool:
        socket = self.eio.sockets.get(connection)
        if socket is None or socket.closed or socket.closing:
            return False
        if socket.queue.qsize() >= UNREAD_MOST:  # WIRE-3
            self.abort(connection)
            return False
        socket.queue.put_nowait(engine.Packet(engine.MESSAGE, data=packet.encode()))
        return True

    # ---- in: the library calls these

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        self.environ[eio_sid] = environ
        loop = asyncio.get_running_loop()
        self._deadlines[eio_sid] = loop.call_later(CONNECT_WITHIN_S, self.abort, eio_sid)  # WIRE-2

    async def _handle_eio_message(self, eio_sid: str, data: str) -> None:
        packet = self.packet_class(encoded_packet=data)
        if eio_sid in self._refused:
            self.abort(eio_sid)  # WIRE-2
        elif packet.packet_type == packets.CONNECT and eio_sid not in self._admitted:
            await self._let_in(eio_sid, packet.namespace or "/", packet.data)
        elif packet.packet_type == packets.EVENT and eio_sid in self._admitted:
            size = len(data.encode("utf-8", "surrogatepass"))
            namespace = packet.namespace or "/"
            # A name too long to repeat is one that nobody listens on: the refusal goes out as a `problem`.
            ack = packet.id if len(namespace) <= NAMESPACE_MOST else None
            self._listener.heard(eio_sid, packet.data[0], packet.data[1:], ack, size, namespace)
        elif packet.packet_type != packets.ACK or eio_sid not in self._admitted:
            self.abort(eio_sid)  # WIRE-2, or a DISCONNECT

    async def _handle_eio_disconnect(self, eio_sid: str, _reason: str) -> None:
        self.environ.pop(eio_sid, None)
        self._forget_deadline(eio_sid)
        self._admitted.discard(eio_sid)
        self._refused.discard(eio_sid)
        self._listener.gone(eio_sid)

    async def _let_in(self, eio_sid: str, namespace: str, auth: object) -> None:
        if namespace != "/":
            self._refuse(eio_sid, {"v": 1, "code": "namespace_unknown", "message": "connect to /"}, namespace)
            return
        try:
            await self._listener.connected(eio_sid, self.environ[eio_sid]["aiohttp.request"], auth)
        except Refused as refused:
            self._refuse(eio_sid, refused.payload, namespace)
            return
        if eio_sid not in self.environ:  # it went while we thought
            self._listener.gone(eio_sid)
            return
        self._forget_deadline(eio_sid)
        self._admitted.add(eio_sid)
        self._put(eio_sid, self.packet_class(packets.CONNECT, {"sid": self.eio.generate_id()}))
        self._listener.welcomed(eio_sid)

    def _refuse(self, eio_sid: str, payload: dict[str, Any], namespace: str) -> None:
        self._refused.add(eio_sid)
        data = {"message": payload["code"], "data": payload}
        self._put(eio_sid, self.packet_class(packets.CONNECT_ERROR, data=data, namespace=namespace))

    def _forget_deadline(self, eio_sid: str) -> None:
        deadline = self._deadlines.pop(eio_sid, None)
        if deadline is not None:
            deadline.cancel()


def _well_formed(frame: str) -> bool:
    """Whether the library can take this frame: a pong, a close, or a message with a Socket.IO packet of text."""
    if frame[:1] in ("3", "1"):
        return len(frame) <= 16
    if frame[:1] != "4":
        return False
    try:
        packet = _Packet(encoded_packet=frame[1:])
    except (ValueError, IndexError, KeyError):
        return False
    match packet.packet_type:
        case packets.EVENT:
            return isinstance(packet.data, list) and bool(packet.data)
        case packets.CONNECT | packets.DISCONNECT | packets.ACK:
            return True
    return False
