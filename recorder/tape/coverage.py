"""Every millisecond of a stream, present or declared: gaps, their causes, and the sums of `close` (FORMAT.md §8)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Literal

BRIEF_MS = 1000

Cause = Literal["network", "recorder", "worker", "off", "withdrawn"]

# Where several hold at once, the first names the gap: no consent outweighs everything, our own failures outweigh the network.
_ORDER: tuple[Cause, ...] = ("withdrawn", "recorder", "worker", "off")


class Causes:
    """Which causes for silence held when. Where none did, it was the network."""

    def __init__(self) -> None:
        self._spans: dict[Cause, list[list[int | None]]] = {cause: [] for cause in _ORDER}

    def begin(self, cause: Cause, at_ms: int) -> None:
        """From here on it holds, until `end`. Repeating changes nothing."""
        spans = self._spans[cause]
        if not spans or spans[-1][1] is not None:
            spans.append([at_ms, None])

    def end(self, cause: Cause, at_ms: int) -> None:
        """It holds no more."""
        spans = self._spans[cause]
        if spans and spans[-1][1] is None:
            spans[-1][1] = at_ms

    def holds(self, cause: Cause) -> bool:
        """Whether it holds now."""
        spans = self._spans[cause]
        return bool(spans) and spans[-1][1] is None

    def spans(self, from_ms: int) -> dict[str, list[tuple[int, int | None]]]:
        """The spans that reach past `from_ms`, for `restore`."""
        kept = {}
        for cause, spans in self._spans.items():
            late = [(begin, end) for begin, end in spans if begin is not None and (end is None or end > from_ms)]
            if late:
                kept[str(cause)] = late
        return kept

    def restore(self, spans: Mapping[str, Sequence[tuple[int, int | None]]]) -> None:
        """Take over what an earlier life of the recorder knew."""
        for cause in _ORDER:
            self._spans[cause] = [list(span) for span in spans.get(cause, ())]

    def split(self, from_ms: int, to_ms: int) -> list[tuple[int, int, Cause]]:
        """The span in pieces of one cause each. A moment of silence that borders another cause is part of it: packets take a
        moment to begin, and to end."""
        edges = {from_ms, to_ms}
        for spans in self._spans.values():
            for begin, end in spans:
                edges.update(edge for edge in (begin, end) if edge is not None and from_ms < edge < to_ms)
        marks = sorted(edges)
        pieces: list[tuple[int, int, Cause]] = []
        whole = to_ms - from_ms
        for left, right in itertools.pairwise(marks):
            cause = self._at(left)
            if cause == "network" and right - left < BRIEF_MS and right - left < whole:
                cause = pieces[-1][2] if pieces else self._at(right)
            if pieces and pieces[-1][2] == cause:
                pieces[-1] = (pieces[-1][0], right, cause)
            else:
                pieces.append((left, right, cause))
        return pieces

    def _at(self, ms: int) -> Cause:
        for cause in _ORDER:
            for begin, end in self._spans[cause]:
                assert begin is not None
                if begin <= ms and (end is None or ms < end):
                    return cause
        return "network"


def count(
    first_ms: int, last_ms: int, segments: list[tuple[int, int]], gaps: list[tuple[int, int, Cause]]
) -> dict[str, int]:
    """The `coverage` of `close`: a millisecond in a gap counts for its cause, else, in a segment, as present (COV-2)."""
    sums = dict.fromkeys(("network", "off", "present", "recorder", "withdrawn", "worker"), 0)
    for begin, end, cause in gaps:
        sums[cause] += max(0, min(end, last_ms) - max(begin, first_ms))
    for begin, end in segments:
        present = max(0, min(end, last_ms) - max(begin, first_ms))
        for gap_begin, gap_end, _ in gaps:
            present -= max(0, min(end, gap_end) - max(begin, gap_begin))
        sums["present"] += present
    return sums
