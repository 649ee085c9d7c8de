"""The data plane's interface: everything that happens once a packet, behind calls that happen once a negotiation.

`room` and `worker` decide; a `DataPlane` carries out. It owns the sockets, ICE-lite, DTLS, SRTP, the producers and the
consumers. One suite (`test_data_plane.py` and `test_plane_*.py` in `tests/contract`) holds every one of them, so a compiled
plane can replace the Python one without the rest noticing.

PLANE-1  A datagram that is empty, over 1 500 bytes, of no known first byte (RFC 7983), or not from an address that a
         STUN check with the right credentials came from, is dropped and counted before DTLS or SRTP sees it.
PLANE-2  Calls never block and never raise for what a peer sent; unknown keys and ids raise `KeyError`: that is our bug.
         Keys and track names are unique in the plane, a consumer's id and SSRCs in its transport.
PLANE-3  Closing a transport ends its producers and consumers; unpublishing a track ends its consumers everywhere.
PLANE-4  A consumer begins with a keyframe: the plane asks the producer (PLI, throttled) and forwards video from there.
PLANE-5  Header extensions are not forwarded: what a subscriber would need of them must not be negotiated upstream.
PLANE-6  An ICE restart keeps everything but the way: keys, producers and consumers go on, and pictures begin with a keyframe.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

TransportState = Literal["connecting", "connected", "silent", "gone"]
"""As `media.control` says it, spelled again: pure modules import this one, and control would bring them asyncio."""


@dataclass(frozen=True, slots=True)
class IceCredentials:
    """RFC 8445 username fragment and password."""

    ufrag: str
    pwd: str


@dataclass(frozen=True, slots=True)
class TransportSpec:
    """One participant's transport: our ICE credentials, theirs, and the fingerprints their certificate may have."""

    key: str
    local: IceCredentials
    remote: IceCredentials
    fingerprints: tuple[tuple[str, str], ...]
    """(hash name as in SDP, lower-case hex without colons)."""


@dataclass(frozen=True, slots=True)
class ProducerSpec:
    """One published track as negotiated. SSRCs may be empty: then they are latched from the mid extension."""

    track: str
    kind: Literal["audio", "video"]
    mid: str
    codecs: dict[int, str]
    """Payload type → codec name (`opus`, `VP8`, `VP9`, `H264`)."""
    clock_rate: int
    rtx: dict[int, int] = field(default_factory=dict)
    """RTX payload type → payload type it repairs (RFC 4588)."""
    mid_extension: int | None = None
    ssrcs: tuple[int, ...] = ()
    rtx_ssrcs: dict[int, int] = field(default_factory=dict)
    """RTX SSRC → SSRC it repairs."""
    nack: bool = False
    pli: bool = False
    remb: bool = False
    number_extension: int | None = None
    """Transport-wide sequence number: arrivals are fed back (transport-cc)."""
    red: int | None = None
    """Payload type of redundant audio whose blocks are the one codec (RFC 2198)."""
    rids: tuple[str, ...] = ()
    """Simulcast layers, the smallest first (RFC 8853); their SSRCs are latched from the rid extensions."""
    rid_extension: int | None = None
    repaired_rid_extension: int | None = None


@dataclass(frozen=True, slots=True)
class ConsumerSpec:
    """One subscription: which track goes out on which transport, and as what."""

    id: str
    track: str
    ssrc: int
    codecs: dict[str, int]
    """Codec name → payload type the subscriber expects. A codec that is missing cannot be forwarded."""
    rtx_ssrc: int | None = None
    rtx: dict[int, int] = field(default_factory=dict)
    """Payload type → RTX payload type."""
    cname: str = "teleconsult"
    number_extension: int | None = None
    """Transport-wide sequence number: the subscriber feeds back what arrived (transport-cc)."""
    playout_extension: int | None = None
    """Playout delay: the subscriber holds a picture back for as long as packets say."""
    red: int | None = None
    """Payload type under which the subscriber takes redundant audio."""
    nack: bool = False
    """The subscriber asks again for what it misses."""


@dataclass(frozen=True, slots=True)
class TransportMoved:
    """A transport changed state."""

    key: str
    state: TransportState


