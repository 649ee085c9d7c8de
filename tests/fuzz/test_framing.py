"""FRAME-1, FRAME-2: any bytes are frames, or refused; never more is kept than one frame."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from media.sockets.framing import MAX_FRAME, Deframer, FramingError


@given(st.lists(st.binary(max_size=3000), max_size=10))
def test_any_bytes_are_frames_or_refused(chunks: list[bytes]) -> None:
    deframer = Deframer()
    with contextlib.suppress(FramingError):
        for chunk in chunks:
            assert all(0 < len(frame) <= MAX_FRAME for frame in deframer.receive(chunk))
            assert deframer.waiting_bytes < MAX_FRAME + 2
