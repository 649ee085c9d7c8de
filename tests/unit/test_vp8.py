"""VP8's payload descriptor: counts found and rewritten (RFC 7741 §4.2)."""

from __future__ import annotations

import pytest

from media.rtp.vp8 import NONE, counts, rewrite

FULL = bytes((0x90, 0xE0, 0x81, 0x23, 0x45, 0x60, 0x00))


def test_wide_counts_are_found_and_rewritten_in_place() -> None:
    found = counts(FULL, 0, len(FULL))
    assert (found.picture, found.base, found.temporal) == (0x123, 0x45, 1)
    packet = bytearray(FULL)
    rewrite(packet, found, 0x7FFF, 0x1FF)
    assert packet == bytes((0x90, 0xE0, 0xFF, 0xFF, 0xFF, 0x60, 0x00))


def test_a_narrow_picture_id_stays_narrow() -> None:
    packet = bytearray((0x90, 0x80, 0x11, 0x00))
    found = counts(packet, 0, len(packet))
    assert (found.picture, found.wide, found.base_at) == (0x11, False, -1)
    rewrite(packet, found, 0x1FE, 9)
    assert packet == bytes((0x90, 0x80, 0x7E, 0x00))


@pytest.mark.parametrize("size", range(6))
def test_a_descriptor_that_is_cut_short_has_no_counts(size: int) -> None:
    assert counts(FULL, 0, size) == NONE


def test_without_an_extension_there_is_nothing_to_rewrite() -> None:
    packet = bytearray(b"\x10\x00\x9d")
    rewrite(packet, counts(packet, 0, 3), 5, 5)
    assert packet == b"\x10\x00\x9d"
