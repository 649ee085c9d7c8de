"""What became of each millisecond of a stream (FORMAT.md §8, COV)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from recorder.evidence.records import Cause, Coverage


class Span(NamedTuple):
    """Stream time from `from_ms` up to, not including, `to_ms`."""

    from_ms: int
    to_ms: int


class Lost(NamedTuple):
    """A span for which nothing was kept."""

    from_ms: int
    to_ms: int
    cause: Cause


def count(segments: Iterable[Span], gaps: Iterable[Lost]) -> Coverage:
    """Milliseconds by what became of them: a gap's cause, else `present` inside a segment.

    Segments among themselves, and gaps among themselves, must not overlap (SEG-5, GAP-1); a gap may lie in a segment.
    """
    lost = sorted(gaps)
    sums = {"network": 0, "off": 0, "recorder": 0, "withdrawn": 0, "worker": 0}
    for gap in lost:
        sums[gap.cause] += gap.to_ms - gap.from_ms
    return Coverage(present=_outside(sorted(segments), lost), **sums)


def overlapping(spans: Iterable[Span] | Iterable[Lost]) -> bool:
    """Whether any two overlap."""
    ordered = sorted((span[0], span[1]) for span in spans)
    return any(later[0] < earlier[1] for earlier, later in pairwise(ordered))


def holes(first_ms: int, last_ms: int, spans: Iterable[Span | Lost]) -> list[Span]:
    """The parts of first…last that no span covers, in order."""
    found: list[Span] = []
    reached = first_ms
    for from_ms, to_ms in sorted((span[0], span[1]) for span in spans):
        if from_ms > reached:
            found.append(Span(reached, min(from_ms, last_ms)))
        reached = max(reached, to_ms)
        if reached >= last_ms:
            return found
    if reached < last_ms:
        found.append(Span(reached, last_ms))
    return found


def total_ms(coverage: Coverage) -> int:
    """The sum of all."""
    return coverage.network + coverage.off + coverage.present + coverage.recorder + coverage.withdrawn + coverage.worker


def _outside(segments: list[Span], lost: list[Lost]) -> int:
    # Both lists are ordered, so one pass over each is enough.
    present, at = 0, 0
    for segment in segments:
        present += segment.to_ms - segment.from_ms
        while at < len(lost) and lost[at].to_ms <= segment.from_ms:
            at += 1
        inside = at
        while inside < len(lost) and lost[inside].from_ms < segment.to_ms:
            gap = lost[inside]
            present -= max(0, min(gap.to_ms, segment.to_ms) - max(gap.from_ms, segment.from_ms))
            inside += 1
    return max(present, 0)
