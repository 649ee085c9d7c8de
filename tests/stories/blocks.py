"""The blocks of a Matroska file (RFC 9559), read anew: nothing here is shared with the muxer that wrote them."""

from __future__ import annotations

from typing import NamedTuple

_HOLDERS = {0x18538067, 0x1F43B675}
_CLUSTER_TIME, _SIMPLE_BLOCK = 0xE7, 0xA3
_UNKNOWN = (1 << 56) - 1


class Block(NamedTuple):
    """One frame of a file."""

    track: int
    at_ms: int
    keyframe: bool
    payload: bytes


def blocks(content: bytes) -> list[Block]:
    """Those of a file, or of a piece of it that begins and ends between two elements. Raises `AssertionError`."""
    found: list[Block] = []
    at = cluster_ms = 0
    while at < len(content):
        identity, at = _number(content, at, keep_length=True)
        size, at = _number(content, at)
        if identity in _HOLDERS:
            continue
        assert size != _UNKNOWN
        assert at + size <= len(content), "an element is cut"
        body = content[at : at + size]
        if identity == _CLUSTER_TIME:
            cluster_ms = int.from_bytes(body, "big")
        elif identity == _SIMPLE_BLOCK:
            track, then = _number(body, 0)
            offset = int.from_bytes(body[then : then + 2], "big", signed=True)
            found.append(Block(track, cluster_ms + offset, bool(body[then + 2] & 0x80), body[then + 3 :]))
        at += size
    return found


def _number(content: bytes, at: int, keep_length: bool = False) -> tuple[int, int]:
    length = 9 - content[at].bit_length()
    assert 1 <= length <= 8
    value = int.from_bytes(content[at : at + length], "big")
    return value if keep_length else value & ((1 << 7 * length) - 1), at + length
