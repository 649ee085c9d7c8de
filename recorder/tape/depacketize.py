"""RTP payloads back into the frames an encoder made: VP8 (RFC 7741), H264 (RFC 6184), Opus (RFC 7587); VP9 stands beside.

A frame is given out whole or not at all: VP8 and Opus byte for byte, H264 as its NAL units, each behind its 4-byte
length (ISO 14496-15), in the order they came.

DEPAY-1  A frame of which a packet is missing is dropped and counted in `damaged`.
DEPAY-2  After a dropped video frame every frame up to the next keyframe is dropped too, counted in `skipped`: it would be
         decoded against a picture that is not there. `broken_since_us` says since when (arrival time), or is None.
"""

from __future__ import annotations

from struct import Struct, error
from typing import NamedTuple, Protocol

from media.rtp.h264 import picture_size
from recorder.tape.order import RtpPacket
from recorder.tape.rows import Row

_LENGTH = Struct("!I")
_U16 = Struct("!H")
_tuple = tuple.__new__
"""Makes a named tuple without its own `__new__`: half the time."""
MAX_SIDE = 16_383
"""Pixels."""


class MediaFrame(NamedTuple):
    """One frame. `timestamp`: extended RTP time; `first_seq`: its first packet; `tap_seq`: the earliest tap frame of its
    packets; `width` is 0 where unknown; `duration`: RTP ticks (Opus), else 0."""

    timestamp: int
    keyframe: bool
    payload: bytes
    arrival_us: int
    tap_seq: int
    first_seq: int
    width: int = 0
    height: int = 0
    duration: int = 0
    parameters: tuple[bytes, bytes] | None = None
    """H264 SPS and PPS in force, on keyframes."""
    healed: bool = False
    """The keyframe with which a picture that stood still goes on."""


class Depacketizer(Protocol):
    """Packets of one track in sequence order in, whole frames out."""

    damaged: int
    skipped: int
    needs_keyframe: bool
    broken_since_us: int | None

    def push(self, packet: RtpPacket) -> MediaFrame | None:
        """Take the next packet; the frame it completed, if any."""
        ...

    def push_row(self, seq: int, timestamp: int, row: Row) -> MediaFrame | None:
        """Take the next packets, a row whose first has this extended number; the frame they completed, if any."""
        ...

    def unfinished(self) -> tuple[int, int] | None:
        """(first packet, its tap frame) of the unfinished frame."""
        ...

    def resume(self, last_seq: int, needs_keyframe: bool) -> None:
        """Go on after this packet, where an earlier life of the recorder stopped."""
        ...


class PayloadInvalid(Exception):
    """A payload that is not what its RFC says."""

    code = "payload_invalid"


def opus_duration(packet: bytes) -> int:
    """Duration in 48 kHz samples, from the TOC byte (RFC 6716 §3.1); 0 if the packet is malformed."""
    if not packet:
        return 0
    one = _OPUS_FRAME[packet[0]]
    code = packet[0] & 3
    if code == 3:
        return one * (packet[1] & 0x3F) if len(packet) > 1 else 0
    return one if code == 0 else 2 * one


def _opus_frame(toc: int) -> int:
    config = toc >> 3
    if config < 12:
        return (480, 960, 1920, 2880)[config & 3]
    if config < 16:
        return (480, 960)[config & 1]
    return (120, 240, 480, 960)[config & 3]


_OPUS_FRAME = [_opus_frame(toc) for toc in range(256)]
"""Samples of each frame in a packet, by its TOC byte."""


class OpusDepacketizer:
    """One packet is one frame; a lost one damages no other."""

    def __init__(self) -> None:
        self.damaged = self.skipped = 0
        self.needs_keyframe = False
        self.broken_since_us: int | None = None

    def push(self, packet: RtpPacket) -> MediaFrame | None:
        """The packet's frame; None for an empty or malformed one."""
        duration = opus_duration(packet.payload)
        if not duration:
            return None
        seq, timestamp, _, payload, arrival_us, tap_seq, _ = packet
        return _tuple(MediaFrame, (timestamp, True, payload, arrival_us, tap_seq, seq, 0, 0, duration, None, False))

    def push_row(self, seq: int, timestamp: int, row: Row) -> MediaFrame | None:
        """The packet's frame (ROWS-2)."""
        (payload,) = row.payloads
        duration = opus_duration(payload)
        if not duration:
            return None
        facts = (timestamp, True, payload, row.arrival_us, row.tap_seq, seq, 0, 0, duration, None, False)
        return _tuple(MediaFrame, facts)

    def unfinished(self) -> tuple[int, int] | None:
        """Nothing ever is."""
        return None

    def resume(self, last_seq: int, needs_keyframe: bool) -> None:
        """No packet needs another."""


