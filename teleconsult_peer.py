"""A headless participant: aiortc and Socket.IO, a synthetic picture and sound, and an eye on every packet.

It speaks signaling/PROTOCOL.md as a stranger would and imports no room of ours: `teleconsult probe` holds two of them
against a deployment, load tests many.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import ssl
import time
from array import array
from collections import deque
from collections.abc import Awaitable, Callable
from fractions import Fraction
from typing import Any

import aiohttp
import socketio
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDtlsTransport,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, VideoFrame

WIDTH, HEIGHT, FRAMES_PER_S = 320, 240, 15
SAMPLES_PER_S, SAMPLES = 48_000, 960


class PeerError(Exception):
    """`Refused`, `Ended`, `TooLate` or `MediaFailed`: what a participant can meet. The message is for people."""

    code = "peer_failed"


class Refused(PeerError):
    """The server refused; `code` is the server's."""

    def __init__(self, what: str, code: str, message: str) -> None:
        super().__init__(f"{what} was refused: {code} ({message})")
        self.code = code


class Ended(PeerError):
    """The visit was over before its time."""

    code = "visit_ended"

    def __init__(self, seat: str) -> None:
        super().__init__(f"{seat}: the visit ended while it was still going on")


class TooLate(PeerError):
    """Something did not happen in time."""

    code = "too_late"


class MediaFailed(PeerError):
    """The peer connection failed."""

    code = "media_failed"


class Crossings:
    """Which packets one side sent and the other got, and how long each was under way, by this process's clock.

    A forwarded packet keeps its payload, which therefore names it; a retransmission (RFC 4588) has it after two bytes.
    The delay is from handing the packet to the sender's DTLS transport to the receiver's having decrypted it: network and
    server, and the event loop of this process twice; no codec and no jitter buffer.
    """

    def __init__(self) -> None:
        self.counting = False
        self.sent = 0
        self.delays_ms: list[float] = []
        self._under_way: dict[bytes, deque[float]] = {}

    @property
    def delivered(self) -> float | None:
        """Fraction of the counted packets that arrived, once each; None if none was counted."""
        return len(self.delays_ms) / self.sent if self.sent else None

    def left(self, packet: bytes) -> None:
        """An RTP packet goes out."""
        if self.counting:
            self.sent += 1
            self._under_way.setdefault(_payload(packet), deque()).append(time.perf_counter())

    def came(self, packet: bytes) -> None:
        """An RTP packet came in."""
        payload = _payload(packet)
        waiting = self._under_way.get(payload) or self._under_way.get(payload[2:])
        if waiting:
            self.delays_ms.append((time.perf_counter() - waiting.popleft()) * 1000)


