"""The open segment of a part: its bytes as they will lie in the store, and what its record says of them.

SEGMENT-1  Every byte of a segment passes `OpenSegment.write`. Without a seal it goes to the object at once, hashed; what
           a later life of the recorder takes up is hashed again from the disk.
SEGMENT-2  With a seal it goes to a sealed draft (DRAFT-1) and is kept in memory, 2 MiB at most (CUT-3), until the segment is
           cut; then the object is sealed whole, hashed and written, and the draft is over.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from recorder.evidence import records
from recorder.evidence.digest import Digest
from recorder.sealing.stream_seal import DRAFT, DraftSeal, StreamSeal
from recorder.tape.order import Counts
from recorder.tape.output import Write
from recorder.tape.segmenter import TARGET_MS


class Tally(msgspec.Struct):
    """What the open segment holds of one track."""

    expected: int = 0
    received: int = 0
    recovered: int = 0
    lost: int = 0
    frames: int = 0
    keyframes: int = 0

    def add(self, counts: Counts) -> None:
        """Take over a track's packet counts."""
        self.expected += counts.expected
        self.received += counts.received
        self.recovered += counts.recovered
        self.lost += counts.lost


class SegmentState(msgspec.Struct):
    """The open segment, as a later life of the recorder takes it up: `size` bytes of it are written.

    If it is to be sealed, they lie in a draft of `draft` bytes under the data key `key`.
    """

    n: int
    name: str
    from_ms: int
    tallies: list[Tally]
    size: int = 0
    keyframe: bool | None = None
    """Whether its first video frame is a keyframe; None before there is one."""
    draft: int = 0
    key: str = ""


class OpenSegment:
    """A segment being written."""

    def __init__(self, state: SegmentState, kept: bytes = b"", seal: StreamSeal | None = None) -> None:
        """`kept`: what an earlier life of the recorder wrote of it."""
        self.state = state
        self.target_ms = state.from_ms + TARGET_MS
        """No frame before this but a keyframe of video is looked at for a cut by time (CUT-2, CUT-3)."""
        self._seal = seal
        self._draft: DraftSeal | None = None
        self._held = [kept] if seal is not None else []
        self._digest = Digest(kept if seal is None else b"")

    def write(self, content: bytes) -> Write:
        """Append a run of clusters (SEGMENT-1, SEGMENT-2)."""
        state = self.state
        state.size += len(content)
        if self._seal is None:
            self._digest.update(content)
            return Write(state.name, content)
        self._held.append(content)
        if self._draft is None:
            assert not state.draft, "what an earlier life began is cut, and not gone on with"
            self._draft = self._seal.draft(state.name)
        frame = self._draft.frame(content)
        state.draft += len(frame)
        state.key = self._seal.held.key
        return Write(state.name + DRAFT, frame)

    def count(self, index: int, frames: int, keyframes: int) -> None:
        """So many more frames of the part's track `index` are in it."""
        tally = self.state.tallies[index]
        tally.frames += frames
        tally.keyframes += keyframes

    def add_counts(self, counts: Iterable[Counts]) -> None:
        """Take over the packet counts of the part's tracks, in their order."""
        for tally, counted in zip(self.state.tallies, counts, strict=True):
            tally.add(counted)

    def end(self, rest: bytes) -> list[Write]:
        """The object is complete with `rest`."""
        name = self.state.name
        self.state.size += len(rest)
        if self._seal is None:
            self._digest.update(rest)
            return [Write(name, rest, whole=True)]
        sealed = self._seal.whole(name, b"".join([*self._held, rest]))
        self._digest.update(sealed)
        drafted = [Write(name + DRAFT, b"", gone=True)] if self.state.draft else []
        return [Write(name, sealed, whole=True), *drafted]

    def drop(self) -> list[Write]:
        """Nothing more is written of it. What was, no record speaks of: it leaves the spool with the visit."""
        if not self.state.size:
            return []
        name = self.state.name
        return [Write(name, b"", whole=True) if self._seal is None else Write(name + DRAFT, b"", gone=True)]

    def record(self, stream: str, part: int, to_ms: int, has_video: bool, forced: bool) -> records.Segment:
        """What is said of it, once it is complete."""
        state = self.state
        return records.Segment(
            stream=stream,
            part=part,
            n=state.n,
            name=state.name,
            bytes=self._digest.size,
            sha256=self._digest.sha256,
            sm3=self._digest.sm3,
            from_ms=state.from_ms,
            to_ms=to_ms,
            keyframe=bool(state.keyframe) if has_video else True,
            forced=forced,
            enc=self._seal.held.suite if self._seal is not None else "none",
            tracks=[
                records.TrackCounts(number=n, **msgspec.structs.asdict(tally))
                for n, tally in enumerate(state.tallies, 1)
            ],
        )
