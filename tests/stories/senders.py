"""What a seat sends: frames with a mark of their own, cut into RTP, and sender reports. Nothing of it can be decoded.

Every frame's payload is unlike any other's, so that what lies in a recording can be told to the byte and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from struct import Struct

from media.tap import SENDER_REPORT
from tests.stories.steps import Codec, Source
from tests.vp9 import cut

_RTP = Struct("!BBHII")
_MARK = Struct("!HI")
_PPS = b"\x68\xce\x3c\x80"
_SPS = {
    320: bytes.fromhex("6742c01fd90141fa10000003001000000303c8f1832480"),
    640: bytes.fromhex("6742e01fda02802f9640"),
}
RATES = {"opus": 48_000, "VP8": 90_000, "VP9": 90_000, "H264": 90_000}


@dataclass
class Shot:
    """One frame: what the recording must hold of it, and when each of its packets came to the worker (µs, None: never)."""

    sender: Sender
    number: int
    payload: bytes
    keyframe: bool
    sent_us: int
    came_us: list[int | None] = field(default_factory=list)
    late: bool = False
    """A packet of it came so late that the recorder may have given it up."""
    again: bool = False
    """A packet of it came twice: which of the two was recorded is not known."""


@dataclass
class Packet:
    """On its way to the worker: the shot's packet of this place, or a report (`shot` None)."""

    flags: int
    content: bytes
    shot: Shot | None = None
    place: int = 0


