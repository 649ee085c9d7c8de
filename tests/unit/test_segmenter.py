"""Where a part is cut."""

from __future__ import annotations

import pytest

from recorder.tape.segmenter import FORCED_BYTES, Cut, cut_before


@pytest.mark.parametrize(
    ("at_ms", "keyframe", "size", "last_video_ms", "cut"),
    [
        (1000, True, 0, 990, Cut.NO),
        (1600, True, 0, 1590, Cut.AT_KEYFRAME),
        (2500, False, 0, 2490, Cut.NO),
        (4000, False, 0, 3990, Cut.FORCED),
        (100, False, FORCED_BYTES, 90, Cut.FORCED),
        (2000, False, 0, None, Cut.AT_AUDIO),
        (1999, False, 0, None, Cut.NO),
        (3000, False, 0, 500, Cut.FORCED),
    ],
)
def test_a_segment_ends_at_a_keyframe_or_when_it_must(
    at_ms: int, keyframe: bool, size: int, last_video_ms: int | None, cut: Cut
) -> None:
    assert cut_before(at_ms, keyframe, 0, size, last_video_ms) is cut
