"""The media worker's control door: what signaling may ask of a worker, and what a worker tells.

Carried by `config.link`. A room is a visit; a seat is a participant's place in it; a track is one thing a seat
publishes, named `"<seat>.<source>"`. One transport a seat: a new `pc` on the same seat replaces the old transport.

CTL-1  The client always offers; the worker always answers (no glare). `publish` and `subscribe` name every m-line
       by its mid; an m-line named in neither is answered inactive or rejected.
CTL-2  Nothing is tapped to the recorder for a seat until `Record(on=True)` for it; after `Record(on=False)` is
       answered no further packet of that seat is tapped.
CTL-3  A worker that restarts has forgotten every room: signaling opens them again and asks the clients to offer anew.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from config.link import Refused

PROTOCOL = 1

Source = Literal["microphone", "camera", "screen"]
TransportState = Literal["connecting", "connected", "silent", "gone"]


class _Message(msgspec.Struct, frozen=True, tag_field="type", forbid_unknown_fields=True):
    pass


class Track(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One published track. `id` is `"<seat>.<source>"`; `codec` is the name in SDP (`opus`, `VP8`, `VP9`, `H264`)."""

    id: str
    seat: str
    source: Source
    kind: Literal["audio", "video"]
    codec: str


# ---- asked by signaling


class Greet(_Message, frozen=True, tag="greet"):
    """First message on a link."""

    protocol: int = PROTOCOL


class OpenRoom(_Message, frozen=True, tag="open_room"):
    """Make a room; asking again for an open room changes nothing."""

    room: str


class CloseRoom(_Message, frozen=True, tag="close_room"):
    """End every transport in the room and forget it; unknown rooms are fine."""

    room: str


class Negotiate(_Message, frozen=True, tag="negotiate"):
    """A client's offer. `pc` is the client's name for its RTCPeerConnection: same `pc`, same transport.

    `publish`: mid → source; `subscribe`: mid → track id. Answered by `Answered`, or refused with
    `room_unknown`, `sdp_invalid`, `sdp_unsupported`, `track_unknown`, `source_taken`.
    """

    room: str
    seat: str
    pc: str
    sdp: str
    publish: dict[str, Source]
    subscribe: dict[str, str]


class Drop(_Message, frozen=True, tag="drop"):
    """End the seat's transport, if it has one."""

    room: str
    seat: str


class Record(_Message, frozen=True, tag="record"):
    """Open or shut the tap for one seat's producers, present and future."""

    room: str
    seat: str
    on: bool


class SetView(_Message, frozen=True, tag="set_view"):
    """The most a seat wants of the pictures it watches, by source: whatever fits, the smallest size, or nothing.

    It holds until said otherwise, also for tracks to come. The recorder's share is not touched.
    """

    room: str
    seat: str
    camera: Literal["best", "small", "none"] = "best"
    screen: Literal["best", "small", "none"] = "best"


class AskRoom(_Message, frozen=True, tag="ask_room"):
    """What the room holds now: signaling asks after its own restart. Answered by `RoomState`, or refused: `room_unknown`."""

    room: str


class AskStats(_Message, frozen=True, tag="ask_stats"):
    """Answered by `Stats`."""


# ---- answered by the worker


class Greeted(_Message, frozen=True, tag="greeted"):
    """`epoch` changes with every start of the process. `addresses` are the announced `ip:port`."""

    worker: str
    pid: int
    epoch: str
    addresses: list[str]
    protocol: int = PROTOCOL


class Done(_Message, frozen=True, tag="done"):
    """Carried out."""


class Answered(_Message, frozen=True, tag="answered"):
    """The SDP answer, the tracks this seat now publishes, and of those it asked for the ids of what it cannot decode."""

    sdp: str
    tracks: list[Track]
    undecodable: list[str] = []


class SeatState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A seat's transport: the client's name for it, its state, and whether the seat's tap is open (`Record`)."""

    pc: str
    state: TransportState
    recorded: bool = False


class RoomState(_Message, frozen=True, tag="room_state"):
    """Every track of the room, and every seat that has a transport."""

    room: str
    tracks: list[Track]
    seats: dict[str, SeatState]


class Stats(_Message, frozen=True, tag="stats"):
    """Counters since the start of the process; `drops` maps a rule's name to a count."""

    rooms: int
    transports: int
    packets_in: int
    packets_out: int
    bytes_in: int
    bytes_out: int
    cpu_s: float
    rss_bytes: int
    drops: dict[str, int]


# ---- told by the worker, unasked


class TransportChanged(_Message, frozen=True, tag="transport_changed"):
    """`silent` after 4 s without a packet, `gone` after 30 s (the transport is then closed)."""

    room: str
    seat: str
    pc: str
    state: TransportState


class TracksChanged(_Message, frozen=True, tag="tracks_changed"):
    """All tracks of the room, whole, whenever one comes or goes."""

    room: str
    tracks: list[Track]


class Quality(_Message, frozen=True, tag="quality"):
    """Every 2 s a connected seat: fractions lost 0–1 on the way up and down, round trip in ms if known."""

    room: str
    seat: str
    loss_up: float
    loss_down: float
    rtt_ms: float | None
    bitrate_up_bps: int
    bitrate_down_bps: int
    estimate_down_bps: int | None = None
    """What the way down carries, where the client tells (transport-cc, REMB)."""


class LayerChanged(_Message, frozen=True, tag="layer_changed"):
    """What a seat gets of a track it watches: `layer` 0 is the smallest of `layers`, None while the picture is paused.

    `bandwidth`: its network carries no more. `publisher`: there is no better one just now. `asked`: it wants no more
    (`SetView`). Empty: it is the best. `lines`: the shorter side of the picture in pixels, if known.
    """

    room: str
    seat: str
    track: str
    layer: int | None
    layers: int
    reason: Literal["", "bandwidth", "publisher", "asked"] = ""
    lines: int | None = None


class SizeWished(_Message, frozen=True, tag="size_wished"):
    """What a simulcast's encoding for weak viewers should cost (bit/s): for its publisher. None: as it likes."""

    room: str
    seat: str
    source: Source
    bps: int | None


class TapChanged(_Message, frozen=True, tag="tap_changed"):
    """Whether the recorder is being fed; `lost_packets` were dropped because the buffer was full, since the start."""

    connected: bool
    buffered_bytes: int
    lost_packets: int


ToWorker = Greet | OpenRoom | CloseRoom | Negotiate | Drop | Record | SetView | AskRoom | AskStats
FromWorker = (
    Greeted
    | Done
    | Answered
    | RoomState
    | Stats
    | Refused
    | TransportChanged
    | TracksChanged
    | Quality
    | LayerChanged
    | SizeWished
    | TapChanged
)
