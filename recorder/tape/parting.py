"""Whether a stream's part goes on with a frame, or ends and another begins with it (FORMAT.md §5).

PARTING-1  A part whose tracks are all over ends with its last frame. What follows of the same sources, after another life of
           the worker or by another transport, is a new part, and what lies between is a gap, however short.
PARTING-2  Where sender reports say that tracks do not stand where they belong (`recorder.tape.placing`), a new part is begun
           at the next keyframe, placed by them.
PARTING-3  A sound that joins a picture waits for the picture's next keyframe, which is asked for, and the new part begins
           there: a part cannot show a picture before one, and a moment of sound is missed less than one of picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from recorder.tape.part import OpenPart
from recorder.tape.track import Frozen, PlacedFrame, Track

PAUSE_MS = 10_000
NEWCOMER_WAIT_US = 2_500_000


class Parting:
    """What speaks for another part, and what is remembered for that from frame to frame."""

    def __init__(self, why: str) -> None:
        """`why`: what is said of the first part."""
        self.why = why
        """What is said of the next part if none is open."""
        self._jumped: set[Track] = set()
        self._newcomers: list[PlacedFrame] = []
        """Frames of a track that the part does not have, while it waits for a keyframe to begin another."""

    def __iter__(self) -> Iterator[PlacedFrame]:
        """The frames that wait for another part."""
        return iter(self._newcomers)

    def holds(self, track: Track) -> bool:
        """Whether a frame of the track waits for another part."""
        return any(placed.track is track for placed in self._newcomers)

    def first_pending(self, track: Track) -> int | None:
        """The first packet of those frames."""
        return min((placed.frame.first_seq for placed in self._newcomers if placed.track is track), default=None)

    def calm(self, part: OpenPart, replace: bool) -> bool:
        """Whether nothing speaks for another part but a frame itself. `replace`: tracks are to be placed anew."""
        return not (part.awaiting or self._jumped or self._newcomers or replace)

    def why_new(self, part: OpenPart | None, placed: PlacedFrame, end_ms: int, replace: bool) -> str | None:
        """Why another part begins with this frame, as FORMAT.md §5 names it; None where the part goes on."""
        track, frame = placed.track, placed.frame
        if part is None:
            return self.why
        if part.index.get(track) is None:
            old = next((t for t in part.tracks if t.tap.source == track.tap.source), None)
            if part.resumed and old is not None:
                return "recovered"
            if old is None:
                return "tracks"
            return "ssrc" if old.tap.codec == track.tap.codec else "codec"
        if placed.jumped or track in self._jumped:
            self._jumped.add(track)
            return "timestamps"
        if placed.at_us // 1000 - end_ms > PAUSE_MS:
            return "pause"
        if frame.parameters is not None and frame.parameters != track.parameters:
            return "codec"
        if self._newcomers and track.kind == "video" and frame.keyframe:
            return "tracks"
        if replace and (track.kind == "video" if part.has_video else True) and frame.keyframe:  # PARTING-2
            return "timestamps"
        return None

    def wait(self, part: OpenPart | None, newcomer: PlacedFrame, flows: Callable[[Track], bool]) -> bool:
        """Let a frame of a track that the part does not have wait, if a new part would cost picture now (PARTING-3)."""
        waited = self._newcomers and newcomer.at_us - self._newcomers[0].at_us > NEWCOMER_WAIT_US
        if part is None or newcomer.track in part.index or waited:
            return False
        flowing = [t for t in part.tracks if t.kind == "video" and not t.ended and flows(t)]
        if not self._newcomers:
            for track in flowing:
                track.hurry()
        if flowing:
            self._newcomers.append(newcomer)
        return bool(flowing)

    def readmitted(self, at_us: int) -> list[PlacedFrame]:
        """A part begins at this stream time: of what waited, what comes after it. What comes before is told as not kept."""
        rest = [placed for placed in self._newcomers if placed.at_us >= at_us]
        self._miss([placed for placed in self._newcomers if placed.at_us < at_us], at_us // 1000)
        self._newcomers.clear()
        return rest

    def begun(self) -> None:
        """Another part has begun: jumps before it are no matter."""
        self._jumped.clear()

    def ended(self, end_ms: int) -> None:
        """The part has ended: what waited for its keyframe is told as not kept up to here."""
        self._miss(self._newcomers, end_ms)
        self._newcomers.clear()

    def _miss(self, missed: Sequence[PlacedFrame], to_ms: int) -> None:
        for track in {placed.track for placed in missed}:
            begins_ms = min(placed.at_us for placed in missed if placed.track is track) // 1000
            track.frozen.append(Frozen(track.tap.source, begins_ms, max(begins_ms, to_ms)))


def lost_before(part: OpenPart | None, follower: Track) -> bool:
    """Whether the part ends because its worker or its transport was lost, and this track comes after (PARTING-1)."""
    tracks = part.tracks if part is not None else []
    return any(t.epoch != follower.epoch or t.transport_gone for t in tracks if t is not follower)


def is_lost(part: OpenPart, tracks: Sequence[Track]) -> bool:
    """Whether nothing more will come for the part though something does for the next (PARTING-1). `tracks`: all there are."""
    if not any(t not in part.index and t.last_arrival_us is not None for t in tracks):
        return False
    return all(t.ended and t.transport_gone and t not in tracks for t in part.tracks)
