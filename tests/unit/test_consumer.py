"""What a subscriber gets: growing numbers, one content under each, repairs within reason."""

from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from media.forwarding.consumer import Consumer, Outgoing
from media.forwarding.reception import KEPT
from media.plane import ConsumerSpec
from media.rtp import header, rtcp
from tests.contract.plane_peers import Parsed, parsed, rtp, viewing

VP8 = {96: "VP8"}
BASE = 0x10000


class Desk:
    """A consumer and the buffer it writes into."""

    def __init__(self, spec: ConsumerSpec | None = None, codecs: dict[int, str] | None = None) -> None:
        self.out = bytearray(2000)
        self.view = memoryview(self.out)
        self.consumer = Consumer(spec or viewing(), Outgoing(40000, 7, 1000), VP8 if codecs is None else codecs)

    def write(self, packet: bytes, index: int, now: float = 0.0) -> bytes:
        at = header.payload_at(packet, len(packet))
        size = self.consumer.write(self.out, self.view, memoryview(packet), at, len(packet), index, now)
        return bytes(self.out[:size])

    def again(self, packet: bytes, index: int) -> bytes:
        return bytes(self.out[: self.consumer.rewrite(self.out, self.view, packet, index)])


def frame(n: int, **more: int) -> bytes:
    return rtp(n, b"payload%d" % n, pt=96, ssrc=1, ts=n * 3000, mid="1", **more)  # type: ignore[arg-type]


def test_a_packet_is_rewritten_and_its_extensions_left_out() -> None:
    desk = Desk()
    desk.consumer.begin(BASE + 5, 15000, 0.0, 90000)
    assert parsed(desk.write(frame(5), BASE + 5)) == Parsed(100, False, 40000 & 0x7FFF, 1000, 5555, b"payload5", 0x80)
    assert parsed(desk.write(frame(7), BASE + 7)).seq == (40000 & 0x7FFF) + 2
    assert desk.write(frame(4), BASE + 4) == b"", "from before it began"


def test_a_picture_that_is_to_be_held_back_says_so_from_then_on() -> None:
    desk = Desk(replace(viewing(), number_extension=3, playout_extension=6))
    desk.consumer.begin(BASE + 5, 15000, 0.0, 90000)
    desk.consumer.hold(0.0)
    assert desk.write(frame(5), BASE + 5)[12:20] == b"\xbe\xde\x00\x01\x31\x00\x00\x00", "nothing to say"
    desk.consumer.hold(0.32)
    held, again = desk.write(frame(6), BASE + 6), desk.again(frame(6), BASE + 6)
    for packet in (held, again):
        assert header.extension(packet, len(packet), 6) == (32 << 12 | 1000).to_bytes(3, "big")
        assert header.number_of(packet, len(packet), 3) == 0
    assert parsed(held).payload == b"payload6"
    assert parsed(again).payload[2:] == b"payload6"
    desk.consumer.hold(0.0)
    last = desk.write(frame(7), BASE + 7)
    assert header.extension(last, len(last), 6) == (1000).to_bytes(3, "big"), "else it would be held for ever"


def test_who_takes_no_playout_delay_is_sent_none() -> None:
    desk = Desk(replace(viewing(), number_extension=3))
    desk.consumer.begin(BASE + 5, 15000, 0.0, 90000)
    desk.consumer.hold(0.32)
    assert header.extension(desk.write(frame(5), BASE + 5), 32, 6) is None


def test_a_codec_the_subscriber_does_not_know_is_not_forwarded() -> None:
    desk = Desk(codecs={96: "H264"})
    desk.consumer.begin(BASE, 0, 0.0, 90000)
    assert desk.write(frame(0), BASE) == b""


