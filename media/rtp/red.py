"""Redundant audio (RFC 2198): each packet carries some of those before it, so that as many losses in a row cost nothing.

A block header is `1 · PT(7) · timestamp offset(14) · length(10)`, the last one `0 · PT(7)`. The server wraps Opus for those
who take RED and unwraps it for those who do not; payloads are never changed.

RED-1  A block that does not fit its header (offset over 16 383, length over 1 023) is left out, not cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

MAX_OFFSET, MAX_LENGTH = (1 << 14) - 1, (1 << 10) - 1
MAX_BLOCKS = 8

_BLOCK = Struct("!I")


class RedError(ValueError):
    """A payload that is not RFC 2198."""

    code = "red_malformed"


@dataclass(frozen=True, slots=True)
class Block:
    """One encoding: `age` is how much earlier than the packet's timestamp it belongs (RTP units, 0 = primary)."""

    payload_type: int
    age: int
    data: bytes


def unwrap(payload: bytes | memoryview) -> list[Block]:
    """The blocks, oldest first, the primary last. Raises `RedError`."""
    heads: list[tuple[int, int, int]] = []
    at = 0
    while True:
        if at >= len(payload) or len(heads) > MAX_BLOCKS:
            raise RedError("headers without end")
        if not payload[at] & 0x80:
            break
        if at + 4 > len(payload):
            raise RedError("a header is cut short")
        word = _BLOCK.unpack_from(payload, at)[0]
        heads.append((word >> 24 & 0x7F, word >> 10 & MAX_OFFSET, word & MAX_LENGTH))
        at += 4
    primary = payload[at] & 0x7F
    at += 1
    blocks = []
    for payload_type, age, length in heads:
        if at + length > len(payload):
            raise RedError("a block is cut short")
        blocks.append(Block(payload_type, age, bytes(payload[at : at + length])))
        at += length
    blocks.append(Block(primary, 0, bytes(payload[at:])))
    return blocks


def wrap(blocks: Sequence[Block]) -> bytes:
    """One payload of blocks, oldest first, the primary last."""
    *older, primary = blocks
    fitting = [block for block in older if 0 < block.age <= MAX_OFFSET and len(block.data) <= MAX_LENGTH]  # RED-1
    heads = b"".join(
        _BLOCK.pack(1 << 31 | block.payload_type << 24 | block.age << 10 | len(block.data)) for block in fitting
    )
    return b"".join((heads, bytes([primary.payload_type]), *(block.data for block in fitting), primary.data))
