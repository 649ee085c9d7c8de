"""Any datagram is a STUN message or a `StunError`; what we write we can read."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from media.transports import stun

KEY = stun.ShortTermKey("a password of 22 chars")
TRANSACTION = st.binary(min_size=12, max_size=12)


@given(st.binary(max_size=200))
def test_any_datagram_is_parsed_or_refused(datagram: bytes) -> None:
    with contextlib.suppress(stun.StunError):
        stun.parse(datagram)


@given(st.binary(max_size=120), TRANSACTION)
def test_any_attributes_behind_a_right_header_are_parsed_or_refused(body: bytes, transaction: bytes) -> None:
    body = body[: len(body) & ~3]
    datagram = b"\x00\x01" + len(body).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + transaction + body
    try:
        message = stun.parse(datagram)
    except stun.StunError:
        return
    assert not stun.is_authentic(datagram, message, KEY)


@given(TRANSACTION, st.text(st.characters(codec="ascii"), min_size=1, max_size=64), st.booleans(), st.data())
def test_what_we_write_we_read_and_one_flipped_bit_is_noticed(
    transaction: bytes, username: str, nominate: bool, data: st.DataObject
) -> None:
    datagram = stun.binding_request(transaction, username, KEY, 1, nominate)
    message = stun.parse(datagram)
    assert (message.transaction, message.username, message.use_candidate) == (transaction, username, nominate)
    assert message.has_fingerprint
    assert stun.is_authentic(datagram, message, KEY)
    flipped = bytearray(datagram)
    bit = data.draw(st.integers(0, len(datagram) * 8 - 1))
    flipped[bit // 8] ^= 1 << bit % 8
    try:
        heard = stun.parse(bytes(flipped))
    except stun.StunError:
        return
    # Without its FINGERPRINT attribute a message is no check (the attribute's own type was hit).
    assert not heard.has_fingerprint or not stun.is_authentic(bytes(flipped), heard, KEY)
