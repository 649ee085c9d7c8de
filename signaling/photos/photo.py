"""A photo without its story: what draws the picture is kept, byte for byte, and everything else is left behind (SIG-19).

PHOTO-1  The type is what the bytes say, never what a name or a header says.
PHOTO-2  Only the parts listed here are copied: what we do not know (a maker's note, a trailer) does not pass.
PHOTO-3  A picture is not decoded or encoded anew: no codec meets a stranger's bytes in this process, and no quality is lost.
PHOTO-4  A JPEG's orientation (Exif 2.32 tag 0x0112) is a part of the picture: it is written back alone, into 36 bytes.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from typing import Literal

Media = Literal["image/jpeg", "image/png", "image/webp"]

MOST_PIXELS = 50_000_000
MOST_SIDE = 16_383


class PhotoInvalid(Exception):
    """Damaged, animated or too large a picture."""

    code = "photo_invalid"


@dataclass(frozen=True, slots=True)
class Picture:
    """A cleaned picture; width and height in pixels as stored, before any orientation is applied."""

    media: Media
    data: bytes
    width: int
    height: int


def sniffed(data: bytes) -> Media | None:
    """Which of our types these bytes begin as (PHOTO-1)."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(_PNG):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def cleaned(data: bytes) -> Picture:
    """The picture alone. Raises `PhotoInvalid`."""
    media = sniffed(data)
    try:
        match media:
            case "image/jpeg":
                kept, width, height = _jpeg(data)
            case "image/png":
                kept, width, height = _png(data)
            case "image/webp":
                kept, width, height = _webp(data)
            case None:
                raise PhotoInvalid("no type of ours")
    except (struct.error, IndexError):
        raise PhotoInvalid("it ends too early") from None
    if not (0 < width <= MOST_SIDE and 0 < height <= MOST_SIDE and width * height <= MOST_PIXELS):
        raise PhotoInvalid("too large a picture")
    return Picture(media, kept, width, height)


# ---- JPEG: ITU-T T.81 annex B

_SOI, _EOI, _SOS, _DQT, _DRI, _DHT, _DAC, _APP0, _APP1, _APP14 = (
    0xD8,
    0xD9,
    0xDA,
    0xDB,
    0xDD,
    0xC4,
    0xCC,
    0xE0,
    0xE1,
    0xEE,
)
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
_KEPT = _FRAMES | {_SOS, _DQT, _DRI, _DHT, _DAC}
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


