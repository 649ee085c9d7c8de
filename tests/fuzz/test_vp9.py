"""Any payload has a descriptor within it or none."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.rtp.keyframe import begins_keyframe, lines_of
from media.rtp.vp9 import MOST_LAYERS, descriptor


@given(st.binary(max_size=40), st.integers(0, 3))
def test_what_is_read_lies_within_the_payload(payload: bytes, at: int) -> None:
    found = descriptor(payload, at, len(payload))
    assert isinstance(begins_keyframe("VP9", payload, at, len(payload)), bool)
    assert lines_of("VP9", payload, at, len(payload)) >= 0
    if found is not None:
        assert at < found.at < len(payload)
        assert 0 <= found.spatial < MOST_LAYERS
        assert found.sizes is None or 1 <= len(found.sizes) <= MOST_LAYERS
