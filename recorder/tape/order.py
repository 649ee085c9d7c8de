"""Puts a track's packets back in order, and counts what came, what came late and what never came.

ORDER-1  Packets leave in sequence order, each once. A hole is waited for until `window_us` after the packet behind it
         came, then given up: what arrives for it afterwards is late and is dropped. The time in which the worker that
         may have it is not heard is not counted.
ORDER-2  `expected = received + lost`, always, over the packets that have left.
ORDER-3  A jump of more than `MAX_JUMP` forward, or backward where two packets in a row agree, is a new sequence
         (RFC 3550 appendix A.1): nothing is counted lost for it, and `jumps` grows.
ORDER-4  A worker says again what it does not know to be durable (TAP-2): a packet that an earlier life of the recorder had,
         and that is not among those it left to be written, is neither late nor a new sequence. It is nothing.

Times are microseconds of one monotonic clock; extended sequence numbers and timestamps start near 2^16 and 2^32, so that
going back a little never makes them negative.
"""

from __future__ import annotations

from typing import NamedTuple

MAX_JUMP = 3000
MAX_HELD = 4096


class RtpPacket(NamedTuple):
    """One RTP packet, its header read. `seq` and `timestamp` are extended; `tap_seq` is the frame that brought it."""

    seq: int
    timestamp: int
    marker: bool
    payload: bytes
    arrival_us: int
    tap_seq: int
    recovered: bool


class Unwrap:
    """Extends a counter that wraps at 2^`bits` by taking the nearest value to the last one."""

    def __init__(self, bits: int) -> None:
        self._size = 1 << bits
        self._mask = self._size - 1
        self.last: int | None = None

    def __call__(self, value: int) -> int:
        """The extended value; the first is `value + 2^bits`."""
        if self.last is None:
            self.last = value + self._size
            return self.last
        half = self._size >> 1
        extended = self.last + ((value - self.last + half) & self._mask) - half
        if extended > self.last:
            self.last = extended
        return extended


class Counts:
    """What happened to the packets of a track, since it began or since the last `take`."""

    __slots__ = ("duplicate", "expected", "jumps", "late", "lost", "received", "recovered")

    def __init__(self) -> None:
        self.expected = self.received = self.recovered = self.lost = self.late = self.duplicate = self.jumps = 0

    def take(self) -> Counts:
        """These counts, starting again from zero."""
        taken = Counts()
        for name in self.__slots__:
            setattr(taken, name, getattr(self, name))
            setattr(self, name, 0)
        return taken


