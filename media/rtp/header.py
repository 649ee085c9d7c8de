"""The RTP header by offsets (RFC 3550 §5.1) and its extensions (RFC 8285).

aiortc's `RtpPacket` parses and serialises a packet in 6.1 µs; reading and patching the twelve bytes in place costs 0.5
(`python -m tests.bench.plane_micro`). So a packet stays bytes from socket to socket.
"""

from __future__ import annotations

from struct import Struct

SIZE = 12
MAX_PACKET = 1500

FIXED = Struct("!BBHII")
"""first byte, marker and payload type, sequence number, timestamp, SSRC."""

VERSION = 0x80
PADDING = 0x20
EXTENSION = 0x10
MARKER = 0x80

Bytes = bytes | bytearray | memoryview


def payload_at(packet: Bytes, size: int) -> int:
    """Offset of the payload (or padding), at most `size`; -1 if the header does not fit or is not version 2."""
    if size < SIZE:
        return -1
    first = packet[0]
    if first >> 6 != 2:
        return -1
    at = SIZE + 4 * (first & 15)
    if first & EXTENSION:
        if at + 4 > size:
            return -1
        at += 4 + 4 * (packet[at + 2] << 8 | packet[at + 3])
    return at if at <= size else -1


def payload_end(packet: Bytes, size: int, at: int) -> int:
    """Where the payload that begins at `at` ends and padding begins; -1 if the padding count is impossible."""
    if not packet[0] & PADDING:
        return size
    count = packet[size - 1]
    return size - count if 0 < count <= size - at else -1


def extension(packet: Bytes, size: int, wanted: int) -> bytes | None:
    """The value of header extension `wanted` (1–255), one-byte or two-byte form; None if absent or malformed."""
    if size < SIZE or not packet[0] & EXTENSION:
        return None
    at = SIZE + 4 * (packet[0] & 15)
    if at + 4 > size:
        return None
    profile = packet[at] << 8 | packet[at + 1]
    end = at + 4 + 4 * (packet[at + 2] << 8 | packet[at + 3])
    if end > size:
        return None
    if profile == 0xBEDE:
        return _one_byte(packet, at + 4, end, wanted)
    if profile & 0xFFF0 == 0x1000:
        return _two_byte(packet, at + 4, end, wanted)
    return None


def number_of(packet: Bytes, size: int, wanted: int) -> int:
    """The 16-bit value of one-byte header extension `wanted` (transport-wide number); -1 if absent or malformed.

    One function without calls: every packet that arrives is asked, 0.4 µs.
    """
    if not packet[0] & EXTENSION:
        return -1
    at = SIZE + 4 * (packet[0] & 15)
    if at + 4 > size or packet[at] != 0xBE or packet[at + 1] != 0xDE:
        return -1
    end = at + 4 + 4 * (packet[at + 2] << 8 | packet[at + 3])
    if end > size:
        return -1
    at += 4
    head = wanted << 4 | 1
    while at < end:
        first = packet[at]
        if first == head:
            return packet[at + 1] << 8 | packet[at + 2] if at + 2 < end else -1
        at += 1 if first == 0 else 2 + (first & 15)
    return -1


def _one_byte(packet: Bytes, at: int, end: int, wanted: int) -> bytes | None:
    while at < end:
        number, length = packet[at] >> 4, (packet[at] & 15) + 1
        if number == 15:  # RFC 8285 §4.2: stop
            return None
        if packet[at] == 0:
            at += 1
            continue
        if at + 1 + length > end:
            return None
        if number == wanted:
            return bytes(packet[at + 1 : at + 1 + length])
        at += 1 + length
    return None


def _two_byte(packet: Bytes, at: int, end: int, wanted: int) -> bytes | None:
    while at < end:
        if packet[at] == 0:
            at += 1
            continue
        if at + 2 > end or at + 2 + packet[at + 1] > end:
            return None
        if packet[at] == wanted:
            return bytes(packet[at + 2 : at + 2 + packet[at + 1]])
        at += 2 + packet[at + 1]
    return None
