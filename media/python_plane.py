"""The data plane in Python: sockets → ICE-lite → DTLS or SRTP → producer → consumers → SRTP → sockets.

One event loop, no threads, no transport objects: `add_reader` wakes us, we drain up to `BATCH` datagrams into one buffer
and forward each from there. See `media.plane` for the rules; `media/decisions/` for why it is built like this.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence

from media import stun
from media.dtls import Certificate, DtlsEndpoint
from media.feedback import compound_reports, loss_down, loss_up
from media.forwarding.consumer import Consumer, Outgoing
from media.forwarding.producer import Producer
from media.forwarding.reception import REFUSED, RESTARTED
from media.ice import packed
from media.plane import (
    ConsumerSpec,
    IceCredentials,
    PacketSink,
    PlaneEvent,
    ProducerSpec,
    ProducerStarted,
    TransportMoved,
    TransportSpec,
    TransportState,
    TransportStats,
)
from media.rtp import header, rtcp
from media.sockets import Announced, bind_all
from media.srtp import TRAILER, Cell, SrtpSession
from media.tap import RECOVERED, SENDER_REPORT
from media.transport import MAX_SSRCS, Address, Door, Path, Track, Transport

BATCH = 128
"""Datagrams taken from one socket before the loop's other work gets its turn: about 3 ms."""
COALESCE_S = 0.001
"""5 000 packets/s: 43 µs of CPU a packet instead of 50–60, for 0.6 ms of delay (`python -m tests.bench.plane_micro`)."""
_BUSY_A_TICK = 60
"""Datagrams a tick from which a socket counts as busy, 3 000 a second: below, waking for each was cheaper (107 against 139 µs at 1 080)."""
SILENT_S = 5.0
GONE_S = 30.0
TICK_S = 0.02
_SWEEP_TICKS = 10
_REPORT_TICKS = 50
_ERRORS_A_SECOND = 5
_MAX_ERROR_SOURCES = 1024
_MAX_OUT = header.MAX_PACKET - 28
"""Payload and header that still fit a datagram of 1 500 bytes once protected."""

