"""Counting milliseconds: whatever the spans, each is counted once."""

from __future__ import annotations

from random import Random

from recorder.evidence.coverage import Lost, Span, count, holes, overlapping, total_ms
from recorder.evidence.records import Coverage


def counted(**told: int) -> Coverage:
    """The six members, those not told being 0."""
    return Coverage(**{**dict.fromkeys(Coverage.__struct_fields__, 0), **told})


def test_a_gap_inside_a_segment_takes_its_time_from_it() -> None:
    assert count([Span(0, 1000)], [Lost(200, 300, "network")]) == counted(present=900, network=100)


def test_a_gap_over_many_segments_and_a_segment_over_many_gaps() -> None:
    assert count([Span(0, 10), Span(10, 20), Span(20, 30)], [Lost(5, 25, "worker")]) == counted(present=10, worker=20)
    assert count([Span(0, 30)], [Lost(0, 5, "off"), Lost(10, 15, "off")]) == counted(present=20, off=10)


def test_holes_are_what_nothing_covers() -> None:
    assert holes(0, 100, [Span(10, 20), Lost(20, 30, "off"), Span(50, 90)]) == [
        Span(0, 10),
        Span(30, 50),
        Span(90, 100),
    ]
    assert holes(0, 100, [Span(0, 100)]) == []
    assert holes(5, 5, []) == []
    assert holes(0, 10, []) == [Span(0, 10)]


def test_spans_that_touch_do_not_overlap() -> None:
    assert not overlapping([Span(0, 1), Span(1, 2)])
    assert overlapping([Span(0, 2), Span(1, 3)])
    assert overlapping([Span(0, 10), Span(1, 2), Span(5, 6)])


def test_counting_agrees_with_counting_one_by_one() -> None:
    for seed in range(200):
        rng = Random(seed)
        segments = _spans(rng)
        gaps = [Lost(span.from_ms, span.to_ms, rng.choice(["network", "off", "recorder"])) for span in _spans(rng)]
        told = dict.fromkeys(("network", "off", "recorder", "present"), 0)
        for ms in range(100):
            cause = next((gap.cause for gap in gaps if gap.from_ms <= ms < gap.to_ms), None)
            if cause is not None:
                told[cause] += 1
            elif any(span.from_ms <= ms < span.to_ms for span in segments):
                told["present"] += 1
        found = count(segments, gaps)
        assert found == counted(**told), seed
        covered = 100 - sum(to_ms - from_ms for from_ms, to_ms in holes(0, 100, [*segments, *gaps]))
        assert total_ms(found) == covered


def _spans(rng: Random) -> list[Span]:
    cuts = sorted(rng.sample(range(101), 2 * rng.randrange(1, 6)))
    return [Span(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=True)]
