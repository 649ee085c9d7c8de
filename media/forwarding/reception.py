"""What has arrived of one RTP stream: extended numbers, loss, jitter, what to ask for again, and the packets themselves.

RECV-1  A packet is accepted once: a duplicate, or one more than `KEPT` behind the newest, is refused. This is also what
        keeps a consumer from ever protecting two payloads under one sequence number.
RECV-2  A jump of more than `MAX_JUMP`, or back beyond `KEPT`, counts only when the next packet confirms it
        (RFC 3550 A.1); then the stream begins anew, numbers still growing.
RECV-3  The list of missing packets is bounded by `MAX_MISSING`; each is asked for at most `MAX_TRIES` times, within
        `GIVE_UP_S`.
RECV-4  What is missing from before the newest keyframe is asked for `STALE_TRIES` times at the most, and giving it up asks
        for no keyframe: a Chromium throws away the repairs that wait in its pacer when a keyframe comes, and answers no NACK
        for those ever after. Asking for the next keyframe on their account would throw away the next repairs.
RECV-5  Jitter and lateness are read from the first packet of a frame, as browsers do: those behind it waited for each other
        at their sender (RFC 3550 A.8 means packets that are sent as they are sampled).
"""

from __future__ import annotations

from dataclasses import dataclass

from media.forwarding.hold import Hold
from media.forwarding.standstill import Standstill
from media.rtp.rtcp import ReportBlock

KEPT = 256
"""Packets kept for repair at most: about 1 s of 2.5 Mbit/s video, 0.4 MB."""
_FEWEST = 64
MAX_JUMP = 3000
MAX_MISSING = 128
MAX_TRIES = 10
STALE_TRIES = 2
SPARED_FROM = 5
"""Tries before the pause between them is doubled: half a second of sound, where half is lost each way, needs four."""
GIVE_UP_S = 1.0
NEVER = float("inf")
_SLOT = KEPT - 1

REFUSED = -1
RESTARTED = -2


@dataclass(slots=True)
class _Missing:
    since: float
    due: float
    tries: int = 0


