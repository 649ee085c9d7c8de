"""What happens to an authenticated packet: SRTP off, to its producer, to each consumer, SRTP on; and RTCP both ways.

One for a plane. It knows transports that have keys; `media.entrance` owns the sockets, `media.associations` decides who those
are, `media.outlet` lets packets leave, `media.steering` chooses layers.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable

from media.congestion import twcc
from media.feedback import compound_reports
from media.forwarding.producer import Producer
from media.forwarding.reception import NEVER, REFUSED, RESTARTED
from media.outlet import Outlet
from media.plane import PacketSink, PlaneEvent, ProducerStarted
from media.rtp import header, red, rtcp
from media.srtp import TRAILER, Cell, SrtpSession
from media.steering import Steering
from media.tap import RECOVERED, SENDER_REPORT
from media.transport import MAX_SSRCS, Layer, Path, Route, Track, Transport

FEEDBACK_S = 0.05
"""How often a sender hears what arrived; at a trickle (`_FEW` packets) half as often."""
_FEW = 8
LOSES, TWIN_S, MOST_TWINS = 0.02, 0.015, 256
"""From such a loss on the way to the sender a NACK goes twice: it has 40 bytes, and one that is lost costs a round trip. A
browser answers the second only if the first was lost: what it has sent again it does not send within a round trip."""
PUT_OFF_S = 1.0
"""How long the recorder's keyframe waits at the most until nothing is missing."""
CAUGHT_UP_S = 1.0
"""A keyframe this old is worth being caught up with: what came since is kept about as long."""
COPY_BEHIND = 3
HIDDEN_BELOW_BPS = 450_000.0
"""More than this on a lossy uplink is frames of many packets, which are seldom whole: let a browser be timid there."""
NARROW_BPS = 150_000.0
"""Below, sound that is sent again takes the place of sound."""

_unpack = header.FIXED.unpack_from


