"""What arrives in pieces, read to its end and no further than a bound.

A stream's `read(n)` gives what is there, at most `n`: once is enough on loopback, and not where packets are on their way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

PIECE = 1 << 16


class TooMuch(Exception):
    """More came than was asked for."""

    code = "answer_too_long"


async def whole(read: Callable[[int], Awaitable[bytes]], most: int) -> bytes:
    """All that `read` gives, at most `most` bytes. Raises `TooMuch`, and whatever `read` does."""
    pieces: list[bytes] = []
    size = 0
    while piece := await read(PIECE):
        size += len(piece)
        if size > most:
            raise TooMuch(f"more than {most} bytes")
        pieces.append(piece)
    return b"".join(pieces)