class Participant:
    """One seat's client. `out` counts what it sends, `into` what it receives."""

    def __init__(self, seat: str, http: aiohttp.ClientSession, out: Crossings, into: Crossings) -> None:
        self.seat = seat
        self.state: dict[str, Any] = {}
        self.sees, self.hears = asyncio.Event(), asyncio.Event()
        self._out, self._into = out, into
        self._http = http
        self._socket = socketio.AsyncClient(reconnection=False, http_session=http)
        self._socket.on("state", self._hear_state)
        self._socket.on("bye", self._hear_bye)
        self._socket.on("disconnect", self._hear_disconnect)
        self._news = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: PeerError | None = None
        self._pc_name = secrets.token_urlsafe(9)
        # Not max-bundle: with it aiortc 1.16 keeps the candidates of the last m-line only, and ours stand in the first.
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._pc.on("track", self._take)
        self._pc.on("connectionstatechange", self._connection_changed)
        self._publish: dict[RTCRtpTransceiver, str] = {}
        self._subscribe: dict[RTCRtpTransceiver, str] = {}

    async def connect(self, url: str, token: str, within_s: float) -> None:
        """Take the seat. Raises `PeerError`."""
        auth = {"v": 1, "token": token}
        try:
            async with asyncio.timeout(within_s):
                await self._socket.connect(url, auth=auth, transports=["websocket"], wait_timeout=within_s)
        except socketio.exceptions.ConnectionError as error:
            raise Refused("joining", _code_in(error), "Socket.IO connection") from None
        except TimeoutError:
            raise TooLate(f"no Socket.IO connection within {within_s:.0f} s") from None
        await self.until(lambda state: bool(state), "the visit's state", within_s)

    async def ask(self, event: str, **payload: Any) -> dict[str, Any]:
        """Send an event and return its acknowledgement. Raises `PeerError`."""
        try:
            said = await self._socket.call(event, {"v": 1, **payload}, timeout=10)
        except socketio.exceptions.TimeoutError:
            raise TooLate(f"no answer to {event} within 10 s") from None
        except socketio.exceptions.SocketIOError:
            raise TooLate(f"the connection ended before {event} was answered") from None
        if not said.get("ok"):
            error = said.get("error", {})
            raise Refused(event, str(error.get("code")), str(error.get("message")))
        return dict(said)

    async def until(self, true: Callable[[dict[str, Any]], bool], what: str, within_s: float) -> dict[str, Any]:
        """The first state for which `true` holds. Raises `TooLate`, naming `what`, and what else went wrong meanwhile."""
        try:
            async with asyncio.timeout(within_s):
                while not true(self.state):
                    self.raise_failure()
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise TooLate(f"{what}: not within {within_s:.0f} s") from None
        return self.state

    async def publish(self) -> None:
        """Offer a picture and sound, and from then on follow the other seat's tracks. Raises `PeerError`."""
        for track, source in ((SyntheticSound(), "microphone"), (SyntheticPicture(), "camera")):
            self._publish[self._pc.addTransceiver(track, direction="sendonly")] = source
        await self._offer()
        self._watch(self._senders_transport())
        self._spawn(self._follow())

    async def meets(self, within_s: float) -> None:
        """Wait until a remote picture and remote sound were decoded. Raises `PeerError`."""
        try:
            async with asyncio.timeout(within_s):
                await self.sees.wait()
                await self.hears.wait()
        except TimeoutError:
            self.raise_failure()
            missing = "picture" if not self.sees.is_set() else "sound"
            raise TooLate(f"{self.seat}: no remote {missing} within {within_s:.0f} s") from None

    async def lasts(self, seconds: float) -> None:
        """Stay in a live visit for so long. Raises `PeerError` as soon as it is over, or anything went wrong."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.state.get("phase") == "live":
                    self.raise_failure()
                    self._news.clear()
                    await self._news.wait()
                raise Ended(self.seat)
        self.raise_failure()

    def raise_failure(self) -> None:
        """Raises what went wrong in the background, if anything did."""
        if self._failed is not None:
            raise self._failed

    async def close(self) -> None:
        """Leave. Idempotent."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pc.close()
        await self._socket.disconnect()

    # ---- what comes

    async def _hear_state(self, state: dict[str, Any]) -> None:
        if state.get("seq", 0) >= self.state.get("seq", -1):  # SIG-11
            self.state = state
            self._news.set()

    async def _hear_bye(self, bye: dict[str, Any]) -> None:
        self._fail(Refused("staying", str(bye.get("code")), "the server said bye"))

    async def _hear_disconnect(self, *_reason: object) -> None:
        self._fail(TooLate(f"{self.seat}: the connection to the server ended"))

    async def _connection_changed(self) -> None:
        if self._pc.connectionState == "failed":
            self._fail(MediaFailed(f"{self.seat}: no media connection; is the media port (UDP) reachable from here?"))

    def _take(self, track: MediaStreamTrack) -> None:
        self._spawn(self._drain(track, self.sees if track.kind == "video" else self.hears))

    async def _drain(self, track: MediaStreamTrack, first: asyncio.Event) -> None:
        while True:
            try:
                await track.recv()
            except MediaStreamError:
                return
            first.set()

    # ---- negotiation

    async def _follow(self) -> None:
        """MEDIA-3: subscribe to what the other seat publishes."""
        try:
            while True:
                new = [track for track in self.state.get("tracks", []) if self._is_new(track)]
                if new:
                    for track in new:
                        transceiver = self._pc.addTransceiver(track["kind"], direction="recvonly")
                        self._subscribe[transceiver] = track["id"]
                    await self._offer()
                else:
                    self._news.clear()
                    await self._news.wait()
        except PeerError as error:
            self._fail(error)

    def _is_new(self, track: dict[str, Any]) -> bool:
        return track["seat"] != self.seat and track["id"] not in self._subscribe.values()

    async def _offer(self) -> None:
        await self._pc.setLocalDescription(await self._pc.createOffer())
        answer = await self.ask(
            "offer",
            pc=self._pc_name,
            sdp=self._pc.localDescription.sdp,
            publish={transceiver.mid: source for transceiver, source in self._publish.items()},
            subscribe={transceiver.mid: track for transceiver, track in self._subscribe.items()},
        )
        await self._pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))

    def _senders_transport(self) -> RTCDtlsTransport:
        transport: RTCDtlsTransport = self._pc.getSenders()[0].transport
        return transport

    def _watch(self, transport: RTCDtlsTransport) -> None:
        """Look over the transport's shoulder. The names are aiortc's private ones; `tests/unit/test_peer.py` guards them."""
        ours = {sender._ssrc for sender in self._pc.getSenders() if isinstance(sender, RTCRtpSender)}
        send: Callable[[bytes], Awaitable[None]] = transport._send_rtp
        handle: Callable[..., Awaitable[None]] = transport._handle_rtp_data

        async def sending(packet: bytes) -> None:
            if not 192 <= packet[1] <= 223 and int.from_bytes(packet[8:12], "big") in ours:
                self._out.left(packet)
            await send(packet)

        async def handling(packet: bytes, arrival_time_ms: int) -> None:
            self._into.came(packet)
            await handle(packet, arrival_time_ms=arrival_time_ms)

        vars(transport).update(_send_rtp=sending, _handle_rtp_data=handling)

    def _fail(self, error: PeerError) -> None:
        self._failed = self._failed or error
        self._news.set()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class SyntheticPicture(MediaStreamTrack):
    """A grey ramp that moves: small, never twice the same."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._ramp = bytes(range(256)) * 3
        self._pace = Pace(1 / FRAMES_PER_S)

    async def recv(self) -> VideoFrame:
        """The next frame, when it is due."""
        number = await self._pace.next()
        frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        luma, *chroma = frame.planes
        rows = (self._ramp[(number * 3 + row) % 256 :][: luma.line_size] for row in range(HEIGHT))
        luma.update(b"".join(rows))
        for plane in chroma:
            plane.update(bytes([128]) * plane.buffer_size)
        frame.pts, frame.time_base = number * 90_000 // FRAMES_PER_S, Fraction(1, 90_000)
        return frame


class SyntheticSound(MediaStreamTrack):
    """Soft noise, so that no two packets are alike."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        noise = random.Random(8).randbytes(SAMPLES_PER_S)  # noqa: S311
        self._second = array("h", ((octet - 128) * 16 for octet in noise)).tobytes()
        self._pace = Pace(SAMPLES / SAMPLES_PER_S)

    async def recv(self) -> AudioFrame:
        """The next 20 ms, when they are due."""
        number = await self._pace.next()
        frame = AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        begin = number * 1918 % (len(self._second) - SAMPLES * 2)  # a stride that comes round late
        frame.planes[0].update(self._second[begin : begin + SAMPLES * 2])
        frame.sample_rate = SAMPLES_PER_S
        frame.pts, frame.time_base = number * SAMPLES, Fraction(1, SAMPLES_PER_S)
        return frame


