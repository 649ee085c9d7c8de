"""Where a decoder can begin."""

from __future__ import annotations

import pytest

from media.rtp.keyframe import begins_keyframe


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
        ("opus", "", True),
    ],
)
def test_a_payload_begins_a_keyframe(codec: str, payload: str, begins: bool) -> None:
    packet = b"\xff" * 3 + bytes.fromhex(payload)
    assert begins_keyframe(codec, packet, 3, len(packet)) is begins
