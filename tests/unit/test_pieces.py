"""config.pieces: all of what comes in pieces, and no more than was asked for."""

from __future__ import annotations

import pytest

from config.pieces import TooMuch, whole


def source(*pieces: bytes):  # type: ignore[no-untyped-def]
    left = [*pieces, b""]

    async def read(_most: int) -> bytes:
        return left.pop(0)

    return read, left


async def test_all_pieces_are_one_whole() -> None:
    read, _ = source(b"ab", b"c", b"def")
    assert await whole(read, 6) == b"abcdef"


async def test_more_than_was_asked_for_is_refused_and_not_read_on() -> None:
    read, left = source(b"abc", b"def", b"never")
    with pytest.raises(TooMuch):
        await whole(read, 5)
    assert left[0] == b"never"