class Unfinished:
    """The packets of the frame being put together."""

    __slots__ = ("arrival_us", "first_seq", "payloads", "tap_seq", "timestamp", "whole")

    def __init__(self, seq: int, timestamp: int, arrival_us: int, tap_seq: int, whole: bool) -> None:
        self.timestamp = timestamp
        self.arrival_us = arrival_us
        self.tap_seq = tap_seq
        self.first_seq = seq
        self.whole = whole
        self.payloads: list[bytes] = []
        """Looked into once the frame is at its end: most of what a packet costs is to be looked at by itself."""


class VideoDepacketizer:
    """What VP8, H264 and VP9 share: a frame is a run of packets with one timestamp, ended by the marker."""

    def __init__(self) -> None:
        self.damaged = self.skipped = 0
        self.broken_since_us: int | None = None
        self._last_seq: int | None = None
        self._open: Unfinished | None = None
        self.needs_keyframe = True

    def push(self, packet: RtpPacket) -> MediaFrame | None:
        """The frame this packet completed, if any."""
        seq, timestamp, marker, payload, arrival_us, tap_seq, _ = packet
        payloads = [payload] if payload else []  # padding only: keeps the sequence, carries nothing
        return self._take(seq, seq, timestamp, marker, payloads, arrival_us, tap_seq)

    def push_row(self, seq: int, timestamp: int, row: Row) -> MediaFrame | None:
        """The frame they completed, if any."""
        payloads = row.payloads
        last = seq + len(payloads) - 1
        return self._take(seq, last, timestamp, row.marker, payloads, row.arrival_us, row.tap_seq)

    def _take(
        self,
        seq: int,
        last_seq: int,
        timestamp: int,
        marker: bool,
        payloads: list[bytes],
        arrival_us: int,
        tap_seq: int,
    ) -> MediaFrame | None:
        before, self._last_seq = self._last_seq, last_seq
        in_row = seq - 1 == before
        if not in_row and before is not None:
            self._after_gap()
        if not payloads:
            return None
        current = self._open
        if current is not None and current.timestamp != timestamp:
            self._drop(current.arrival_us)  # its end, the marker, never came
            current = None
        if current is None:
            begins = self._begins(payloads[0], in_row)
            current = self._open = Unfinished(seq, timestamp, arrival_us, tap_seq, begins)
        elif tap_seq < current.tap_seq:  # it came first, and was waited for
            current.tap_seq = tap_seq
        current.payloads += payloads
        return self._finish(current) if marker else None

    def unfinished(self) -> tuple[int, int] | None:
        """(first packet, its tap frame) of the unfinished frame."""
        return (self._open.first_seq, self._open.tap_seq) if self._open is not None else None

    def _after_gap(self) -> None:
        if self._open is not None:
            self._open.whole = False
        else:
            self._break(None)

    def _break(self, at_us: int | None) -> None:
        self.needs_keyframe = True
        if self.broken_since_us is None:
            self.broken_since_us = at_us

    def _drop(self, at_us: int) -> None:
        self._open = None
        self.damaged += 1
        self._break(at_us)

    def _finish(self, done: Unfinished) -> MediaFrame | None:
        self._open = None
        try:
            frame = self._frame(done) if done.whole else None
        except (PayloadInvalid, IndexError, error):
            frame = None
        if frame is None:
            self._drop(done.arrival_us)
            return None
        if frame.keyframe:
            self.needs_keyframe = False
            if self.broken_since_us is not None:
                self.broken_since_us = None
                return frame._replace(healed=True)
        elif self.needs_keyframe:  # DEPAY-2
            self.skipped += 1
            if self.broken_since_us is None:
                self.broken_since_us = done.arrival_us
            return None
        return frame

    def resume(self, last_seq: int, needs_keyframe: bool) -> None:
        """Go on after this packet, where an earlier life of the recorder stopped."""
        self._last_seq = last_seq
        self.needs_keyframe = needs_keyframe

    def _begins(self, payload: bytes, in_row: bool) -> bool:
        """Whether a frame begins with this payload; `in_row`: nothing is missing before it."""
        raise NotImplementedError

    def _frame(self, done: Unfinished) -> MediaFrame | None:
        """The frame in these payloads, None if it is none. Raises `PayloadInvalid`, `IndexError`, `struct.error`."""
        raise NotImplementedError