def _jpeg(data: bytes) -> tuple[bytes, int, int]:
    out, at, size, orientation, scans = [b"\xff\xd8"], 2, (0, 0), 1, 0
    while True:
        at, marker = _marker(data, at)
        if marker == _EOI:
            break
        end = at + _at(">H", data, at)
        body = data[at + 2 : end]
        if end < at + 2 or end > len(data) or marker < 0xC0 or marker == _SOI:
            raise PhotoInvalid("a segment that cannot be")
        if marker in _FRAMES:
            if size != (0, 0):
                raise PhotoInvalid("two pictures in one")
            size = _at(">H", body, 3), _at(">H", body, 1)
        if marker == _APP1 and orientation == 1:
            orientation = _orientation(body)
        if marker in _KEPT or _drawing(marker, body):
            out.append(data[at - 2 : end])
        at = end
        if marker == _SOS:
            end = _scan_end(data, at)
            out.append(data[at:end])
            at, scans = end, scans + 1
    if not scans:
        raise PhotoInvalid("no picture in it")
    if orientation != 1:
        out.insert(1, _exif(orientation))
    return b"".join([*out, b"\xff\xd9"]), *size


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker at `at`, and where it ends; fill bytes before it are allowed."""
    if data[at] != 0xFF:
        raise PhotoInvalid("no marker where one must be")
    while data[at + 1] == 0xFF:
        at += 1
    return at + 2, data[at + 1]


def _drawing(marker: int, body: bytes) -> bool:
    """JFIF's own header without a thumbnail, and Adobe's, which names the colours."""
    if marker == _APP0:
        return body[:5] == b"JFIF\0" and len(body) == 14 and body[12:] == b"\0\0"
    return marker == _APP14 and body[:5] == b"Adobe" and len(body) == 12


def _scan_end(data: bytes, at: int) -> int:
    """Where the entropy-coded data that begins at `at` ends: at the next marker that is no stuffing and no restart."""
    found = _MARKER.search(data, at)
    if found is None:
        raise PhotoInvalid("it ends too early")
    return found.start()


def _orientation(body: bytes) -> int:
    """Exif 2.32 §4.6.4; 1 where there is none, or none that can be read."""
    if body[:6] != b"Exif\0\0" or body[6:8] not in (b"II", b"MM"):
        return 1
    order, tiff = ("<" if body[6:8] == b"II" else ">"), body[6:]
    try:
        first = _at(f"{order}I", tiff, 4)
        for number in range(min(_at(f"{order}H", tiff, first), 256)):
            tag, kind, count = struct.unpack_from(f"{order}HHI", tiff, first + 2 + 12 * number)
            if (tag, kind, count) == (0x0112, 3, 1):
                value = _at(f"{order}H", tiff, first + 2 + 12 * number + 8)
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def _exif(orientation: int) -> bytes:
    """An APP1 segment that says how the picture stands, and nothing else."""
    tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


# ---- PNG: W3C PNG 3 §5, §11

_PNG = b"\x89PNG\r\n\x1a\n"
_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT"})


def _png(data: bytes) -> tuple[bytes, int, int]:
    out, at, size = [_PNG], len(_PNG), (0, 0)
    while True:
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data) or zlib.crc32(data[at + 4 : end - 4]) != _at(">I", data, end - 4):
            raise PhotoInvalid("a damaged chunk")
        if (len(out) == 1) != (kind == b"IHDR") or kind in (b"acTL", b"fcTL", b"fdAT"):
            raise PhotoInvalid("no single picture")
        if kind == b"IHDR":
            size = struct.unpack_from(">II", data, at + 8)
        if kind in _CHUNKS:
            out.append(data[at:end])
        elif not kind[0] & 0x20:
            raise PhotoInvalid("a critical chunk we do not know")
        if kind == b"IEND":
            return b"".join(out), *size
        at = end


# ---- WebP: RFC 9649 §2

_VP8X_ANIMATED, _VP8X_ALPHA = 0x02, 0x10


def _webp(data: bytes) -> tuple[bytes, int, int]:
    end = 8 + _at("<I", data, 4)
    if end > len(data):
        raise PhotoInvalid("it ends too early")
    out: list[bytes] = []
    at, size = 12, (0, 0)
    while at < end:
        kind, length = struct.unpack_from("<4sI", data, at)
        body = data[at + 8 : at + 8 + length]
        if len(body) != length or at + 8 + length > end:
            raise PhotoInvalid("it ends too early")
        match kind:
            case b"VP8X":
                if body[0] & _VP8X_ANIMATED:
                    raise PhotoInvalid("animated")
                body = bytes([body[0] & _VP8X_ALPHA]) + b"\0\0\0" + body[4:10]
                out.append(_chunk(kind, body))
            case b"VP8 " | b"VP8L":
                if size != (0, 0):
                    raise PhotoInvalid("two pictures in one")
                size = _webp_size(kind, body)
                out.append(_chunk(kind, body))
            case b"ALPH":
                out.append(_chunk(kind, body))
        at += 8 + length + length % 2
    kept = b"".join(out)
    return b"RIFF" + struct.pack("<I", 4 + len(kept)) + b"WEBP" + kept, *size


def _webp_size(kind: bytes, body: bytes) -> tuple[int, int]:
    if kind == b"VP8 ":  # RFC 6386 §9.1
        if body[3:6] != b"\x9d\x01\x2a":
            raise PhotoInvalid("no keyframe")
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    if body[0] != 0x2F:
        raise PhotoInvalid("no lossless picture")
    bits = _at("<I", body, 1)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _at(layout: str, data: bytes, offset: int) -> int:
    value: int = struct.unpack_from(layout, data, offset)[0]
    return value
