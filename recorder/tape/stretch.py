"""A stretch: frames in a row with which nothing begins or ends, no part, no segment, no gap. Nine frames of ten are in one.

STRETCH-1  Only what is plain to see belongs to a stretch. Every other frame takes the long way (`recorder.tape.stream`),
           which decides alone. What speaks against all of them is asked once for a stretch and not once a frame
           (decisions/0018).
"""

from __future__ import annotations

from collections.abc import Sequence

from recorder.tape.part import OpenPart
from recorder.tape.segment import OpenSegment
from recorder.tape.segmenter import FORCED_BYTES, SILENCE_MS, VIDEO_FRAME_MS
from recorder.tape.track import PlacedFrame


class Stretch:
    """What an open part and its open segment take without a question."""

    def __init__(self, part: OpenPart, segment: OpenSegment, end_ms: int) -> None:
        """`end_ms`: where the newest frame ends. No track of the part may be waiting for a keyframe."""
        self.end_ms = end_ms
        self._part = part
        self._segment = segment

    def put(self, frames: Sequence[PlacedFrame]) -> int:
        """Put those of the frames, in order of stream time, that are plain; how many, up to the first that is not."""
        part, segment, end_ms = self._part, self._segment, self.end_ms
        index_of, is_video, run = part.index, part.is_video, part.run
        begun = segment.state.keyframe is not None
        room = FORCED_BYTES - segment.state.size - part.run_bytes
        newest: dict[int, int] = {}
        counts = [0] * len(part.tracks)
        size = 0
        for at_us, track, frame, jumped in frames:
            _, keyframe, payload, _, _, first_seq, _, _, duration, _, _ = frame
            at_ms = at_us // 1000
            index = index_of.get(track, -1)
            if index < 0 or jumped or at_ms - end_ms > SILENCE_MS or at_ms >= segment.target_ms or size >= room:
                break
            if is_video[index]:
                if keyframe or not begun:
                    break
                part.last_video_ms = at_ms
            run.append((index, at_ms, keyframe, payload))
            size += len(payload)
            counts[index] += 1
            newest[index] = first_seq
            ends_ms = at_ms + (duration // 48 or VIDEO_FRAME_MS)
            if ends_ms > end_ms:
                end_ms = ends_ms
        part.run_bytes += size
        self.end_ms = end_ms
        for index, first_seq in newest.items():
            part.tracks[index].order.passed(first_seq)
            segment.count(index, counts[index], 0 if is_video[index] else counts[index])
        return sum(counts)
