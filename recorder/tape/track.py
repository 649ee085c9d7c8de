"""One recorded track: RTP as tapped in, frames on stream time out.

It joins the pure steps (order, depacketize, timeline) and knows what a later life of the recorder needs to go on exactly
where this one stopped (`TrackState`).

TRACK-1  A video track asks for a keyframe when it has none, when it cannot go on without one, and when the last is
         `KEYFRAME_EVERY_US` old; at most once in `ASK_EVERY_US`, and only while packets come. One that has come is read late:
         who had one before waits for the next for `ANSWER_US` (the media worker repeats a request that is lost).
"""

from __future__ import annotations

from struct import Struct
from typing import Literal, NamedTuple

import msgspec

from media.tap import RECOVERED, SENDER_REPORT, TapTrack
from recorder.tape.codecs import depacketizer
from recorder.tape.depacketize import H264Depacketizer, MediaFrame
from recorder.tape.order import Counts, Order, RtpPacket, Unwrap
from recorder.tape.passed import Passed
from recorder.tape.rows import MARKER, PLAIN, RTP_HEAD, Loose, Row, Rows
from recorder.tape.timeline import AHEAD_US, BEHIND_US, STEP_US, Anchor, SenderReport, TrackClock, parse_sender_report

KEYFRAME_EVERY_US = 2_000_000
ASK_EVERY_US = 500_000
ANSWER_US = 1_500_000
"""Each second keyframe was asked for in vain: on an uplink of 250 kbit/s it stands as a queue of 150 ms."""
FROZEN_MS = 500
MAX_REPORTS = 8

_NEVER = -1 << 62
_RTP = Struct("!BBHI")
_tuple = tuple.__new__
"""Makes a named tuple without its own `__new__`: half the time."""


class PlacedFrame(NamedTuple):
    """A frame and its stream time in µs. `jumped`: the track was placed anew with it."""

    at_us: int
    track: Track
    frame: MediaFrame
    jumped: bool


class Frozen(NamedTuple):
    """The picture stood still from the last whole frame to the next keyframe. Stream time in ms."""

    source: str
    from_ms: int
    to_ms: int


class TrackState(msgspec.Struct, frozen=True):
    """Where a track stood when what it had given was made durable."""

    epoch: str
    tap: TapTrack
    next_seq: int
    counted_to: int
    timestamp: int
    anchor: Anchor
    needs_keyframe: bool
    parameters: tuple[bytes, bytes] | None
    arrival_us: int = -1
    """When the newest packet came that it had."""


