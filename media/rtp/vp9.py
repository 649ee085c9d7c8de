"""The VP9 payload descriptor (RFC 9628 §4.2): of which layer's frame a packet is, and where the frame's bytes begin.

All spatial layers of one picture have one timestamp and follow each other, the smallest first; each of its *layer frames*
says of itself whether it leans on earlier pictures, on the layer below, and whether the layers above lean on it.
"""

from __future__ import annotations

from typing import NamedTuple

from media.rtp.header import Bytes

MOST_LAYERS = 8
_INTER, _LAYERED, _FLEXIBLE, _STRUCTURE = 0x40, 0x20, 0x10, 0x02
_BEGINS, _ENDS, _NOT_BELOW = 0x08, 0x04, 0x01
_MOST_REFERENCES = 3


class Descriptor(NamedTuple):
    """What a packet says of its layer frame. `at`: where the payload behind the descriptor begins."""

    at: int
    inter: bool
    """It leans on earlier pictures (P)."""
    begins: bool
    """First packet of the layer frame (B)."""
    ends: bool
    """Last packet of the layer frame (E)."""
    spatial: int
    temporal: int
    climbs: bool
    """From this picture on, higher temporal layers lean on nothing before it that is higher than it (U)."""
    leans: bool
    """It leans on the spatial layer below, in the same picture (D)."""
    alone: bool
    """No higher spatial layer leans on it (Z)."""
    picture: int
    """Picture id of 7 or 15 bits; -1 if none is told."""
    sizes: tuple[tuple[int, int], ...] | None
    """Width and height of each spatial layer, (0, 0) where it does not tell; None without a scalability structure."""

    @property
    def key(self) -> bool:
        """Whether it is of a picture with which a decoder can begin: the lowest layer, leaning on nothing."""
        return not self.inter and self.spatial == 0


def descriptor(packet: Bytes, at: int, end: int) -> Descriptor | None:
    """The descriptor of the payload `packet[at:end]`; None if it is cut short, or longer than RFC 9628 lets it be."""
    try:
        found = _read(packet, at, end)
    except IndexError:
        return None
    return found if found is not None and found.at < end else None


def _read(packet: Bytes, at: int, end: int) -> Descriptor | None:
    if at >= end:
        return None
    bits = packet[at]
    at += 1
    picture, spatial, temporal, climbs, leans = -1, 0, 0, False, False
    if bits & 0x80:
        picture = packet[at] & 0x7F
        if packet[at] & 0x80:
            at += 1
            picture = picture << 8 | packet[at]
        at += 1
    if bits & _LAYERED:
        layer = packet[at]
        temporal, climbs, spatial, leans = layer >> 5, bool(layer & 0x10), layer >> 1 & 7, bool(layer & 1)
        at += 1 if bits & _FLEXIBLE else 2  # TL0PICIDX
    if bits & _INTER and bits & _FLEXIBLE:
        references = 1
        while packet[at] & 1:
            at += 1
            references += 1
            if references > _MOST_REFERENCES:
                return None
        at += 1
    sizes = None
    if bits & _STRUCTURE:
        sizes, at = _structure(packet, at)
    inter, begins, ends, alone = bits & _INTER, bits & _BEGINS, bits & _ENDS, bits & _NOT_BELOW
    return Descriptor(
        at, bool(inter), bool(begins), bool(ends), spatial, temporal, climbs, leans, bool(alone), picture, sizes
    )


def _structure(packet: Bytes, at: int) -> tuple[tuple[tuple[int, int], ...], int]:
    """RFC 9628 §4.2.1: how many spatial layers there are and how big, and where it ends."""
    head = packet[at]
    at += 1
    count = (head >> 5) + 1
    sizes = ((0, 0),) * count
    if head & 0x10:
        sizes = tuple(
            (packet[p] << 8 | packet[p + 1], packet[p + 2] << 8 | packet[p + 3]) for p in range(at, at + 4 * count, 4)
        )
        at += 4 * count
    if head & 0x08:
        pictures = packet[at]
        at += 1
        for _ in range(pictures):
            at += 1 + (packet[at] >> 2 & 3)
    return sizes, at
