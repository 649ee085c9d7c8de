"""One room: who is in it, what each publishes and receives, and whose packets may be recorded.

A room holds no socket and waits for nothing: it is told of offers and of what the plane saw, and calls the `DataPlane`
and the tap. In the plane a transport is `<room>/<seat>/<n>` and a track `<room>/<track id>`.

ROOM-1  An offer that is refused changes nothing.
ROOM-2  A new `pc` on a seat takes the seat's tracks over (the plane moves them, so whoever watches goes on watching),
        and only then is the old transport closed.
ROOM-3  See `media.rooms.published`.
ROOM-4  Who closes whom: a room ends its transports; a transport ends its tracks; a track ends its handle, its
        subscriptions everywhere, and only then the plane's producer.
ROOM-5  A subscription outlives its track: if the track returns before its subscriber offers again, it goes on under the
        SSRC that was answered.
ROOM-6  What a seat wants to see holds for its seat, over offers and transports.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from media import control, sdp
from media.control import (
    Answered,
    Negotiate,
    Quality,
    RoomState,
    SeatState,
    Track,
    TracksChanged,
    TransportChanged,
    TransportState,
)
from media.plane import (
    ConsumerSpec,
    IceCredentials,
    LayerChanged,
    PlaneEvent,
    ProducerStarted,
    SizeWished,
    TransportMoved,
    TransportSpec,
    TransportStats,
    View,
)
from media.rooms.published import EndReason, Published
from media.rooms.surroundings import Surroundings, Traffic

log = logging.getLogger(__name__)


class RoomError(Exception):
    """An offer that a room refuses: `TrackUnknown`, `SourceTaken`. (A broken one is an `SdpError`.)"""

    code = "room_error"


class TrackUnknown(RoomError):
    """It subscribes to what is not published."""

    code = "track_unknown"


class SourceTaken(RoomError):
    """It publishes one source twice (MEDIA-2)."""

    code = "source_taken"


@dataclass(slots=True)
class _Transport:
    key: str
    pc: str
    local: IceCredentials
    remote: IceCredentials
    fingerprints: tuple[tuple[str, str], ...]
    version: int = 0
    restarts: int = 0
    state: TransportState = "connecting"
    consumers: dict[str, ConsumerSpec] = field(default_factory=dict)
    """By mid."""
    dormant: dict[str, ConsumerSpec] = field(default_factory=dict)
    """By mid: answered to the client, but the track is gone (ROOM-5)."""
    last_stats: TransportStats | None = None
    stats_at_us: int = 0


class Room:
    """See the module's rules. Every method is called on the worker's loop."""

    def __init__(self, name: str, given: Surroundings) -> None:
        self.name = name
        self._given = given
        self._transports: dict[str, _Transport] = {}
        self._tracks: dict[str, Published] = {}
        self._recorded: set[str] = set()
        self._views: dict[str, dict[str, View]] = {}
        self._opened = 0
        self._ended = Traffic()

    @property
    def tracks(self) -> list[Track]:
        """Everything that can be subscribed to, in the order it came."""
        return [published.track for published in self._tracks.values()]

    @property
    def state(self) -> RoomState:
        """What signaling asks for after its own restart."""
        seats = {
            seat: SeatState(transport.pc, transport.state, seat in self._recorded)
            for seat, transport in self._transports.items()
        }
        return RoomState(self.name, self.tracks, seats)

    @property
    def transports(self) -> int:
        """How many seats have one."""
        return len(self._transports)

    @property
    def traffic(self) -> Traffic:
        """Everything the room has carried, through transports that are gone too."""
        return sum((self._carried(transport) for transport in self._transports.values()), self._ended)

    # ---- asked by signaling

    def negotiate(self, asked: Negotiate) -> Answered:
        """Answer an offer and carry it out. Raises `SdpError` and `RoomError`; then nothing has changed (ROOM-1)."""
        if len(set(asked.publish.values())) != len(asked.publish):
            raise SourceTaken("a source is published twice")
        others = {p.track.id for p in self._tracks.values() if p.track.seat != asked.seat}
        if not set(asked.subscribe.values()) <= others:
            raise TrackUnknown("a track is subscribed to that no other seat publishes")
        offer = sdp.parse(asked.sdp)
        old = self._transports.get(asked.seat)
        now = self._transport_for(asked, offer, old)
        decision = sdp.decide(offer, self._negotiation(asked, now))
        self._carry_out(asked.seat, old, now, decision)
        for track in decision.undecodable:
            log.warning("subscriber cannot decode", extra={"room": self.name, "seat": asked.seat, "track": track})
        own = [p.track for p in self._tracks.values() if p.track.seat == asked.seat]
        return Answered(decision.sdp, own, list(decision.undecodable))

    def drop(self, seat: str, reason: EndReason = "transport_gone") -> None:
        """End a seat's transport, if it has one, and its tracks."""
        transport = self._transports.pop(seat, None)
        if transport is None:
            return
        self._end_tracks(self._of(seat), reason)
        self._close(transport)
        self._given.tell(TransportChanged(self.name, seat, transport.pc, "gone"))

    def record(self, seat: str, on: bool) -> None:
        """CTL-2: open or shut the gate of a seat."""
        if on:
            self._recorded.add(seat)
        else:
            self._recorded.discard(seat)
        for published in self._of(seat):
            if on:
                self._record(published)
            else:
                published.shut_tap(self._given, "not_recorded")

    def view(self, asked: control.SetView) -> None:
        """What a seat wants to see, of the tracks it watches now and later (ROOM-6)."""
        self._views[asked.seat] = {"camera": asked.camera, "screen": asked.screen}
        transport = self._transports.get(asked.seat)
        for consumer in transport.consumers.values() if transport is not None else ():
            self._show(asked.seat, consumer)

    def close(self) -> None:
        """End everyone."""
        for seat in list(self._transports):
            self.drop(seat, "room_closed")
        self._end_tracks(list(self._tracks.values()), "room_closed")

    # ---- told by the plane

    def heard(self, event: PlaneEvent) -> None:
        """Any event of the plane's that names this room."""
        match event:
            case ProducerStarted():
                self.started(event)
            case TransportMoved():
                self.moved(event)
            case LayerChanged():
                self.layered(event)
            case SizeWished():
                self.wished(event)

    def layered(self, event: LayerChanged) -> None:
        """A seat gets another layer of a track. Tracks and transports that are gone are ignored."""
        published = self._named(event.track)
        seat = next((seat for seat, transport in self._transports.items() if transport.key == event.key), None)
        if published is not None and seat is not None:
            track, lines = published.track.id, event.lines
            self._given.tell(
                control.LayerChanged(self.name, seat, track, event.layer, event.layers, event.reason, lines)
            )

    def wished(self, event: SizeWished) -> None:
        """A track's publisher should make its small encoding so big. Tracks that are gone are ignored."""
        published = self._named(event.track)
        if published is not None:
            track = published.track
            self._given.tell(control.SizeWished(self.name, track.seat, track.source, event.bps))

    def started(self, event: ProducerStarted) -> None:
        """A track's first packet: what it is recorded as is now known. Tracks that are gone are ignored."""
        published = self._named(event.track)
        if published is None:
            return
        if published.started != event:
            published.shut_tap(self._given, "unpublished")  # ROOM-3
        published.started = event
        self._record(published)

    def moved(self, event: TransportMoved) -> None:
        """A transport changed state. Transports that were replaced are ignored."""
        for seat, transport in list(self._transports.items()):
            if transport.key != event.key:
                continue
            transport.state = event.state
            if event.state == "gone":
                self.drop(seat)
            else:
                self._given.tell(TransportChanged(self.name, seat, transport.pc, event.state))

    def tell_quality(self) -> None:
        """Every 2 s: how each connected seat fares."""
        for seat, transport in self._transports.items():
            if transport.state == "connected":
                self._given.tell(self._quality(seat, transport))

    # ---- negotiation

    def _transport_for(self, asked: Negotiate, offer: sdp.Offer, old: _Transport | None) -> _Transport:
        """The transport as it will be: the old one, perhaps with ICE restarted, or one to be opened."""
        if old is None or old.pc != asked.pc or set(old.fingerprints).isdisjoint(offer.fingerprints):
            key = f"{self.name}/{asked.seat}/{self._opened + 1}"
            return _Transport(key, asked.pc, self._given.new_credentials(), offer.remote, offer.fingerprints)
        if offer.remote == old.remote:
            return old
        # RFC 8445 §9: both sides change their credentials in an ICE restart
        return replace(old, local=self._given.new_credentials(), remote=offer.remote, restarts=old.restarts + 1)

    def _negotiation(self, asked: Negotiate, now: _Transport) -> sdp.Negotiation:
        plane = self._given.plane
        return sdp.Negotiation(
            key=now.key,
            publish=asked.publish,
            subscribe=asked.subscribe,
            tracks={p.track.id: sdp.Forwarded(p.track, p.name, p.fmtp) for p in self._tracks.values()},
            local=sdp.Local(
                now.local,
                plane.fingerprint,
                tuple(plane.addresses),
                version=now.version + 1,
                restarts=now.restarts,
                tcp=plane.takes_tcp,
            ),
            name_of=lambda source: f"{self.name}/{asked.seat}.{source}",
            new_ssrc=self._given.new_ssrc,
            before=now.dormant | now.consumers,
        )

    def _carry_out(self, seat: str, old: _Transport | None, now: _Transport, decision: sdp.Decision) -> None:
        plane, before = self._given.plane, self.tracks
        if old is None or old.key != now.key:
            self._opened += 1
            plane.open_transport(TransportSpec(now.key, now.local, now.remote, now.fingerprints))
            self._given.tell(TransportChanged(self.name, seat, now.pc, "connecting"))
        elif old.remote != now.remote:
            plane.restart_ice(now.key, now.local, now.remote)
        now.version += 1
        self._transports[seat] = now
        self._publish(seat, now, decision, moved=old is not None and old.key != now.key)
        self._subscribe(seat, now, decision.consumers)
        if old is not None and old.key != now.key:  # ROOM-2
            self._close(old)
        if self.tracks != before:
            self._given.tell(TracksChanged(self.name, self.tracks))

    def _publish(self, seat: str, transport: _Transport, decision: sdp.Decision, moved: bool) -> None:
        kept = {f"{seat}.{source}" for source in decision.producers}
        self._end_tracks([p for p in self._of(seat) if p.track.id not in kept], "unpublished", quiet=True)
        for source, spec in decision.producers.items():
            last = self._tracks.get(f"{seat}.{source}")
            if last is not None and last.spec == spec and not moved:
                continue
            published = Published.negotiated(seat, source, spec, decision.fmtp)
            if last is not None and not moved and last.goes_on_as(spec):
                published.started, published.handle = last.started, last.handle
            elif last is not None:
                last.shut_tap(self._given, "unpublished")
            self._tracks[published.track.id] = published
            self._given.plane.publish(transport.key, spec)
            self._wake(published)

    def _wake(self, published: Published) -> None:
        """ROOM-5."""
        for seat, transport in self._transports.items():
            for mid, consumer in list(transport.dormant.items()):
                if consumer.track == published.name and published.track.codec in consumer.codecs:
                    transport.consumers[mid] = transport.dormant.pop(mid)
                    self._given.plane.subscribe(transport.key, consumer)
                    self._show(seat, consumer)

    def _subscribe(self, seat: str, transport: _Transport, wanted: Mapping[str, ConsumerSpec]) -> None:
        plane, last = self._given.plane, transport.consumers
        for mid, consumer in last.items():
            if wanted.get(mid) != consumer:
                plane.unsubscribe(transport.key, consumer.id)
        for mid, consumer in wanted.items():
            if last.get(mid) != consumer:
                plane.subscribe(transport.key, consumer)
        transport.consumers, transport.dormant = dict(wanted), {}
        for mid, consumer in wanted.items():
            if last.get(mid) != consumer:
                self._show(seat, consumer)

    def _show(self, seat: str, consumer: ConsumerSpec) -> None:
        """ROOM-6."""
        published, views = self._named(consumer.track), self._views.get(seat)
        if views is not None and published is not None and published.track.source in views:
            self._given.plane.view(self._transports[seat].key, consumer.id, views[published.track.source])

    # ---- tracks and their taps

    def _of(self, seat: str) -> list[Published]:
        return [published for published in self._tracks.values() if published.track.seat == seat]

    def _named(self, name: str) -> Published | None:
        return next((published for published in self._tracks.values() if published.name == name), None)

    def _end_tracks(self, ending: Iterable[Published], reason: EndReason, quiet: bool = False) -> None:
        """ROOM-4. `quiet` where the caller tells what changed."""
        ended = list(ending)
        for published in ended:
            published.shut_tap(self._given, reason)
            del self._tracks[published.track.id]
            for transport in self._transports.values():
                for mid in [mid for mid, c in transport.consumers.items() if c.track == published.name]:
                    transport.dormant[mid] = transport.consumers.pop(mid)  # PLANE-3: the plane ends them with the track
            with suppress(KeyError):  # its transport may be gone, and the track with it
                self._given.plane.unpublish(published.name)
        if ended and not quiet:
            self._given.tell(TracksChanged(self.name, self.tracks))

    def _record(self, published: Published) -> None:
        """ROOM-3: if its seat's gate is open."""
        if published.track.seat in self._recorded:
            published.open_tap(self.name, self._given)

    # ---- figures

    def _close(self, transport: _Transport) -> None:
        self._ended += self._carried(transport)
        with suppress(KeyError):  # after 30 s of silence the plane has closed it already
            self._given.plane.close_transport(transport.key)

    def _carried(self, transport: _Transport) -> Traffic:
        try:
            stats: TransportStats | None = self._given.plane.stats(transport.key)
        except KeyError:
            stats = transport.last_stats
        return Traffic(stats.packets_in, stats.packets_out, stats.bytes_in, stats.bytes_out) if stats else Traffic()

    def _quality(self, seat: str, transport: _Transport) -> Quality:
        stats, now_us = self._given.plane.stats(transport.key), self._given.now_us()
        last, elapsed_us = transport.last_stats, max(now_us - transport.stats_at_us, 1)
        transport.last_stats, transport.stats_at_us = stats, now_us
        up, down = (stats.bytes_in - last.bytes_in, stats.bytes_out - last.bytes_out) if last else (0, 0)
        return Quality(
            room=self.name,
            seat=seat,
            loss_up=stats.loss_up,
            loss_down=stats.loss_down,
            rtt_ms=stats.rtt_ms,
            bitrate_up_bps=up * 8_000_000 // elapsed_us,
            bitrate_down_bps=down * 8_000_000 // elapsed_us,
            estimate_down_bps=stats.estimate_bps,
        )
