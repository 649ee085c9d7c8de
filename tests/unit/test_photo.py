"""Photos made by real encoders (FFmpeg's, through PyAV), dressed with what cameras add, and undressed again."""

from __future__ import annotations

import struct
from random import Random

import numpy as np
import pytest

from signaling.photos.photo import MOST_SIDE, PhotoInvalid, cleaned, sniffed
from tests.pictures import SECRET, chunk, drawn, dressed_jpeg, dressed_png, dressed_webp, pixels_of, riff, segment


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
