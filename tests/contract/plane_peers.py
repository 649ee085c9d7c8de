"""Peers for the data plane's tests: our STUN client under aiortc's real DTLS and SRTP, and the packets they send."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters
from aiortc.rtcdtlstransport import RTCDtlsTransport

from media.plane import ConsumerSpec, IceCredentials, PlaneEvent, ProducerSpec, TransportMoved, TransportSpec
from media.python_plane.plane import PythonPlane
from media.rtp import header, rtcp
from media.sockets.framing import Deframer, framed
from media.transports import stun
from tests.patience import PATIENCE_S, until

VP8_KEY = b"\x10\x00\x9d\x01\x2a"
VP8_DELTA = b"\x10\x01"
OPUS = b"\xfc\xff\xfe"


@dataclass
class Tapped:
    """A `PacketSink` that keeps them."""

    packets: list[tuple[int, int, int, bytes]] = field(default_factory=list)

    def packet(self, handle: int, flags: int, arrival_us: int, data: bytes) -> None:
        self.packets.append((handle, flags, arrival_us, data))


class Clock:
    """Monotonic time that a test may push forward, and hold."""

    def __init__(self) -> None:
        self.skew = 0.0
        self.held_at: float | None = None

    def __call__(self) -> float:
        return (time.monotonic() if self.held_at is None else self.held_at) + self.skew


@dataclass
class Bench:
    """A plane with what it told."""

    plane: PythonPlane
    clock: Clock
    sink: Tapped
    events: list[PlaneEvent]
    peers: list[Peer] = field(default_factory=list)

    def states(self, key: str) -> list[str]:
        return [event.state for event in self.events if isinstance(event, TransportMoved) and event.key == key]

    def hold_clock(self) -> None:
        """From here on time is the test's alone, however long the machine takes: what comes has never waited."""
        self.clock.held_at = time.monotonic()
        for door in self.plane._entrance.doors:
            door.waited = lambda: 0.0

    async def looks(self, times: int = 5) -> None:
        """The plane has looked so many times at what is due, and what it said has come."""
        seen = self.plane._ticks
        await until(lambda: self.plane._ticks >= seen + times)


@contextlib.asynccontextmanager
async def running_plane(addresses: tuple[str, ...] = ("127.0.0.1",), tcp: bool = False) -> AsyncIterator[Bench]:
    """A plane, closed at the end together with every peer made for it."""
    clock, sink, events = Clock(), Tapped(), list[PlaneEvent]()
    plane = PythonPlane(asyncio.get_running_loop(), addresses, clock, os.urandom, sink, tcp=tcp)
    plane.on_event(events.append)
    bench = Bench(plane, clock, sink, events)
    try:
        yield bench
    finally:
        for peer in bench.peers:
            await peer.close()
        plane.close()


class _IceShim:
    """What `RTCDtlsTransport` needs of an ICE transport, over one UDP socket."""

    role = "controlling"

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.inbox: asyncio.Queue[bytes] = asyncio.Queue()

    async def _recv(self) -> bytes:
        data = await self.inbox.get()
        if not data:
            raise ConnectionError
        return data

    async def _send(self, data: bytes) -> None:
        self._peer.send_raw(data)


class Peer:
    """A client: checks, DTLS as the active side, RTP and RTCP by hand."""

    def __init__(self, bench: Bench, key: str, *, host: str = "127.0.0.1") -> None:
        self.bench, self.key = bench, key
        bench.peers.append(self)
        self.local = IceCredentials(secrets.token_hex(4), secrets.token_hex(12))
        self.remote = IceCredentials(secrets.token_hex(4), secrets.token_hex(12))
        self.certificate = RTCCertificate.generateCertificate()
        self.server = next((ip, port) for ip, port in bench.plane.addresses if (":" in ip) == (":" in host))
        self.rtp: list[bytes] = []
        self.rtcp: list[rtcp.Packet] = []
        self.stun: list[bytes] = []
        self.raw: list[bytes] = []
        self._ice = _IceShim(self)
        self._dtls = RTCDtlsTransport(self._ice, [self.certificate])
        self._dtls._handle_rtp_data = self._on_rtp  # type: ignore[method-assign]
        self._dtls._handle_rtcp_data = self._on_rtcp  # type: ignore[method-assign]
        self._dtls._set_role("client")
        self._open_socket(host)

    def _open_socket(self, host: str) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.sock.bind((host, 0))
        asyncio.get_running_loop().add_reader(self.sock.fileno(), self._readable, self.sock)

    def _readable(self, sock: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data = sock.recv(2048)
                if data[0] < 4:
                    self.stun.append(data)
                else:
                    self.raw.append(data)
                    self._ice.inbox.put_nowait(data)

    def send_raw(self, data: bytes) -> None:
        self.sock.sendto(data, self.server)

    @property
    def spec(self) -> TransportSpec:
        prints = [f for f in self.certificate.getFingerprints() if f.algorithm == "sha-256"]
        known = tuple((f.algorithm, f.value.replace(":", "").lower()) for f in prints)
        return TransportSpec(self.key, self.remote, self.local, known)

    def check(self, *, nominate: bool = True, password: str | None = None, ufrag: str | None = None) -> None:
        """One STUN check."""
        name = f"{ufrag or self.remote.ufrag}:{self.local.ufrag}"
        key = stun.ShortTermKey(password or self.remote.pwd)
        self.send_raw(stun.binding_request(os.urandom(12), name, key, 1, nominate))

    def move(self) -> None:
        """Go on from another port, as behind a NAT that forgot."""
        old = self.sock
        asyncio.get_running_loop().remove_reader(old.fileno())
        old.close()
        self._open_socket("127.0.0.1")

    async def checked(self) -> None:
        before = len(self.stun)
        self.check()
        await until(lambda: len(self.stun) > before)
        assert self.stun[-1][:2] == b"\x01\x01", "a success response"

    async def dtls(self) -> None:
        value = self.bench.plane.fingerprint
        parameters = RTCDtlsParameters([RTCDtlsFingerprint("sha-256", value)], role="server")
        async with asyncio.timeout(PATIENCE_S):
            await self._dtls.start(parameters)

    async def connect(self) -> Peer:
        """Open the transport in the plane, check, handshake."""
        self.bench.plane.open_transport(self.spec)
        await self.checked()
        await self.dtls()
        await until(lambda: "connected" in self.bench.states(self.key))
        return self

    @property
    def dtls_state(self) -> str:
        return self._dtls.state

    async def close(self) -> None:
        """Say close_notify and leave. Idempotent."""
        if self.sock.fileno() >= 0:
            await self._dtls.stop()
            self.vanish()

    def vanish(self) -> None:
        """Gone without a word. Idempotent."""
        if self.sock.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self.sock.fileno())
            self.sock.close()
            self._ice.inbox.put_nowait(b"")

    async def send(self, packet: bytes) -> None:
        """RTP or RTCP, protected."""
        await self._dtls._send_rtp(packet)

    async def _on_rtp(self, data: bytes, arrival_time_ms: int) -> None:
        self.rtp.append(data)

    async def _on_rtcp(self, data: bytes) -> None:
        self.rtcp.extend(rtcp.parse(data, len(data)))

    def heard(self, kind: type[rtcp.Packet]) -> list[rtcp.Packet]:
        return [packet for packet in self.rtcp if isinstance(packet, kind)]