_unpack = header.FIXED.unpack_from


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
        self._sink = sink
        self._certificate = Certificate()
        announced = [Announced.parse(text) for text in addresses]
        sockets, self._port = bind_all(announced, port)
        self._doors = [Door(sock, known.ip) for sock, known in zip(sockets, announced, strict=True)]
        self._listener: Callable[[PlaneEvent], None] = lambda _: None
        self._drops: defaultdict[str, int] = defaultdict(int)
        self._transports: dict[str, Transport] = {}
        self._by_fragment: dict[str, Transport] = {}
        self._tracks: dict[str, Track] = {}
        self._shaking: set[Transport] = set()
        self._lossy: set[Track] = set()
        self._wanting: set[Track] = set()
        self._errors: dict[str, int] = {}
        self._in, self._repair, self._out = Cell(), Cell(), Cell(2048 + TRAILER)
        self._ticks = 0
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
        """Dropped datagrams and packets by the rule that dropped them."""
        return dict(self._drops)

    def on_event(self, listener: Callable[[PlaneEvent], None]) -> None:
        """The one listener; called at once, from within the packet loop: be quick."""
        self._listener = listener

    def open_transport(self, spec: TransportSpec) -> None:
        """Expect a client with these credentials."""
        assert spec.key not in self._transports, "a key names one transport"
        assert spec.local.ufrag not in self._by_fragment, "a fragment names one transport"
        transport = Transport(spec, self._random32(), self._clock())
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
            track = self._tracks[spec.track] = Track(Producer(spec), transport)
        elif track.transport is transport and track.producer.spec == spec:
            return
        else:
            self._republish(track, transport, spec)
        transport.tracks[spec.track] = track
        for ssrc in spec.ssrcs:
            transport.streams[ssrc] = (track, False)
        for ssrc in spec.rtx_ssrcs:
            transport.streams[ssrc] = (track, True)

    def unpublish(self, track: str) -> None:
        """End a track, and its consumers everywhere (PLANE-3)."""
        ending = self._tracks.pop(track)
        for consumer, subscriber in list(ending.routes):
            self._stop(subscriber, consumer)
        self._detach(ending)
        for waiting in (self._lossy, self._wanting):
            waiting.discard(ending)

    def subscribe(self, key: str, spec: ConsumerSpec) -> None:
        """Begin forwarding a track to this transport; a known id is changed."""
        transport, track = self._transports[key], self._tracks[spec.track]
        known = transport.consumers.get(spec.id)
        if known is not None:
            if known[0] is track and known[1].spec == spec:
                return
            self._stop(transport, known[1])
        outgoing = transport.outgoing.get(spec.ssrc)
        if outgoing is None:
            seeds = self._random32(), self._random32(), self._random32()
            outgoing = transport.outgoing[spec.ssrc] = Outgoing(*seeds)
        consumer = Consumer(spec, outgoing, track.producer.spec.codecs)
        transport.consumers[spec.id] = transport.sources[spec.ssrc] = (track, consumer)
        if spec.rtx_ssrc is not None:
            transport.sources[spec.rtx_ssrc] = (track, consumer)
        track.routes.append((consumer, transport))
        if transport.outbound is not None:
            self._want_keyframe(track)

    def unsubscribe(self, key: str, consumer: str) -> None:
        """Stop forwarding."""
        transport = self._transports[key]
        self._stop(transport, transport.consumers[consumer][1])

    def record(self, track: str, handle: int | None) -> None:
        """Hand the track's packets to the sink under `handle`, or stop; a recording begins with a keyframe soon."""
        recorded = self._tracks[track]
        recorded.producer.handle = handle
        if handle is not None:
            self._want_keyframe(recorded)

    def request_keyframe(self, track: str) -> None:
        """Ask the publisher for a keyframe (throttled); nothing for audio."""
        self._want_keyframe(self._tracks[track])

    def stats(self, key: str) -> TransportStats:
        """Counters of a transport."""
        transport = self._transports[key]
        return TransportStats(
            packets_in=transport.packets_in,
            packets_out=transport.packets_out,
            bytes_in=transport.bytes_in,
            bytes_out=transport.bytes_out,
            loss_up=loss_up(transport),
            loss_down=loss_down(transport, self._clock()),
            rtt_ms=None if transport.rtt is None else transport.rtt * 1000,
        )

    def close(self) -> None:
        """End every transport and close the sockets. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._timer.cancel()
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
        if door.busy:
            self._loop.remove_reader(door.sock.fileno())
            door.timer = self._loop.call_later(COALESCE_S, self._look_again, door)

    def _look_again(self, door: Door) -> None:
        if self._drain(door) == BATCH:
            door.timer = self._loop.call_soon(self._look_again, door)
        elif door.busy:
            door.timer = self._loop.call_later(COALESCE_S, self._look_again, door)
        else:
            door.timer = None
            self._loop.add_reader(door.sock.fileno(), self._readable, door)

    def _drain(self, door: Door) -> int:
        receive, view, data, paths = door.recvfrom_into, self._in.view, self._in.data, door.paths
        taken = 0
        while taken < BATCH:
            try:
                size, source = receive(view)
            except BlockingIOError:
                break
            except OSError:
                self._drops["socket_error"] += 1
                break
            taken += 1
            # PLANE-1; RFC 7983 §7
            if not 0 < size <= header.MAX_PACKET:
                self._drops["size"] += 1
                continue
            first = data[0]
            if first < 4:
                self._on_stun(door, source, size)
                continue
            path = paths.get(source)
            if path is None:
                self._drops["unvalidated"] += 1
            elif 128 <= first < 192:
                if size >= 12 and 192 <= data[1] < 224:  # RFC 5761 §4
                    self._on_rtcp(path, size)
                else:
                    self._on_rtp(path, size)
            elif 20 <= first < 64:
                self._on_dtls(path, size)
            else:
                self._drops["first_byte"] += 1
        if self._lossy:
            self._ask_again(self._clock())
        door.taken += taken
        return taken

    def _on_stun(self, door: Door, source: Address, size: int) -> None:
        datagram = bytes(self._in.view[:size])
        try:
            message = stun.parse(datagram)
        except stun.StunError:
            self._drops["stun_malformed"] += 1
            return
        if message.kind != stun.BINDING_REQUEST or message.username is None or not message.has_fingerprint:
            self._drops["stun_not_a_check"] += 1
            return
        transport = self._by_fragment.get(message.username.partition(":")[0])
        if transport is None:
            self._drops["stun_unknown_ufrag"] += 1
            return
        path = door.paths.get(source)
        if path is None or path.transport is not transport:
            path = Path(transport, door, source)
        answer = transport.ice.check(datagram, message, path, (packed(source[0]), source[1]))
        if not answer.accepted:
            self._drops["stun_unauthentic"] += 1
            if self._may_complain(source[0]):
                self._send_raw(path, answer.reply)
            return
        door.paths[source] = path
        transport.heard = self._clock()
        if answer.moved:
            transport.path = path
        if answer.forgotten is not None:
            self._forget_path(answer.forgotten)
        if answer.retired is not None:
            self._by_fragment.pop(answer.retired, None)
        self._send_raw(path, answer.reply)

    def _on_dtls(self, path: Path, size: int) -> None:
        transport = path.transport
        if transport.dtls is None:
            transport.dtls = DtlsEndpoint(self._certificate, transport.spec.fingerprints)
            self._shaking.add(transport)
        transport.dtls.receive(bytes(self._in.view[:size]))
        transport.dtls_path = path
        self._advance(transport, transport.dtls, path)

    def _advance(self, transport: Transport, dtls: DtlsEndpoint, path: Path) -> None:
        for datagram in dtls.drain():
            self._send_raw(path, datagram)
        if dtls.state == "connected":
            if transport.outbound is None:
                self._connected(transport, dtls)
        elif dtls.state == "refused":
            self._drops["dtls_refused"] += 1
            self._gone(transport)
        elif dtls.state == "closed":
            self._gone(transport)

    def _connected(self, transport: Transport, dtls: DtlsEndpoint) -> None:
        keys = dtls.keys
        assert keys is not None
        transport.inbound = SrtpSession(keys.profile, keys.inbound, inbound=True)
        transport.outbound = SrtpSession(keys.profile, keys.outbound, inbound=False)
        transport.heard = self._clock()
        for track, _ in transport.consumers.values():  # PLANE-4: it can only begin now
            self._want_keyframe(track)
        for track in transport.tracks.values():
            if track.producer.wanting:
                self._wanting.add(track)
        self._move(transport, "connected")

    def _on_rtp(self, path: Path, size: int) -> None:
        """One packet, all the way. Long because a call costs 0.1 µs, and a packet must not cost thirty."""
        transport = path.transport
        inbound = transport.inbound
        if inbound is None or size < header.SIZE:
            self._drops["no_keys" if inbound is None else "rtp_malformed"] += 1
            return
        cell = self._in
        _, second, seq, timestamp, ssrc = _unpack(cell.data)
        stream = transport.streams.get(ssrc)
        if stream is None and not self._may_admit(transport, ssrc):
            return
        size = inbound.unprotect(cell, size)
        if size < 0:
            self._drops["srtp_refused"] += 1
            return
        now = self._clock()
        transport.heard = now
        transport.packets_in += 1
        transport.bytes_in += size
        if stream is None:
            stream = self._latch(transport, ssrc, second & 0x7F, size)
            if stream is None:
                return
        at = header.payload_at(cell.data, size)
        if at < 0:
            self._drops["rtp_malformed"] += 1
            return
        track, repaired = stream
        producer = track.producer
        if repaired:
            size, seq, timestamp, second = self._unwrap(producer, size, at)
            if size == 0:
                return
            cell, at = self._repair, header.SIZE
        elif producer.ssrc != ssrc and not self._take_over(track, ssrc, now):
            self._drops["ssrc_inactive"] += 1
            return
        if second & 0x7F != producer.payload_type and not self._started(producer, second & 0x7F):
            self._drops["payload_type_unknown"] += 1
            return
        reception = producer.reception
        index = reception.accept(seq, timestamp, now, repaired)
        if index < 0:
            if index == REFUSED:
                self._drops["duplicate"] += 1
                return
            index = self._restart(track, seq, timestamp, now)
        producer.heard = now
        view = cell.view
        reception.keep(index, bytes(view[:size]))
        if reception.missing:
            self._lossy.add(track)
        begins: bool | None = None
        if producer.wanting:
            begins = producer.begins(cell.data, at, header.payload_end(cell.data, size, at))
        for consumer, subscriber in track.routes:
            outbound = subscriber.outbound
            if outbound is None or subscriber.path is None:
                continue
            if not consumer.flowing:
                if begins is None:
                    begins = producer.begins(cell.data, at, header.payload_end(cell.data, size, at))
                if not begins:
                    continue
                consumer.begin(index, timestamp, now, producer.spec.clock_rate)
            length = consumer.write(self._out.data, self._out.view, view, at, size, index, now)
            if length:
                self._send_rtp(subscriber, outbound, length)
        if producer.handle is not None:
            self._sink.packet(producer.handle, RECOVERED if repaired else 0, int(now * 1e6), view[:size])

    def _send_rtp(self, subscriber: Transport, outbound: SrtpSession, length: int) -> None:
        """Protect and send what is in the out buffer. A full socket drops it: late media is worth nothing."""
        if length > _MAX_OUT:
            self._drops["too_long_to_forward"] += 1
            return
        length = outbound.protect(self._out, length)
        if length < 0:
            self._drops["protect_refused"] += 1
            return
        path = subscriber.path
        assert path is not None
        try:
            path.sendto(self._out.view[:length], path.address)
        except BlockingIOError:
            self._drops["send_full"] += 1
        except OSError:
            self._drops["send_error"] += 1
        else:
            subscriber.packets_out += 1
            subscriber.bytes_out += length

    # ---- the less frequent turns of a packet's way

    def _may_admit(self, transport: Transport, ssrc: int) -> bool:
        """SRTP-2: an SSRC is let in only while there is room, before libsrtp makes a stream of it."""
        if ssrc in transport.strangers or len(transport.strangers) + len(transport.streams) < MAX_SSRCS:
            return True
        self._drops["ssrc_table_full"] += 1
        return False

    def _latch(self, transport: Transport, ssrc: int, payload_type: int, size: int) -> tuple[Track, bool] | None:
        data = self._in.data
        stream = transport.latch(ssrc, payload_type, lambda wanted: header.extension(data, size, wanted))
        if stream is None:
            transport.strangers.add(ssrc)
            self._drops["ssrc_unknown"] += 1
        return stream

    def _unwrap(self, producer: Producer, size: int, at: int) -> tuple[int, int, int, int]:
        """RTX (RFC 4588 §4) into the repair buffer: (size or 0, sequence number, timestamp, second byte) of the original."""
        data = self._in.data
        end = header.payload_end(data, size, at)
        original = producer.spec.rtx.get(data[1] & 0x7F)
        if end - at <= 2 or original is None or producer.ssrc is None:
            self._drops["rtx_empty" if original is not None else "payload_type_unknown"] += 1
            return 0, 0, 0, 0
        seq = data[at] << 8 | data[at + 1]
        second = data[1] & 0x80 | original
        timestamp = _unpack(data)[3]
        repair = self._repair
        header.FIXED.pack_into(repair.data, 0, 0x80, second, seq, timestamp, producer.ssrc)
        length = end - at - 2
        repair.view[header.SIZE : header.SIZE + length] = self._in.view[at + 2 : end]
        return header.SIZE + length, seq, timestamp, second

    def _take_over(self, track: Track, ssrc: int, now: float) -> bool:
        if not track.producer.use(ssrc, now):
            return False
        self._interrupt(track)
        return True

    def _started(self, producer: Producer, payload_type: int) -> bool:
        codec = producer.spec.codecs.get(payload_type)
        if codec is None or producer.ssrc is None:
            return False
        producer.payload_type, producer.codec = payload_type, codec
        self._listener(ProducerStarted(producer.spec.track, producer.ssrc, payload_type, codec))
        return True

    def _restart(self, track: Track, seq: int, timestamp: int, now: float) -> int:
        track.producer.restart()
        self._interrupt(track)
        index = track.producer.reception.accept(seq, timestamp, now, recovered=False)
        assert index not in (REFUSED, RESTARTED)
        return index

    def _interrupt(self, track: Track) -> None:
        """The stream behind a track is another now: its consumers go on at the next keyframe."""
        for consumer, _ in track.routes:
            consumer.stop()
        # Not asked for at once: a new stream begins with a keyframe by itself, and the tick asks if it did not.
        if (track.routes or track.producer.handle is not None) and track.producer.want_keyframe():
            self._wanting.add(track)

    # ---- RTCP

    def _on_rtcp(self, path: Path, size: int) -> None:
        transport = path.transport
        if transport.inbound is None:
            self._drops["no_keys"] += 1
            return
        size = transport.inbound.unprotect_rtcp(self._in, size)
        if size < 0:
            self._drops["srtcp_refused"] += 1
            return
        now = transport.heard = self._clock()
        try:
            for packet in rtcp.parse(self._in.data, size):
                self._on_rtcp_packet(transport, packet, now)
        except rtcp.RtcpError:
            self._drops["rtcp_malformed"] += 1

    def _on_rtcp_packet(self, transport: Transport, packet: rtcp.Packet, now: float) -> None:
        match packet:
            case rtcp.SenderReport(ssrc=ssrc, blocks=blocks):
                self._on_sender_report(transport, packet, now)
                self._on_blocks(transport, blocks, now)
            case rtcp.ReceiverReport(blocks=blocks):
                self._on_blocks(transport, blocks, now)
            case rtcp.Nack(media_ssrc=ssrc, lost=lost):
                self._on_nack(transport, ssrc, lost, now)
            case rtcp.KeyframeRequest(media_ssrc=ssrc):
                source = transport.sources.get(ssrc)
                if source is not None:
                    self._want_keyframe(source[0])
            case rtcp.Bye() | rtcp.Remb():
                pass  # a track ends by negotiation; downlink estimates are not acted on yet

    def _on_sender_report(self, transport: Transport, report: rtcp.SenderReport, now: float) -> None:
        stream = transport.streams.get(report.ssrc)
        if stream is None or stream[1] or stream[0].producer.ssrc != report.ssrc:
            return
        producer = stream[0].producer
        first = producer.report is None
        producer.reported(report, now)
        if producer.handle is not None:
            self._sink.packet(producer.handle, SENDER_REPORT, int(now * 1e6), self._in.view[report.at : report.end])
        if first:  # lip sync should not wait for the next round of reports
            for _, subscriber in stream[0].routes:
                self._report(subscriber, now)

    def _on_blocks(self, transport: Transport, blocks: tuple[rtcp.ReportBlock, ...], now: float) -> None:
        for block in blocks:
            source = transport.sources.get(block.ssrc)
            if source is None or source[1].spec.ssrc != block.ssrc:
                continue
            rtt = source[1].heard(block, now)
            if rtt is not None:
                transport.rtt = rtt if transport.rtt is None else 0.7 * transport.rtt + 0.3 * rtt

    def _on_nack(self, transport: Transport, ssrc: int, lost: tuple[int, ...], now: float) -> None:
        source, outbound = transport.sources.get(ssrc), transport.outbound
        if source is None or outbound is None or transport.path is None:
            return
        track, consumer = source
        for index in consumer.wanted(lost, now):
            packet = track.producer.reception.kept(index)
            if packet is None:
                self._drops["repair_unavailable"] += 1
                continue
            length = consumer.rewrite(self._out.data, self._out.view, packet, index)
            if length:
                self._send_rtp(transport, outbound, length)

    def _send_rtcp(self, transport: Transport, compound: bytes) -> None:
        outbound, path = transport.outbound, transport.path
        if outbound is None or path is None:
            return
        size = len(compound)
        self._out.view[:size] = compound
        size = outbound.protect_rtcp(self._out, size)
        if size < 0:
            self._drops["protect_refused"] += 1
            return
        self._send_raw(path, self._out.view[:size])

    def _want_keyframe(self, track: Track) -> None:
        if track.producer.want_keyframe():
            self._wanting.add(track)
            self._ask_keyframe(track, self._clock())

    def _ask_keyframe(self, track: Track, now: float) -> None:
        publisher = track.transport
        if publisher.outbound is not None and track.producer.pli_due(now):
            assert track.producer.ssrc is not None
            self._send_rtcp(publisher, rtcp.pli(publisher.ssrc, track.producer.ssrc))

    def _ask_again(self, now: float) -> None:
        """NACK what is due; what is given up for good costs video a keyframe (PLI)."""
        for track in list(self._lossy):
            producer, publisher = track.producer, track.transport
            ask, lost = producer.reception.due(now, publisher.rtt if publisher.rtt is not None else 0.1)
            if ask and producer.ssrc is not None:
                self._send_rtcp(publisher, rtcp.nack(publisher.ssrc, producer.ssrc, [index & 0xFFFF for index in ask]))
            if lost and producer.is_video:
                self._want_keyframe(track)
            if not producer.reception.missing:
                self._lossy.discard(track)

    # ---- time

    def _tick(self) -> None:
        self._timer = self._loop.call_later(TICK_S, self._tick)
        now = self._clock()
        self._ticks += 1
        for door in self._doors:
            door.busy, door.taken = door.taken >= _BUSY_A_TICK, 0
        if self._lossy:
            self._ask_again(now)
        for track in list(self._wanting):
            if track.producer.wanting:
                self._ask_keyframe(track, now)
            else:
                self._wanting.discard(track)
        if self._ticks % _SWEEP_TICKS == 0:
            self._sweep(now)
        if self._ticks % _REPORT_TICKS == 0:
            self._errors.clear()
            for transport in list(self._transports.values()):
                self._report(transport, now)

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
            if silence >= GONE_S:
                self._gone(transport)
            elif silence >= SILENT_S:
                if transport.state == "connected":
                    self._move(transport, "silent")
            elif transport.state == "silent":
                self._move(transport, "connected")

    def _report(self, transport: Transport, now: float) -> None:
        for compound in compound_reports(transport, now):
            self._send_rtcp(transport, compound)

    # ---- endings

    def _republish(self, track: Track, transport: Transport, spec: ProducerSpec) -> None:
        producer, old = track.producer, track.producer.spec
        same_stream = track.transport is transport and (old.codecs, old.ssrcs, old.mid) == (
            spec.codecs,
            spec.ssrcs,
            spec.mid,
        )
        ssrc = producer.ssrc
        self._detach(track)
        track.transport = transport
        producer.spec = spec
        if same_stream:
            if ssrc is not None:
                transport.streams[ssrc] = (track, False)
            producer.reception.repairable = spec.nack
            return
        producer.forget()
        for consumer, _ in track.routes:
            consumer.expect(consumer.spec, spec.codecs)
        self._interrupt(track)

    def _detach(self, track: Track) -> None:
        """Take a track from the transport it came by."""
        publisher = track.transport
        publisher.tracks.pop(track.producer.spec.track, None)
        for ssrc in [ssrc for ssrc, stream in publisher.streams.items() if stream[0] is track]:
            del publisher.streams[ssrc]

    def _stop(self, subscriber: Transport, consumer: Consumer) -> None:
        """End one consumer; what its SSRC has sent is remembered (CONS-1)."""
        consumer.stop()
        track, _ = subscriber.consumers.pop(consumer.spec.id)
        track.routes[:] = [route for route in track.routes if route[0] is not consumer]
        for ssrc in (consumer.spec.ssrc, consumer.spec.rtx_ssrc):
            if ssrc is not None and ssrc in subscriber.sources and subscriber.sources[ssrc][1] is consumer:
                del subscriber.sources[ssrc]

    def _gone(self, transport: Transport) -> None:
        self._end(transport)
        self._move(transport, "gone")

    def _end(self, transport: Transport) -> None:
        """PLANE-3. The transport's name, fragments and addresses are free at once."""
        for name in list(transport.tracks):
            self.unpublish(name)
        for _, consumer in list(transport.consumers.values()):
            self._stop(transport, consumer)
        if transport.dtls is not None and transport.dtls.state != "refused":
            transport.dtls.close()
            farewell = transport.path or transport.dtls_path
            assert farewell is not None
            for datagram in transport.dtls.drain():
                self._send_raw(farewell, datagram)
        for fragment in transport.ice.fragments:
            self._by_fragment.pop(fragment, None)
        for path in transport.ice.paths:
            self._forget_path(path)
        self._shaking.discard(transport)
        transport.inbound = transport.outbound = transport.path = None
        del self._transports[transport.spec.key]

    def _forget_path(self, path: Path) -> None:
        if path.door.paths.get(path.address) is path:
            del path.door.paths[path.address]

    def _move(self, transport: Transport, state: TransportState) -> None:
        transport.state = state
        self._listener(TransportMoved(transport.spec.key, state))

    # ---- small parts

    def _send_raw(self, path: Path, datagram: bytes | memoryview) -> None:
        try:
            path.sendto(datagram, path.address)
        except BlockingIOError:
            self._drops["send_full"] += 1
        except OSError:
            self._drops["send_error"] += 1

    def _may_complain(self, ip: str) -> bool:
        """STUN errors are rate-limited per source, and so is the table that counts them."""
        said = self._errors.get(ip, 0)
        if said >= _ERRORS_A_SECOND or (said == 0 and len(self._errors) >= _MAX_ERROR_SOURCES):
            return False
        self._errors[ip] = said + 1
        return True

    def _random32(self) -> int:
        return int.from_bytes(self._entropy(4), "big")
