"""Pre-built RTP: 130 video packets of 1 150 B (26 VP8 frames of 5) and 50 Opus packets a second, stamped when sent.

The last 16 bytes of every payload are a mark, the sender's CLOCK_MONOTONIC in ns, so a receiver on the same machine reads
the one-way delay. The VP8 descriptor and the keyframe headers are real, so forwarders and recorders treat it as video.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from struct import Struct

VIDEO_FPS, PACKETS_A_FRAME, VIDEO_SIZE = 26, 5, 1150
AUDIO_RATE, AUDIO_SIZE = 50, 160
KEYFRAME_EVERY = 2 * VIDEO_FPS
MARK = b"TCBENCH\x00"

_HEADER = Struct("!BBHII")
_STAMP = Struct("!Q")

_KEYFRAME = bytes([0x10, 0x02, 0x00, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0xE0, 0x01])
_INTERFRAME = bytes([0x11, 0x02, 0x00])


def stamp_of(packet: bytes) -> int | None:
    """When the packet was sent, in ns, or None if it is not one of these."""
    if packet[-16:-8] != MARK:
        return None
    return int(_STAMP.unpack_from(packet, len(packet) - 8)[0])


def _stamped(header: bytes, payload: bytes) -> bytes:
    return b"".join((header, payload, MARK, _STAMP.pack(time.monotonic_ns())))


class Source:
    """One publisher's packets. `due(now)` yields those that should have left by `now` (seconds since start)."""

    def __init__(self, audio_ssrc: int, video_ssrc: int, audio_pt: int, video_pt: int) -> None:
        self._audio, self._video = (audio_ssrc, audio_pt), (video_ssrc, video_pt)
        self._audio_sent = self._frames_sent = self._video_packets = 0

    @property
    def sent(self) -> int:
        """Packets yielded so far."""
        return self._audio_sent + self._video_packets

    def due(self, now_s: float) -> Iterator[bytes]:
        """Packets to send, stamped as they are taken."""
        while self._audio_sent < now_s * AUDIO_RATE:
            yield self._audio_packet()
            self._audio_sent += 1
        while self._frames_sent < now_s * VIDEO_FPS:
            yield from self._frame()
            self._frames_sent += 1

    def _audio_packet(self) -> bytes:
        number = self._audio_sent
        marker = 128 if number == 0 else 0
        ssrc, pt = self._audio
        header = _HEADER.pack(128, marker | pt, number & 0xFFFF, number * 960 & 0xFFFFFFFF, ssrc)
        return _stamped(header, b"\x78" + bytes(AUDIO_SIZE - 12 - 16 - 1))

    def _frame(self) -> Iterator[bytes]:
        number = self._frames_sent
        first = _KEYFRAME if number % KEYFRAME_EVERY == 0 else _INTERFRAME
        ssrc, pt = self._video
        when = number * 90000 // VIDEO_FPS & 0xFFFFFFFF
        for place in range(PACKETS_A_FRAME):
            last = place == PACKETS_A_FRAME - 1
            header = _HEADER.pack(128, (128 if last else 0) | pt, self._video_packets & 0xFFFF, when, ssrc)
            descriptor = bytes([0x90 if place == 0 else 0x80, 0x80, 0x80 | number >> 8 & 0x7F, number & 0xFF])
            body = first if place == 0 else b""
            fill = bytes(VIDEO_SIZE - 12 - 16 - len(descriptor) - len(body))
            yield _stamped(header, descriptor + body + fill)
            self._video_packets += 1