class Order:
    """The reorder window of one track."""

    def __init__(
        self, window_us: int = 500_000, next_seq: int | None = None, counted_to: int = 0, had_us: int = -1
    ) -> None:
        """`next_seq`: the extended number to go on with, where an earlier life of the recorder stopped.

        It had counted up to `counted_to` already: those packets are not counted again. It had what came until `had_us`, too.
        """
        self.counts = Counts()
        self._counted_to = counted_to
        self.heard_us = 0
        """Since when the worker is heard again: what is missing may have come to it before (ORDER-1)."""
        self.had_us = had_us
        """When the newest packet came that an earlier life had."""
        self.next_seq = next_seq
        self._window_us = window_us
        self._unwrap = Unwrap(16)
        if next_seq is not None:
            self._unwrap.last = next_seq - 1
        self._held: dict[int, RtpPacket] = {}
        self._holes: list[tuple[int, int]] = []
        """(First packet after it, how many were missing) of holes given up and not yet passed."""
        self._recovered: list[int] = []
        """Recovered packets that have left and were not yet taken."""
        self._stray: int | None = None

    def extend(self, seq16: int) -> int:
        """The extended number of a 16-bit one."""
        return self._unwrap(seq16)

    def push(self, packet: RtpPacket, out: list[RtpPacket]) -> None:
        """Take a packet (numbered by `extend`) and append to `out` what may leave now."""
        seq = packet.seq
        expected = self.next_seq
        if expected is None:
            expected = self.next_seq = seq
        if seq == expected and not self._held:  # the usual case: in order, nothing waiting
            self.next_seq = seq + 1
            self._leave(packet, out)
            return
        if seq < expected:
            if packet.arrival_us > self.had_us:  # ORDER-4
                self._behind(seq, packet, out)
        elif seq - expected > MAX_JUMP:
            if packet.arrival_us > self.had_us:  # ORDER-4
                self._restart(seq, packet, out)
        elif seq in self._held:
            self.counts.duplicate += 1
        else:
            self._held[seq] = packet
            self._run(out)

    def following(self) -> int:
        """The extended number that may simply be next, −1 if the next packet is to be pushed."""
        expected = self.next_seq
        return -1 if expected is None or self._held or expected < self._counted_to else expected

    def take(self, before: int | None) -> Counts:
        """The counts of the packets up to this one, starting again with it; None: of all that have left.

        A packet that has left may belong to a frame that is not yet written: it counts where its frame is (FORMAT.md §5).
        """
        taken, rest = self.counts.take(), self.counts
        if before is None or self.next_seq is None:
            self._recovered.clear()
            return taken
        later = min(max(0, self.next_seq - before), taken.expected)
        rest.lost = min(sum(count for after, count in self._holes if after > before), taken.lost, later)
        rest.received = min(later - rest.lost, taken.received)
        rest.expected = rest.lost + rest.received
        self._recovered = [seq for seq in self._recovered if seq >= before]
        rest.recovered = min(len(self._recovered), taken.recovered, rest.received)
        taken.expected -= rest.expected
        taken.received -= rest.received
        taken.lost -= rest.lost
        taken.recovered = min(taken.recovered - rest.recovered, taken.received)
        return taken

    def follow(self, count: int) -> None:
        """So many packets have left in a row, each of them the one `following`."""
        if not count:
            return
        assert self.next_seq is not None
        self.next_seq += count
        self._unwrap.last = self.next_seq - 1
        self._stray = None
        self.counts.expected += count
        self.counts.received += count

    def expire(self, now_us: int, out: list[RtpPacket]) -> None:
        """Give up holes whose window is over and append to `out` what stood behind them."""
        while self._held:
            first = min(self._held)
            since_us = max(self._held[first].arrival_us, self.heard_us)
            if since_us + self._window_us > now_us and len(self._held) < MAX_HELD:
                return
            self._give_up_to(first)
            self._run(out)

    def flush(self, out: list[RtpPacket]) -> None:
        """Give up every hole now: the track is over."""
        while self._held:
            self._give_up_to(min(self._held))
            self._run(out)

    def oldest_tap_seq(self) -> int | None:
        """The smallest tap frame that a packet still held came in."""
        return min((p.tap_seq for p in self._held.values()), default=None)

    def waiting(self) -> bool:
        """Whether a hole is being waited for."""
        return bool(self._held)

    def missing_before(self, seq: int) -> int:
        """How many packets are missing before this one, since the last that was `passed`."""
        return sum(count for after, count in self._holes if after <= seq)

    def passed(self, seq: int) -> None:
        """What is missing before this packet has been told."""
        if self._holes:
            self._holes = [hole for hole in self._holes if hole[0] > seq]

    def _run(self, out: list[RtpPacket]) -> None:
        assert self.next_seq is not None
        while (packet := self._held.pop(self.next_seq, None)) is not None:
            self.next_seq += 1
            self._leave(packet, out)

    def _leave(self, packet: RtpPacket, out: list[RtpPacket]) -> None:
        self._stray = None
        out.append(packet)
        if packet.seq < self._counted_to:
            return
        counts = self.counts
        counts.expected += 1
        counts.received += 1
        if packet.recovered:
            counts.recovered += 1
            self._recovered.append(packet.seq)

    def _give_up_to(self, seq: int) -> None:
        assert self.next_seq is not None
        hole = seq - max(self.next_seq, min(self._counted_to, seq))
        self.counts.expected += hole
        self.counts.lost += hole
        if hole:
            self._holes.append((seq, hole))
        self.next_seq = seq

    def _behind(self, seq: int, packet: RtpPacket, out: list[RtpPacket]) -> None:
        assert self.next_seq is not None
        if self.next_seq - seq > 100 and self._stray == seq:  # ORDER-3
            self._restart(seq, packet, out)
            return
        self._stray = seq + 1
        self.counts.late += 1

    def _restart(self, seq: int, packet: RtpPacket, out: list[RtpPacket]) -> None:
        self.flush(out)
        self._counted_to = 0
        self.counts.jumps += 1
        self._unwrap.last = seq
        self.next_seq = seq + 1
        self._leave(packet, out)
