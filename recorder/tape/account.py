"""What a stream has come to, from its records alone: what `close` and `heartbeat` say of it."""

from __future__ import annotations

from recorder.evidence import records
from recorder.tape.coverage import Cause, count


class Account:
    """A stream's segments and gaps so far."""

    def __init__(self) -> None:
        self.parts = 0
        self.bytes = 0
        self.last: str | None = None
        self.segments: list[tuple[int, int]] = []
        self.gaps: list[tuple[int, int, Cause]] = []

    def take(self, body: object) -> None:
        """Take a record of the stream."""
        match body:
            case records.Part():
                self.parts = body.part
            case records.Segment():
                self.bytes += body.bytes
                self.last = body.sha256
                self.segments.append((body.from_ms, body.to_ms))
            case records.Gap():
                self.gaps.append((body.from_ms, body.to_ms, body.cause))

    @property
    def covered_to(self) -> int | None:
        """Up to where every millisecond is accounted for; None before anything is."""
        ends = [segment[1] for segment in self.segments[-1:]] + [gap[1] for gap in self.gaps[-1:]]
        return max(ends, default=None)

    def close(self, first_ms: int, last_ms: int) -> records.StreamClose:
        """The stream's entry in `close`."""
        return records.StreamClose(
            parts=self.parts,
            segments=len(self.segments),
            bytes=self.bytes,
            last=self.last,
            first_ms=first_ms,
            last_ms=last_ms,
            coverage=records.Coverage(**count(first_ms, last_ms, self.segments, self.gaps)),
        )
