"""The RTP header by offsets."""

from __future__ import annotations

import pytest

from media.rtp import header
from tests.contract.plane_peers import rtp


def test_a_plain_packet_has_its_payload_behind_twelve_bytes() -> None:
    packet = rtp(1, b"abc", pt=96, ssrc=2)
    assert header.payload_at(packet, len(packet)) == 12
    assert header.payload_end(packet, len(packet), 12) == 15
    assert header.extension(packet, len(packet), 1) is None


def test_extensions_and_contributing_sources_are_stepped_over() -> None:
    packet = bytearray(rtp(1, b"abc", pt=96, ssrc=2, mid="42"))
    assert header.payload_at(packet, len(packet)) == 20
    assert header.extension(packet, len(packet), 1) == b"42"
    assert header.extension(packet, len(packet), 2) is None
    packet[0] |= 2
    packet[12:12] = bytes(8)
    assert header.payload_at(packet, len(packet)) == 28
    assert header.extension(packet, len(packet), 1) == b"42"


def test_extensions_with_two_byte_headers_are_read() -> None:
    packet = b"\x90" + bytes(11) + b"\x10\x00\x00\x02" + b"\x00\x05\x03abc\x00\x00" + b"payload"
    assert header.extension(packet, len(packet), 5) == b"abc"
    assert header.payload_at(packet, len(packet)) == 24


@pytest.mark.parametrize("packet", [b"", bytes(12), b"\x80" * 11, b"\x8f" + bytes(20), b"\x90" + bytes(12)])
def test_what_does_not_fit_has_no_payload(packet: bytes) -> None:
    assert header.payload_at(packet, len(packet)) == -1


def test_padding_ends_the_payload_and_an_impossible_count_has_no_end() -> None:
    packet = rtp(1, b"abc", pt=96, ssrc=2, padding=5)
    assert header.payload_end(packet, len(packet), 12) == 15
    assert header.payload_end(packet[:-1] + b"\x00", len(packet), 12) == -1
    assert header.payload_end(packet[:-1] + b"\xff", len(packet), 12) == -1
