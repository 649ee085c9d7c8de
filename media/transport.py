"""One participant's transport as the Python plane keeps it: the paths it may use, its keys, what goes in and out.

Plain state, owned and changed by `media.python_plane`; the protocols are in `ice`, `dtls`, `srtp`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from media.dtls import DtlsEndpoint
from media.forwarding.consumer import Consumer, Outgoing
from media.forwarding.producer import Producer
from media.ice import IceLite
from media.plane import TransportSpec, TransportState
from media.srtp import SrtpSession

MAX_SSRCS = 64
"""SSRCs let into one transport (SRTP-2)."""

Address = Any
"""What `recvfrom` gives: (ip, port), or (ip, port, flow, scope)."""


class Door:
    """One bound socket and the validated addresses behind it."""

    __slots__ = ("announced", "busy", "paths", "recvfrom_into", "sendto", "sock", "taken", "timer")

    def __init__(self, sock: socket.socket, announced: str) -> None:
        """`announced` is the IP clients were told."""
        self.sock = sock
        self.announced = announced
        self.taken = 0
        """Datagrams since the last tick."""
        self.busy = False
        self.timer: asyncio.Handle | None = None
        """When to look again, while it is busy."""
        self.paths: dict[Address, Path] = {}
        # Bound methods, looked up once: 0.05 µs a packet each.
        self.recvfrom_into: Callable[[memoryview], tuple[int, Address]] = sock.recvfrom_into
        self.sendto: Callable[[bytes | memoryview, Address], int] = sock.sendto


class Path:
    """A 5-tuple: one of our sockets and an address behind it."""

    __slots__ = ("address", "door", "sendto", "transport")

    def __init__(self, transport: Transport, door: Door, address: Address) -> None:
        """Belongs to `transport` once a check by it has passed (PLANE-1)."""
        self.transport = transport
        self.door = door
        self.address = address
        self.sendto = door.sendto


class Track:
    """A published track: its producer, the transport it comes from and the subscriptions it feeds."""

    __slots__ = ("producer", "routes", "transport")

    def __init__(self, producer: Producer, transport: Transport) -> None:
        """No subscriptions yet."""
        self.producer = producer
        self.transport = transport
        self.routes: list[tuple[Consumer, Transport]] = []


class Transport:
    """See the module."""

    __slots__ = (
        "bytes_in",
        "bytes_out",
        "consumers",
        "dtls",
        "dtls_path",
        "heard",
        "ice",
        "inbound",
        "opened",
        "outbound",
        "outgoing",
        "packets_in",
        "packets_out",
        "path",
        "rtt",
        "sources",
        "spec",
        "ssrc",
        "state",
        "strangers",
        "streams",
        "tracks",
        "turn",
    )

    def __init__(self, spec: TransportSpec, ssrc: int, now: float, turn: int) -> None:
        """`ssrc` names us in RTCP about what the peer sends; `turn` is when in a second it gets its reports."""
        self.spec = spec
        self.ssrc = ssrc
        self.turn = turn
        self.state: TransportState = "connecting"
        self.ice: IceLite[Path] = IceLite(spec.local)
        self.path: Path | None = None
        self.dtls: DtlsEndpoint | None = None
        self.dtls_path: Path | None = None
        self.inbound: SrtpSession | None = None
        self.outbound: SrtpSession | None = None
        self.opened = self.heard = now
        self.rtt: float | None = None
        self.packets_in = self.packets_out = self.bytes_in = self.bytes_out = 0
        self.tracks: dict[str, Track] = {}
        self.streams: dict[int, tuple[Track, bool]] = {}
        """Inbound SSRC → its track, and whether it is the track's RTX stream."""
        self.strangers: set[int] = set()
        """Inbound SSRCs that belong to no track."""
        self.consumers: dict[str, tuple[Track, Consumer]] = {}
        self.sources: dict[int, tuple[Track, Consumer]] = {}
        """Outbound SSRC → what it carries."""
        self.outgoing: dict[int, Outgoing] = {}

    def latch(self, ssrc: int, payload_type: int, mid_of: Callable[[int], bytes | None]) -> tuple[Track, bool] | None:
        """The track an unknown SSRC belongs to: by its mid extension, else by the only track with that payload type."""
        named: Track | None = None
        able: list[Track] = []
        for track in self.tracks.values():
            spec = track.producer.spec
            if spec.mid_extension is not None and mid_of(spec.mid_extension) == spec.mid.encode():
                named = track
                break
            if payload_type in spec.codecs or payload_type in spec.rtx:
                able.append(track)
        track = named if named is not None else able[0] if len(able) == 1 else None  # type: ignore[assignment]
        if track is None or payload_type not in track.producer.spec.codecs | track.producer.spec.rtx:
            return None
        stream = (track, payload_type in track.producer.spec.rtx)
        self.streams[ssrc] = stream
        self.strangers.discard(ssrc)
        return stream