class Forwarder:
    """See the module. `cell` is where the plane receives into; everything here reads the packet there."""

    def __init__(self, clock: Callable[[], float], sink: PacketSink) -> None:
        """`clock`: monotonic seconds."""
        self._clock = clock
        self._sink = sink
        self.listener: Callable[[PlaneEvent], None] = lambda _: None
        self.drops: defaultdict[str, int] = defaultdict(int)
        self.cell, self._repair, self._taped = Cell(), Cell(), Cell(2048 + TRAILER)
        self.outlet = Outlet(self.drops)
        self.steering = Steering(self.want_keyframe, self.catch_up, lambda event: self.listener(event))
        self.lossy: set[Layer] = set()
        """Layers with packets to be asked for again."""
        self.wanting: set[Layer] = set()
        """Layers with a keyframe to be asked for."""
        self._twins: deque[tuple[float, Transport, bytes]] = deque(maxlen=MOST_TWINS)
        """Questions to be repeated, and when; the oldest fall off."""
        self.recorded: dict[Layer, float] = {}
        """Layers of which the recorder wants a keyframe, and since when."""
        self.unsaid: set[Transport] = set()
        """Transports with arrivals to be fed back."""

    def tick(self, now: float) -> None:
        """Ask again for what has not come, feed back what has; to be called every 20 ms or so."""
        if self.lossy:
            self.ask_again(now)
        while self._twins and self._twins[0][0] <= now:
            _, publisher, message = self._twins.popleft()
            self.outlet.rtcp(publisher, message)
        for layer, since in list(self.recorded.items()):
            if not layer.producer.reception.missing or now - since > PUT_OFF_S:
                del self.recorded[layer]
                self.want_keyframe(layer)
        for layer in list(self.wanting):
            if not layer.producer.wanting or not self._followed(layer):
                self.wanting.discard(layer)
            elif not layer.track.leaves_out(layer, now):
                self._ask_keyframe(layer, now)
        for transport in list(self.unsaid):
            self._feed_back(transport, now)

    def forget(self, track: Track) -> None:
        """The track has ended."""
        for layer in track.layers:
            self.lossy.discard(layer)
            self.wanting.discard(layer)
            self.recorded.pop(layer, None)

    def on_rtp(self, path: Path, size: int) -> None:
        """One packet, as far as its producer. Long because a call costs 0.1 µs, and a packet must not cost thirty."""
        transport = path.transport
        inbound = transport.inbound
        if inbound is None or size < header.SIZE:
            self.drops["no_keys" if inbound is None else "rtp_malformed"] += 1
            return
        cell = self.cell
        _, second, seq, timestamp, ssrc = _unpack(cell.data)
        stream = transport.streams.get(ssrc)
        if stream is None and not self._may_admit(transport, ssrc):
            return
        size = inbound.unprotect(cell, size)
        if size < 0:
            self.drops["srtp_refused"] += 1
            return
        now = self._clock()
        transport.heard = now
        transport.packets_in += 1
        transport.bytes_in += size
        if transport.number_extension:
            number = header.number_of(cell.data, size, transport.number_extension)
            if number >= 0:
                transport.arrivals.hear(number, now)
                self.unsaid.add(transport)
        if stream is None:
            stream = self._latch(transport, ssrc, second & 0x7F, size)
            if stream is None:
                return
        at = header.payload_at(cell.data, size)
        if at < 0:
            self.drops["rtp_malformed"] += 1
            return
        layer, repaired = stream
        producer = layer.producer
        if repaired:
            size, seq, timestamp, second = self._unwrap(producer, size, at)
            if size == 0:
                return
            cell, at = self._repair, header.SIZE
        elif producer.ssrc != ssrc and not self._take_over(layer, ssrc, now):
            self.drops["ssrc_inactive"] += 1
            return
        else:
            producer.octets += size  # not the repairs: a browser probes with them
        if second & 0x7F != producer.payload_type:
            if second & 0x7F == producer.spec.red:
                self._on_red(layer, size, at, seq, timestamp, now)
                return
            if not self._started(layer, second & 0x7F):
                self.drops["payload_type_unknown"] += 1
                return
        self._forward(layer, cell, size, at, seq, timestamp, now, repaired)

    def _forward(
        self, layer: Layer, cell: Cell, size: int, at: int, seq: int, timestamp: int, now: float, repaired: bool
    ) -> int:
        """One packet of a layer, to everyone who gets it; its index, or -1 if it was there already."""
        producer = layer.producer
        reception = producer.reception
        index = reception.accept(seq, timestamp, now, repaired)
        if index < 0:
            if index == REFUSED:
                self.drops["duplicate"] += 1
                return -1
            index = self._restart(layer, seq, timestamp, now)
            reception = producer.reception
        producer.heard = now
        if (
            not producer.is_video and not repaired and index == reception.highest
        ):  # what was asked for again is late by that
            layer.track.transport.uplink.hear(timestamp / producer.spec.clock_rate, now)
        view = cell.view
        reception.keep(index, bytes(view[:size]))
        if reception.due_at != NEVER:
            self.lossy.add(layer)
        begins: bool | None = None
        if producer.wanting or (
            producer.is_video and view[at] & 0x17 == 0x10
        ):  # or VP8's first packet of a frame: its size
            begins = producer.begins(cell.data, at, header.payload_end(cell.data, size, at))
            if begins:
                producer.keyframe_at = now
                reception.refresh(index)
        track, outlet, is_video = layer.track, self.outlet, producer.is_video
        for route in track.routes:
            subscriber = route.subscriber
            outbound = subscriber.outbound
            if outbound is None or subscriber.path is None:
                continue
            consumer = route.consumer
            if route.layer is not layer or not consumer.flowing:
                if route.wanted is not layer:
                    continue
                if begins is None:
                    begins = producer.begins(cell.data, at, header.payload_end(cell.data, size, at))
                if not begins:
                    continue
                consumer.stop()
                consumer.begin(index, timestamp, now, producer.spec.clock_rate, reception)
                route.layer = layer
            out = outlet.out
            length = consumer.write(out.data, out.view, view, at, size, index, now)
            if length:
                if is_video:
                    if not outlet.video(subscriber, outbound, length, now):
                        self.steering.choked(route, now)
                    elif route.copies:
                        self._copy(route, outbound, index, now)
                else:
                    outlet.urgent(subscriber, outbound, length, now, consumer)
        if track.handle is not None:
            flags = RECOVERED if repaired else 0
            if track.tape is None:
                self._sink.packet(track.handle, flags, int(now * 1e6), view[:size])
            elif track.tape.layer is layer or track.tape.wanted is layer:
                self._record(track.tape, track.handle, layer, view, at, size, index, timestamp, now, flags)
        return index

    def _copy(self, route: Route, outbound: SrtpSession, index: int, now: float) -> None:
        """STEER-7: packets of a little while ago once more, as RTX; what is lost is mostly lost with its neighbours."""
        consumer = route.consumer
        if consumer.spec.rtx_ssrc is None or consumer.source is None:
            return
        for copy in range(1, route.copies + 1):
            out, back = self.outlet.out, index - COPY_BEHIND * copy  # each that is sent leaves another cell to write in
            packet = consumer.source.kept(back) if back >= consumer.first else None
            length = consumer.rewrite(out.data, out.view, packet, back) if packet is not None else 0
            if length:
                self.outlet.video(route.subscriber, outbound, length, now)

    def catch_up(self, route: Route, layer: Layer, now: float) -> bool:
        """STEER-8: go over to a layer at a keyframe that came already, with what came after it; False if none is kept."""
        producer, subscriber, consumer = layer.producer, route.subscriber, route.consumer
        reception, outbound = producer.reception, subscriber.outbound
        first = reception.fresh_from
        key = reception.kept(first) if now - producer.keyframe_at < CAUGHT_UP_S else None
        if key is None or outbound is None or subscriber.path is None:
            return False
        consumer.stop()
        began = max(producer.keyframe_at, consumer.outgoing.last_at or 0.0)
        consumer.begin(first, _unpack(key)[3], began, producer.spec.clock_rate, reception)
        route.layer = route.wanted = layer
        for index in range(first, reception.highest + 1):
            packet = reception.kept(index)
            if packet is None:  # its repair may still come
                continue
            out, at = self.outlet.out, header.payload_at(packet, len(packet))
            length = consumer.write(out.data, out.view, memoryview(packet), at, len(packet), index, now)
            if length and not self.outlet.video(subscriber, outbound, length, now):
                self.steering.choked(route, now)
                break
        self.outlet.leave()
        return True

    def _record(
        self,
        tape: Route,
        handle: int,
        layer: Layer,
        view: memoryview,
        at: int,
        size: int,
        index: int,
        timestamp: int,
        now: float,
        flags: int,
    ) -> None:
        """STEER-4: the recorder sees one stream, whichever layer is behind it; layers change at keyframes."""
        consumer = tape.consumer
        if tape.layer is not layer or not consumer.flowing:
            end = header.payload_end(view, size, at)
            if tape.wanted is not layer or not layer.producer.begins(view, at, end):
                return
            consumer.stop()
            consumer.begin(index, timestamp, now, layer.producer.spec.clock_rate, layer.producer.reception)
            tape.layer = layer
        length = consumer.write(self._taped.data, self._taped.view, view, at, size, index, now)
        if length:
            self._sink.packet(handle, flags, int(now * 1e6), self._taped.view[:length])

    def _on_red(self, layer: Layer, size: int, at: int, seq: int, timestamp: int, now: float) -> None:
        """RFC 2198: the packet itself, plain, and what was lost before it out of its earlier blocks."""
        data, producer = self.cell.data, layer.producer
        end = header.payload_end(data, size, at)
        try:
            *older, primary = red.unwrap(self.cell.view[at:end] if end > at else b"")
        except red.RedError:
            self.drops["rtp_malformed"] += 1
            return
        if primary.payload_type != producer.payload_type and not self._started(layer, primary.payload_type):
            self.drops["payload_type_unknown"] += 1
            return
        plain = self._plain(producer, data[1] & 0x80, seq, timestamp, primary.data)
        producer.octets -= size - plain
        index = self._forward(layer, self._repair, plain, header.SIZE, seq, timestamp, now, False)
        reception = producer.reception
        for back, block in enumerate(reversed(older), 1):
            missing = index - back > reception.first and reception.kept(index - back) is None
            if index < 0 or not missing or block.payload_type != producer.payload_type or not block.data:
                continue
            then = timestamp - block.age & 0xFFFFFFFF
            plain = self._plain(producer, 0, seq - back, then, block.data)
            self._forward(layer, self._repair, plain, header.SIZE, seq - back & 0xFFFF, then, now, True)

    def _plain(self, producer: Producer, marker: int, seq: int, timestamp: int, payload: bytes) -> int:
        """A block as a packet of its own, in the repair buffer; its size."""
        assert producer.ssrc is not None
        second = marker | producer.payload_type
        header.FIXED.pack_into(self._repair.data, 0, 0x80, second, seq & 0xFFFF, timestamp, producer.ssrc)
        size = header.SIZE + len(payload)
        self._repair.view[header.SIZE : size] = payload
        return size

    # ---- the less frequent turns of a packet's way

    def _may_admit(self, transport: Transport, ssrc: int) -> bool:
        """SRTP-2: an SSRC is let in only while there is room, before libsrtp makes a stream of it."""
        if ssrc in transport.strangers or len(transport.strangers) + len(transport.streams) < MAX_SSRCS:
            return True
        self.drops["ssrc_table_full"] += 1
        return False

    def _latch(self, transport: Transport, ssrc: int, payload_type: int, size: int) -> tuple[Layer, bool] | None:
        data = self.cell.data
        stream = transport.latch(ssrc, payload_type, lambda wanted: header.extension(data, size, wanted))
        if stream is None:
            transport.strangers.add(ssrc)
            self.drops["ssrc_unknown"] += 1
        return stream

    def _unwrap(self, producer: Producer, size: int, at: int) -> tuple[int, int, int, int]:
        """RTX (RFC 4588 §4) into the repair buffer: (size or 0, sequence number, timestamp, second byte) of the original."""
        data = self.cell.data
        end = header.payload_end(data, size, at)
        original = producer.spec.rtx.get(data[1] & 0x7F)
        if end - at <= 2 or original is None or producer.ssrc is None:
            self.drops["rtx_empty" if original is not None else "payload_type_unknown"] += 1
            return 0, 0, 0, 0
        seq = data[at] << 8 | data[at + 1]
        second = data[1] & 0x80 | original
        timestamp = _unpack(data)[3]
        repair = self._repair
        header.FIXED.pack_into(repair.data, 0, 0x80, second, seq, timestamp, producer.ssrc)
        length = end - at - 2
        repair.view[header.SIZE : header.SIZE + length] = self.cell.view[at + 2 : end]
        return header.SIZE + length, seq, timestamp, second

    def _take_over(self, layer: Layer, ssrc: int, now: float) -> bool:
        if not layer.producer.use(ssrc, now):
            return False
        self.interrupt(layer)
        return True

    def _started(self, layer: Layer, payload_type: int) -> bool:
        producer, track = layer.producer, layer.track
        codec = producer.spec.codecs.get(payload_type)
        if codec is None or producer.ssrc is None:
            return False
        producer.payload_type, producer.codec = payload_type, codec
        # The layers of a simulcast are one track, told once: what its recorder gets bears this SSRC for good.
        if len(track.layers) == 1 or track.announced is None:
            track.announced = producer.ssrc
            self.listener(ProducerStarted(track.spec.track, producer.ssrc, payload_type, codec))
        return True

    def _restart(self, layer: Layer, seq: int, timestamp: int, now: float) -> int:
        layer.producer.restart()
        self.interrupt(layer)
        index = layer.producer.reception.accept(seq, timestamp, now, recovered=False)
        assert index not in (REFUSED, RESTARTED)
        return index

    def interrupt(self, layer: Layer) -> None:
        """The stream of a layer is another now: whoever gets it goes on at its next keyframe."""
        track = layer.track
        followers = [*track.routes, *([track.tape] if track.tape is not None else [])]
        for route in followers:
            if route.layer is layer:
                route.consumer.stop()
        # Not asked for at once: a new stream begins with a keyframe by itself, and the tick asks if it did not.
        needed = track.handle is not None or any(route.wanted is layer for route in followers)
        if needed and layer.producer.want_keyframe():
            self.wanting.add(layer)

    # ---- RTCP

    def on_rtcp(self, path: Path, size: int) -> None:
        transport = path.transport
        if transport.inbound is None:
            self.drops["no_keys"] += 1
            return
        size = transport.inbound.unprotect_rtcp(self.cell, size)
        if size < 0:
            self.drops["srtcp_refused"] += 1
            return
        now = transport.heard = self._clock()
        try:
            for packet in rtcp.parse(self.cell.data, size):
                self._on_rtcp_packet(transport, packet, now)
        except (rtcp.RtcpError, twcc.TwccError):
            self.drops["rtcp_malformed"] += 1

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
                if source is not None and source.wanted is not None:
                    self.want_keyframe(source.wanted)
            case rtcp.TransportFeedback(at=at, end=end):
                if transport.downlink is not None:
                    transport.downlink.hear(twcc.parse(self.cell.view[at:end]), now)
                    if transport.downlink.probes:
                        self.outlet.waiting.add(transport)
            case rtcp.Remb(bitrate_bps=bps):
                transport.remb_bps, transport.remb_at = bps, now
            case rtcp.Bye():
                pass  # a track ends by negotiation

    def _on_sender_report(self, transport: Transport, report: rtcp.SenderReport, now: float) -> None:
        stream = transport.streams.get(report.ssrc)
        if stream is None or stream[1] or stream[0].producer.ssrc != report.ssrc:
            return
        layer, _ = stream
        producer, track = layer.producer, layer.track
        first = producer.report is None
        producer.reported(report, now)
        if track.handle is not None:
            if track.tape is None:
                told: bytes | memoryview | None = self.cell.view[report.at : report.end]
            elif track.tape.layer is layer:
                told = track.tape.consumer.report(report, now, now, producer.spec.clock_rate)
            else:
                told = None
            if told is not None:
                self._sink.packet(track.handle, SENDER_REPORT, int(now * 1e6), memoryview(told))
        if first:  # lip sync should not wait for the next round of reports
            for route in track.routes:
                self.report(route.subscriber, now)

    def _on_blocks(self, transport: Transport, blocks: tuple[rtcp.ReportBlock, ...], now: float) -> None:
        for block in blocks:
            source = transport.sources.get(block.ssrc)
            if source is None or source.consumer.spec.ssrc != block.ssrc:
                continue
            rtt = source.consumer.heard(block, now)
            if rtt is not None:
                transport.rtt = rtt if transport.rtt is None else 0.7 * transport.rtt + 0.3 * rtt

    def _on_nack(self, transport: Transport, ssrc: int, lost: tuple[int, ...], now: float) -> None:
        source, outbound = transport.sources.get(ssrc), transport.outbound
        if source is None or outbound is None or transport.path is None:
            return
        consumer = source.consumer
        if consumer.resends:
            downlink = transport.downlink
            if downlink is not None and downlink.queueing and downlink.estimate_bps < NARROW_BPS:
                return  # DOWN-4
            for datagram in consumer.resent(lost, now):
                self.outlet.raw(transport.path, datagram)
            return
        for index in consumer.wanted(lost, now):
            packet = consumer.source.kept(index) if consumer.source is not None else None
            if packet is None:
                self.drops["repair_unavailable"] += 1
                continue
            if transport.downlink is not None and not transport.downlink.may_repair(len(packet), now):
                self.drops["repair_unpaid"] += 1
                continue
            out = self.outlet.out
            length = consumer.rewrite(out.data, out.view, packet, index)
            if length:
                self.outlet.urgent(transport, outbound, length, now)

    def want_recorded(self, layer: Layer) -> None:
        """The recorder wants a keyframe: soon, but not while it would cost repairs (RECV-4)."""
        self.recorded.setdefault(layer, self._clock())

    def want_keyframe(self, layer: Layer) -> None:
        """Ask for a keyframe of this layer, now or as soon as the throttle lets us (PROD-2)."""
        if layer.producer.want_keyframe():
            self.wanting.add(layer)
            self._ask_keyframe(layer, self._clock())

    def _ask_keyframe(self, layer: Layer, now: float) -> None:
        publisher, producer = layer.track.transport, layer.producer
        if publisher.outbound is not None and producer.pli_due(now):
            assert producer.ssrc is not None
            self.outlet.rtcp(publisher, rtcp.pli(publisher.ssrc, producer.ssrc))

    def ask_again(self, now: float) -> None:
        """NACK what is due; what is given up for good costs video a keyframe (PLI)."""
        for layer in list(self.lossy):
            producer, publisher = layer.producer, layer.track.transport
            if producer.reception.due_at == NEVER:
                self.lossy.discard(layer)
            if producer.reception.due_at > now:
                continue
            ask, lost = producer.reception.due(now, publisher.rtt if publisher.rtt is not None else 0.1)
            if ask and producer.is_video:
                ask = ask[: publisher.asks(len(ask))]
            if ask and producer.ssrc is not None:
                message = rtcp.nack(publisher.ssrc, producer.ssrc, [index & 0xFFFF for index in ask])
                self.outlet.rtcp(publisher, message)
                if publisher.downlink is not None and publisher.downlink.loss > LOSES:
                    self._twins.append((now + TWIN_S, publisher, message))
            if lost and producer.is_video and self._followed(layer):
                self.want_keyframe(layer)

    @staticmethod
    def _followed(layer: Layer) -> bool:
        track = layer.track
        if track.handle is not None and (track.tape is None or track.tape.wanted is layer):
            return True
        return any(route.wanted is layer or route.layer is layer for route in track.routes)

    def _feed_back(self, transport: Transport, now: float) -> None:
        """Tell a sender what arrived of its numbers."""
        elapsed = now - transport.fed_back_at
        if elapsed < FEEDBACK_S or (elapsed < 2 * FEEDBACK_S and transport.arrivals.waiting < _FEW):
            return
        self.unsaid.discard(transport)
        transport.fed_back_at = now
        media = next((ssrc for ssrc in transport.streams), 0)
        tracks = transport.tracks.values()
        sent = sum(layer.producer.bps for track in tracks for layer in track.layers if track.lives(layer, now))
        calm = transport.uplink.calm and sent < HIDDEN_BELOW_BPS
        message = transport.arrivals.write(transport.ssrc, media, calm)
        if message is not None:
            self.outlet.rtcp(transport, message)

    def report(self, transport: Transport, now: float) -> None:
        """Send the transport its reports, as far as there is something to report."""
        for compound in compound_reports(transport, now):
            self.outlet.rtcp(transport, compound)
