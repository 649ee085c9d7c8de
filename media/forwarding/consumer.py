"""One subscription: the packets of a producer as its subscriber expects them.

CONS-1  Numbers and timestamps of an outgoing SSRC only ever grow while streams behind it come and go: each begins where
        the one before ended. A stream's own gaps and reordering stay what they were, so that NACK means what it says.
CONS-2  Under one SSRC and sequence number there is one content: what is sent again is written by the same rule from the
        same bytes, or goes out on the RTX SSRC. A consumer that was changed answers no NACK from before the change.
CONS-3  Header extensions and contributing sources are left out; payload and padding stay as they came. The transport-wide
        number is ours: its place is written here, its value when the packet leaves (`NUMBER_AT`).
CONS-4  Where several encodings follow each other behind one SSRC, VP8's own counts go on as if they were one.
CONS-5  Audio that is repeated (RED) or numbered cannot be written twice alike: what was sent is kept, protected, and sent
        again bit for bit.
CONS-6  A picture that is to be held back for repairs (`forwarding.hold`) says for how long, in every packet from then on,
        where the subscriber takes the header extension playout-delay.
"""

from __future__ import annotations

from collections import deque

from media.forwarding.reception import KEPT, Reception
from media.plane import ConsumerSpec
from media.rtp import header, red, rtcp, vp8

REPAIRS_PER_S = 600.0
_BURST = float(KEPT)
_M16 = 0xFFFF
_M32 = 0xFFFFFFFF
_pack, _unpack = header.FIXED.pack_into, header.FIXED.unpack_from
NUMBER_AT = 17
"""Where the transport-wide number stands in a packet that has one."""
PLAYOUT_STEP_MS, PLAYOUT_MOST = 10, 1000
"""playout-delay: 12 bits for the least and the most, of 10 ms each; 10 s is what browsers allow anyway."""
_RESENT = 64
"""Audio packets kept as they were sent: 1.3 s of 20 ms frames."""


class Outgoing:
    """What an SSRC has sent on a transport; it outlives the consumers that use it (CONS-1)."""

    __slots__ = ("last_at", "last_base", "last_picture", "last_time", "next_seq", "octets", "packets", "rtx_seq")

    def __init__(self, first_seq: int, first_rtx_seq: int, first_time: int) -> None:
        """Starts are random; sequence numbers below 32 768, as libsrtp guesses the rollover counter (RFC 3711 §3.3.1)."""
        self.next_seq = first_seq & 0x7FFF
        self.rtx_seq = first_rtx_seq & 0x7FFF
        self.last_time = first_time & _M32
        self.last_at: float | None = None
        self.last_picture = self.last_base = 0
        self.packets = 0
        self.octets = 0


