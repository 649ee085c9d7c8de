"""Encoded frames into WebM or Matroska (RFC 9559), without an encoder and without FFmpeg. Pure.

A part's file is a head, `init`, and clusters written in runs: each run's frames become whole clusters on absolute time. So a
file ends at a cluster after every run, and a cut falls exactly where the segmenter wants it (decisions/0007).

MUX-1  Payloads go in and out unchanged: VP8, VP9 and Opus as they came, H264 as length-prefixed NAL units under an `avcC`.
MUX-2  A track's times rise strictly: a frame at or before the one before it is put 1 ms after it.
MUX-3  In a cluster blocks stand in the order of their times, none before the cluster's; a cluster begins at a video keyframe
       and lasts at most `CLUSTER_MS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from struct import Struct
from typing import Literal

import msgspec

CLUSTER_MS = 5000
_FLOAT = Struct("!f")
_DOUBLE = Struct("!d")
_BLOCK = Struct("!BQBhB")
"""SimpleBlock: id, length in 8 bytes, track, time from the cluster's, flags."""
_BLOCK_HEAD = _BLOCK.size - 9
_LONG = 1 << 56
_time = itemgetter(0)
_SEEK_PRE_ROLL_NS = 80_000_000
_FRAME_RATE = 999.0
"""Frames a second that the head names, for a player that asks: a tick of 1 ms, so that no two frames fall on one
(decisions/0005)."""

Container = Literal["webm", "matroska"]
_VIDEO = {"VP8": "V_VP8", "VP9": "V_VP9", "H264": "V_MPEG4/ISO/AVC"}


class TrackShape(msgspec.Struct, frozen=True):
    """What a container must know of a track. `private`: the codec's own head (`avcC` for H264, empty for the others)."""

    codec: Literal["opus", "VP8", "VP9", "H264"]
    channels: int = 2
    width: int = 0
    height: int = 0
    private: bytes = b""


TimedFrame = tuple[int, int, bool, bytes]
"""A frame: the number of its track (from 0), its stream time in ms, whether it is a keyframe, its payload."""


class Muxer:
    """One part's container."""

    def __init__(self, tracks: Sequence[TrackShape], last_ms: Sequence[int] | None = None) -> None:
        """`last_ms`: each track's newest time, where an earlier life of the recorder stopped."""
        self.container: Container = "matroska" if any(t.codec == "H264" for t in tracks) else "webm"
        self.init = head(tracks, self.container)
        self.last_ms = list(last_ms) if last_ms is not None else [-1] * len(tracks)
        self._video = [track.codec != "opus" for track in tracks]

    def clusters(self, frames: Sequence[TimedFrame]) -> bytes:
        """The whole clusters that hold these frames."""
        last_ms, timed = self.last_ms, []
        for number, at_ms, keyframe, payload in frames:
            if at_ms <= last_ms[number]:  # MUX-2
                at_ms = last_ms[number] + 1
            last_ms[number] = at_ms
            timed.append((at_ms, number, keyframe, payload))
        timed.sort(key=_time)  # MUX-3
        pack, video = _BLOCK.pack, self._video
        pieces: list[bytes] = []
        blocks: list[bytes] = []
        from_ms = 0
        for at_ms, number, keyframe, payload in timed:
            if not blocks or at_ms - from_ms >= CLUSTER_MS or (keyframe and video[number]):
                pieces += _cluster(from_ms, blocks)
                blocks, from_ms = [], at_ms
            size = _LONG | (len(payload) + _BLOCK_HEAD)
            blocks.append(pack(0xA3, size, 0x81 + number, at_ms - from_ms, 0x80 if keyframe else 0))
            blocks.append(payload)
        return b"".join(pieces + _cluster(from_ms, blocks))


def avc_configuration(sps: bytes, pps: bytes) -> bytes:
    """The `avcC` of a pair of parameter sets (ISO 14496-15 §5.3.3.1), with 4-byte lengths."""
    return (
        bytes((1, sps[1], sps[2], sps[3], 0xFF, 0xE1))
        + len(sps).to_bytes(2, "big")
        + sps
        + b"\x01"
        + len(pps).to_bytes(2, "big")
        + pps
    )


def opus_head(channels: int) -> bytes:
    """RFC 7845 §5.1, with no pre-skip: every sample of the first packet belongs to the visit."""
    return b"OpusHead\x01" + bytes((channels,)) + b"\0\0" + (48_000).to_bytes(4, "little") + b"\0\0\0"


def head(tracks: Sequence[TrackShape], container: Container) -> bytes:
    """A part's file up to its first cluster."""
    entries = b"".join(_track_entry(number, track) for number, track in enumerate(tracks, 1))
    return (
        _element(0x1A45DFA3, _text(0x4282, container) + _number(0x4287, 4) + _number(0x4285, 2))
        + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"  # Segment, of unknown size
        + _element(
            0x1549A966, _number(0x2AD7B1, 1_000_000) + _text(0x4D80, "teleconsult") + _text(0x5741, "teleconsult")
        )
        + _element(0x1654AE6B, entries)
    )


def _track_entry(number: int, track: TrackShape) -> bytes:
    body = _number(0xD7, number) + _number(0x73C5, number) + _number(0x83, 2 if track.codec == "opus" else 1)
    body += _number(0x9C, 0) + _text(0x22B59C, "und")
    if track.codec == "opus":
        audio = _element(0xB5, _DOUBLE.pack(48_000.0)) + _number(0x9F, track.channels)
        body += _text(0x86, "A_OPUS") + _number(0x56AA, 0) + _number(0x56BB, _SEEK_PRE_ROLL_NS)
        body += _element(0x63A2, opus_head(track.channels)) + _element(0xE1, audio)
    else:
        body += _text(0x86, _VIDEO[track.codec])
        if track.private:
            body += _element(0x63A2, track.private)
        picture = _number(0xB0, track.width) + _number(0xBA, track.height)
        body += _element(0xE0, picture + _element(0x2383E3, _FLOAT.pack(_FRAME_RATE)))
    return _element(0xAE, body)


def _element(identity: int, body: bytes) -> bytes:
    return (
        identity.to_bytes((identity.bit_length() + 7) // 8, "big")
        + (0x0100_0000_0000_0000 | len(body)).to_bytes(8, "big")
        + body
    )


def _number(identity: int, value: int) -> bytes:
    return _element(identity, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _text(identity: int, value: str) -> bytes:
    return _element(identity, value.encode())


def _cluster(from_ms: int, blocks: list[bytes]) -> list[bytes]:
    if not blocks:
        return []
    time = _number(0xE7, from_ms)
    size = len(time) + sum(map(len, blocks))
    return [b"\x1f\x43\xb6\x75", (_LONG | size).to_bytes(8, "big"), time, *blocks]
