"""Frames from packets: whole and unchanged, or not at all."""

from __future__ import annotations

import random

import pytest
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.tape.codecs import depacketizer
from recorder.tape.depacketize import MediaFrame, opus_duration
from recorder.tape.order import RtpPacket
from recorder.tape.rows import Row

KEYFRAME = b"\x10\x00\x00\x9d\x01\x2a\x40\x01\xf0\x00"
SPS, PPS = bytes.fromhex("6742c01fd90141fa10000003001000000303c8f1832480"), b"\x68\xce\x3c\x80"


def vp8_frame(number: int, keyframe: bool, size: int) -> bytes:
    body = random.Random(number).randbytes(size)
    return KEYFRAME + body if keyframe else b"\x11" + body


def vp8_packets(frame: bytes, number: int, first_seq: int, mtu: int) -> list[RtpPacket]:
    pieces = [frame[at : at + mtu] for at in range(0, len(frame), mtu)]
    out = []
    for index, piece in enumerate(pieces):
        head = VpxPayloadDescriptor(1 if index == 0 else 0, 0, picture_id=number & 0x7FFF, tl0picidx=number & 255)
        marker = index == len(pieces) - 1
        out.append(RtpPacket(first_seq + index, number * 3000, marker, bytes(head) + piece, number, number, False))
    return out


def feed(codec: str, packets: list[RtpPacket]) -> list[MediaFrame]:
    taker = depacketizer(codec)
    return [frame for packet in packets if (frame := taker.push(packet)) is not None]


def test_vp8_frames_come_back_byte_for_byte_with_their_size() -> None:
    frames = [vp8_frame(n, n == 0, 2500) for n in range(5)]
    packets, seq = [], 100
    for number, frame in enumerate(frames):
        packets += vp8_packets(frame, number, seq, 1100)
        seq = packets[-1].seq + 1
    got = feed("VP8", packets)
    assert [f.payload for f in got] == frames
    assert [f.keyframe for f in got] == [True, False, False, False, False]
    assert (got[0].width, got[0].height) == (320, 240)


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=120), st.integers(3, 9), st.integers(1, 400))
def test_with_any_loss_what_comes_out_is_a_part_of_what_went_in_and_each_frame_can_be_decoded(
    lost: list[bool], every: int, mtu: int
) -> None:
    frames = [vp8_frame(n, n % every == 0, 700) for n in range(30)]
    packets, seq = [], 0
    for number, frame in enumerate(frames):
        packets += vp8_packets(frame, number, seq, mtu)
        seq = packets[-1].seq + 1
    kept = [p for n, p in enumerate(packets) if not (n < len(lost) and lost[n])]
    got = feed("VP8", kept)
    numbers = [f.timestamp // 3000 for f in got]
    assert numbers == sorted(set(numbers))
    for frame, number in zip(got, numbers, strict=True):
        assert frame.payload == frames[number]
        # DEPAY-2: a delta frame follows the frame before it, or is not given out.
        assert frame.keyframe or number - 1 in numbers


def test_a_frame_stands_in_the_tap_where_the_first_of_its_packets_came() -> None:
    frame = vp8_frame(0, True, 3000)
    first, second, *rest = vp8_packets(frame, 1, 7, 1100)
    (whole,) = feed("VP8", [first._replace(tap_seq=6), second._replace(tap_seq=5), *rest])
    assert whole.tap_seq == min(5, *(packet.tap_seq for packet in rest))


def test_a_frame_without_its_marker_does_not_swallow_the_next() -> None:
    first = vp8_packets(vp8_frame(0, True, 2000), 0, 0, 1100)
    second = vp8_packets(vp8_frame(1, True, 2000), 1, len(first), 1100)
    got = feed("VP8", first[:-1] + second)
    assert [f.timestamp for f in got] == [3000]


@pytest.mark.parametrize("codec", ["VP8", "opus"])
def test_packets_of_a_row_become_the_frame_that_they_become_one_by_one(codec: str) -> None:
    if codec == "opus":
        packets = [RtpPacket(7, 3000, False, b"\xfc" + bytes(80), 5, 6, False)]
    else:
        packets = [p._replace(arrival_us=5, tap_seq=6) for p in vp8_packets(vp8_frame(0, True, 2000), 1, 7, 1100)]
    row = Row(5, 7, packets[0].timestamp, False, packets[0].payload, 6)
    row.payloads += [packet.payload for packet in packets[1:]]
    row.marker = True
    one_by_one = [taker.push(packet) for taker in [depacketizer(codec)] for packet in packets][-1]
    assert one_by_one is not None
    assert depacketizer(codec).push_row(7, packets[0].timestamp, row) == one_by_one


def test_h264_nal_units_come_back_from_single_packets_stap_a_and_fu_a() -> None:
    idr = b"\x65" + random.Random(1).randbytes(3000)
    delta = b"\x41" + random.Random(2).randbytes(500)
    payloads = H264Encoder._packetize(iter([SPS, PPS, idr]))
    packets = [RtpPacket(n, 0, n == len(payloads) - 1, p, 0, 0, False) for n, p in enumerate(payloads)]
    packets.append(RtpPacket(len(payloads), 3000, True, delta, 0, 0, False))
    assert {p.payload[0] & 31 for p in packets} == {24, 28, 1}
    key, after = feed("H264", packets)
    nals, at = [], 0
    while at < len(key.payload):
        size = int.from_bytes(key.payload[at : at + 4], "big")
        nals.append(key.payload[at + 4 : at + 4 + size])
        at += 4 + size
    assert nals == [SPS, PPS, idr]
    assert key.parameters == (SPS, PPS)
    assert after.payload[4:] == delta


def test_h264_with_a_lost_fragment_waits_for_the_next_keyframe() -> None:
    idr = b"\x65" + bytes(3000)
    payloads = H264Encoder._packetize(iter([SPS, PPS, idr]))
    packets = [RtpPacket(n, 0, n == len(payloads) - 1, p, 0, 0, False) for n, p in enumerate(payloads)]
    taker = depacketizer("H264")
    assert [taker.push(p) for n, p in enumerate(packets) if n != 2] == [None] * (len(packets) - 1)
    assert taker.push(RtpPacket(len(packets), 3000, True, b"\x41abc", 0, 0, False)) is None
    again = [taker.push(p._replace(seq=p.seq + 50, timestamp=6000)) for p in packets]
    assert again[-1] is not None


@given(st.sampled_from(["VP8", "H264", "opus"]), st.lists(st.binary(max_size=40), max_size=60), st.randoms())
def test_no_payload_of_any_kind_raises(codec: str, payloads: list[bytes], chance: random.Random) -> None:
    taker = depacketizer(codec)
    for number, payload in enumerate(payloads):
        seq = number + chance.randrange(2)
        taker.push(RtpPacket(seq, chance.randrange(4), chance.random() < 0.5, payload, 0, 0, False))


@pytest.mark.parametrize(
    ("packet", "samples"),
    [(b"\xfc", 960), (b"\x78", 960), (b"\xf8", 960), (b"\xe0", 120), (b"\xfb\x03", 2880), (b"\x18", 2880), (b"", 0)],
)
def test_an_opus_packet_says_how_long_it_is(packet: bytes, samples: int) -> None:
    assert opus_duration(packet) == samples
