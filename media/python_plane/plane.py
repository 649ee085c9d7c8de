"""The data plane in Python: sockets → ICE-lite → DTLS or SRTP → producer → consumers → SRTP → sockets.

One event loop, no threads, no transport objects. `entrance` reads datagrams, `associations` knows whose they are,
`forwarder` sends packets on; here tracks and subscriptions begin and end. See `media.plane` for the rules,
`media/decisions/` for why it is built like this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from media.congestion.downlink import Downlink
from media.forwarding.consumer import Consumer, Outgoing
from media.forwarding.layered import LayeredConsumer
from media.forwarding.producer import RECORDED_LATE_S, SELDOM_S
from media.plane import (
    ConsumerSpec,
    IceCredentials,
    PacketSink,
    PlaneEvent,
    ProducerSpec,
    TransportSpec,
    TransportStats,
    View,
)
from media.python_plane.associations import Associations
from media.python_plane.entrance import Entrance
from media.python_plane.feedback import loss_down, loss_up
from media.python_plane.forwarder import Forwarder
from media.python_plane.hearing import Hearing
from media.python_plane.steering import first_layer
from media.transports.transport import Layer, Route, Track, Transport

TICK_S = 0.02
_SWEEP_TICKS = 10
_REPORT_TICKS = 50
_STEER_TICKS = 10


class PythonPlane:
    """Implements `media.plane.DataPlane`."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        addresses: Sequence[str],
        clock: Callable[[], float],
        entropy: Callable[[int], bytes],
        sink: PacketSink,
        port: int = 0,
        tcp: bool = False,
    ) -> None:
        """Bind and begin to listen. Raises `PortUnavailable`, `ValueError` for an address that is none.

        `addresses`: IP literals, `announced` or `announced/bound` behind a 1:1 NAT, best first. `clock`: monotonic seconds
        (`config.clock.monotonic_s`). `entropy`: that many random bytes. `port` 0: any that is free on all addresses.
        `tcp`: listen for ICE-TCP on the same port number.
        """
        self._loop = loop
        self._clock = clock
        self._entropy = entropy
        self._forwarder = Forwarder(clock, sink)
        self._associations = Associations(clock, self._forwarder, self)
        hearing = Hearing(clock, sink, self._forwarder)
        self._entrance = Entrance(loop, addresses, port, tcp, clock, self._forwarder, hearing, self._associations)
        self._transports = self._associations.transports
        self._tracks: dict[str, Track] = {}
        self._ticks = 0
        self._opened = 0
        self._closed = False
        self._timer = loop.call_later(TICK_S, self._tick)

    # ---- DataPlane

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Announced (ip, port), best first."""
        return [(door.announced, self._entrance.port) for door in self._entrance.doors]

    @property
    def takes_tcp(self) -> bool:
        """Whether the same addresses are reached by TCP."""
        return self._entrance.streams.listens

    @property
    def fingerprint(self) -> str:
        """SHA-256 of our DTLS certificate, upper-case hex with colons."""
        return self._associations.certificate.fingerprint

    @property
    def drops(self) -> dict[str, int]:
        """Dropped datagrams and packets by the rule that dropped them.

        `size`, `first_byte`, `unvalidated`: PLANE-1. `stun_*`: no check of ours, or not an honest one. `dtls_refused`:
        certificate or profile. `no_keys`, `srtp_refused`, `srtcp_refused`: before the handshake's end, forged or replayed.
        `rtp_malformed`, `rtcp_malformed`, `payload_type_unknown`, `ssrc_unknown`, `ssrc_inactive`, `ssrc_table_full`,
        `duplicate`, `rtx_empty` (padding on the RTX stream): of no use. `too_long_to_forward`, `protect_refused`,
        `repair_unavailable`: could not be sent. `send_full`, `send_error`, `socket_error`: the kernel's word. `tcp_*`:
        connections that were closed (`media.sockets.streams`).
        """
        return dict(self._forwarder.drops)

    def on_event(self, listener: Callable[[PlaneEvent], None]) -> None:
        """The one listener; called at once, from within the packet loop: be quick."""
        self._forwarder.listener = listener

    def open_transport(self, spec: TransportSpec) -> None:
        """Expect a client with these credentials."""
        self._opened += 1
        self._associations.open(Transport(spec, self._random32(), self._clock(), self._opened % _REPORT_TICKS))

    def restart_ice(self, key: str, local: IceCredentials, remote: IceCredentials) -> None:  # noqa: ARG002
        """New credentials on the same DTLS association. `remote` is not needed: a lite agent sends no checks."""
        self._associations.restart_ice(self._transports[key], local)

    def close_transport(self, key: str) -> None:
        """End it (DTLS close_notify), with its producers and consumers."""
        self._associations.end(self._transports[key])

    def publish(self, key: str, spec: ProducerSpec) -> None:
        """Begin, or change, a track. A track that moves here keeps its consumers; they go on at its next keyframe."""
        transport = self._transports[key]
        track = self._tracks.get(spec.track)
        if track is None:
            track = self._tracks[spec.track] = Track(spec, transport)
        elif track.transport is transport and track.spec == spec:
            return
        else:
            self._republish(track, transport, spec)
        transport.tracks[spec.track] = track
        transport.number_extension = spec.number_extension or transport.number_extension
        for ssrc in spec.ssrcs:
            transport.streams[ssrc] = (track.layers[0], False)
        for ssrc in spec.rtx_ssrcs:
            transport.streams[ssrc] = (track.layers[0], True)

    def unpublish(self, track: str) -> None:
        """End a track, and its consumers everywhere (PLANE-3)."""
        ending = self._tracks.pop(track)
        for route in list(ending.routes):
            self._stop(route)
        self._detach(ending)
        self._forwarder.asking.forget(ending)

    def subscribe(self, key: str, spec: ConsumerSpec) -> None:
        """Begin forwarding a track to this transport; a known id is changed."""
        transport, track = self._transports[key], self._tracks[spec.track]
        known = transport.consumers.get(spec.id)
        if known is not None:
            if known.track is track and known.consumer.spec == spec:
                return
            self._stop(known)
        # Two streams under one SSRC would protect two contents under one number (SRTP-1).
        assert transport.sources.keys().isdisjoint((spec.ssrc, spec.rtx_ssrc)), "an SSRC carries one consumer"
        outgoing = transport.outgoing.get(spec.ssrc)
        if outgoing is None:
            seeds = self._random32(), self._random32(), self._random32()
            outgoing = transport.outgoing[spec.ssrc] = Outgoing(*seeds)
        now = self._clock()
        if spec.number_extension is not None and transport.downlink is None:
            transport.downlink = Downlink(now)
        layered = "VP9" in spec.codecs
        consumer = (LayeredConsumer if layered else Consumer)(spec, outgoing, track.spec.codecs)
        consumer.recounts = len(track.layers) > 1 and "VP8" in spec.codecs
        route = Route(track, consumer, transport, first_layer(track, transport, now))
        transport.consumers[spec.id] = transport.sources[spec.ssrc] = route
        if spec.rtx_ssrc is not None:
            transport.sources[spec.rtx_ssrc] = route
        track.routes.append(route)
        if transport.outbound is not None:
            self._begin(route, now)

    def view(self, key: str, consumer: str, most: View) -> None:
        """The most this subscriber wants of a picture; it is steered by at the next look."""
        self._transports[key].consumers[consumer].most = most

    def unsubscribe(self, key: str, consumer: str) -> None:
        """Stop forwarding."""
        transport = self._transports[key]
        self._stop(transport.consumers[consumer])

    def record(self, track: str, handle: int | None) -> None:
        """Hand the track's packets to the sink under `handle`, or stop; a recording begins with a keyframe soon."""
        recorded = self._tracks[track]
        recorded.handle, recorded.tape = handle, None
        if handle is None:
            return
        best = recorded.best(self._clock())
        if len(recorded.layers) > 1:
            recorded.tape = self._taping(recorded, best)
        self._forwarder.asking.want_keyframe(best)

    def request_keyframe(self, track: str, old: bool = False) -> None:
        """Ask the publisher for a keyframe (throttled); nothing for audio, nor while one is on its way to the recorder.

        `old`: the last one is good; where another would stop the picture it may grow older still.
        """
        asked, now = self._tracks[track], self._clock()
        for layer in asked.layers:
            enough_s = SELDOM_S if old and layer.producer.reception.standstill.dear else RECORDED_LATE_S
            if now - layer.producer.keyframe_at < enough_s:
                continue
            if len(asked.layers) == 1 or (asked.tape is not None and asked.tape.wanted is layer):
                self._forwarder.asking.want_recorded(layer)

    def stats(self, key: str) -> TransportStats:
        """Counters of a transport."""
        transport = self._transports[key]
        estimate = transport.remb_bps if transport.downlink is None else int(transport.downlink.estimate_bps)
        return TransportStats(
            packets_in=transport.packets_in,
            packets_out=transport.packets_out,
            bytes_in=transport.bytes_in,
            bytes_out=transport.bytes_out,
            loss_up=loss_up(transport),
            loss_down=loss_down(transport, self._clock()),
            rtt_ms=None if transport.rtt is None else transport.rtt * 1000,
            estimate_bps=estimate,
        )

    def close(self) -> None:
        """End every transport and close the sockets. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._timer.cancel()
        for transport in list(self._transports.values()):
            self._associations.end(transport)
        self._entrance.close()

    # ---- time

    def _tick(self) -> None:
        self._timer = self._loop.call_later(TICK_S, self._tick)
        now = self._clock()
        self._ticks += 1
        self._forwarder.asking.tick(now)
        if self._ticks % _SWEEP_TICKS == 0:
            self._associations.sweep(now)
            self._entrance.streams.sweep(now)
        self._entrance.tick()
        steering, turn = self._forwarder.steering, self._ticks % _STEER_TICKS
        for transport in list(self._transports.values()):
            if transport.turn % _STEER_TICKS == turn and transport.outbound is not None:
                steering.steer(transport, now)
        turn = self._ticks % _REPORT_TICKS
        if turn == 0:
            self._associations.calm()
        # In turns: reports to a hundred transports at once would hold packets back for milliseconds.
        for transport in list(self._transports.values()):
            if transport.turn == turn:
                self._forwarder.asking.report(transport, now)

    # ---- what happens to transports (`media.python_plane.associations.Owner`)

    def connected(self, transport: Transport) -> None:
        """It has its keys."""
        for route in transport.consumers.values():  # PLANE-4: it can only begin now
            self._begin(route, transport.heard)
        for track in transport.tracks.values():
            for layer in track.layers:
                if layer.producer.wanting:
                    self._forwarder.asking.wanting.add(layer)

    def rerouted(self, transport: Transport) -> None:
        """It has found another way (PLANE-6): what was lost meanwhile is not asked for piece by piece."""
        published = (route for track in transport.tracks.values() for route in track.routes)
        for route in (*transport.consumers.values(), *published):
            layer = route.layer or route.wanted
            if layer is not None:
                self._forwarder.asking.want_keyframe(layer)

    def ending(self, transport: Transport) -> None:
        """Let go of what it publishes and gets (PLANE-3)."""
        for name in list(transport.tracks):
            self.unpublish(name)
        for route in list(transport.consumers.values()):
            self._stop(route)

    # ---- beginnings and endings

    def _republish(self, track: Track, transport: Transport, spec: ProducerSpec) -> None:
        old = track.spec
        same_stream = track.transport is transport and (old.codecs, old.ssrcs, old.mid, old.rids) == (
            spec.codecs,
            spec.ssrcs,
            spec.mid,
            spec.rids,
        )
        self._detach(track)
        track.transport, track.spec = transport, spec
        if same_stream:
            for layer in track.layers:
                layer.producer.spec = spec
                layer.producer.reception.repairable = spec.nack
                if layer.producer.ssrc is not None:
                    transport.streams[layer.producer.ssrc] = (layer, False)
            return
        self._forwarder.asking.forget(track)
        before = len(track.layers)
        track.renew()
        for route in track.routes:
            route.consumer.expect(route.consumer.spec, spec.codecs)
            route.layer, route.wanted = None, first_layer(track, route.subscriber, self._clock())
            route.consumer.recounts |= max(before, len(track.layers)) > 1 and "VP8" in route.consumer.spec.codecs
        for layer in track.layers:
            self._forwarder.interrupt(layer)

    def _detach(self, track: Track) -> None:
        """Take a track from the transport it came by."""
        publisher = track.transport
        publisher.tracks.pop(track.spec.track, None)
        for ssrc in [ssrc for ssrc, stream in publisher.streams.items() if stream[0].track is track]:
            del publisher.streams[ssrc]

    def _begin(self, route: Route, now: float) -> None:
        """Somebody can be sent to from now on: ask for the keyframe, and what the path can carry."""
        if route.wanted is not None:
            self._forwarder.asking.want_keyframe(route.wanted)
        downlink = route.subscriber.downlink
        if downlink is not None and not downlink.begun and route.track.producer.is_video:
            downlink.begin(now)
            self._forwarder.outlet.waiting.add(route.subscriber)

    def _taping(self, track: Track, best: Layer) -> Route:
        """The recorder as a subscriber of a simulcast (STEER-4): one SSRC, the one that was told, whatever layer it is."""
        assert track.announced is not None, "a track is recorded once it has started"
        spec = ConsumerSpec("tape", track.spec.track, track.announced, {c: n for n, c in track.spec.codecs.items()})
        seeds = self._random32(), self._random32(), self._random32()
        return Route(track, Consumer(spec, Outgoing(*seeds), track.spec.codecs), track.transport, best)

    def _stop(self, route: Route) -> None:
        """End one consumer; what its SSRC has sent is remembered (CONS-1)."""
        consumer, subscriber = route.consumer, route.subscriber
        consumer.stop()
        del subscriber.consumers[consumer.spec.id]
        route.track.routes[:] = [other for other in route.track.routes if other is not route]
        for ssrc in (consumer.spec.ssrc, consumer.spec.rtx_ssrc):
            if ssrc is not None and subscriber.sources.get(ssrc) is route:
                del subscriber.sources[ssrc]

    def _random32(self) -> int:
        return int.from_bytes(self._entropy(4), "big")
