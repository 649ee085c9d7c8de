"""RFC 4571 framing: what comes out is what went in, however the bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.sockets.framing import MAX_FRAME, Deframer, FramingError, framed

DATAGRAMS = st.lists(st.binary(min_size=1, max_size=MAX_FRAME), max_size=8)


@given(DATAGRAMS, st.lists(st.integers(1, 4000), max_size=20))
def test_datagrams_survive_any_cutting(datagrams: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(framed(datagram) for datagram in datagrams)
    deframer, got = Deframer(), []
    for cut in [*cuts, len(whole)]:
        got += deframer.receive(whole[:cut])
        whole = whole[cut:]
        assert deframer.waiting_bytes < MAX_FRAME + 2
    assert got == datagrams
    assert deframer.waiting_bytes == 0


def test_an_empty_frame_is_passed_over_and_a_long_one_is_refused() -> None:
    deframer = Deframer()
    assert deframer.receive(framed(b"") + framed(b"a")) == [b"a"]
    assert len(deframer.receive(framed(bytes(MAX_FRAME)))) == 1
    with pytest.raises(FramingError):
        deframer.receive((MAX_FRAME + 1).to_bytes(2, "big"))
