"""Encoded frames into WebM or Matroska, through PyAV, without an encoder.

A part's file is written in runs: each run opens FFmpeg's muxer on our own sink, writes its frames, and closes it again.
The head that FFmpeg writes first is thrown away: the part's `init` is ours (decisions/0005). What follows is whole clusters
on absolute time. So a file ends at a cluster after every run, a cut falls exactly where the segmenter wants it, and nothing
waits in FFmpeg's interleaving queue (decisions/0003).

MUX-1  Payloads go in and out unchanged: VP8 and Opus as they came, H264 as length-prefixed NAL units under an `avcC`.
MUX-2  A track's times rise strictly: a frame at or before the one before it is put 1 ms after it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from struct import Struct
from typing import Literal, NamedTuple

import av
import av.container
import msgspec

_MS = Fraction(1, 1000)
_OPTIONS = {"live": "1", "cluster_time_limit": "200", "fflags": "+bitexact"}
_FLOAT = Struct("!f")
_DOUBLE = Struct("!d")
_SEEK_PRE_ROLL_NS = 80_000_000
_FRAME_RATE = 999.0
"""Frames a second that the head names, for a player that asks: a tick of 1 ms, so that no two frames fall on one
(decisions/0005)."""

Container = Literal["webm", "matroska"]


class TrackShape(msgspec.Struct, frozen=True):
    """What a container must know of a track. `private`: the codec's own head (`avcC` for H264, empty for VP8 and Opus)."""

    codec: Literal["opus", "VP8", "H264"]
    channels: int = 2
    width: int = 0
    height: int = 0
    private: bytes = b""


class TimedFrame(NamedTuple):
    """A frame of track `number` (from 0), at a stream time in ms."""

    number: int
    at_ms: int
    keyframe: bool
    payload: bytes
    duration_ms: int = 0


class _Sink:
    """Takes what FFmpeg writes; without `seek`, so that it streams."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        data = b"".join(self.pieces)
        self.pieces.clear()
        return data


class MuxRefused(Exception):
    """FFmpeg does not make a container for these tracks."""

    code = "mux_refused"


class Muxer:
    """One part's container. Raises `MuxRefused` when it is made, `av.error.FFmpegError` for a frame FFmpeg refuses."""

    def __init__(self, tracks: Sequence[TrackShape], last_ms: Sequence[int] | None = None) -> None:
        """`last_ms`: each track's newest time, where an earlier life of the recorder stopped."""
        self.container: Container = "matroska" if any(t.codec == "H264" for t in tracks) else "webm"
        self._tracks = tuple(tracks)
        self.last_ms = list(last_ms) if last_ms is not None else [-1] * len(self._tracks)
        self.init = head(self._tracks, self.container)
        try:
            self._shape = av.open(io.BytesIO(self.init + _EMPTY_CLUSTER), format="matroska")
            self._run(())  # whether FFmpeg takes it is to be known now
        except av.error.FFmpegError as error:
            raise MuxRefused(str(error)) from None

    def clusters(self, frames: Sequence[TimedFrame]) -> bytes:
        """The whole clusters that hold these frames, in this order."""
        return self._run(frames) if frames else b""

    def close(self) -> None:
        """Give back FFmpeg's memory."""
        self._shape.close()

    def _run(self, frames: Sequence[TimedFrame]) -> bytes:
        sink = _Sink()
        out = av.open(sink, "w", format=self.container, options=_OPTIONS)
        try:
            streams = [out.add_stream_from_template(template) for template in self._shape.streams]
            for stream in streams:
                stream.time_base = _MS
            out.start_encoding()
            sink.take()
            for frame in frames:
                out.mux_one(self._packet(frame, streams))
        finally:
            out.close()
        return sink.take()

    def _packet(self, frame: TimedFrame, streams: list[av.stream.Stream]) -> av.Packet[av.stream.Stream]:
        at_ms = frame.at_ms
        if at_ms <= self.last_ms[frame.number]:  # MUX-2
            at_ms = self.last_ms[frame.number] + 1
        self.last_ms[frame.number] = at_ms
        packet = av.Packet(frame.payload)
        packet.stream = streams[frame.number]
        packet.time_base = _MS
        packet.pts = packet.dts = at_ms
        packet.duration = frame.duration_ms
        packet.is_keyframe = frame.keyframe
        return packet


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
    """A part's file up to its first cluster (RFC 9559). FFmpeg reads codec parameters from it, too, that PyAV has no setter
    for (`add_mux_stream` gives neither codec heads nor channel counts)."""
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
        body += _text(0x86, "V_VP8" if track.codec == "VP8" else "V_MPEG4/ISO/AVC")
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


_EMPTY_CLUSTER = _element(0x1F43B675, _number(0xE7, 0))