class Sender:
    """One source of a seat, from its beginning to its end or its replacement."""

    def __init__(self, rng: Random, number: int, seat: str, source: Source, codec: Codec, begin_us: int) -> None:
        self.number, self.seat, self.source, self.codec = number, seat, source, codec
        self.ssrc = 0x1000_0000 + number
        self.handle = 0
        self.next_us = begin_us + rng.randrange(40_000)
        self.muted = False
        self.silent_until_us = 0
        self.wants_keyframe = True
        self.width = 320
        self._rng = rng
        self._begin_us = begin_us
        self._rate = RATES[codec]
        self._every_us = _interval_us(rng, source)
        self._keyframe_every_us = rng.choice([1_000_000, 2_000_000, 2_000_000, 30_000_000])
        self._keyframe_us = 0
        self._report_us = begin_us + rng.choice([0, 300_000, 1_500_000, 1 << 60])
        self._lies = rng.random() < 0.1
        self._ppm = rng.choice([0, 0, 100, -100])
        self._stamp0 = rng.choice([rng.getrandbits(32), 0xFFFF_F000, 0])
        self._seq = rng.choice([rng.getrandbits(16), 65_530, 0])
        self._extended = rng.random() < 0.5
        self._shots = 0

    def jump(self, by_ms: int) -> None:
        """Timestamps go on elsewhere."""
        self._stamp0 += by_ms * self._rate // 1000

    def leap(self, by: int) -> None:
        """Sequence numbers go on elsewhere."""
        self._seq += by

    def send(self, until_us: int, clock_us: int) -> list[tuple[int, Packet]]:
        """What it sends before then. `clock_us`: what the seat's wall clock says, less the time of the visit."""
        sent: list[tuple[int, Packet]] = []
        while self.next_us < until_us:
            at_us = self.next_us
            self.next_us += self._every_us
            if self.muted or at_us < self.silent_until_us:
                continue
            sent += [(at_us, packet) for packet in self._shoot(at_us)]
            if at_us >= self._report_us:
                self._report_us = at_us + 1_000_000
                sent.append((at_us, self._report(at_us, clock_us)))
        return sent

    def _stamp(self, at_us: int) -> int:
        passed_us = (at_us - self._begin_us) * (1_000_000 + self._ppm) // 1_000_000
        return (self._stamp0 + passed_us * self._rate // 1_000_000) & 0xFFFF_FFFF

    def _report(self, at_us: int, clock_us: int) -> Packet:
        ntp_us = at_us + clock_us + (self._rng.choice([-900_000, 40_000, 2_000_000]) if self._lies else 0)
        seconds, rest = divmod(ntp_us, 1_000_000)
        ntp = ((3_900_000_000 + seconds) << 32) + (rest << 32) // 1_000_000
        head = bytes((0x80, 200, 0, 6)) + self.ssrc.to_bytes(4, "big")
        content = head + ntp.to_bytes(8, "big") + self._stamp(at_us).to_bytes(4, "big") + bytes(8)
        return Packet(SENDER_REPORT, content)

    def _shoot(self, at_us: int) -> list[Packet]:
        due = self.wants_keyframe or at_us - self._keyframe_us >= self._keyframe_every_us
        keyframe = self.codec == "opus" or due
        if keyframe:
            self.wants_keyframe, self._keyframe_us = False, at_us
        self._shots += 1
        payload, pieces = self._frame(_MARK.pack(self.number, self._shots), keyframe)
        shot = Shot(self, self._shots, payload, keyframe, at_us, [None] * len(pieces))
        kind = 111 if self.codec == "opus" else 96
        packets: list[Packet] = []
        for place, piece in enumerate(pieces):
            marker = 0x80 if place == len(pieces) - 1 else 0
            head = _RTP.pack(
                0x90 if self._extended else 0x80, marker | kind, self._seq & 0xFFFF, self._stamp(at_us), self.ssrc
            )
            self._seq += 1
            extension = b"\xbe\xde\0\1\x10\0\0\0" if self._extended else b""
            packets.append(Packet(0, head + extension + piece, shot, place))
        return packets

    def _frame(self, mark: bytes, keyframe: bool) -> tuple[bytes, list[bytes]]:
        """What the recording holds of the frame, and the payloads that carry it."""
        body = mark + bytes(1) + self._rng.randbytes(self._rng.choice([5, 40, 90]))
        size = self._rng.choice([20, 60, 1000])
        match self.codec:
            case "opus":
                payload = bytes((0xF8 if self._every_us == 20_000 else 0x58,)) + mark
                return payload, [payload]
            case "VP8":
                sides = self.width.to_bytes(2, "little") + (240).to_bytes(2, "little")
                frame = (b"\x10\0\0\x9d\x01\x2a" + sides if keyframe else b"\x11\0\0") + body
                pieces = [frame[at : at + size] for at in range(0, len(frame), size)]
                return frame, [bytes((0 if place else 0x10,)) + piece for place, piece in enumerate(pieces)]
            case "VP9":
                sizes = [(self.width, 240)] if keyframe else None
                picture = self._shots & 0x7FFF
                return body, cut(body, sizes, size, picture=picture, inter=not keyframe)
            case "H264":
                return self._nals(body, keyframe, size)

    def _nals(self, body: bytes, keyframe: bool, size: int) -> tuple[bytes, list[bytes]]:
        kind = 0x65 if keyframe else 0x61
        slice_ = bytes((kind,)) + body
        sets = [_SPS[self.width], _PPS] if keyframe else []
        payload = b"".join(len(nal).to_bytes(4, "big") + nal for nal in (*sets, slice_))
        pieces = [b"\x18" + b"".join(len(nal).to_bytes(2, "big") + nal for nal in sets)] if sets else []
        if len(body) <= size:
            return payload, [*pieces, slice_]
        for at in range(0, len(body), size):
            last = at + size >= len(body)
            head = bytes((kind & 0xE0 | 28, (0x80 if not at else 0) | (0x40 if last else 0) | kind & 31))
            pieces.append(head + body[at : at + size])
        return payload, pieces


def _interval_us(rng: Random, source: str) -> int:
    if source == "microphone":
        return rng.choice([20_000, 60_000])
    return rng.choice([66_667, 100_000] if source == "camera" else [100_000, 1_000_000])