class StreamPeer(Peer):
    """A client that comes by TCP (RFC 6544, active)."""

    def _open_socket(self, host: str) -> None:
        self.sock = socket.create_connection(self.server)
        self.sock.setblocking(False)
        self.deframer = Deframer()
        asyncio.get_running_loop().add_reader(self.sock.fileno(), self._readable, self.sock)

    def _readable(self, sock: socket.socket) -> None:
        for data in self.deframer.receive(sock.recv(65536)):
            if data[0] < 4:
                self.stun.append(data)
            else:
                self.raw.append(data)
                self._ice.inbox.put_nowait(data)

    def send_raw(self, data: bytes) -> None:
        self.sock.send(framed(data))


def rtp(
    seq: int,
    payload: bytes,
    *,
    pt: int,
    ssrc: int,
    ts: int = 0,
    marker: bool = False,
    mid: str | None = None,
    padding: int = 0,
) -> bytes:
    """One RTP packet; `mid` in header extension 1."""
    first = 0x80 | (0x10 if mid is not None else 0) | (0x20 if padding else 0)
    head = header.FIXED.pack(first, (0x80 if marker else 0) | pt, seq & 0xFFFF, ts & 0xFFFFFFFF, ssrc)
    if mid is not None:
        item = bytes((1 << 4 | len(mid) - 1,)) + mid.encode()
        item += bytes(-len(item) % 4)
        head += b"\xbe\xde" + (len(item) // 4).to_bytes(2, "big") + item
    tail = bytes(padding - 1) + bytes((padding,)) if padding else b""
    return head + payload + tail


@dataclass(frozen=True)
class Parsed:
    """A received packet, taken apart."""

    pt: int
    marker: bool
    seq: int
    ts: int
    ssrc: int
    payload: bytes
    first: int


def parsed(packet: bytes) -> Parsed:
    first, second, seq, ts, ssrc = header.FIXED.unpack_from(packet)
    at = header.payload_at(packet, len(packet))
    return Parsed(second & 0x7F, bool(second & 0x80), seq, ts, ssrc, packet[at:], first)


def video(track: str = "patient.camera", *, mid: str = "1", **more: object) -> ProducerSpec:
    """A VP8 track with RTX, NACK and PLI; SSRC 1111 and RTX SSRC 2222."""
    spec: dict[str, object] = {
        "rtx": {97: 96},
        "ssrcs": (1111,),
        "rtx_ssrcs": {2222: 1111},
        "nack": True,
        "pli": True,
        "mid_extension": 1,
    }
    return ProducerSpec(track, "video", mid, {96: "VP8"}, 90000, **(spec | more))  # type: ignore[arg-type]


def audio(track: str = "patient.microphone", *, mid: str = "0", ssrc: int = 3333) -> ProducerSpec:
    """An Opus track."""
    return ProducerSpec(track, "audio", mid, {111: "opus"}, 48000, ssrcs=(ssrc,), mid_extension=1)


def viewing(track: str = "patient.camera", *, rtx: bool = True, ssrc: int = 5555, name: str = "c1") -> ConsumerSpec:
    """A subscription to VP8 as payload type 100, RTX as 101."""
    return ConsumerSpec(name, track, ssrc, {"VP8": 100}, 6666 if rtx else None, {100: 101} if rtx else {})


def listening(track: str = "patient.microphone", *, ssrc: int = 7777, name: str = "a1") -> ConsumerSpec:
    """A subscription to Opus as payload type 109."""
    return ConsumerSpec(name, track, ssrc, {"opus": 109})
