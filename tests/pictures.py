"""Pictures by real encoders (FFmpeg's, through PyAV), dressed with what cameras and editors add."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from io import BytesIO
from typing import Any

import av
import numpy as np

SECRET = b"GPS 31.2304N 121.4737E, Wang Xiaoying's phone"


def drawn(codec: str, pixels: str, width: int = 96, height: int = 64) -> bytes:
    """A picture with something in it."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    rgb = np.stack([x * 2 % 256, y * 3 % 256, (x + y) % 256], axis=-1).astype(np.uint8)
    context: Any = av.CodecContext.create(codec, "w")
    context.options = {"lossless": "1"} if pixels == "bgra" else {}
    context.width, context.height, context.pix_fmt = width, height, pixels
    context.time_base = Fraction(1)
    frame = av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format=pixels)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def pixels_of(data: bytes) -> np.ndarray:
    """What a decoder makes of it."""
    with av.open(BytesIO(data)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def exif(orientation: int, order: str = "<") -> bytes:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    return segment(0xE1, b"Exif\0\0" + mark + struct.pack(f"{order}IH", 8, 1) + entry + b"\0\0\0\0" + SECRET)


def dressed_jpeg(orientation: int = 1, order: str = "<") -> bytes:
    plain = drawn("mjpeg", "yuvj420p")
    more = exif(orientation, order) + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + SECRET)
    more += segment(0xE2, b"ICC_PROFILE\0" + SECRET) + segment(0xFE, SECRET) + segment(0xED, SECRET)
    return plain[:2] + more + plain[2:] + SECRET


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def dressed_png() -> bytes:
    plain = drawn("png", "rgb24")
    return plain[:33] + chunk(b"tEXt", b"Comment\0" + SECRET) + chunk(b"eXIf", exif(1)[10:]) + plain[33:] + SECRET


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    said = b"".join(k + struct.pack("<I", len(b)) + b + b"\0" * (len(b) % 2) for k, b in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(said)) + b"WEBP" + said


def dressed_webp(codec: str = "libwebp", pixels: str = "yuv420p") -> bytes:
    plain = drawn(codec, pixels)
    kind, length = struct.unpack_from("<4sI", plain, 12)
    head = bytes([0x2C, 0, 0, 0]) + (95).to_bytes(3, "little") + (63).to_bytes(3, "little")
    return riff(
        (b"VP8X", head), (b"ICCP", SECRET), (kind, plain[20 : 20 + length]), (b"EXIF", SECRET), (b"XMP ", SECRET)
    )
