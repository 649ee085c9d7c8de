"""The picture's size, out of an H264 sequence parameter set."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp.h264 import picture_size


@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
@pytest.mark.parametrize("size", [(1280, 720), (322, 182), (1920, 1080)])
def test_a_parameter_set_says_how_large_the_picture_is(profile: str, size: tuple[int, int]) -> None:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, 30)
    encoder.options = {"profile": profile, "preset": "ultrafast"}
    frame = av.VideoFrame.from_ndarray(np.zeros((size[1] * 3 // 2, size[0]), np.uint8), format="yuv420p")
    content = b"".join(bytes(p) for p in [*encoder.encode(frame), *encoder.encode(None)])
    sps = next(nal for nal in content.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if nal and nal[0] & 31 == 7)
    assert picture_size(sps) == size


@given(st.binary(max_size=60))
def test_what_is_no_parameter_set_is_refused_by_one_error(content: bytes) -> None:
    with contextlib.suppress(IndexError):
        picture_size(content)
