"""One subscription: the packets of a producer as its subscriber expects them.

CONS-1  Numbers and timestamps of an outgoing SSRC only ever grow while streams behind it come and go: each begins where
        the one before ended. A stream's own gaps and reordering stay what they were, so that NACK means what it says.
CONS-2  Under one SSRC and sequence number there is one content: what is sent again is written by the same rule from the
        same bytes, or goes out on the RTX SSRC. A consumer that was changed answers no NACK from before the change.
CONS-3  Header extensions and contributing sources are left out; payload and padding stay as they came.
"""

from __future__ import annotations

from collections import deque

from media.forwarding.reception import KEPT
from media.plane import ConsumerSpec
from media.rtp import header, rtcp

REPAIRS_PER_S = 600.0
_BURST = float(KEPT)
_M16 = 0xFFFF
_M32 = 0xFFFFFFFF
_pack = header.FIXED.pack_into


class Outgoing:
    """What an SSRC has sent on a transport; it outlives the consumers that use it (CONS-1)."""

    __slots__ = ("last_at", "last_time", "next_seq", "octets", "packets", "rtx_seq")

    def __init__(self, first_seq: int, first_rtx_seq: int, first_time: int) -> None:
        """Starts are random; sequence numbers below 32 768, as libsrtp guesses the rollover counter (RFC 3711 §3.3.1)."""
        self.next_seq = first_seq & 0x7FFF
        self.rtx_seq = first_rtx_seq & 0x7FFF
        self.last_time = first_time & _M32
        self.last_at: float | None = None
        self.packets = 0
        self.octets = 0