class Reception:
    """One SSRC. Times are float seconds of one clock; an *index* is a sequence number with its cycles."""

    __slots__ = (
        "_expected_before",
        "_frame",
        "_hold",
        "_overrun",
        "_received_before",
        "_span",
        "_suspect",
        "_transit",
        "_usual",
        "_window",
        "clock_rate",
        "due_at",
        "first",
        "fresh_from",
        "given_up",
        "highest",
        "indexes",
        "jitter",
        "missing",
        "packets",
        "received",
        "recovered",
        "repairable",
        "standstill",
    )

    def __init__(self, clock_rate: int, repairable: bool, hold: Hold | None = None) -> None:
        """`repairable`: whether the sender answers NACK: then missing packets are worth a list. `hold` hears of repairs."""
        self.clock_rate = clock_rate
        self.repairable = repairable
        self.first = -1
        self.highest = -1
        self.fresh_from = -1
        """Index of the first packet of the newest keyframe; -1 while none was seen."""
        self.received = 0
        self.recovered = 0
        self.given_up = 0
        self.jitter = 0.0
        self.packets: list[bytes | None] = [None] * KEPT
        self.indexes = [-1] * KEPT
        self._span = KEPT
        """How many are kept: those of about a second, the time within which one is asked for again."""
        self.missing: dict[int, _Missing] = {}
        self.due_at = NEVER
        """When `due` has something to say next."""
        self._frame = -1
        """Timestamp of the newest frame: its first packet tells how late it is, not those sent behind it (RECV-5)."""
        self._suspect = -1
        self._overrun = 0
        self._transit = 0.0
        self._usual = 0.0
        """The transit frames have when they come by themselves, smoothed over half a second or so."""
        self._hold = Hold() if hold is None else hold
        self.standstill = Standstill()
        self._expected_before = 0
        self._received_before = 0
        self._window: list[tuple[int, int]] = []

    @property
    def expected(self) -> int:
        """Packets the sender has sent as far as we can tell."""
        return self.highest - self.first + 1 if self.first >= 0 else 0

    def accept(self, seq: int, timestamp: int, now: float, recovered: bool) -> int:
        """The packet's index, `REFUSED` (RECV-1), or `RESTARTED`: forget the stream and offer the packet again (RECV-2)."""
        highest = self.highest
        step = seq - highest & 0xFFFF
        if step == 1 and not recovered and highest >= 0:
            index = self.highest = highest + 1
            if timestamp == self._frame:
                self.received += 1
                return index
        elif highest < 0:
            if recovered:
                return REFUSED  # a repair cannot begin a stream
            # Room below the first packet, so that what was overtaken still has a positive index.
            index = self.first = self.highest = 0x10000 + seq
        elif step == 1:
            index = self.highest = highest + 1
        else:
            asked = self.missing.get(highest - (0x10000 - step))
            index = self._out_of_step(seq, step, now, recovered)
            if index < 0:
                return index
            recovered = recovered or (asked is not None and asked.tries > 0)  # sound comes again as it was
        # RFC 3550 A.8, in RTP units.
        transit = now * self.clock_rate - timestamp
        if recovered:
            self.recovered += 1
            late = (transit - self._usual) / self.clock_rate
            if 0.0 < late < 2.0:
                self._hold.hear(late, now)
            return index
        self.received += 1
        if timestamp != self._frame and index == self.highest:
            self.standstill.frame(now)
        self._frame = timestamp
        strayed = transit - self._usual
        self._usual = self._usual + strayed / 16 if -90000.0 < strayed < 90000.0 else transit
        moved = transit - self._transit
        self._transit = transit
        if -90000.0 < moved < 90000.0:  # not the first packet, not the wrap of a timestamp
            self.jitter += ((moved if moved > 0 else -moved) - self.jitter) / 16
        return index

    def keep(self, index: int, packet: bytes) -> None:
        """Remember an accepted packet for repair and against duplicates."""
        packets, slot = self.packets, index & _SLOT
        packets[index - self._span & _SLOT] = None
        packets[slot] = packet
        self.indexes[slot] = index

    def kept(self, index: int) -> bytes | None:
        """The packet with this index, if it is still kept."""
        slot = index & _SLOT
        return self.packets[slot] if self.indexes[slot] == index else None

    def refresh(self, index: int) -> None:
        """A keyframe begins with this packet (RECV-4)."""
        if index == self.highest:
            self.standstill.keyframe()
        self.fresh_from = max(self.fresh_from, index)

    def due(self, now: float, rtt: float) -> tuple[list[int], int]:
        """Indexes to ask for now, oldest first, and how many were given up for good that pictures still need (RECV-4)."""
        ask: list[int] = []
        lost: list[int] = []
        stale: list[int] = []
        overrun, self._overrun = self._overrun, 0
        for index, state in self.missing.items():
            if index < self.fresh_from and state.tries >= STALE_TRIES:
                stale.append(index)
            elif state.tries >= MAX_TRIES or now - state.since > GIVE_UP_S or index <= self.highest - KEPT:
                lost.append(index)
            elif state.due <= now:
                state.tries += 1
                state.due = now + max(0.02, 1.2 * rtt) * (1 if state.tries < SPARED_FROM else 2)
                ask.append(index)
        for index in (*lost, *stale):
            del self.missing[index]
        self.given_up += overrun + len(lost) + len(stale)
        waits = (min(state.due, state.since + GIVE_UP_S) for state in self.missing.values())
        self.due_at = min(waits, default=NEVER)
        return ask, overrun + sum(index >= self.fresh_from for index in lost)

    def report(self, ssrc: int, lsr: int, dlsr: int) -> ReportBlock:
        """A report block on what came since the last one (RFC 3550 A.3). Loss is the network's: repairs do not hide it."""
        expected, received = self.expected, self.received
        new_expected, new_received = expected - self._expected_before, received - self._received_before
        self._expected_before, self._received_before = expected, received
        span = min(KEPT, max(_FEWEST, new_expected))
        for index in range(self.highest - self._span + 1, self.highest - span + 1):
            self.packets[index & _SLOT] = None
        self._span = span
        self._window = [*self._window[-1:], (new_expected, max(0, new_expected - new_received))]
        lost = max(0, new_expected - new_received)
        fraction = min(255, (lost << 8) // new_expected) if new_expected > 0 else 0
        highest = self.highest - 0x10000
        return ReportBlock(ssrc, fraction, expected - received, highest, int(self.jitter), lsr, dlsr)

    def recent(self) -> tuple[int, int]:
        """(expected, lost) over the last two reports."""
        return sum(expected for expected, _ in self._window), sum(lost for _, lost in self._window)

    def _out_of_step(self, seq: int, step: int, now: float, recovered: bool) -> int:
        highest = self.highest
        if step == 0:
            return REFUSED
        behind = 0x10000 - step
        if behind < KEPT:
            index = highest - behind
            if self.indexes[index & _SLOT] == index:
                return REFUSED
            self.missing.pop(index, None)
            if index < self.first:
                self.first = index
            return index
        if recovered:
            return REFUSED
        if step > MAX_JUMP:
            if self._suspect != seq:
                self._suspect = (seq + 1) & 0xFFFF
                return REFUSED
            return RESTARTED
        index = highest + step
        self.highest = index
        if self.repairable:
            self._note_gap(highest + 1, index, now)
        return index

    def _note_gap(self, start: int, end: int, now: float) -> None:
        self.due_at = now
        if end - start > MAX_MISSING:
            self._overrun += len(self.missing) + end - start
            self.missing.clear()
            return
        for index in range(start, end):
            self.missing[index] = _Missing(now, now)
        while len(self.missing) > MAX_MISSING:
            del self.missing[next(iter(self.missing))]
            self._overrun += 1
