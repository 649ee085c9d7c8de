"""The VP8 payload descriptor (RFC 7741 §4.2) where it counts frames: read, and rewritten in place.

Behind one subscriber's SSRC several encodings may follow each other; their counts must go on as if they were one.
"""

from __future__ import annotations

from dataclasses import dataclass

from media.rtp.header import Bytes


@dataclass(frozen=True, slots=True)
class Counts:
    """Offsets of the counts within the packet (-1: absent), their values, and the temporal layer (0 if none is named)."""

    picture_at: int = -1
    wide: bool = False
    picture: int = 0
    base_at: int = -1
    base: int = 0
    temporal: int = 0


NONE = Counts()


def counts(packet: Bytes, at: int, end: int) -> Counts:
    """Picture id, TL0PICIDX and TID of the payload `packet[at:end]`; `NONE` if it has none or is cut short."""
    if at + 1 >= end or not packet[at] & 0x80:
        return NONE
    bits = packet[at + 1]
    at += 2
    picture_at = base_at = -1
    wide, picture, base, temporal = False, 0, 0, 0
    if bits & 0x80:
        if at >= end:
            return NONE
        picture_at, wide = at, bool(packet[at] & 0x80)
        if at + wide >= end:
            return NONE
        picture = (packet[at] & 0x7F) << 8 | packet[at + 1] if wide else packet[at]
        at += 2 if wide else 1
    if bits & 0x40:
        if at >= end:
            return NONE
        base_at, base = at, packet[at]
        at += 1
    if bits & 0x20:
        if at >= end:
            return NONE
        temporal = packet[at] >> 6
    return Counts(picture_at, wide, picture, base_at, base, temporal)


def rewrite(packet: bytearray, found: Counts, picture: int, base: int) -> None:
    """Put other counts where `found` says they stand; they wrap as their width does."""
    if found.picture_at >= 0:
        if found.wide:
            packet[found.picture_at] = 0x80 | picture >> 8 & 0x7F
            packet[found.picture_at + 1] = picture & 0xFF
        else:
            packet[found.picture_at] = picture & 0x7F
    if found.base_at >= 0:
        packet[found.base_at] = base & 0xFF
