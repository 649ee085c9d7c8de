"""What is kept of a VP9 picture: the biggest layer and what it leans on, whole and unchanged, or nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from recorder.tape.depacketize import MediaFrame
from recorder.tape.order import RtpPacket
from recorder.tape.vp9 import MOST_HIDDEN, Vp9Depacketizer
from tests.vp9 import cut

SIZES = ((160, 120), (320, 240), (640, 480))
KEY_HEAD = bytes.fromhex("83 498342 0027f01df0")
"""Of a key frame of 640 × 480."""


def body(number: int, spatial: int) -> bytes:
    head = b"\x87" if number % 9 else KEY_HEAD
    return head + random.Random(number * 8 + spatial).randbytes(300 + 700 * spatial)


def picture(number: int, mode: str, key: bool, layers: int = 3) -> list[bytes]:
    """One picture's payloads, as a Chromium makes them in this mode (S3T1, L3T1_KEY, L3T1)."""
    out = []
    for spatial in range(layers):
        leans = spatial > 0 and (mode == "L3T1" or (mode == "L3T1_KEY" and key))
        alone = mode == "S3T1" or spatial == layers - 1 or (mode == "L3T1_KEY" and not key)
        sizes = SIZES[:layers] if key and not spatial else None
        about = {"picture": number & 0x7FFF, "spatial": spatial, "inter": not key, "leans": leans, "alone": alone}
        out += cut(body(number, spatial), sizes, 500, **about)
    return out


def film(mode: str, count: int, every: int = 9, layers: int = 3) -> list[RtpPacket]:
    packets: list[RtpPacket] = []
    for number in range(count):
        payloads = picture(number, mode, number % every == 0, layers)
        for n, payload in enumerate(payloads):
            marker = n == len(payloads) - 1
            packets.append(RtpPacket(100 + len(packets), number * 3000, marker, payload, number, number, False))
    return packets


def feed(packets: list[RtpPacket], taker: Vp9Depacketizer | None = None) -> list[MediaFrame]:
    taker = taker or Vp9Depacketizer()
    return [frame for packet in packets if (frame := taker.push(packet)) is not None]


def spatial_of(packet: RtpPacket) -> int:
    return packet.payload[3 if packet.payload[1] & 0x80 else 2] >> 1 & 7


def indexed(payload: bytes) -> Iterator[bytes]:
    """The frames of a superframe, by its index (annex B)."""
    mark = payload[-1]
    count, width = (mark & 7) + 1, (mark >> 3 & 3) + 1
    index = payload[-2 - count * width :]
    assert index[0] == mark
    assert mark & 0xE0 == 0xC0
    at = 0
    for n in range(count):
        size = int.from_bytes(index[1 + n * width : 1 + (n + 1) * width], "little")
        yield payload[at : at + size]
        at += size
    assert at == len(payload) - len(index)


def test_of_layers_that_lean_on_nothing_the_biggest_is_kept_alone_and_unchanged() -> None:
    got = feed(film("S3T1", 12))
    assert [frame.payload for frame in got] == [body(n, 2) for n in range(12)]
    assert [n for n, frame in enumerate(got) if frame.keyframe] == [0, 9]
    assert (got[0].width, got[0].height) == (640, 480)


def test_of_layers_that_lean_on_each_other_at_keyframes_alone_all_are_kept_there() -> None:
    got = feed(film("L3T1_KEY", 10))
    assert [list(indexed(got[n].payload)) for n in (0, 9)] == [[body(n, s) for s in range(3)] for n in (0, 9)]
    assert [frame.payload for frame in got[1:9]] == [body(n, 2) for n in range(1, 9)]
    assert [frame.keyframe for frame in got] == [n in (0, 9) for n in range(10)]


def test_of_layers_that_always_lean_on_each_other_all_are_kept() -> None:
    got = feed(film("L3T1", 5))
    assert [list(indexed(frame.payload)) for frame in got] == [[body(n, s) for s in range(3)] for n in range(5)]


@given(st.sampled_from(["S3T1", "L3T1_KEY", "L3T1"]), st.sets(st.integers(0, 200), max_size=25))
def test_with_any_loss_each_frame_that_comes_out_has_the_frames_it_leans_on(mode: str, lost: set[int]) -> None:
    whole = {frame.timestamp: frame for frame in feed(film(mode, 27))}
    taker = Vp9Depacketizer()
    got = feed([p for n, p in enumerate(film(mode, 27)) if n not in lost], taker)
    for frame in got:
        assert frame.payload == whole[frame.timestamp].payload
    for before, after in pairwise([None, *got]):
        assert after is not None
        assert after.keyframe or (before is not None and after.timestamp == before.timestamp + 3000)
    if mode == "S3T1":
        tops = [n for n, p in enumerate(film(mode, 27)) if spatial_of(p) == 2]
        if lost.isdisjoint(tops):
            assert len(got) == 27, "what was lost was of layers that nobody keeps"


def test_a_picture_that_was_lost_whole_is_missed() -> None:
    packets = [p for p in film("S3T1", 9) if p.timestamp != 4 * 3000]
    taker = Vp9Depacketizer()
    assert [frame.timestamp // 3000 for frame in feed(packets, taker)] == [0, 1, 2, 3]
    assert taker.needs_keyframe
    assert taker.broken_since_us == 5


def test_a_picture_that_its_sender_made_without_the_biggest_layer_is_no_loss() -> None:
    taker = Vp9Depacketizer()
    packets = film("L3T1_KEY", 3)
    seq = packets[-1].seq + 1
    for number in range(3, 4 + MOST_HIDDEN):
        payloads = picture(number, "L3T1_KEY", False, layers=2)
        packets += [
            RtpPacket(seq + n, number * 3000, n == len(payloads) - 1, payload, number, number, False)
            for n, payload in enumerate(payloads)
        ]
        seq += len(payloads)
        if number == 5:
            assert len(feed(packets, taker)) == 3
            assert not taker.needs_keyframe
            packets = []
    assert feed(packets, taker) == []
    assert taker.damaged == 0
    assert taker.needs_keyframe, "it has gone for good: a picture of what is left has to begin anew"


def test_a_layer_that_joins_between_keyframes_is_kept_from_then_on() -> None:
    packets = film("L3T1", 2, layers=1)
    grown = cut(body(2, 0), SIZES, picture=2, inter=True, alone=False)
    grown += cut(body(2, 1), picture=2, spatial=1, leans=True, alone=True)
    packets += [
        RtpPacket(packets[-1].seq + 1 + n, 6000, n == len(grown) - 1, p, 2, 2, False) for n, p in enumerate(grown)
    ]
    *_, last = feed(packets)
    assert list(indexed(last.payload)) == [body(2, 0), body(2, 1)]
    assert not last.keyframe


def test_without_a_structure_the_frame_itself_tells_its_size() -> None:
    frame = KEY_HEAD + bytes(40)
    (got,) = feed([RtpPacket(1, 0, True, cut(frame, picture=1)[0], 0, 0, False)])
    assert (got.width, got.height) == (640, 480)
    assert feed([RtpPacket(1, 0, True, cut(b"\x83\x49\x83\x43" + bytes(40))[0], 0, 0, False)]) == []


def test_a_later_life_of_the_recorder_goes_on_with_the_biggest_layer() -> None:
    packets, taker = film("S3T1", 6), Vp9Depacketizer()
    begin = next(n for n, p in enumerate(packets) if p.timestamp == 2 * 3000)
    taker.resume(packets[begin].seq - 1, False)
    assert [frame.payload for frame in feed(packets[begin:], taker)] == [body(n, 2) for n in range(2, 6)]
