"""How packets leave: numbered, protected, sent; video at the subscriber's pace, probes beside it, all else at once.

One for a plane. What is to be sent stands in `out`; everything here reads it there.
"""

from __future__ import annotations

from collections import defaultdict

from media.congestion.downlink import OVERHEAD, Burst, Downlink
from media.forwarding.consumer import NUMBER_AT, Consumer
from media.rtp import header
from media.sockets.departures import Departures
from media.transports.srtp import SrtpSession
from media.transports.transport import Path, Route, Transport

_MAX_OUT = header.MAX_PACKET - 28
"""Payload and header that still fit a datagram of 1 500 bytes once protected."""
_LATEST = 16
"""Packets a probe may repeat; repeated ones are big, and worth something if they had been lost."""
_WORTH = 400
BIG_FROM_BPS = 2_000_000.0
"""Slower probes are of small packets: enough of them arrive to tell, however lossy the path."""
_PAD = 255


class Outlet:
    """See the module."""

    def __init__(self, drops: defaultdict[str, int]) -> None:
        """`drops` counts what could not be sent."""
        self.departures = Departures(drops)
        self.out = self.departures.cell
        self.waiting: set[Transport] = set()
        """Those with paced packets or probes on their way."""
        self._drops = drops

    def send(self, subscriber: Transport, outbound: SrtpSession, length: int, now: float, joins: bool = False) -> int:
        """Protect and send what is in the out buffer; its length, 0 if it could not go. A full socket drops it: late media
        is worth nothing. What `joins` others (`media.sockets.departures`) goes with `leave` at the latest."""
        if length > _MAX_OUT:
            self._drops["too_long_to_forward"] += 1
            return 0
        out = self.out
        data = out.data
        if data[0] & 0x10:  # only ours have a header extension
            downlink = subscriber.downlink
            if downlink is not None:
                number = downlink.number(now, length)
                data[NUMBER_AT], data[NUMBER_AT + 1] = number >> 8, number & 255
        length = outbound.protect(out, length)
        if length < 0:
            self._drops["protect_refused"] += 1
            return 0
        path = subscriber.path
        assert path is not None
        if joins:
            self.departures.add(path, length, data[1] >= 0x80)
            self.out = self.departures.cell
            return length
        if path.train is not None:
            self.departures.let_pass(path)
        try:
            path.sendto(out.view[:length], path.address)
        except BlockingIOError:
            self._drops["send_full"] += 1
        except OSError:
            self._drops["send_error"] += 1
        else:
            subscriber.packets_out += 1
            subscriber.bytes_out += length
        return length

    def video(self, subscriber: Transport, outbound: SrtpSession, length: int, now: float) -> bool:
        """Send at the pace of the estimate (DOWN-1); False if there is no room for it."""
        downlink = subscriber.downlink
        if downlink is None or (not downlink.hold(now) and downlink.pacer.may_go(now, length + OVERHEAD)):
            self.send(subscriber, outbound, length, now, joins=True)
            return True
        if downlink.pacer.full:  # PACE-1
            self._drops["pacer_full"] += 1
            return False
        downlink.pacer.put(now, length + OVERHEAD, bytes(self.out.view[:length]))
        self.waiting.add(subscriber)
        return True

    def urgent(
        self, subscriber: Transport, outbound: SrtpSession, length: int, now: float, consumer: Consumer | None = None
    ) -> None:
        """Send at once, paid for all the same (DOWN-1); `consumer` may want to keep what was sent (CONS-5)."""
        if subscriber.downlink is not None:
            subscriber.downlink.pacer.urgent(length + OVERHEAD)
        length = self.send(subscriber, outbound, length, now)
        if length and consumer is not None and consumer.resends:
            consumer.left(self.out.view[:length])

    def pump(self, now: float) -> None:
        """Send what has waited long enough; to be called every few milliseconds while anybody is `waiting`."""
        for subscriber in list(self.waiting):
            downlink, outbound = subscriber.downlink, subscriber.outbound
            if downlink is None or outbound is None or subscriber.path is None:
                self.waiting.discard(subscriber)
                continue
            downlink.hold(now)
            for packet in downlink.pacer.due(now):
                size = len(packet)
                self.out.view[:size] = packet
                self.send(subscriber, outbound, size, now, joins=True)
            if downlink.probes:
                self._probe(subscriber, outbound, downlink, now)
            if not downlink.probes and not downlink.pacer.waiting_bytes:
                self.waiting.discard(subscriber)
        self.leave()

    def leave(self) -> None:
        """Let go what stands ready; to be called when a look at the sockets is over (TRAIN-1)."""
        self.departures.leave()
        self.out = self.departures.cell

    def raw(self, path: Path, datagram: bytes | memoryview) -> None:
        """Send, or drop and count."""
        try:
            path.sendto(datagram, path.address)
        except BlockingIOError:
            self._drops["send_full"] += 1
        except OSError:
            self._drops["send_error"] += 1

    def rtcp(self, transport: Transport, compound: bytes) -> None:
        """Protect and send a compound."""
        outbound, path = transport.outbound, transport.path
        if outbound is None or path is None:
            return
        size = len(compound)
        self.out.view[:size] = compound
        size = outbound.protect_rtcp(self.out, size)
        if size < 0:
            self._drops["protect_refused"] += 1
            return
        self.raw(path, self.out.view[:size])

    def _probe(self, subscriber: Transport, outbound: SrtpSession, downlink: Downlink, now: float) -> None:
        burst: Burst = downlink.probes[0]
        route = next((r for r in subscriber.consumers.values() if r.consumer.spec.rtx_ssrc is not None), None)
        if route is None:
            downlink.probes.clear()
            return
        downlink.probing = burst.cluster.number
        turn = 0
        while burst.left > 0 and burst.next_at <= now:
            length = self._filler(route, turn, burst.cluster.bps >= BIG_FROM_BPS)
            size = self.send(subscriber, outbound, length, now) if length else 0
            if not size:
                burst.left = 0
                break
            turn += 1
            burst.left -= size + OVERHEAD
            burst.next_at += (size + OVERHEAD) * 8 / burst.cluster.bps
        downlink.probing = None
        if burst.left <= 0:
            downlink.probes.popleft()

    def _filler(self, route: Route, turn: int, big: bool) -> int:
        """A packet to probe with: a recent big one once more, or padding."""
        consumer, out = route.consumer, self.out
        if big and consumer.flowing and consumer.source is not None:
            for back in range(_LATEST):
                index = consumer.last - (turn + back) % _LATEST
                packet = consumer.source.kept(index) if index >= consumer.first else None
                if packet is None or len(packet) < _WORTH:
                    continue
                if length := consumer.rewrite(out.data, out.view, packet, index):
                    return length
        return consumer.pad(out.data, out.view, _PAD)
