"""Whether a payload begins a keyframe: VP8 (RFC 7741), H264 (RFC 6184), VP9 (RFC 9628). Audio has none: any packet will do.

Bounds-checked: a payload that is cut short begins nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from media.rtp.h264 import picture_size
from media.rtp.header import Bytes
from media.rtp.vp9 import descriptor

_STARTS = frozenset((5, 7))
"""H264 NAL types IDR slice and SPS: a decoder can begin at either, and an encoder puts the SPS first."""
_SPS = 7
_STAP_A = 24
_FU_A = 28
_MOST_LINES = 1 << 14
"""What says more is no picture's size."""


def begins_keyframe(codec: str, packet: Bytes, at: int, end: int) -> bool:
    """`packet[at:end]` is the payload. Codecs other than VP8, H264 and VP9 (by their SDP names) always begin."""
    if codec == "VP8":
        return _vp8(packet, at, end)
    if codec == "H264":
        return _h264(packet, at, end)
    if codec == "VP9":
        found = descriptor(packet, at, end)
        return found is not None and found.key and found.begins
    return True


def lines_of(codec: str, packet: Bytes, at: int, end: int) -> int:
    """The shorter side of the picture that a keyframe begins, in pixels; 0 if its codec or its length does not tell.

    Of a picture in several layers, the biggest one's.
    """
    if codec == "H264":
        return _h264_lines(packet, at, end)
    if codec == "VP9":
        found = descriptor(packet, at, end)
        return max(map(min, found.sizes)) if found is not None and found.sizes else 0
    start = _vp8_frame(packet, at, end) if codec == "VP8" else -1
    if start < 0 or start + 10 > end or bytes(packet[start + 3 : start + 6]) != b"\x9d\x01\x2a":
        return 0
    # RFC 6386 §9.1: 14 bits each, the upper two are for scaling
    width = packet[start + 6] | (packet[start + 7] & 0x3F) << 8
    height = packet[start + 8] | (packet[start + 9] & 0x3F) << 8
    return min(width, height)


def _vp8(packet: Bytes, at: int, end: int) -> bool:
    at = _vp8_frame(packet, at, end)
    return at >= 0 and not packet[at] & 0x01  # RFC 7741 §4.3: P is the inverse key frame flag


def _vp8_frame(packet: Bytes, at: int, end: int) -> int:
    """Where the frame begins behind the payload descriptor, if this is its first packet; else -1."""
    if at >= end:
        return -1
    first = packet[at]
    if not first & 0x10 or first & 0x07:  # S bit and partition 0: the frame's first packet
        return -1
    at += 1
    if first & 0x80:
        if at >= end:
            return -1
        bits = packet[at]
        at += 1
        if bits & 0x80:
            if at >= end:
                return -1
            at += 2 if packet[at] & 0x80 else 1
        if bits & 0x40:
            at += 1
        if bits & 0x30:
            at += 1
    return at if at < end else -1


def _h264(packet: Bytes, at: int, end: int) -> bool:
    if at >= end:
        return False
    kind = packet[at] & 0x1F
    if kind == _FU_A:
        return at + 1 < end and bool(packet[at + 1] & 0x80) and packet[at + 1] & 0x1F in _STARTS
    if kind != _STAP_A:
        return kind in _STARTS
    return any(packet[nal] & 0x1F in _STARTS for nal, _ in _h264_nals(packet, at, end))


def _h264_lines(packet: Bytes, at: int, end: int) -> int:
    for nal, until in _h264_nals(packet, at, end):
        if packet[nal] & 0x1F == _SPS:
            try:
                lines = min(picture_size(bytes(packet[nal:until])))
            except IndexError:
                return 0
            return lines if 0 < lines <= _MOST_LINES else 0
    return 0


def _h264_nals(packet: Bytes, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the whole NAL units of a payload begin and end: one, or those of a STAP-A (RFC 6184 §5.7.1)."""
    if at >= end:
        return
    if packet[at] & 0x1F != _STAP_A:
        yield at, end
        return
    at += 1
    while at + 2 < end:
        until = at + 2 + (packet[at] << 8 | packet[at + 1])
        yield at + 2, min(until, end)
        at = until
