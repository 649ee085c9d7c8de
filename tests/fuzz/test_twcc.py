"""Any transport feedback is read or refused with `TwccError`; any redundant audio with `RedError`."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from media.congestion.ledger import Ledger
from media.congestion.twcc import TwccError, parse
from media.rtp import header, red


@given(st.binary(max_size=200), st.integers(0, 65535), st.integers(0, 65535))
def test_any_feedback_is_read_or_refused(body: bytes, first: int, count: int) -> None:
    body = body[: len(body) & ~3]
    words = (12 + len(body) + 4) // 4 - 1
    head = (
        bytes((0x8F, 205)) + words.to_bytes(2, "big") + bytes(8) + first.to_bytes(2, "big") + count.to_bytes(2, "big")
    )
    ledger = Ledger()
    ledger.sent(0.0, 1)
    for packet in (body, head + body):
        with contextlib.suppress(TwccError):
            assert len(ledger.fates(parse(packet))) <= 1


@given(st.binary(max_size=80))
def test_any_redundant_audio_is_read_or_refused(payload: bytes) -> None:
    with contextlib.suppress(red.RedError):
        blocks = red.unwrap(payload)
        assert sum(len(block.data) for block in blocks) < len(payload)


@given(st.binary(max_size=60), st.integers(1, 14))
def test_any_packet_has_a_number_or_none(packet: bytes, wanted: int) -> None:
    packet = packet.ljust(12, b"\0")
    number = header.number_of(packet, len(packet), wanted)
    assert -1 <= number <= 0xFFFF
    if number >= 0:
        assert header.extension(packet, len(packet), wanted) in (None, number.to_bytes(2, "big"))
