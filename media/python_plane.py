"""The data plane in Python: sockets → ICE-lite → DTLS or SRTP → producer → consumers → SRTP → sockets.

One event loop, no threads, no transport objects: `add_reader` wakes us, we drain up to `BATCH` datagrams into one buffer
and forward each from there. See `media.plane` for the rules; `media/decisions/` for why it is built like this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from media import stun
from media.congestion.downlink import Downlink
from media.dtls import Certificate, DtlsEndpoint
from media.feedback import loss_down, loss_up
from media.forwarder import Forwarder
from media.forwarding.consumer import Consumer, Outgoing
from media.ice import packed
from media.plane import (
    ConsumerSpec,
    IceCredentials,
    PacketSink,
    PlaneEvent,
    ProducerSpec,
    TransportMoved,
    TransportSpec,
    TransportState,
    TransportStats,
)
from media.rtp import header
from media.sockets import Announced, bind_all
from media.srtp import SrtpSession
from media.steering import first_layer
from media.transport import Address, Door, Layer, Path, Route, Track, Transport

BATCH = 128
"""Datagrams taken from one socket before the loop's other work gets its turn: about 3 ms."""
COALESCE_S = 0.001
"""5 000 packets/s: 43 µs of CPU a packet instead of 50–60, for 0.6 ms of delay (`python -m tests.bench.plane_micro`)."""
_BUSY_A_TICK = 60
"""Datagrams a tick, 3 000 a second, from which a socket is busy: below, waking for each is cheaper (107:139 µs at 1 080)."""
SILENT_S = 5.0
GONE_S = 30.0
TICK_S = 0.02
_SWEEP_TICKS = 10
_REPORT_TICKS = 50
_STEER_TICKS = 10
PUMP_S = 0.004
"""How often paced packets are looked at, while there are any."""
_ERRORS_A_SECOND = 5
_MAX_ERROR_SOURCES = 1024


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
    ) -> None:
        """Bind and begin to listen. Raises `PortUnavailable`, `ValueError` for an address that is none.

        `addresses`: IP literals, `announced` or `announced/bound` behind a 1:1 NAT, best first. `clock`: monotonic seconds
        (`config.clock.monotonic_s`). `entropy`: that many random bytes. `port` 0: any that is free on all addresses.
        """
        self._loop = loop
        self._clock = clock
        self._entropy = entropy
        self._certificate = Certificate()
        announced = [Announced.parse(text) for text in addresses]
        sockets, self._port = bind_all(announced, port)
        self._doors = [Door(sock, known.ip) for sock, known in zip(sockets, announced, strict=True)]
        self._forwarder = Forwarder(clock, sink)
        self._cell = self._forwarder.cell
        self._transports: dict[str, Transport] = {}
        self._by_fragment: dict[str, Transport] = {}
        self._tracks: dict[str, Track] = {}
        self._shaking: set[Transport] = set()
        self._errors: dict[str, int] = {}
        self._pump: asyncio.TimerHandle | None = None
        self._ticks = 0
        self._opened = 0
        self._closed = False
        for door in self._doors:
            loop.add_reader(door.sock.fileno(), self._readable, door)
        self._timer = loop.call_later(TICK_S, self._tick)

    # ---- DataPlane

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Announced (ip, port), best first."""
        return [(door.announced, self._port) for door in self._doors]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of our DTLS certificate, upper-case hex with colons."""
        return self._certificate.fingerprint

    @property
    def drops(self) -> dict[str, int]:
        """Dropped datagrams and packets by the rule that dropped them.

        `size`, `first_byte`, `unvalidated`: PLANE-1. `stun_*`: no check of ours, or not an honest one. `dtls_refused`:
        certificate or profile. `no_keys`, `srtp_refused`, `srtcp_refused`: before the handshake's end, forged or replayed.
        `rtp_malformed`, `rtcp_malformed`, `payload_type_unknown`, `ssrc_unknown`, `ssrc_inactive`, `ssrc_table_full`,
        `duplicate`, `rtx_empty` (padding on the RTX stream): of no use. `too_long_to_forward`, `protect_refused`,
        `repair_unavailable`: could not be sent. `send_full`, `send_error`, `socket_error`: the kernel's word.
        """
        return dict(self._forwarder.drops)

    def on_event(self, listener: Callable[[PlaneEvent], None]) -> None:
        """The one listener; called at once, from within the packet loop: be quick."""
        self._forwarder.listener = listener

    def open_transport(self, spec: TransportSpec) -> None:
        """Expect a client with these credentials."""
        assert spec.key not in self._transports, "a key names one transport"
        assert spec.local.ufrag not in self._by_fragment, "a fragment names one transport"
        self._opened += 1
        transport = Transport(spec, self._random32(), self._clock(), self._opened % _REPORT_TICKS)
        self._transports[spec.key] = transport
        self._by_fragment[spec.local.ufrag] = transport

    def restart_ice(self, key: str, local: IceCredentials, remote: IceCredentials) -> None:  # noqa: ARG002
        """New credentials on the same DTLS association. `remote` is not needed: a lite agent sends no checks."""
        transport = self._transports[key]
        retired = transport.ice.restart(local)
        if retired is not None:
            self._by_fragment.pop(retired, None)
        self._by_fragment[local.ufrag] = transport

    def close_transport(self, key: str) -> None:
        """End it (DTLS close_notify), with its producers and consumers."""
        self._end(self._transports[key])

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
        self._forwarder.forget(ending)

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
        consumer = Consumer(spec, outgoing, track.spec.codecs)
        consumer.recounts = len(track.layers) > 1 and "VP8" in spec.codecs
        route = Route(track, consumer, transport, first_layer(track, transport, now))
        transport.consumers[spec.id] = transport.sources[spec.ssrc] = route
        if spec.rtx_ssrc is not None:
            transport.sources[spec.rtx_ssrc] = route
        track.routes.append(route)
        if transport.outbound is not None:
            self._begin(route, now)

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
        self._forwarder.want_keyframe(best)

    def request_keyframe(self, track: str) -> None:
        """Ask the publisher for a keyframe (throttled); nothing for audio."""
        asked = self._tracks[track]
        for layer in asked.layers:
            if len(asked.layers) == 1 or (asked.tape is not None and asked.tape.wanted is layer):
                self._forwarder.want_keyframe(layer)

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
        if self._pump is not None:
            self._pump.cancel()
        for transport in list(self._transports.values()):
            self._end(transport)
        for door in self._doors:
            if door.timer is not None:
                door.timer.cancel()
            self._loop.remove_reader(door.sock.fileno())
            door.sock.close()

    # ---- datagrams

    def _readable(self, door: Door) -> None:
        """Woken by a datagram. A quiet socket wakes us for each; a busy one is looked at every `COALESCE_S` instead."""
        self._drain(door)
        if door.busy and not self._closed:
            self._loop.remove_reader(door.sock.fileno())
            door.timer = self._loop.call_later(COALESCE_S, self._look_again, door)

    def _look_again(self, door: Door) -> None:
        taken = BATCH
        try:
            taken = self._drain(door)
        finally:  # a bug met on the way must not leave the socket unwatched
            self._watch(door, taken)

    def _watch(self, door: Door, taken: int) -> None:
        if self._closed:
            return
        if taken == BATCH:
            door.timer = self._loop.call_soon(self._look_again, door)
        elif door.busy:
            door.timer = self._loop.call_later(COALESCE_S, self._look_again, door)
        else:
            door.timer = None
            self._loop.add_reader(door.sock.fileno(), self._readable, door)

    def _drain(self, door: Door) -> int:
        receive, view, data, paths = door.recvfrom_into, self._cell.view, self._cell.data, door.paths
        forwarder = self._forwarder
        taken = 0
        while taken < BATCH:
            try:
                size, source = receive(view)
            except BlockingIOError:
                break
            except OSError:
                self._forwarder.drops["socket_error"] += 1
                break
            taken += 1
            # PLANE-1; RFC 7983 §7
            if not 0 < size <= header.MAX_PACKET:
                self._forwarder.drops["size"] += 1
                continue
            first = data[0]
            if first < 4:
                self._on_stun(door, source, size)
                continue
            path = paths.get(source)
            if path is None:
                self._forwarder.drops["unvalidated"] += 1
            elif 128 <= first < 192:
                if size >= 12 and 192 <= data[1] < 224:  # RFC 5761 §4
                    forwarder.on_rtcp(path, size)
                else:
                    forwarder.on_rtp(path, size)
            elif 20 <= first < 64:
                self._on_dtls(path, size)
            else:
                self._forwarder.drops["first_byte"] += 1
        if forwarder.lossy:
            forwarder.ask_again(self._clock())
        if forwarder.outlet.waiting and self._pump is None:
            self._pump = self._loop.call_later(PUMP_S, self._pump_out)
        door.taken += taken
        return taken

    def _pump_out(self) -> None:
        self._pump = None
        outlet = self._forwarder.outlet
        outlet.pump(self._clock())
        if outlet.waiting and not self._closed:
            self._pump = self._loop.call_later(PUMP_S, self._pump_out)

    def _on_stun(self, door: Door, source: Address, size: int) -> None:
        datagram = bytes(self._cell.view[:size])
        try:
            message = stun.parse(datagram)
        except stun.StunError:
            self._forwarder.drops["stun_malformed"] += 1
            return
        if message.kind != stun.BINDING_REQUEST or message.username is None or not message.has_fingerprint:
            self._forwarder.drops["stun_not_a_check"] += 1
            return
        transport = self._by_fragment.get(message.username.partition(":")[0])
        if transport is None:
            self._forwarder.drops["stun_unknown_ufrag"] += 1
            return
        path = door.paths.get(source)
        if path is None or path.transport is not transport:
            path = Path(transport, door, source)
        answer = transport.ice.check(datagram, message, path, (packed(source[0]), source[1]))
        if not answer.accepted:
            self._forwarder.drops["stun_unauthentic"] += 1
            if self._may_complain(source[0]):
                self._forwarder.outlet.raw(path, answer.reply)
            return
        door.paths[source] = path
        transport.heard = self._clock()
        if answer.moved:
            transport.path = path
        if answer.forgotten is not None:
            self._forget_path(answer.forgotten)
        if answer.retired is not None:
            self._by_fragment.pop(answer.retired, None)
            self._refresh(transport)
        self._forwarder.outlet.raw(path, answer.reply)

    def _on_dtls(self, path: Path, size: int) -> None:
        transport = path.transport
        if transport.dtls is None:
            transport.dtls = DtlsEndpoint(self._certificate, transport.spec.fingerprints)
            self._shaking.add(transport)
        transport.dtls.receive(bytes(self._cell.view[:size]))
        transport.dtls_path = path
        self._advance(transport, transport.dtls, path)

    def _advance(self, transport: Transport, dtls: DtlsEndpoint, path: Path) -> None:
        for datagram in dtls.drain():
            self._forwarder.outlet.raw(path, datagram)
        if dtls.state == "connected":
            if transport.outbound is None:
                self._connected(transport, dtls)
        elif dtls.state == "refused":
            self._forwarder.drops["dtls_refused"] += 1
            self._gone(transport)
        elif dtls.state == "closed":
            self._gone(transport)

    def _connected(self, transport: Transport, dtls: DtlsEndpoint) -> None:
        keys = dtls.keys
        assert keys is not None
        transport.inbound = SrtpSession(keys.profile, keys.inbound, inbound=True)
        transport.outbound = SrtpSession(keys.profile, keys.outbound, inbound=False)
        transport.heard = self._clock()
        for route in transport.consumers.values():  # PLANE-4: it can only begin now
            self._begin(route, transport.heard)
        for track in transport.tracks.values():
            for layer in track.layers:
                if layer.producer.wanting:
                    self._forwarder.wanting.add(layer)
        self._move(transport, "connected")

    # ---- time

    def _tick(self) -> None:
        self._timer = self._loop.call_later(TICK_S, self._tick)
        now = self._clock()
        self._ticks += 1
        for door in self._doors:
            door.busy, door.taken = door.taken >= _BUSY_A_TICK, 0
        self._forwarder.tick(now)
        if self._ticks % _SWEEP_TICKS == 0:
            self._sweep(now)
        if self._forwarder.outlet.waiting and self._pump is None:
            self._pump = self._loop.call_later(PUMP_S, self._pump_out)
        steering, turn = self._forwarder.steering, self._ticks % _STEER_TICKS
        for transport in list(self._transports.values()):
            if transport.turn % _STEER_TICKS == turn and transport.outbound is not None:
                steering.steer(transport, now)
        turn = self._ticks % _REPORT_TICKS
        if turn == 0:
            self._errors.clear()
        # In turns: reports to a hundred transports at once would hold packets back for milliseconds.
        for transport in list(self._transports.values()):
            if transport.turn == turn:
                self._forwarder.report(transport, now)

    def _sweep(self, now: float) -> None:
        for transport in list(self._shaking):
            dtls = transport.dtls
            wait = dtls.timeout() if dtls is not None else None
            if dtls is not None and wait is not None and wait <= 0 and transport.dtls_path is not None:
                dtls.handle_timeout()
                self._advance(transport, dtls, transport.dtls_path)
            elif transport.outbound is not None and wait is None:
                self._shaking.discard(transport)
        for transport in list(self._transports.values()):
            silence = now - transport.heard
            late = transport.state == "connecting" and now - transport.opened >= GONE_S
            if silence >= GONE_S or late:  # checks alone do not keep a half-open association
                self._gone(transport)
            elif silence >= SILENT_S:
                if transport.state == "connected":
                    self._move(transport, "silent")
            elif transport.state == "silent":
                self._move(transport, "connected")

    # ---- endings

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
        self._forwarder.forget(track)
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
            self._forwarder.want_keyframe(route.wanted)
        downlink = route.subscriber.downlink
        if downlink is not None and not downlink.begun and route.track.producer.is_video:
            downlink.begin(now)
            self._forwarder.outlet.waiting.add(route.subscriber)

    def _refresh(self, transport: Transport) -> None:
        """It has found another way (PLANE-6): what was lost meanwhile is not asked for piece by piece."""
        published = (route for track in transport.tracks.values() for route in track.routes)
        for route in (*transport.consumers.values(), *published):
            layer = route.layer or route.wanted
            if layer is not None:
                self._forwarder.want_keyframe(layer)

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

    def _gone(self, transport: Transport) -> None:
        self._end(transport)
        self._move(transport, "gone")

    def _end(self, transport: Transport) -> None:
        """PLANE-3. The transport's name, fragments and addresses are free at once."""
        for name in list(transport.tracks):
            self.unpublish(name)
        for route in list(transport.consumers.values()):
            self._stop(route)
        if transport.dtls is not None and transport.dtls.state != "refused":
            transport.dtls.close()
            farewell = transport.path or transport.dtls_path
            assert farewell is not None
            for datagram in transport.dtls.drain():
                self._forwarder.outlet.raw(farewell, datagram)
        for fragment in transport.ice.fragments:
            self._by_fragment.pop(fragment, None)
        for path in transport.ice.paths:
            self._forget_path(path)
        self._shaking.discard(transport)
        self._forwarder.unsaid.discard(transport)
        self._forwarder.outlet.waiting.discard(transport)
        transport.inbound = transport.outbound = transport.path = None
        del self._transports[transport.spec.key]

    def _forget_path(self, path: Path) -> None:
        if path.door.paths.get(path.address) is path:
            del path.door.paths[path.address]

    def _move(self, transport: Transport, state: TransportState) -> None:
        transport.state = state
        self._forwarder.listener(TransportMoved(transport.spec.key, state))

    # ---- small parts

    def _may_complain(self, ip: str) -> bool:
        """STUN errors are rate-limited per source, and so is the table that counts them."""
        said = self._errors.get(ip, 0)
        if said >= _ERRORS_A_SECOND or (said == 0 and len(self._errors) >= _MAX_ERROR_SOURCES):
            return False
        self._errors[ip] = said + 1
        return True

    def _random32(self) -> int:
        return int.from_bytes(self._entropy(4), "big")
