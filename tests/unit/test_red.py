"""RFC 2198 both ways, and what a stream of it survives."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from media.rtp.red import Block, RedError, unwrap, wrap

OPUS = 111


@given(st.lists(st.tuples(st.integers(1, 16383), st.binary(max_size=1023)), max_size=4), st.binary(max_size=1200))
def test_what_is_wrapped_is_unwrapped(older: list[tuple[int, bytes]], primary: bytes) -> None:
    blocks = [*(Block(OPUS, age, data) for age, data in older), Block(OPUS, 0, primary)]
    assert unwrap(wrap(blocks)) == blocks


def test_a_block_that_does_not_fit_is_left_out_and_the_primary_stays() -> None:
    blocks = [Block(OPUS, 20_000, b"old"), Block(OPUS, 960, bytes(2000)), Block(OPUS, 0, b"now")]
    assert unwrap(wrap(blocks)) == [Block(OPUS, 0, b"now")]


def test_nothing_a_peer_sends_breaks_the_reader() -> None:
    dice = random.Random(11)
    for _ in range(5000):
        try:
            unwrap(dice.randbytes(dice.randrange(0, 60)))
        except RedError:
            continue
