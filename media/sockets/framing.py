"""RFC 4571 framing: datagrams in a stream of bytes, each behind its length in two bytes.

FRAME-1  A length over `MAX_FRAME` is no peer of ours: `FramingError`, and the connection has no future.
FRAME-2  What is kept between calls is less than one frame. An empty frame is passed over.
"""

from __future__ import annotations

MAX_FRAME = 1500
"""As a datagram's (PLANE-1)."""


class FramingError(ValueError):
    """The stream is not framed as RFC 4571 says, or not for us."""

    code = "framing_invalid"


class Deframer:
    """Cuts what comes into frames."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    @property
    def waiting_bytes(self) -> int:
        """Bytes of a frame that is not whole yet, its length included."""
        return len(self._rest)

    def receive(self, chunk: bytes) -> list[bytes]:
        """The frames that are whole now. Raises `FramingError`; what came before it in the same chunk is lost with it."""
        whole = self._rest + chunk
        size, at = len(whole), 0
        frames = []
        while at + 2 <= size:
            length = whole[at] << 8 | whole[at + 1]
            if length > MAX_FRAME:
                raise FramingError("a frame is too long")
            if at + 2 + length > size:
                break
            if length:
                frames.append(whole[at + 2 : at + 2 + length])
            at += 2 + length
        self._rest = whole[at:]
        return frames


def framed(datagram: bytes | memoryview) -> bytes:
    """The datagram behind its length."""
    return len(datagram).to_bytes(2, "big") + datagram