@given(st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 2**32 - 1), st.integers(1, 20)), max_size=8))
def test_numbers_and_timestamps_only_grow_over_streams_that_come_and_go(streams: list[tuple[int, int, int]]) -> None:
    desk, now, seen = Desk(), 0.0, list[Parsed]()
    for start, time, length in streams:
        now += 0.5
        desk.consumer.begin(BASE + start, time, now, 90000)
        for n in range(length):
            packet = rtp(start + n, b"x", pt=96, ssrc=1, ts=time + n * 3000)
            seen.append(parsed(desk.write(packet, BASE + start + n, now + n / 30)))
        now += length / 30
        desk.consumer.stop()
    for before, after in itertools.pairwise(seen):
        assert (after.seq - before.seq) & 0xFFFF == 1
        assert 0 < (after.ts - before.ts) & 0xFFFFFFFF < 90000


def test_a_repair_is_rtx_where_it_was_agreed_and_the_same_bytes_where_not() -> None:
    packet = frame(5)
    with_rtx, without = Desk(), Desk(viewing(rtx=False))
    for desk in (with_rtx, without):
        desk.consumer.begin(BASE + 5, 15000, 0.0, 90000)
    first = parsed(with_rtx.write(packet, BASE + 5))
    again = parsed(with_rtx.again(packet, BASE + 5))
    assert (again.pt, again.ssrc, again.seq, again.ts) == (101, 6666, 7, first.ts)
    assert again.payload == first.seq.to_bytes(2, "big") + b"payload5"
    assert without.write(packet, BASE + 5) == without.again(packet, BASE + 5)


def test_a_nack_is_answered_for_what_was_sent_and_is_still_kept() -> None:
    desk = Desk()
    desk.consumer.begin(BASE + 5, 0, 0.0, 90000)
    first = parsed(desk.write(frame(5), BASE + 5)).seq
    for n in range(6, 400):
        desk.write(frame(n), BASE + n)
    newest = first + 394
    assert desk.consumer.wanted((newest, newest - 3), 1.0) == [BASE + 399, BASE + 396]
    assert desk.consumer.wanted((newest + 1, first, first - 1), 1.0) == []


def test_repairs_are_rationed() -> None:
    desk = Desk()
    desk.consumer.begin(BASE, 0, 0.0, 90000)
    first = parsed(desk.write(frame(0), BASE)).seq
    assert len(desk.consumer.wanted((first,) * 5000, 0.0)) == KEPT
    assert len(desk.consumer.wanted((first,) * 5000, 0.1)) == 60


def test_a_changed_consumer_answers_no_nack_from_before() -> None:
    desk = Desk()
    desk.consumer.begin(BASE, 0, 0.0, 90000)
    first = parsed(desk.write(frame(0), BASE)).seq
    desk.consumer.expect(viewing(), VP8)
    assert desk.consumer.wanted((first,), 0.0) == []
    desk.consumer.begin(BASE + 1, 3000, 0.0, 90000)
    assert parsed(desk.write(frame(1), BASE + 1)).seq == first + 1
    assert desk.consumer.wanted((first,), 0.0) == []


def test_a_sender_report_carries_the_publishers_clock_on_and_tells_the_round_trip() -> None:
    desk = Desk()
    assert desk.consumer.report(None, 0.0, 0.0, 90000) is None
    desk.consumer.begin(BASE, 5000, 10.0, 90000)
    theirs = rtcp.SenderReport(1, 100 << 32, 5000, 0, 0, ())
    written = desk.consumer.report(theirs, 10.0, 10.5, 90000)
    assert written is not None
    (report,) = rtcp.parse(written, len(written))
    assert isinstance(report, rtcp.SenderReport)
    assert (report.ntp, report.rtp_time) == ((100 << 32) + (1 << 31), 1000 + 45000)
    heard = rtcp.ReportBlock(5555, 128, 0, 0, 0, report.ntp >> 16, 65536 // 4)
    assert desk.consumer.heard(heard, 11.0) == 0.25
    assert desk.consumer.loss == 0.5
    assert desk.consumer.heard(rtcp.ReportBlock(5555, 0, 0, 0, 0, 12345, 0), 11.0) is None
