"""VP9 payloads as a sender with layers makes them (RFC 9628 §4.2), for tests."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from av import VideoCodecContext, VideoFrame
from av.video.frame import PictureType

MTU = 1100


def described(
    payload: bytes,
    *,
    picture: int | None = 1,
    spatial: int = 0,
    temporal: int = 0,
    inter: bool = False,
    begins: bool = True,
    ends: bool = True,
    climbs: bool = True,
    leans: bool = False,
    alone: bool = True,
    layered: bool = True,
    references: Sequence[int] = (1,),
    base: int | None = None,
    sizes: Sequence[tuple[int, int]] | None = None,
    pictures: Sequence[Sequence[int]] | None = None,
) -> bytes:
    """The payload behind a descriptor. `references`: how far back it leans (flexible mode); `base`: TL0PICIDX (the other)."""
    flexible = base is None
    bits = (picture is not None) << 7 | inter << 6 | layered << 5 | flexible << 4 | begins << 3 | ends << 2 | alone
    out = bytearray((bits | (sizes is not None) << 1,))
    if picture is not None:
        out += bytes((picture,)) if picture < 0x80 else (0x8000 | picture).to_bytes(2, "big")
    if layered:
        out.append(temporal << 5 | climbs << 4 | spatial << 1 | leans)
        if base is not None:
            out.append(base)
    if inter and flexible:
        out += bytes(back << 1 | (place < len(references)) for place, back in enumerate(references, 1))
    if sizes is not None:
        out.append(len(sizes) - 1 << 5 | 0x10 | (pictures is not None) << 3)
        for width, height in sizes:
            out += width.to_bytes(2, "big") + height.to_bytes(2, "big")
        if pictures is not None:
            out.append(len(pictures))
            for each in pictures:
                out += bytes((len(each) << 2, *each))
    return bytes(out) + payload


def cut(frame: bytes, sizes: Sequence[tuple[int, int]] | None = None, mtu: int = MTU, **about: object) -> list[bytes]:
    """A layer frame as payloads; the first has the sizes."""
    pieces = [frame[at : at + mtu] for at in range(0, len(frame), mtu)]
    last = len(pieces) - 1
    return [
        described(piece, begins=n == 0, ends=n == last, sizes=None if n else sizes, **about)  # type: ignore[arg-type]
        for n, piece in enumerate(pieces)
    ]


class Vp9Encoder:
    """Two layers, each an encoding of its own (S2T1): a quarter of the pixels, and all of them. `frames`: the bigger's."""

    def __init__(self, width: int, height: int) -> None:
        self.sizes = ((width // 2, height // 2), (width, height))
        self.frames: list[bytes] = []
        self._made = [_codec(*size) for size in self.sizes]

    def encode(self, frame: VideoFrame, keyframe: bool) -> list[bytes]:
        """The picture's payloads."""
        number, payloads = len(self.frames), list[bytes]()
        for spatial, (codec, (width, height)) in enumerate(zip(self._made, self.sizes, strict=True)):
            picture = frame.reformat(width, height)
            picture.pts, picture.time_base = number, codec.time_base
            picture.pict_type = PictureType.I if keyframe else PictureType.NONE
            (packet,) = codec.encode(picture)
            sizes = self.sizes if keyframe and not spatial else None
            payloads += cut(bytes(packet), sizes, picture=number & 0x7FFF, spatial=spatial, inter=not keyframe)
        self.frames.append(bytes(packet))
        return payloads


def _codec(width: int, height: int) -> VideoCodecContext:
    codec = VideoCodecContext.create("libvpx-vp9", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = width, height, "yuv420p", Fraction(1, 15)
    codec.bit_rate = 300_000
    codec.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "g": "9999"}
    return codec
