"""Which frames begin and end nothing, and that those are put as the long way would put them."""

from __future__ import annotations

import pytest

from recorder.tape.segment import OpenSegment
from recorder.tape.segmenter import FORCED_BYTES, SILENCE_MS, TARGET_MS
from recorder.tape.stretch import Stretch
from recorder.tape.track import PlacedFrame
from tests.unit.test_parting import END_MS, SETS, frame, part_of, picture, sound

CAMERA, MIC = picture(), sound()


def put(*frames: PlacedFrame, size: int = 0, picture_begun: bool = True, end_ms: int = END_MS) -> tuple[int, Stretch]:
    part = part_of(MIC, CAMERA)
    segment = OpenSegment(part.next_segment("patient", 0))
    segment.state.size = size
    segment.state.keyframe = True if picture_begun else None
    stretch = Stretch(part, segment, end_ms)
    return stretch.put(frames), stretch


def test_frames_in_a_row_are_put_and_counted_by_track() -> None:
    part = part_of(MIC, CAMERA)
    segment = OpenSegment(part.next_segment("patient", 0))
    segment.state.keyframe = True
    stretch = Stretch(part, segment, END_MS)
    row = [frame(MIC, 100), frame(CAMERA, 110), frame(MIC, 120), frame(MIC, 140)]
    assert stretch.put(row) == 4
    assert [(number, at_ms) for number, at_ms, _, _ in part.run] == [(0, 100), (1, 110), (0, 120), (0, 140)]
    assert part.run_bytes == 4
    assert part.last_video_ms == 110
    assert stretch.end_ms == 180
    assert [(t.frames, t.keyframes) for t in segment.state.tallies] == [(3, 3), (1, 0)]


@pytest.mark.parametrize(
    "other",
    [
        frame(MIC, 120 + 40 + SILENCE_MS + 1),
        frame(CAMERA, 125, keyframe=True),
        frame(CAMERA, 125, keyframe=True, parameters=SETS),
        frame(CAMERA, 125, jumped=True),
        frame(picture(ssrc=9), 125),
    ],
)
def test_a_stretch_ends_before_what_may_begin_or_end_something(other: PlacedFrame) -> None:
    count, stretch = put(frame(MIC, 100), frame(CAMERA, 120), other, frame(MIC, 130))
    assert count == 2
    assert stretch.end_ms == 160


def test_a_stretch_ends_where_a_segment_may_be_cut() -> None:
    assert put(frame(MIC, TARGET_MS - 1), frame(MIC, TARGET_MS), end_ms=TARGET_MS - 1)[0] == 1
    assert put(frame(MIC), frame(MIC, 120), size=FORCED_BYTES - 1)[0] == 1
    assert put(frame(MIC), frame(CAMERA, 120), picture_begun=False)[0] == 1, "the segment's first picture"
