"""One participant's transport as the Python plane keeps it: the paths it may use, its keys, what goes in and out.

Plain state, owned and changed by `media.python_plane.plane`; the protocols are in `ice`, `dtls`, `srtp`.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Protocol

from media.congestion.allocation import Allocator
from media.congestion.downlink import Downlink
from media.congestion.toll import Toll
from media.congestion.twcc import Arrivals
from media.congestion.uplink import Uplink
from media.congestion.wish import Wish
from media.forwarding.consumer import Consumer, Outgoing
from media.forwarding.hold import Hold
from media.forwarding.producer import Producer
from media.plane import ProducerSpec, TransportSpec, TransportState, View
from media.transports.dtls import DtlsEndpoint
from media.transports.ice import IceLite
from media.transports.srtp import SrtpSession
from media.transports.waited import Waited

MOST_ASKED = 200
MAX_SSRCS = 64
"""SSRCs let into one transport (SRTP-2)."""

Address = Any
"""What `recvfrom` gives: (ip, port), or (ip, port, flow, scope)."""


class Door:
    """One bound socket and the validated addresses behind it."""

    __slots__ = ("announced", "busy", "full", "paths", "recvfrom_into", "sendto", "sock", "taken", "waited")

    def __init__(self, sock: socket.socket, announced: str) -> None:
        """`announced` is the IP clients were told."""
        self.sock = sock
        self.announced = announced
        self.taken = 0
        """Datagrams since the last tick."""
        self.busy = False
        """Whether it is worth a nap to let packets gather."""
        self.full = False
        """The last look ended before everything was read."""
        self.paths: dict[Address, Path] = {}
        # Bound methods, looked up once: 0.05 µs a packet each.
        self.recvfrom_into: Callable[[memoryview], tuple[int, Address]] = sock.recvfrom_into
        self.sendto: Callable[[bytes | memoryview, Address], int] = sock.sendto
        self.waited: Callable[[], float] = Waited(sock).seconds


class Way(Protocol):
    """What a path goes through: a socket of ours with many addresses behind it, or one TCP connection (`sockets.streams`)."""

    paths: dict[Address, Path]

    @property
    def sendto(self) -> Callable[[bytes | memoryview, Address], int]:
        """Send one datagram. Raises `OSError`; `BlockingIOError` where it finds no room."""
        ...


class Path:
    """A 5-tuple: one of our sockets and an address behind it."""

    __slots__ = ("address", "door", "sendmsg", "sendto", "train", "transport")

    def __init__(self, transport: Transport, door: Way, address: Address) -> None:
        """Belongs to `transport` once a check by it has passed (PLANE-1)."""
        self.transport = transport
        self.door = door
        self.address = address
        self.sendto = door.sendto
        self.sendmsg: Callable[..., int] | None = door.sock.sendmsg if isinstance(door, Door) else None
        """Takes several datagrams at once (TRAIN-3)."""
        self.train: list[memoryview] | None = None
        """Packets that stand ready for it (`media.sockets.departures`)."""


class Layer:
    """One encoding of a track: the only one, or one of a simulcast."""

    __slots__ = ("producer", "rank", "rid", "track")

    def __init__(self, track: Track, producer: Producer, rid: str, rank: int) -> None:
        """`rank` 0 is the smallest."""
        self.track = track
        self.producer = producer
        self.rid = rid
        self.rank = rank


class Route:
    """One subscription: the consumer that writes, the transport it goes out on, and the layer behind it."""

    __slots__ = (
        "consumer",
        "copies",
        "layer",
        "most",
        "room_bps",
        "subscriber",
        "told",
        "track",
        "unfit_since",
        "wanted",
    )

    def __init__(self, track: Track, consumer: Consumer, subscriber: Transport, wanted: Layer | None) -> None:
        """Begins with a keyframe of `wanted`."""
        self.track = track
        self.consumer = consumer
        self.subscriber = subscriber
        self.layer: Layer | None = None
        """What it forwards."""
        self.wanted = wanted
        """What it goes over to at the next keyframe; None while it is paused."""
        self.unfit_since: float | None = None
        """Since when not even the smallest layer fits."""
        self.told: tuple[int, int, str] | None = None
        """Layer (-1 while paused), lines and reason last told to the listener."""
        self.most: View = "best"
        """The most its viewer wants."""
        self.copies = 0
        """How often each packet of a picture is sent again unasked."""
        self.room_bps = float("inf")
        """What its path has for this track."""


class Track:
    """A published track: its layers, the transport it comes from and the subscriptions it feeds."""

    __slots__ = ("announced", "handle", "hold", "layers", "routes", "spec", "tape", "transport", "wish")

    def __init__(self, spec: ProducerSpec, transport: Transport) -> None:
        """No subscriptions yet."""
        self.spec = spec
        self.transport = transport
        self.renew()
        self.routes: list[Route] = []
        self.handle: int | None = None
        """The recorder's name for it, while it is recorded."""

    def renew(self) -> None:
        """The streams that were are over; those of `spec` may begin."""
        rids = self.spec.rids or ("",)
        self.hold = Hold()
        self.layers = [Layer(self, Producer(self.spec, self.hold), rid, rank) for rank, rid in enumerate(rids)]
        self.wish = Wish()
        self.announced: int | None = None
        """The SSRC told to the listener."""
        self.tape: Route | None = None
        """How the recorder follows the layers of a simulcast; none where there is only one."""

    @property
    def producer(self) -> Producer:
        """The producer of its best layer: the only one, without simulcast."""
        return self.layers[-1].producer

    def best(self, now: float) -> Layer:
        """The best layer that arrives; the smallest while none does."""
        return next((layer for layer in reversed(self.layers) if self.lives(layer, now)), self.layers[0])

    def lives(self, layer: Layer, now: float) -> bool:
        """Whether its publisher still sends it: left out is what is quiet while another layer is heard."""
        return now - layer.producer.heard < ALIVE_S and not self.leaves_out(layer, now)

    def leaves_out(self, layer: Layer, now: float) -> bool:
        """Whether others of its layers arrive and this one does not: asked for it, a browser makes a keyframe of each."""
        told = self.wish.bps == 0 and layer is not self.layers[0]
        if now - layer.producer.heard < (TOLD_OUT_S if told else LEFT_OUT_S):
            return False
        return any(now - other.producer.heard < HEARD_S for other in self.layers if other is not layer)

    def becomes_whole(self, now: float) -> bool:
        """Whether its first layer is about to be the whole picture, as was wished a moment ago (WISH-2)."""
        return self.wish.bps == 0 and now - self.wish.asked_at < OBEYS_S

    def shows_less(self, layer: Layer, than: Layer | None, now: float) -> bool:
        """Whether a keyframe of this layer is still one of the small picture, where the whole one is about to come."""
        return than is not None and self.becomes_whole(now) and layer.producer.lines < than.producer.lines


