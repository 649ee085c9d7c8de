"""What happens to an authenticated packet: SRTP off, to its producer, to each consumer, SRTP on.

One for a plane. It knows transports that have keys; `entrance` owns the sockets, `associations` decides who those are,
`outlet` lets packets leave, `steering` chooses layers, `asking` asks senders for what is missing, and `hearing` takes what
both sides say of the packets (RTCP).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from media.forwarding.producer import Producer
from media.forwarding.reception import NEVER, REFUSED, RESTARTED
from media.plane import PacketSink, PlaneEvent, ProducerStarted
from media.python_plane.asking import Asking
from media.python_plane.outlet import Outlet
from media.python_plane.steering import Steering
from media.rtp import header, red
from media.tap import RECOVERED
from media.transports.srtp import TRAILER, Cell, SrtpSession
from media.transports.transport import MAX_SSRCS, Layer, Path, Route, Transport

CAUGHT_UP_S = 1.0
"""A keyframe this old is worth being caught up with: what came since is kept about as long."""
COPY_BEHIND = 3
_unpack = header.FIXED.unpack_from


class Forwarder:
    """See the module. `cell` is where the plane receives into; everything here reads the packet there."""

    def __init__(self, clock: Callable[[], float], sink: PacketSink) -> None:
        """`clock`: monotonic seconds."""
        self._sink = sink
        self.now = self.came = clock()
        """When the look at the sockets began that is under way, and when its newest packet came (ENTER-1)."""
        self.listener: Callable[[PlaneEvent], None] = lambda _: None
        self.drops: defaultdict[str, int] = defaultdict(int)
        self.cell, self._repair, self._taped = Cell(), Cell(), Cell(2048 + TRAILER)
        self.outlet = Outlet(self.drops)
        self.asking = Asking(clock, self.outlet)
        self.steering = Steering(self.asking.want_keyframe, self.catch_up, lambda event: self.listener(event))

    def on_rtp(self, path: Path, size: int) -> None:
        """One packet, as far as its producer. Long because a call costs 0.1 µs, and a packet must not cost thirty."""
        transport = path.transport
        inbound = transport.inbound
        if inbound is None or size < header.SIZE:
            self.drops["no_keys" if inbound is None else "rtp_malformed"] += 1
            return
        cell = self.cell
        data = cell.data
        first, second, seq, timestamp, ssrc = _unpack(data)
        stream = transport.streams.get(ssrc)
        if stream is None and not self._may_admit(transport, ssrc):
            return
        size = inbound.unprotect(cell, size)
        if size < 0:
            self.drops["srtp_refused"] += 1
            return
        transport.heard = now = self.now
        transport.packets_in += 1
        transport.bytes_in += size
        if transport.number_extension:
            number = header.number_of(data, size, transport.number_extension)
            if number >= 0:
                transport.arrivals.hear(number, self.came)
                self.asking.unsaid.add(transport)
        if stream is None:
            stream = self._latch(transport, ssrc, second & 0x7F, size)
            if stream is None:
                return
        at = header.SIZE if first == header.VERSION else header.payload_at(data, size)
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
        payload_type = second & 0x7F
        if payload_type != producer.payload_type:
            if payload_type == producer.spec.red:
                self._on_red(layer, size, at, seq, timestamp, now)
                return
            if not self._started(layer, payload_type):
                self.drops["payload_type_unknown"] += 1
                return
        self._forward(layer, cell, size, at, seq, timestamp, now, repaired)

    def _forward(
        self, layer: Layer, cell: Cell, size: int, at: int, seq: int, timestamp: int, now: float, repaired: bool
    ) -> int:
        """One packet of a layer, to everyone who gets it; its index, or -1 if it was there already."""
        producer = layer.producer
        reception = producer.reception
        index = reception.accept(seq, timestamp, self.came, repaired)
        if index < 0:
            if index == REFUSED:
                self.drops["duplicate"] += 1
                return -1
            index = self._restart(layer, seq, timestamp, now)
            reception = producer.reception
        producer.heard = now
        track, view, data, is_video = layer.track, cell.view, cell.data, producer.is_video
        if not is_video and not repaired and index == reception.highest:  # what was asked for again is late by that
            track.transport.uplink.hear(timestamp / producer.spec.clock_rate, self.came)
        packet = bytes(view[:size])
        reception.keep(index, packet)
        if reception.due_at != NEVER:
            self.asking.lossy.add(layer)
        begins: bool | None = None
        if producer.wanting or producer.heeded[data[at]]:
            begins = producer.begins(data, at, header.payload_end(data, size, at), now)
            if begins:
                producer.keyframe_at = now
                reception.refresh(index)
        outlet = self.outlet
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
                    begins = producer.begins(data, at, header.payload_end(data, size, at))
                if not begins or track.shows_less(layer, route.layer, now):  # STEER-10
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
                self._sink.packet(track.handle, flags, int(now * 1e6), packet)
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
            if tape.track.shows_less(layer, tape.layer, now):
                return
            consumer.stop()
            consumer.begin(index, timestamp, now, layer.producer.spec.clock_rate, layer.producer.reception)
            tape.layer = layer
        length = consumer.write(self._taped.data, self._taped.view, view, at, size, index, now)
        if length:
            self._sink.packet(handle, flags, int(now * 1e6), bytes(self._taped.view[:length]))

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
        producer.begin(payload_type, codec)
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
            self.asking.wanting.add(layer)
