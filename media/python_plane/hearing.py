"""What both sides say of the packets: reports, what is missing, keyframes that are wanted, what arrived (RTCP that comes).

One for a plane, beside its `media.python_plane.forwarder`, in whose cell each packet lies.
"""

from __future__ import annotations

from collections.abc import Callable

from media.congestion import twcc
from media.plane import PacketSink
from media.python_plane.forwarder import Forwarder
from media.rtp import rtcp
from media.tap import SENDER_REPORT
from media.transports.transport import Path, Transport

NARROW_BPS = 150_000.0
"""Below, sound that is sent again takes the place of sound."""


class Hearing:
    """See the module."""

    def __init__(self, clock: Callable[[], float], sink: PacketSink, forwarder: Forwarder) -> None:
        """`clock`: monotonic seconds."""
        self._clock = clock
        self._sink = sink
        self._drops = forwarder.drops
        self._cell = forwarder.cell
        self._outlet = forwarder.outlet
        self._asking = forwarder.asking

    def on_rtcp(self, path: Path, size: int) -> None:
        transport = path.transport
        if transport.inbound is None:
            self._drops["no_keys"] += 1
            return
        size = transport.inbound.unprotect_rtcp(self._cell, size)
        if size < 0:
            self._drops["srtcp_refused"] += 1
            return
        now = transport.heard = self._clock()
        try:
            for packet in rtcp.parse(self._cell.data, size):
                self._on_rtcp_packet(transport, packet, now)
        except (rtcp.RtcpError, twcc.TwccError):
            self._drops["rtcp_malformed"] += 1

    def _on_rtcp_packet(self, transport: Transport, packet: rtcp.Packet, now: float) -> None:
        match packet:
            case rtcp.TransportFeedback(at=at, end=end):  # the most frequent by far
                if transport.downlink is not None:
                    transport.downlink.hear(twcc.parse(self._cell.view[at:end]), now)
                    if transport.downlink.probes:
                        self._outlet.waiting.add(transport)
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
                    self._asking.want_keyframe(source.wanted)
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
                told: bytes | memoryview | None = self._cell.view[report.at : report.end]
            elif track.tape.layer is layer:
                told = track.tape.consumer.report(report, now, now, producer.spec.clock_rate)
            else:
                told = None
            if told is not None:
                self._sink.packet(track.handle, SENDER_REPORT, int(now * 1e6), bytes(told))
        if first:  # lip sync should not wait for the next round of reports
            for route in track.routes:
                self._asking.report(route.subscriber, now)

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
                self._outlet.raw(transport.path, datagram)
            return
        for index in consumer.wanted(lost, now):
            packet = consumer.source.kept(index) if consumer.source is not None else None
            if packet is None:
                self._drops["repair_unavailable"] += 1
                continue
            if transport.downlink is not None and not transport.downlink.may_repair(len(packet), now):
                self._drops["repair_unpaid"] += 1
                continue
            out = self._outlet.out
            length = consumer.rewrite(out.data, out.view, packet, index)
            if length:
                self._outlet.urgent(transport, outbound, length, now)