class Pace:
    """Numbers from 0, one each `step_s` seconds from the first on, without drift."""

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._began: float | None = None
        self._number = -1

    async def next(self) -> int:
        """Wait for the next number's time."""
        loop = asyncio.get_running_loop()
        self._began = self._began if self._began is not None else loop.time()
        self._number += 1
        await asyncio.sleep(max(0.0, self._began + self._number * self._step_s - loop.time()))
        return self._number


def _payload(packet: bytes) -> bytes:
    """What follows the RTP header (RFC 3550 §5.1), its sources and its extension."""
    begin = 12 + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        begin += 4 + 4 * int.from_bytes(packet[begin + 2 : begin + 4], "big")
    return packet[begin:]


def trusting(certificate: str | None) -> ssl.SSLContext:
    """TLS that trusts the public authorities, and this certificate as well."""
    context = ssl.create_default_context()
    if certificate is not None:
        context.load_verify_locations(certificate)
    return context


def _code_in(error: socketio.exceptions.ConnectionError) -> str:
    """The code of a CONNECT_ERROR (PROTOCOL.md §2), or that there was no connection at all."""
    for said in error.args:
        if isinstance(said, dict):
            inner = said.get("data", said)
            if isinstance(inner, dict) and "code" in inner:
                return str(inner["code"])
    return "connection_failed"