class Consumer:
    """See the module's rules."""

    __slots__ = (
        "_allowance",
        "_allowance_at",
        "_sent_reports",
        "first",
        "flowing",
        "last",
        "loss",
        "loss_at",
        "outgoing",
        "payload_types",
        "seq_shift",
        "spec",
        "time_shift",
    )

    def __init__(self, spec: ConsumerSpec, outgoing: Outgoing, producer_codecs: dict[int, str]) -> None:
        """`producer_codecs`: payload type → codec of the track as published."""
        self.outgoing = outgoing
        self.flowing = False
        self.first = self.last = -1
        self.seq_shift = self.time_shift = 0
        self.loss = 0.0
        self.loss_at = float("-inf")
        self._allowance = _BURST
        self._allowance_at = 0.0
        self._sent_reports: deque[tuple[int, float]] = deque(maxlen=8)
        self.expect(spec, producer_codecs)

    def expect(self, spec: ConsumerSpec, producer_codecs: dict[int, str]) -> None:
        """Take over a changed subscription or a track published anew; it begins again at a keyframe."""
        self.stop()
        self.spec = spec
        self.payload_types = {
            number: spec.codecs[codec] for number, codec in producer_codecs.items() if codec in spec.codecs
        }

    def stop(self) -> None:
        """The stream behind it ended; the next `begin` goes on after it (CONS-1)."""
        if self.flowing:
            self.outgoing.next_seq = (self.last + self.seq_shift + 1) & _M16
        self.flowing = False

    def begin(self, index: int, timestamp: int, now: float, clock_rate: int) -> None:
        """Forward from the packet with this index on."""
        out = self.outgoing
        at = out.last_time
        if out.last_at is not None:
            at += max(1, int((now - out.last_at) * clock_rate))
        self.seq_shift = out.next_seq - index & _M16
        self.time_shift = at - timestamp & _M32
        self.first = self.last = index
        out.last_time, out.last_at = at & _M32, now
        self.flowing = True

    def write(
        self,
        into: bytearray,
        into_view: memoryview,
        packet: memoryview,
        at: int,
        size: int,
        index: int,
        now: float,
    ) -> int:
        """Write the packet as the subscriber expects it; returns its size, or 0 if it is not for this consumer.

        `at` is where the payload begins in `packet`. 0.9 µs (`python -m tests.bench.plane_micro`), so it is one block.
        """
        if index < self.first:
            return 0
        first, second, _, timestamp, _ = header.FIXED.unpack_from(packet)
        payload_type = self.payload_types.get(second & 0x7F)
        if payload_type is None:
            return 0
        out_time = timestamp + self.time_shift & _M32
        out = self.outgoing
        if index > self.last:
            self.last = index
            out.last_time = out_time
            out.last_at = now
        _pack(
            into,
            0,
            0x80 | first & 0x20,
            second & 0x80 | payload_type,
            index + self.seq_shift & _M16,
            out_time,
            self.spec.ssrc,
        )
        length = size - at
        into_view[12 : 12 + length] = packet[at:size]
        out.packets += 1
        out.octets += length
        return 12 + length

    def wanted(self, lost: tuple[int, ...], now: float) -> list[int]:
        """Indexes of the producer's stream for the numbers a NACK names, as far as they may be sent again."""
        if not self.flowing:
            return []
        self._allowance = min(_BURST, self._allowance + (now - self._allowance_at) * REPAIRS_PER_S)
        self._allowance_at = now
        last = self.last
        indexes = []
        for seq in lost:
            index = last - (last + self.seq_shift - seq & _M16)
            if self.first <= index and last - index < KEPT and self._allowance >= 1.0:
                self._allowance -= 1.0
                indexes.append(index)
        return indexes

    def rewrite(self, into: bytearray, into_view: memoryview, packet: bytes, index: int) -> int:
        """A packet once more: as RTX (RFC 4588 §4) where the subscriber takes it, else as it was (CONS-2). 0: cannot be."""
        size = len(packet)
        at = header.payload_at(packet, size)
        first, second, _, timestamp, _ = header.FIXED.unpack_from(packet)
        payload_type = self.payload_types.get(second & 0x7F)
        if payload_type is None or at < 0:
            return 0
        seq = index + self.seq_shift & _M16
        time = timestamp + self.time_shift & _M32
        rtx = self.spec.rtx.get(payload_type)
        if self.spec.rtx_ssrc is None or rtx is None:
            _pack(into, 0, 0x80 | first & 0x20, second & 0x80 | payload_type, seq, time, self.spec.ssrc)
            into_view[12 : 12 + size - at] = memoryview(packet)[at:]
            return 12 + size - at
        _pack(into, 0, 0x80 | first & 0x20, second & 0x80 | rtx, self.outgoing.rtx_seq, time, self.spec.rtx_ssrc)
        self.outgoing.rtx_seq = self.outgoing.rtx_seq + 1 & _M16
        into[12], into[13] = seq >> 8, seq & 255
        into_view[14 : 14 + size - at] = memoryview(packet)[at:]
        return 14 + size - at

    def report(self, of: rtcp.SenderReport | None, of_at: float, now: float, clock_rate: int) -> bytes | None:
        """Our sender report: the publisher's own clock pair carried on to now, in the subscriber's timestamps (lip sync)."""
        if of is None or not self.flowing:
            return None
        elapsed = now - of_at
        ntp = of.ntp + int(elapsed * 4294967296.0) & 0xFFFFFFFFFFFFFFFF
        self._sent_reports.append((ntp >> 16 & _M32, now))
        time = of.rtp_time + int(elapsed * clock_rate) + self.time_shift
        return rtcp.sender_report(self.spec.ssrc, ntp, time, self.outgoing.packets, self.outgoing.octets)

    def heard(self, block: rtcp.ReportBlock, now: float) -> float | None:
        """The subscriber's report on us; returns the round trip in seconds if it tells (RFC 3550 §6.4.1)."""
        self.loss, self.loss_at = block.fraction / 256, now
        for lsr, sent_at in self._sent_reports:
            if block.lsr == lsr:
                return max(0.0, now - sent_at - block.dlsr / 65536)
        return None