class Consumer:
    """See the module's rules."""

    __slots__ = (
        "_allowance",
        "_allowance_at",
        "_base_shift",
        "_extension",
        "_first",
        "_fresh",
        "_head",
        "_held_ms",
        "_picture_shift",
        "_plain",
        "_sent",
        "_sent_reports",
        "depth",
        "depth_at",
        "first",
        "flowing",
        "last",
        "loss",
        "loss_at",
        "outgoing",
        "payload_types",
        "recounts",
        "seq_shift",
        "source",
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
        self.depth_at = 0.0
        self.depth = 0
        """Earlier packets repeated in each (RED); nothing without `spec.red`."""
        self.source: Reception | None = None
        """Where earlier packets of the stream it forwards are kept."""
        self.recounts = False
        """Whether VP8's counts are to be rewritten (CONS-4)."""
        self._fresh = False
        self._picture_shift = self._base_shift = 0
        self.expect(spec, producer_codecs)

    def expect(self, spec: ConsumerSpec, producer_codecs: dict[int, str]) -> None:
        """Take over a changed subscription or a track published anew; it begins again at a keyframe."""
        self.stop()
        self.spec = spec
        self.payload_types = {
            number: spec.codecs[codec] for number, codec in producer_codecs.items() if codec in spec.codecs
        }
        repeats = spec.rtx_ssrc is None
        numbered = spec.number_extension is not None and (not repeats or "opus" in spec.codecs)
        self._extension = b""
        if numbered:
            self._extension = b"\xbe\xde\x00\x01" + bytes(((spec.number_extension or 0) << 4 | 1, 0, 0, 0))
        self._plain = self._extension
        self._held_ms = 0
        self._head, self._first = (20, 0x90) if numbered else (12, 0x80)
        # CONS-5
        self._sent: list[tuple[int, bytes] | None] = []
        if repeats and spec.nack and "opus" in spec.codecs:
            self._sent = [None] * _RESENT

    def hold(self, seconds: float) -> None:
        """CONS-6."""
        ms = round(seconds * 1000)
        if ms == self._held_ms or not self._plain or self.spec.playout_extension is None:
            return
        self._held_ms = ms
        told = (ms // PLAYOUT_STEP_MS << 12 | PLAYOUT_MOST).to_bytes(3, "big")
        element = bytes((self.spec.playout_extension << 4 | 2, *told, 0))
        self._extension = b"\xbe\xde\x00\x02" + self._plain[4:7] + element
        self._head = header.SIZE + len(self._extension)

    def stop(self) -> None:
        """The stream behind it ended; the next `begin` goes on after it (CONS-1)."""
        if self.flowing:
            self.outgoing.next_seq = (self.last + self.seq_shift + 1) & _M16
        self.flowing = False

    def begin(self, index: int, timestamp: int, now: float, clock_rate: int, source: Reception | None = None) -> None:
        """Forward from the packet with this index on; `source` keeps the packets of that stream."""
        self.source = source
        self._fresh = True
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
        first, second, _, timestamp, _ = _unpack(packet)
        payload_type = self.payload_types.get(second & 0x7F)
        if payload_type is None:
            return 0
        out_time = timestamp + self.time_shift & _M32
        out = self.outgoing
        newest = index > self.last
        if newest:
            self.last = index
            out.last_time = out_time
            out.last_at = now
        head = self._head
        out.packets += 1
        if self.depth and not first & 0x20:
            payload = self._repeating(packet[at:size], payload_type, timestamp, index)
            length, payload_type = len(payload), self.spec.red or payload_type
            into_view[head : head + length] = payload
        else:
            length = size - at
            into_view[head : head + length] = packet[at:size]
        _pack(
            into,
            0,
            self._first | first & 0x20,
            second & 0x80 | payload_type,
            index + self.seq_shift & _M16,
            out_time,
            self.spec.ssrc,
        )
        if head > header.SIZE:
            into[12:head] = self._extension
        if self.recounts:
            self._recount(into, head, head + length, newest)
        out.octets += length
        return head + length

    def _repeating(self, payload: memoryview, payload_type: int, timestamp: int, index: int) -> bytes:
        """RED with as many of the packets before it as `depth` says and are there (RFC 2198)."""
        blocks = []
        for before in range(self.depth, 0, -1):
            kept = self.source.kept(index - before) if self.source is not None else None
            if kept is None or kept[1] & 0x7F not in self.payload_types:
                continue
            at = header.payload_at(kept, len(kept))
            if 0 < at < len(kept):
                age = timestamp - int.from_bytes(kept[4:8], "big") & _M32
                blocks.append(red.Block(payload_type, age, kept[at:]))
        return red.wrap([*blocks, red.Block(payload_type, 0, bytes(payload))])

    def _recount(self, into: bytearray, at: int, end: int, newest: bool) -> None:
        """CONS-4."""
        found, out = vp8.counts(into, at, end), self.outgoing
        if self._fresh:
            self._fresh = False
            self._picture_shift = out.last_picture + 1 - found.picture
            self._base_shift = out.last_base + 1 - found.base
        picture = found.picture + self._picture_shift & 0x7FFF
        base = found.base + self._base_shift & 0xFF
        if newest:
            out.last_picture, out.last_base = picture, base
        vp8.rewrite(into, found, picture, base)

    def left(self, packet: memoryview) -> None:
        """A packet as it was sent, protected (CONS-5)."""
        if self._sent:
            seq = packet[2] << 8 | packet[3]
            self._sent[seq % _RESENT] = (seq, bytes(packet))

    @property
    def resends(self) -> bool:
        """Whether it answers NACK with what `left` has seen."""
        return bool(self._sent)

    def resent(self, lost: tuple[int, ...], now: float) -> list[bytes]:
        """What is kept of these numbers, as it was sent."""
        kept = (self._sent[seq % _RESENT] for seq in lost)
        found = [entry[1] for entry, seq in zip(kept, lost, strict=True) if entry is not None and entry[0] == seq]
        return found[: self._allowed(len(found), now)]

    def _allowed(self, asked: int, now: float) -> int:
        self._allowance = min(_BURST, self._allowance + (now - self._allowance_at) * REPAIRS_PER_S)
        self._allowance_at = now
        given = min(asked, int(self._allowance))
        self._allowance -= given
        return given

    def wanted(self, lost: tuple[int, ...], now: float) -> list[int]:
        """Indexes of the producer's stream for the numbers a NACK names, as far as they may be sent again."""
        if not self.flowing:
            return []
        last = self.last
        indexes = [last - (last + self.seq_shift - seq & _M16) for seq in lost]
        indexes = [index for index in indexes if self.first <= index and last - index < KEPT]
        return indexes[: self._allowed(len(indexes), now)]

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
        head = self._head
        _pack(into, 0, self._first | first & 0x20, second & 0x80 | rtx, self.outgoing.rtx_seq, time, self.spec.rtx_ssrc)
        self.outgoing.rtx_seq = self.outgoing.rtx_seq + 1 & _M16
        if head > header.SIZE:
            into[12:head] = self._extension
        into[head], into[head + 1] = seq >> 8, seq & 255
        head += 2
        into_view[head : head + size - at] = memoryview(packet)[at:]
        if self.recounts:
            self._recount(into, head, head + size - at, False)
        return head + size - at

    def pad(self, into: bytearray, into_view: memoryview, size: int) -> int:
        """A packet of nothing but padding on the RTX stream, `size` ≤ 255 bytes of it: what a probe sends. 0: cannot be."""
        rtx = next(iter(self.spec.rtx.values()), None)
        if self.spec.rtx_ssrc is None or rtx is None:
            return 0
        out, head = self.outgoing, self._head
        _pack(into, 0, self._first | 0x20, rtx, out.rtx_seq, out.last_time, self.spec.rtx_ssrc)
        out.rtx_seq = out.rtx_seq + 1 & _M16
        if head > header.SIZE:
            into[12:head] = self._extension
        into_view[head : head + size] = bytes(size)
        into[head + size - 1] = size
        return head + size

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
