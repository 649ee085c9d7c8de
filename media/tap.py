"""The tap's format: what a media worker hands the recorder, in batches, over a Unix stream socket.

A frame is `u32 length · u8 kind · u64 seq · body` (big-endian; `length` counts everything after itself). `seq`
numbers the worker's frames from 1 within one `epoch` (one life of the worker).

TAP-1  The worker keeps every frame until the recorder has acknowledged it (ACK: everything up to `seq` is fsynced),
       within a bound; past the bound the oldest PACKETS frame is dropped and counted, never another kind.
TAP-2  On a new connection the worker says HELLO, repeats TRACK for every track that is live or whose END is not
       acknowledged, then resends what is not acknowledged, oldest first, with the seqs they had. HELLO and the repeated
       TRACKs carry seq 0: they are outside the numbering, and a TRACK of a known handle says nothing new. The recorder
       ignores a seq it already has for that epoch.
TAP-3  Packets are plain RTP: SRTP removed, a retransmission already unwrapped to the SSRC, sequence number and
       payload type it repairs (flag RECOVERED). Sender reports travel in the same order (flag SENDER_REPORT).
TAP-4  Times are CLOCK_MONOTONIC microseconds of the machine: worker and recorder stand on the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import IntEnum
from struct import Struct
from typing import Literal, NamedTuple

import msgspec

PROTOCOL = 1
MAX_FRAME = 1 << 20

RECOVERED = 1
SENDER_REPORT = 2

_HEAD = Struct("!IBQ")
_PACKET = Struct("!IBQH")
_tuple = tuple.__new__  # a named tuple in half the time of its own `__new__`: this runs for every packet
packet_head: Callable[[int, int, int, int], bytes] = _PACKET.pack
"""(handle, flags, arrival_us, size): what stands before a packet of that size in a PACKETS body. The struct's own call: it is
made for every packet."""
HEAD_SIZE = _HEAD.size
PACKET_HEAD_SIZE = _PACKET.size


class TapFormatError(Exception):
    """A frame that is not what this document says."""

    code = "tap_format"


class Kind(IntEnum):
    """What a frame's body is."""

    HELLO = 1  # worker → recorder, JSON `Hello`
    TRACK = 2  # worker → recorder, JSON `TapTrack`
    PACKETS = 3  # worker → recorder, packed packets
    END = 4  # worker → recorder, JSON `TapEnd`
    ACK = 5  # recorder → worker, empty; `seq` is the newest fsynced frame
    KEYFRAME = 6  # recorder → worker, JSON `TapKeyframe`


class Hello(msgspec.Struct, frozen=True):
    """First frame on a connection. `dropped` counts packets lost under TAP-1 since the epoch began: no recorder has them."""

    worker: str
    epoch: str
    dropped: int
    protocol: int = PROTOCOL


class TapTrack(msgspec.Struct, frozen=True):
    """A recorded track begins. `handle` names it in PACKETS and is never used twice in an epoch."""

    handle: int
    visit: str
    seat: str
    source: Literal["microphone", "camera", "screen"]
    codec: Literal["opus", "VP8", "VP9", "H264"]
    clock_rate: int
    payload_type: int
    ssrc: int
    channels: int = 1
    fmtp: str = ""


class TapEnd(msgspec.Struct, frozen=True):
    """A recorded track ended. `at_us` is when; no packet of the handle follows."""

    handle: int
    at_us: int
    reason: Literal["unpublished", "transport_gone", "not_recorded", "room_closed"]


class TapKeyframe(msgspec.Struct, frozen=True):
    """The recorder asks for a keyframe (the worker throttles). `old`: it can do without, its last one has only grown old."""

    handle: int
    old: bool = False


class Packet(NamedTuple):
    """One packet of a PACKETS frame; `data` is a view into the frame."""

    handle: int
    flags: int
    arrival_us: int
    data: memoryview


def frame(kind: Kind, seq: int, body: bytes | bytearray | memoryview = b"") -> bytes:
    """One whole frame."""
    return frame_head(kind, seq, len(body)) + bytes(body)


def frame_head(kind: Kind, seq: int, size: int) -> bytes:
    """What stands before a frame's body of `size` bytes."""
    return _HEAD.pack(_HEAD.size - 4 + size, kind, seq)


def packets(body: memoryview) -> Iterator[Packet]:
    """The packets of a PACKETS body, in order. Raises `TapFormatError`."""
    at, end = 0, len(body)
    while at < end:
        if end - at < PACKET_HEAD_SIZE:
            raise TapFormatError("a packet's head is cut short")
        handle, flags, arrival_us, size = _PACKET.unpack_from(body, at)
        at += PACKET_HEAD_SIZE
        if end - at < size:
            raise TapFormatError("a packet is cut short")
        yield _tuple(Packet, (handle, flags, arrival_us, body[at : at + size]))
        at += size


class Frames:
    """Cuts a byte stream into frames; feed it what the socket gave."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[tuple[Kind, int, bytes]]:
        """The whole frames now at hand, as (kind, seq, body). Raises `TapFormatError`."""
        content = data if not self._buffer else self._buffer + data
        out, used = cut(memoryview(content))
        self._buffer = content[used:]
        return out


def cut(content: memoryview) -> tuple[list[tuple[Kind, int, bytes]], int]:
    """The whole frames at the begin of these bytes, as (kind, seq, body), and how many bytes they are; each is copied once.

    Raises `TapFormatError`.
    """
    out: list[tuple[Kind, int, bytes]] = []
    at, end = 0, len(content)
    while end - at >= HEAD_SIZE:
        length, kind, seq = _HEAD.unpack_from(content, at)
        if not HEAD_SIZE - 4 <= length <= MAX_FRAME:
            raise TapFormatError(f"a frame of {length} bytes")
        if end - at < 4 + length:
            break
        try:
            known = Kind(kind)
        except ValueError:
            raise TapFormatError(f"a frame of kind {kind}") from None
        out.append((known, seq, bytes(content[at + HEAD_SIZE : at + 4 + length])))
        at += 4 + length
    return out, at