class Track:
    """One track of the tap, from TRACK to END."""

    def __init__(
        self,
        epoch: str,
        tap: TapTrack,
        zero_us: int,
        state: TrackState | None = None,
        passed: Passed | None = None,
    ) -> None:
        """`zero_us`: monotonic time of stream time 0. `state`: go on from there; `passed`: begin after it."""
        self.epoch = epoch
        self.tap = tap
        self.ended = False
        self.transport_gone = False
        """Ended because its transport or its worker was lost."""
        self.from_us = zero_us
        """What arrived before is not kept (REC-3)."""
        self.kind: Literal["audio", "video"] = "audio" if tap.codec == "opus" else "video"
        self.reports: list[tuple[SenderReport, int]] = []
        """Sender reports not yet looked at, and the stream time at which each came."""
        self.report: SenderReport | None = None
        """The newest that was looked at."""
        self.frozen: list[Frozen] = []
        self.last_arrival_us: int | None = None
        self.clock = TrackClock(tap.clock_rate, state.anchor if state else None)
        self.order = _order(state, passed)
        self.depacketizer = depacketizer(tap.codec)
        self.parameters: tuple[bytes, bytes] | None = state.parameters if state else None
        self._zero_us = zero_us
        self._unwrap = Unwrap(32)
        self.rows = Rows(join=self.kind == "video")
        """What came and is read with the next `drain`; put there by `recorder.live.tap_routes`."""
        self._asked_us = 0
        self._keyframe_us: int | None = None
        self._last_at_us: int | None = None
        self._missed_ms: int | None = None
        if state is not None:
            self._unwrap.last = state.timestamp
            self.depacketizer.resume(state.next_seq - 1, state.needs_keyframe)
            if state.parameters is not None and isinstance(self.depacketizer, H264Depacketizer):
                self.depacketizer.remember(*state.parameters)

    @property
    def stream(self) -> str:
        """The stream it belongs to: a screen is a stream of its own."""
        return f"{self.tap.seat}.screen" if self.tap.source == "screen" else self.tap.seat

    @property
    def from_ms(self) -> int:
        """`from_us` in stream time, rounded up."""
        return -((self._zero_us - self.from_us) // 1000)

    def push(self, flags: int, arrival_us: int, data: memoryview, tap_seq: int) -> None:
        """Take one tapped packet; it is read with the next `drain`."""
        if not flags & SENDER_REPORT:
            if arrival_us < self.from_us:
                return
            self.last_arrival_us = arrival_us
        head = _RTP.unpack_from(data) if len(data) >= _RTP.size else (0, 0, 0, 0)
        self.rows.push((flags, arrival_us, *head, bytes(data), 0, len(data), tap_seq))

    def _read(self, out: list[MediaFrame]) -> None:
        """Read what was taken. What is no RTP is dropped.

        A row that follows what was before it, nothing missing, is the usual case: it goes past the order straight to its
        frame, and is counted by the run (decisions/0018, 0019).
        """
        order, into, unwrap = self.order, self.depacketizer, self._unwrap
        following, run, stamp, extended = order.following(), 0, -1, 0
        for one in self.rows.take():
            if not isinstance(one, Row):
                order.follow(run)
                self._read_loose(one, out)
                following, run, stamp = order.following(), 0, -1
                continue
            if one.timestamp != stamp:
                stamp, extended = one.timestamp, unwrap(one.timestamp)
            if one.seq == following & 0xFFFF and following >= 0:
                if (frame := into.push_row(following, extended, one)) is not None:
                    out.append(frame)
                count = len(one.payloads)
                following += count
                run += count
                continue
            order.follow(run)
            for place, payload in enumerate(one.payloads, 1):
                marker = one.marker and place == len(one.payloads)
                self._order(one.seq + place - 1, extended, marker, payload, one.arrival_us, one.tap_seq, False, out)
            following, run = order.following(), 0
        order.follow(run)

    def _read_loose(self, packet: Loose, out: list[MediaFrame]) -> None:
        """Read a packet that stands in no row."""
        flags, arrival_us, first, second, seq, timestamp, body, begin, end, tap_seq = packet
        if flags & SENDER_REPORT:
            self._take_report(memoryview(body)[begin:end], arrival_us)
            return
        if end - begin < RTP_HEAD or first >> 6 != 2:
            return
        payload = body[begin + RTP_HEAD : end] if first == PLAIN else _payload(body, first, begin, end)
        recovered = bool(flags & RECOVERED)
        self._order(seq, self._unwrap(timestamp), second >= MARKER, payload, arrival_us, tap_seq, recovered, out)

    def _order(
        self,
        seq: int,
        extended: int,
        marker: bool,
        payload: bytes,
        arrival_us: int,
        tap_seq: int,
        recovered: bool,
        out: list[MediaFrame],
    ) -> None:
        ready: list[RtpPacket] = []
        number = self.order.extend(seq & 0xFFFF)
        self.order.push(RtpPacket(number, extended, marker, payload, arrival_us, tap_seq, recovered), ready)
        self._join(ready, out)

    def _join(self, ready: list[RtpPacket], out: list[MediaFrame]) -> None:
        """Put packets that left the order into frames."""
        for packet in ready:
            frame = self.depacketizer.push(packet)
            if frame is not None:
                out.append(frame)
        ready.clear()

    def drain(self, now_us: int, flush: bool = False) -> list[PlacedFrame]:
        """The frames that are whole by now, in order. `flush`: nothing more is waited for."""
        frames: list[MediaFrame] = []
        if self.rows.came:
            self._read(frames)
        if self.ended or self.order.waiting():
            ready: list[RtpPacket] = []
            if self.ended or flush:
                self.order.flush(ready)
            else:
                self.order.expire(now_us, ready)
            self._join(ready, frames)
        return self._placed(frames)

    def move(self, anchor: Anchor) -> int:
        """Place the track anew; by how much (µs) that moves what it has given."""
        old = self.clock.anchor
        assert old is not None
        before = self.clock.place(anchor.rtp_timestamp)
        self.clock.anchor = anchor
        moved = anchor.at_us - before
        if self._last_at_us is not None:
            self._last_at_us += moved
        return moved

    def delay_us(self, placed: PlacedFrame) -> int:
        """How much later a frame came than it stands."""
        return placed.frame.arrival_us - self._zero_us - placed.at_us

    def oldest_tap_seq(self) -> int | None:
        """The smallest tap frame of which something is not yet given out as a frame."""
        unfinished = self.depacketizer.unfinished()
        known = [self.order.oldest_tap_seq(), unfinished and unfinished[1], self.rows.oldest_tap_seq()]
        return min((seq for seq in known if seq is not None), default=None)

    @property
    def progress(self) -> tuple[int | None, int]:
        """Changes whenever packets come: how far it has read, and how much is taken and not read."""
        return self.order.next_seq, len(self.rows)

    def wants_keyframe(self, now_us: int) -> bool:
        """Whether to ask for a keyframe now (TRACK-1). A yes is remembered."""
        if self.kind == "audio" or self.ended or self.last_arrival_us is None:
            return False
        patience_us = ASK_EVERY_US if self._keyframe_us is None else ANSWER_US
        if now_us - self._asked_us < patience_us or now_us - self.last_arrival_us > KEYFRAME_EVERY_US:
            return False
        old = self._keyframe_us is None or now_us - self._keyframe_us >= KEYFRAME_EVERY_US
        if not old and self.depacketizer.broken_since_us is None:
            return False
        self._asked_us = now_us
        return True

    @property
    def goes_on(self) -> bool:
        """Whether what comes can be decoded."""
        return self._keyframe_us is not None and self.depacketizer.broken_since_us is None

    def hurry(self) -> None:
        """Ask for a keyframe as soon as may be: a part cannot begin without."""
        self._keyframe_us = None

    def miss(self, at_ms: int) -> None:
        """A frame that stands here cannot be shown: the part has no keyframe of the track. Ask for one."""
        self.hurry()
        if self._missed_ms is None:
            self._missed_ms = at_ms

    def shown(self, at_ms: int) -> None:
        """From here on there is a picture again, or none is due."""
        since_ms, self._missed_ms = self._missed_ms, None
        if since_ms is not None and at_ms - since_ms >= FROZEN_MS:
            self.frozen.append(Frozen(self.tap.source, since_ms, at_ms))

    def counts_before(self, first_pending: int | None) -> Counts:
        """What became of the packets of which all is written or dropped, since the last time."""
        unfinished = self.depacketizer.unfinished()
        pending = [seq for seq in (first_pending, unfinished and unfinished[0]) if seq is not None]
        return self.order.take(min(pending, default=None))

    def state(self, first_pending: int | None) -> TrackState:
        """Where to go on from, once it has given a frame. `first_pending`: first packet of a frame given out, but not
        yet written."""
        anchor, following = self.clock.anchor, self.order.next_seq
        assert anchor is not None
        assert following is not None
        assert self._unwrap.last is not None
        begin = self._written_to(first_pending, following)
        needs, parameters, had_us = self.depacketizer.needs_keyframe, self.parameters, self._had_us
        return TrackState(self.epoch, self.tap, begin, begin, self._unwrap.last, anchor, needs, parameters, had_us)

    def passed(self, first_pending: int | None) -> Passed | None:
        """How far it was written, if anything came of it."""
        following = self.order.next_seq
        if following is None:
            return None
        return Passed(self.epoch, self.tap.handle, self._written_to(first_pending, following), self._had_us)

    @property
    def _had_us(self) -> int:
        return max(self.order.had_us, -1 if self.last_arrival_us is None else self.last_arrival_us)

    def _written_to(self, first_pending: int | None, following: int) -> int:
        unfinished = self.depacketizer.unfinished()
        return min(s for s in (first_pending, unfinished and unfinished[0], following) if s is not None)

    def _placed(self, frames: list[MediaFrame]) -> list[PlacedFrame]:
        """Where the frames stand."""
        placed: list[PlacedFrame] = []
        clock, place, zero_us = self.clock, self.clock.place, self._zero_us
        last_us = self._last_at_us if self._last_at_us is not None else _NEVER
        for frame in frames:
            timestamp, arrival, jumped = frame[0], frame[3] - zero_us, False
            if clock.anchor is None:
                clock.anchor = Anchor(timestamp, arrival)
            at_us = place(timestamp)
            if at_us < last_us or not -BEHIND_US <= at_us - arrival <= AHEAD_US:
                at_us, jumped = self._jumped(timestamp, at_us, arrival, last_us)
            last_us = at_us
            if frame[1]:
                self._keyframe_us = frame.arrival_us
                if frame.healed:
                    self._tell_frozen(at_us)
            self._last_at_us = at_us
            placed.append(_tuple(PlacedFrame, (at_us, self, frame, jumped)))
        return placed

    def _jumped(self, timestamp: int, at_us: int, arrival_us: int, last_us: int) -> tuple[int, bool]:
        """Where a frame stands that cannot stand at `at_us`, and whether the track is placed anew with it (TIMELINE-4)."""
        least_us = max(arrival_us, last_us)
        if 0 < last_us - at_us <= STEP_US:
            return last_us, False
        if 0 <= at_us - least_us <= STEP_US and at_us - arrival_us <= 2 * AHEAD_US:
            return at_us, False
        self.clock.anchor = Anchor(timestamp, least_us)
        return least_us, True

    def _tell_frozen(self, until_us: int) -> None:
        last = self._last_at_us
        if last is not None and until_us - last >= FROZEN_MS * 1000:
            self.frozen.append(Frozen(self.tap.source, max(0, last // 1000), until_us // 1000))

    def _take_report(self, data: memoryview, arrival_us: int) -> None:
        report = parse_sender_report(data, self.tap.ssrc)
        if report is not None and self._unwrap.last is not None:
            last = self._unwrap.last
            stamp = self._unwrap(report[1])
            self._unwrap.last = last  # a report may speak of a moment whose packets are still under way
            if len(self.reports) < MAX_REPORTS:
                self.reports.append((SenderReport(report[0], stamp), arrival_us - self._zero_us))


def _order(state: TrackState | None, passed: Passed | None) -> Order:
    if state is not None:
        return Order(next_seq=state.next_seq, counted_to=state.counted_to, had_us=state.arrival_us)
    if passed is not None:
        return Order(next_seq=passed.next_seq, counted_to=passed.next_seq, had_us=passed.arrival_us)
    return Order()


def _payload(body: bytes, first: int, begin: int, end: int) -> bytes:
    """The payload behind contributing sources and a header extension, in front of padding (RFC 3550 §5.1)."""
    start = begin + 12 + 4 * (first & 15)
    if first & 16 and end >= start + 4:
        start += 4 + 4 * (body[start + 2] << 8 | body[start + 3])
    if first & 32:
        end -= body[end - 1]
    return body[start:end]
