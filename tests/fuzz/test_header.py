"""RTP headers and payload descriptors: any bytes have an answer within the packet's bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.rtp import header
from media.rtp.keyframe import begins_keyframe

PACKET = st.one_of(
    st.binary(max_size=120),
    st.binary(min_size=12, max_size=120).map(lambda b: bytes((0x80 | b[0] & 0x3F,)) + b[1:]),
    st.binary(min_size=20, max_size=120).map(
        lambda b: b"\x90" + b[1:12] + b"\xbe\xde\x00" + bytes((b[15] & 7,)) + b[16:]
    ),
    st.binary(min_size=20, max_size=120).map(
        lambda b: b"\x90" + b[1:12] + b"\x10\x00\x00" + bytes((b[15] & 7,)) + b[16:]
    ),
)


@given(PACKET, st.integers(1, 255))
def test_any_packet_has_a_payload_within_it_or_none(packet: bytes, wanted: int) -> None:
    size = len(packet)
    at = header.payload_at(packet, size)
    assert -1 <= at <= size
    if at >= 0:
        end = header.payload_end(packet, size, at)
        assert end == -1 or at <= end <= size
    value = header.extension(packet, size, wanted)
    assert value is None or len(value) < size


@given(st.binary(max_size=60), st.sampled_from(["VP8", "H264", "opus"]))
def test_any_payload_begins_a_keyframe_or_does_not(payload: bytes, codec: str) -> None:
    assert begins_keyframe(codec, payload, 0, len(payload)) in (True, False)
    assert begins_keyframe(codec, payload, 0, -1) is (codec == "opus")
