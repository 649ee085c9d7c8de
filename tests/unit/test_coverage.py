"""Every millisecond is present or has a cause."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from recorder.tape.coverage import Cause, Causes, count


def test_silence_without_another_cause_is_the_networks() -> None:
    assert Causes().split(100, 300) == [(100, 300, "network")]


def test_a_span_is_cut_where_its_cause_changes_and_the_graver_cause_names_it() -> None:
    causes = Causes()
    causes.begin("off", 0)
    causes.begin("worker", 3000)
    causes.end("worker", 5000)
    causes.end("off", 7000)
    assert causes.split(1000, 9000) == [
        (1000, 3000, "off"),
        (3000, 5000, "worker"),
        (5000, 7000, "off"),
        (7000, 9000, "network"),
    ]


def test_a_moment_beside_another_cause_is_part_of_it() -> None:
    causes = Causes()
    causes.begin("off", 0)
    causes.end("off", 900)
    assert causes.split(0, 950) == [(0, 950, "off")]


def test_causes_survive_a_restart() -> None:
    causes, again = Causes(), Causes()
    causes.begin("off", 0)
    causes.end("off", 5000)
    causes.begin("recorder", 8000)
    again.restore(causes.spans(0))
    assert again.split(0, 10_000) == causes.split(0, 10_000)
    assert again.holds("recorder")


NAMES: list[Cause] = ["withdrawn", "recorder", "worker", "off"]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.booleans(), st.integers(0, 500)), max_size=20))
def test_the_pieces_make_up_the_whole_and_the_sums_the_span(steps: list[tuple[Cause, bool, int]]) -> None:
    causes, now = Causes(), 0
    for cause, begins, later in steps:
        now += later
        (causes.begin if begins else causes.end)(cause, now)
    pieces = causes.split(10, 9000)
    assert pieces[0][0] == 10
    assert pieces[-1][1] == 9000
    assert all(left[1] == right[0] and left[2] != right[2] for left, right in pairwise(pieces))
    sums = count(0, 9500, [(0, 10), (9000, 9500)], pieces)
    assert sum(sums.values()) == 9500
    assert sums["present"] == 510


def test_a_gap_inside_a_segment_is_not_present() -> None:
    assert count(0, 4000, [(0, 4000)], [(1000, 2500, "network")]) == {
        "network": 1500,
        "off": 0,
        "present": 2500,
        "recorder": 0,
        "withdrawn": 0,
        "worker": 0,
    }