ALIVE_S, LEFT_OUT_S, HEARD_S = 2.5, 0.6, 0.2
"""A screen that does not move is sent once a second."""
TOLD_OUT_S = 0.25
"""The same for what its publisher was asked to leave out (WISH-2)."""
OBEYS_S = 3.0
"""Within which a publisher has done what was wished, or will not."""


class Transport:
    """See the module."""

    __slots__ = (
        "allocator",
        "arrivals",
        "bytes_in",
        "bytes_out",
        "consumers",
        "downlink",
        "dtls",
        "dtls_path",
        "fed_back_at",
        "flushes",
        "heard",
        "ice",
        "inbound",
        "may_ask",
        "may_ask_at",
        "number_extension",
        "opened",
        "outbound",
        "outgoing",
        "packets_in",
        "packets_out",
        "path",
        "remb_at",
        "remb_bps",
        "rtt",
        "sources",
        "spec",
        "ssrc",
        "state",
        "strangers",
        "streams",
        "toll",
        "tracks",
        "turn",
        "uplink",
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
        self.may_ask, self.may_ask_at = float(MOST_ASKED), 0
        self.packets_in = self.packets_out = self.bytes_in = self.bytes_out = 0
        self.number_extension = 0
        """Header extension of the transport-wide number on what the peer sends; 0 where there is none."""
        self.arrivals = Arrivals()
        self.uplink = Uplink()
        self.toll = Toll()
        self.fed_back_at = 0.0
        self.flushes = 0
        """Keyframes asked for in this jam (ASK-2)."""
        self.downlink: Downlink | None = None
        """There where the peer feeds back what arrives."""
        self.remb_bps: int | None = None
        self.remb_at = 0.0
        self.allocator = Allocator()
        self.tracks: dict[str, Track] = {}
        self.streams: dict[int, tuple[Layer, bool]] = {}
        """Inbound SSRC → its layer, and whether it is the layer's RTX stream."""
        self.strangers: set[int] = set()
        """Inbound SSRCs that belong to no track."""
        self.consumers: dict[str, Route] = {}
        self.sources: dict[int, Route] = {}
        """Outbound SSRC → what it carries."""
        self.outgoing: dict[int, Outgoing] = {}

    def asks(self, count: int) -> int:
        """How many of so many missing packets may be asked for: no more than have come.

        Where nearly nothing comes, the way here is full, and what is sent again only lengthens the queue.
        """
        self.may_ask = min(MOST_ASKED, self.may_ask + self.packets_in - self.may_ask_at)
        self.may_ask_at = self.packets_in
        given = min(count, int(self.may_ask))
        self.may_ask -= given
        return given

    def latch(self, ssrc: int, payload_type: int, value_of: Callable[[int], bytes | None]) -> tuple[Layer, bool] | None:
        """The layer an unknown SSRC belongs to: by its mid (and rid), else by the only track with that payload type."""
        named: Track | None = None
        able: list[Track] = []
        for track in self.tracks.values():
            spec = track.spec
            if spec.mid_extension is not None and value_of(spec.mid_extension) == spec.mid.encode():
                named = track
                break
            if payload_type in spec.codecs or payload_type in spec.rtx or payload_type == spec.red:
                able.append(track)
        found = named if named is not None else able[0] if len(able) == 1 else None
        if found is None:
            return None
        spec = found.spec
        repairs = payload_type in spec.rtx
        if not repairs and payload_type not in spec.codecs and payload_type != spec.red:
            return None
        layer = _layer(found, repairs, value_of)
        if layer is None:
            return None
        self.streams[ssrc] = (layer, repairs)
        self.strangers.discard(ssrc)
        return self.streams[ssrc]


def _layer(track: Track, repairs: bool, value_of: Callable[[int], bytes | None]) -> Layer | None:
    """RFC 8852: rid names a media stream, repaired-rid the stream a repair is of."""
    spec = track.spec
    if not spec.rids:
        return track.layers[0]
    extension = spec.repaired_rid_extension if repairs else spec.rid_extension
    rid = value_of(extension) if extension is not None else None
    return next((layer for layer in track.layers if rid == layer.rid.encode()), None)
