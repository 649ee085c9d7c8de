"""Any payload has counts within it or none, and rewriting them changes nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.rtp.vp8 import counts, rewrite


@given(st.binary(max_size=12), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_rewritten_counts_are_read_again_and_the_rest_stays(payload: bytes, picture: int, base: int) -> None:
    found = counts(payload, 0, len(payload))
    packet = bytearray(payload)
    rewrite(packet, found, picture, base)
    again = counts(packet, 0, len(packet))
    assert (again.picture_at, again.wide, again.base_at) == (found.picture_at, found.wide, found.base_at)
    if found.picture_at >= 0:
        assert again.picture == picture & (0x7FFF if found.wide else 0x7F)
    if found.base_at >= 0:
        assert again.base == base & 0xFF
    touched = {found.picture_at, found.picture_at + found.wide, found.base_at}
    assert all(packet[n] == payload[n] for n in range(len(payload)) if n not in touched)
