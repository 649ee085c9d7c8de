"""Where a decoder can begin."""

from __future__ import annotations

import pytest

from media.rtp.keyframe import begins_keyframe, lines_of


@pytest.mark.parametrize(
    ("codec", "payload", "begins"),
    [
        ("VP8", "1000", True),
        ("VP8", "1001", False),
        ("VP8", "0000", False),  # not the first packet of its partition
        ("VP8", "1100", False),  # a later partition
        ("VP8", "90e0 8001 22 20 00", True),  # picture id of 15 bits, tl0picidx, tid
        ("VP8", "90e0 8001 22 20 01", False),
        ("VP8", "9080 11 00", True),  # picture id of 7 bits
        ("VP8", "90e0 8001 22 20", False),  # cut short
        ("VP8", "", False),
        ("H264", "67", True),  # SPS
        ("H264", "65", True),  # IDR slice
        ("H264", "61", False),
        ("H264", "68", False),  # PPS alone
        ("H264", "78 0002 68ce 0001 65", True),  # STAP-A
        ("H264", "78 0002 41ce 0001 41", False),
        ("H264", "78 00ff 41", False),
        ("H264", "7c 85", True),  # FU-A, start of an IDR slice
        ("H264", "7c 05", False),  # its middle
        ("H264", "7c 81", False),
        ("H264", "7c", False),
        ("VP9", "8e 01 10 0280 0168 83", True),  # key picture of one layer, with its size
        ("VP9", "bc 01 10 83", True),  # layer 0 of one that leans on nothing
        ("VP9", "b4 01 10 83", False),  # its second packet
        ("VP9", "bd 01 13 87", False),  # layer 1 of the key picture
        ("VP9", "fc 01 10 02 87", False),  # leans on the picture before
        ("VP9", "bc 01 10", False),  # cut short
        ("VP9", "", False),
        ("opus", "", True),
    ],
)
def test_a_payload_begins_a_keyframe(codec: str, payload: str, begins: bool) -> None:
    packet = b"\xff" * 3 + bytes.fromhex(payload)
    assert begins_keyframe(codec, packet, 3, len(packet)) is begins


SPS = "6742c015da07823a10000003001000000303c0f162ea"  # of libx264, constrained baseline, 480 × 272


@pytest.mark.parametrize(
    ("codec", "payload", "lines"),
    [
        ("VP8", "1000 0000 9d012a 8002 6801", 360),
        ("VP8", "1000 0000 9d012a 8042 6881", 360),  # the upper two bits are for scaling
        ("VP8", "1000 0000 9d012a 8002 68", 0),
        ("H264", SPS, 272),
        ("H264", f"78 0016 {SPS} 0004 68ce3c80", 272),  # STAP-A of both parameter sets
        ("H264", f"78 0004 68ce3c80 0016 {SPS}", 272),
        ("H264", f"78 0018 {SPS[:12]}", 0),  # cut short
        ("H264", "67 42c0", 0),
        ("H264", "65 88 84", 0),
        ("H264", "", 0),
        ("VP9", "8e 01 10 0280 0168 83", 360),
        ("VP9", "be e492 10 50 0140 00b4 0280 0168 0500 02d0 83", 720),  # the biggest of three
        ("VP9", "bc 01 10 83", 0),
        ("VP9", "8e 01 10 0280 01", 0),  # cut short
        ("opus", "", 0),
    ],
)
def test_a_keyframe_says_how_many_lines_its_picture_has(codec: str, payload: str, lines: int) -> None:
    packet = b"\xff" * 3 + bytes.fromhex(payload)
    assert lines_of(codec, packet, 3, len(packet)) == lines
