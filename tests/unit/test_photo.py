"""Photos made by real encoders (FFmpeg's, through PyAV), dressed with what cameras add, and undressed again."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from io import BytesIO
from random import Random
from typing import Any

import av
import numpy as np
import pytest

from signaling.photo import MOST_SIDE, PhotoInvalid, cleaned, sniffed

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


@pytest.mark.parametrize(
    ("data", "media"),
    [
        (dressed_jpeg(), "image/jpeg"),
        (dressed_png(), "image/png"),
        (dressed_webp(), "image/webp"),
        (dressed_webp(pixels="bgra"), "image/webp"),
    ],
)
def test_the_picture_stays_and_its_story_goes(data: bytes, media: str) -> None:
    picture = cleaned(data)
    assert (picture.media, picture.width, picture.height) == (media, 96, 64)
    assert SECRET in data
    assert SECRET[:12] not in picture.data
    assert b"Exif" not in picture.data
    assert b"EXIF" not in picture.data
    assert np.array_equal(pixels_of(picture.data), pixels_of(data))


def test_a_clean_picture_stays_as_it_is() -> None:
    for data in (dressed_jpeg(3), dressed_png(), dressed_webp()):
        once = cleaned(data)
        assert cleaned(once.data) == once


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(2, 9))
def test_how_a_jpeg_stands_is_kept(orientation: int, order: str) -> None:
    kept = cleaned(dressed_jpeg(orientation, order)).data
    assert kept[2:6] == b"\xff\xe1\x00\x22"
    assert struct.unpack_from(">H", kept, 30)[0] == orientation
    assert SECRET not in kept


def test_a_thumbnail_in_the_first_header_goes() -> None:
    plain = drawn("mjpeg", "yuvj420p")
    header = segment(0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01\x01\x01" + b"abc")
    end = 4 + struct.unpack_from(">H", plain, 4)[0]
    assert header not in cleaned(plain[:2] + header + plain[end:]).data


def test_an_animation_is_no_photo() -> None:
    plain = drawn("png", "rgb24")
    with pytest.raises(PhotoInvalid):
        cleaned(plain[:33] + chunk(b"acTL", struct.pack(">II", 2, 0)) + plain[33:])
    with pytest.raises(PhotoInvalid):
        cleaned(riff((b"VP8X", bytes([2]) + bytes(9))))


def test_a_picture_that_would_be_a_bomb_is_refused() -> None:
    plain = drawn("png", "rgb24")
    for width, height in ((MOST_SIDE + 1, 1), (10_000, 10_000), (0, 5)):
        head = chunk(b"IHDR", struct.pack(">II", width, height) + plain[24:29])
        with pytest.raises(PhotoInvalid, match="too large"):
            cleaned(plain[:8] + head + plain[33:])


def test_only_our_types_are_known() -> None:
    assert [sniffed(each) for each in (b"", b"GIF89a", b"<svg/>", b"%PDF-1.7", b"RIFF\0\0\0\0WAVE")] == [None] * 5
    with pytest.raises(PhotoInvalid):
        cleaned(b"<svg onload=alert(1)>")


def test_whatever_is_cut_or_changed_is_cleaned_or_refused_and_never_leaks_a_trailer() -> None:
    random = Random(20260504)
    for data in (dressed_jpeg(6), dressed_png(), dressed_webp()):
        for _ in range(400):
            harmed = bytearray(data[: random.randrange(len(data) + 1)])
            for _ in range(random.randrange(4)):
                if harmed:
                    harmed[random.randrange(len(harmed))] = random.randrange(256)
            try:
                picture = cleaned(bytes(harmed))
            except PhotoInvalid:
                continue
            assert cleaned(picture.data) == picture