class Vp8Depacketizer(VideoDepacketizer):
    """RFC 7741: a payload descriptor of 1 to 6 bytes in front of each piece of the frame."""

    def _begins(self, payload: bytes, in_row: bool) -> bool:  # noqa: ARG002
        return payload[0] & 0x17 == 0x10  # S set, partition 0; so it says by itself

    def _frame(self, done: Unfinished) -> MediaFrame | None:
        data = b"".join([p[1:] if p[0] < 0x80 else p[_vp8_descriptor_size(p) :] for p in done.payloads])
        if not data:
            return None
        if data[0] & 1:  # RFC 6386 §9.1: P bit, 0 on a key frame
            facts = (done.timestamp, False, data, done.arrival_us, done.tap_seq, done.first_seq, 0, 0, 0, None, False)
            return _tuple(MediaFrame, facts)
        if len(data) < 10 or data[3:6] != b"\x9d\x01\x2a":
            return None
        width = int.from_bytes(data[6:8], "little") & 0x3FFF
        height = int.from_bytes(data[8:10], "little") & 0x3FFF
        if not plausible(width, height):
            return None
        return MediaFrame(done.timestamp, True, data, done.arrival_us, done.tap_seq, done.first_seq, width, height)


def _vp8_descriptor_size(payload: bytes) -> int:
    size = 1
    if payload[0] & 0x80:  # X
        extension = payload[1]
        size = 2
        if extension & 0x80:  # I
            size += 2 if payload[size] & 0x80 else 1
        if extension & 0x40:  # L
            size += 1
        if extension & 0x30:  # T or K
            size += 1
    if size > len(payload):
        raise PayloadInvalid("a VP8 payload descriptor is cut short")
    return size


class H264Depacketizer(VideoDepacketizer):
    """RFC 6184: single NAL unit, STAP-A and FU-A packets (packetization modes 0 and 1)."""

    def __init__(self) -> None:
        super().__init__()
        self._sps = b""
        self._pps = b""

    def remember(self, sps: bytes, pps: bytes) -> None:
        """Parameter sets given elsewhere (SDP, or an earlier life of the recorder)."""
        self._sps, self._pps = sps, pps

    def _begins(self, payload: bytes, in_row: bool) -> bool:
        if in_row:
            return True
        # After a hole nothing says that this is the frame's first slice, but parameter sets and delimiters stand first.
        kind = payload[0] & 0x1F
        if kind == 24 and len(payload) > 3:
            kind = payload[3] & 0x1F
        return kind in (7, 9)

    def _frame(self, done: Unfinished) -> MediaFrame | None:
        nals = _h264_nals(done.payloads)
        if not nals:
            return None
        keyframe = False
        for nal in nals:
            kind = nal[0] & 0x1F
            if kind == 5:
                keyframe = True
            elif kind == 7:
                self._sps = nal
            elif kind == 8:
                self._pps = nal
        payload = b"".join(_LENGTH.pack(len(nal)) + nal for nal in nals)
        if not keyframe:
            return MediaFrame(done.timestamp, False, payload, done.arrival_us, done.tap_seq, done.first_seq)
        try:
            width, height = picture_size(self._sps)
        except IndexError:
            return None
        if not self._pps or not plausible(width, height):
            return None
        return MediaFrame(
            done.timestamp,
            True,
            payload,
            done.arrival_us,
            done.tap_seq,
            done.first_seq,
            width,
            height,
            parameters=(self._sps, self._pps),
        )


def _h264_nals(payloads: list[bytes]) -> list[bytes]:
    """The NAL units of a frame. Raises `PayloadInvalid`."""
    nals: list[bytes] = []
    fragments: list[bytes] = []
    for payload in payloads:
        kind = payload[0] & 0x1F
        if kind < 24:
            nals.append(payload)
        elif kind == 24:
            nals += _h264_aggregated(payload)
        elif kind == 28:
            header = payload[1]
            if header & 0x80:
                fragments = [bytes([(payload[0] & 0xE0) | (header & 0x1F)])]
            if not fragments:
                raise PayloadInvalid("a fragment without its start")
            fragments.append(payload[2:])
            if header & 0x40:
                nals.append(b"".join(fragments))
                fragments = []
        else:
            raise PayloadInvalid(f"NAL unit type {kind} is of another packetization mode")
    if fragments:
        raise PayloadInvalid("a fragment without its end")
    return nals


def _h264_aggregated(payload: bytes) -> list[bytes]:
    nals: list[bytes] = []
    at = 1
    while at < len(payload):
        (size,) = _U16.unpack_from(payload, at)
        nal = payload[at + 2 : at + 2 + size]
        if len(nal) != size or not size:
            raise PayloadInvalid("a STAP-A is cut short")
        nals.append(nal)
        at += 2 + size
    return nals


def plausible(width: int, height: int) -> bool:
    """Whether a container can say it: what a peer sends is not to be trusted."""
    return 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE
