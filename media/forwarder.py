"""What happens to an authenticated packet: SRTP off, to its producer, to each consumer, SRTP on; and RTCP both ways.

One for a plane. It knows transports that have keys; `media.python_plane` owns the sockets and decides who those are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from media.feedback import compound_reports
from media.forwarding.producer import Producer
from media.forwarding.reception import NEVER, REFUSED, RESTARTED
from media.plane import PacketSink, PlaneEvent, ProducerStarted
from media.rtp import header, rtcp
from media.srtp import TRAILER, Cell, SrtpSession
from media.tap import RECOVERED, SENDER_REPORT
from media.transport import MAX_SSRCS, Path, Track, Transport

_MAX_OUT = header.MAX_PACKET - 28
"""Payload and header that still fit a datagram of 1 500 bytes once protected."""

_unpack = header.FIXED.unpack_from


class Forwarder:
    """See the module. `cell` is where the plane receives into; everything here reads the packet there."""

    def __init__(self, clock: Callable[[], float], sink: PacketSink) -> None:
        """`clock`: monotonic seconds."""
        self._clock = clock
        self._sink = sink
        self.listener: Callable[[PlaneEvent], None] = lambda _: None
        self.drops: defaultdict[str, int] = defaultdict(int)
        self.cell, self._repair, self._out = Cell(), Cell(), Cell(2048 + TRAILER)
        self.lossy: set[Track] = set()
        """Tracks with packets to be asked for again."""
        self.wanting: set[Track] = set()
        """Tracks with a keyframe to be asked for."""

    def tick(self, now: float) -> None:
        """Ask again for what has not come; to be called every 20 ms or so."""
        if self.lossy:
            self.ask_again(now)
        for track in list(self.wanting):
            if track.producer.wanting:
                self._ask_keyframe(track, now)
            else:
                self.wanting.discard(track)

    def forget(self, track: Track) -> None:
        """The track has ended."""
        self.lossy.discard(track)
        self.wanting.discard(track)

    def on_rtp(self, path: Path, size: int) -> None:
        """One packet, all the way. Long because a call costs 0.1 µs, and a packet must not cost thirty."""
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
        if stream is None:
            stream = self._latch(transport, ssrc, second & 0x7F, size)
            if stream is None:
                return
        at = header.payload_at(cell.data, size)
        if at < 0:
            self.drops["rtp_malformed"] += 1
            return
        track, repaired = stream
        producer = track.producer
        if repaired:
            size, seq, timestamp, second = self._unwrap(producer, size, at)
            if size == 0:
                return
            cell, at = self._repair, header.SIZE
        elif producer.ssrc != ssrc and not self._take_over(track, ssrc, now):
            self.drops["ssrc_inactive"] += 1
            return
        if second & 0x7F != producer.payload_type and not self._started(producer, second & 0x7F):
            self.drops["payload_type_unknown"] += 1
            return
        reception = producer.reception
        index = reception.accept(seq, timestamp, now, repaired)
        if index < 0:
            if index == REFUSED:
                self.drops["duplicate"] += 1
                return
            index = self._restart(track, seq, timestamp, now)
        producer.heard = now
        view = cell.view
        reception.keep(index, bytes(view[:size]))
        if reception.due_at != NEVER:
            self.lossy.add(track)
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
            self.drops["too_long_to_forward"] += 1
            return
        length = outbound.protect(self._out, length)
        if length < 0:
            self.drops["protect_refused"] += 1
            return
        path = subscriber.path
        assert path is not None
        try:
            path.sendto(self._out.view[:length], path.address)
        except BlockingIOError:
            self.drops["send_full"] += 1
        except OSError:
            self.drops["send_error"] += 1
        else:
            subscriber.packets_out += 1
            subscriber.bytes_out += length

    # ---- the less frequent turns of a packet's way

    def _may_admit(self, transport: Transport, ssrc: int) -> bool:
        """SRTP-2: an SSRC is let in only while there is room, before libsrtp makes a stream of it."""
        if ssrc in transport.strangers or len(transport.strangers) + len(transport.streams) < MAX_SSRCS:
            return True
        self.drops["ssrc_table_full"] += 1
        return False

    def _latch(self, transport: Transport, ssrc: int, payload_type: int, size: int) -> tuple[Track, bool] | None:
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

    def _take_over(self, track: Track, ssrc: int, now: float) -> bool:
        if not track.producer.use(ssrc, now):
            return False
        self.interrupt(track)
        return True

    def _started(self, producer: Producer, payload_type: int) -> bool:
        codec = producer.spec.codecs.get(payload_type)
        if codec is None or producer.ssrc is None:
            return False
        producer.payload_type, producer.codec = payload_type, codec
        self.listener(ProducerStarted(producer.spec.track, producer.ssrc, payload_type, codec))
        return True

    def _restart(self, track: Track, seq: int, timestamp: int, now: float) -> int:
        track.producer.restart()
        self.interrupt(track)
        index = track.producer.reception.accept(seq, timestamp, now, recovered=False)
        assert index not in (REFUSED, RESTARTED)
        return index

    def interrupt(self, track: Track) -> None:
        """The stream behind a track is another now: its consumers go on at the next keyframe."""
        for consumer, _ in track.routes:
            consumer.stop()
        # Not asked for at once: a new stream begins with a keyframe by itself, and the tick asks if it did not.
        if (track.routes or track.producer.handle is not None) and track.producer.want_keyframe():
            self.wanting.add(track)

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
        except rtcp.RtcpError:
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
                if source is not None:
                    self.want_keyframe(source[0])
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
            self._sink.packet(producer.handle, SENDER_REPORT, int(now * 1e6), self.cell.view[report.at : report.end])
        if first:  # lip sync should not wait for the next round of reports
            for _, subscriber in stream[0].routes:
                self.report(subscriber, now)

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
                self.drops["repair_unavailable"] += 1
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
            self.drops["protect_refused"] += 1
            return
        self.send_raw(path, self._out.view[:size])

    def want_keyframe(self, track: Track) -> None:
        if track.producer.want_keyframe():
            self.wanting.add(track)
            self._ask_keyframe(track, self._clock())

    def _ask_keyframe(self, track: Track, now: float) -> None:
        publisher = track.transport
        if publisher.outbound is not None and track.producer.pli_due(now):
            assert track.producer.ssrc is not None
            self._send_rtcp(publisher, rtcp.pli(publisher.ssrc, track.producer.ssrc))

    def ask_again(self, now: float) -> None:
        """NACK what is due; what is given up for good costs video a keyframe (PLI)."""
        for track in list(self.lossy):
            producer, publisher = track.producer, track.transport
            if producer.reception.due_at == NEVER:
                self.lossy.discard(track)
            if producer.reception.due_at > now:
                continue
            ask, lost = producer.reception.due(now, publisher.rtt if publisher.rtt is not None else 0.1)
            if ask and producer.ssrc is not None:
                self._send_rtcp(publisher, rtcp.nack(publisher.ssrc, producer.ssrc, [index & 0xFFFF for index in ask]))
            if lost and producer.is_video:
                self.want_keyframe(track)

    def report(self, transport: Transport, now: float) -> None:
        """Send the transport its reports, as far as there is something to report."""
        for compound in compound_reports(transport, now):
            self._send_rtcp(transport, compound)

    def send_raw(self, path: Path, datagram: bytes | memoryview) -> None:
        """Send, or drop and count."""
        try:
            path.sendto(datagram, path.address)
        except BlockingIOError:
            self.drops["send_full"] += 1
        except OSError:
            self.drops["send_error"] += 1