@dataclass(frozen=True, slots=True)
class ProducerStarted:
    """First media packet of a track: its SSRC and codec are now known. Told again when either changes."""

    track: str
    ssrc: int
    payload_type: int
    codec: str


@dataclass(frozen=True, slots=True)
class LayerChanged:
    """What a subscriber gets of a track: `layer` 0 is the smallest of `layers`, None while it is paused."""

    key: str
    track: str
    layer: int | None
    layers: int
    reason: Literal["", "bandwidth", "publisher", "asked"]
    """`bandwidth`: its path carries no more. `publisher`: there is no better one. `asked`: it wants no more.
    Empty: it is the best."""
    lines: int | None = None
    """The shorter side of the picture in pixels, where its codec tells."""


@dataclass(frozen=True, slots=True)
class SizeWished:
    """What the encoding of a simulcast that weak viewers get should cost (bit/s); None: as its publisher likes."""

    key: str
    track: str
    bps: int | None


View = Literal["best", "small", "none"]
"""The most a subscriber wants of a picture: whatever fits, its smallest size, or nothing."""

PlaneEvent = TransportMoved | ProducerStarted | LayerChanged | SizeWished


@dataclass(frozen=True, slots=True)
class TransportStats:
    """Counters of one transport since it opened; fractions over the last two seconds."""

    packets_in: int
    packets_out: int
    bytes_in: int
    bytes_out: int
    loss_up: float
    loss_down: float
    rtt_ms: float | None
    estimate_bps: int | None = None
    """What the way to the peer carries, where it tells (transport-cc, REMB)."""


class PacketSink(Protocol):
    """Where recorded packets go (`media.tap` through the worker's tap client). Must be cheap and never block."""

    def packet(self, handle: int, flags: int, arrival_us: int, data: bytes) -> None:
        """One plain RTP packet, or one sender report cut from its compound; the plane keeps the same bytes for repairs."""
        ...


class DataPlane(Protocol):
    """See the module's rules. All calls are made on the worker's event loop."""

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Announced (ip, port), best first."""
        ...

    @property
    def takes_tcp(self) -> bool:
        """Whether the same addresses are reached by TCP (RFC 6544, passive)."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 of our DTLS certificate, upper-case hex with colons, as SDP writes it."""
        ...

    @property
    def drops(self) -> dict[str, int]:
        """Dropped datagrams and packets by the rule that dropped them."""
        ...

    def on_event(self, listener: Callable[[PlaneEvent], None]) -> None:
        """The one listener for what happens."""
        ...

    def open_transport(self, spec: TransportSpec) -> None:
        """Expect a client with these credentials."""
        ...

    def restart_ice(self, key: str, local: IceCredentials, remote: IceCredentials) -> None:
        """New credentials on the same DTLS association (RFC 8445 §9); the old path works until a new one is validated."""
        ...

    def close_transport(self, key: str) -> None:
        """End it (DTLS close_notify), with its producers and consumers."""
        ...

    def publish(self, key: str, spec: ProducerSpec) -> None:
        """Begin, or change, a track published on this transport. A track that moves transports keeps its consumers."""
        ...

    def unpublish(self, track: str) -> None:
        """End a track."""
        ...

    def subscribe(self, key: str, spec: ConsumerSpec) -> None:
        """Begin forwarding a track to this transport."""
        ...

    def view(self, key: str, consumer: str, most: View) -> None:
        """The most this subscriber wants of a picture (`best` until it says otherwise)."""
        ...

    def unsubscribe(self, key: str, consumer: str) -> None:
        """Stop forwarding."""
        ...

    def record(self, track: str, handle: int | None) -> None:
        """Hand the track's packets to the sink under `handle`, or stop."""
        ...

    def request_keyframe(self, track: str, old: bool = False) -> None:
        """Ask the publisher for a keyframe (throttled). `old`: the last one is good, and has only grown old."""
        ...

    def stats(self, key: str) -> TransportStats:
        """Counters of a transport."""
        ...

    def close(self) -> None:
        """End every transport and close the sockets."""
        ...
