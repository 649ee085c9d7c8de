"""Where to cut a part into segments (FORMAT.md §5).

CUT-1  Before a video keyframe, once `TARGET_MS` is near (`EARLY_MS` before it is near enough).
CUT-2  Where no video flows, before the first frame after `TARGET_MS`.
CUT-3  At `FORCED_MS` or `FORCED_BYTES` without a keyframe: forced.
"""

from __future__ import annotations

from enum import Enum

TARGET_MS = 2000
EARLY_MS = 500
FORCED_MS = 4000
FORCED_BYTES = 2 << 20
SILENCE_MS = 200
"""Longer than this without a frame is a gap (STREAM-3)."""
VIDEO_FRAME_MS = 40
"""What a picture is taken to last: it does not say."""


class Cut(Enum):
    """What the segmenter says of the next frame."""

    NO = 0
    AT_KEYFRAME = 1
    AT_AUDIO = 2
    FORCED = 3
    END = 4
    """The part is over, or nothing comes any more."""


def cut_before(frame_ms: int, video_keyframe: bool, from_ms: int, size: int, last_video_ms: int | None) -> Cut:
    """Whether a segment that began at `from_ms` and holds `size` bytes ends before this frame.

    `last_video_ms`: when the part's last video frame stood, None if it has no video track.
    """
    age = frame_ms - from_ms
    if video_keyframe and age >= TARGET_MS - EARLY_MS:
        return Cut.AT_KEYFRAME
    if last_video_ms is None and age >= TARGET_MS:
        return Cut.AT_AUDIO
    if age >= FORCED_MS or size >= FORCED_BYTES:
        return Cut.FORCED
    if last_video_ms is not None and age >= TARGET_MS and frame_ms - last_video_ms >= TARGET_MS:
        return Cut.FORCED  # the camera sends nothing: waiting for its keyframe would only make the segment longer
    return Cut.NO
