"""The marks of a disk that fills and empties."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recorder.spool.disk import MARKS, PLENTY, RELIEF_PERMILLE, DiskMarks, Usage

NAMES = [name for name, _ in MARKS]


def at(permille: int) -> Usage:
    return Usage(permille * 1000, (1000 - permille) * 1000)


def test_each_mark_is_said_once_and_taken_back_once() -> None:
    disk, said = DiskMarks(), []
    for permille in [100, 700, 710, 850, 960, 990, 940, 920, 840, 700, 670, 100]:
        said += disk.measured(at(permille))
    assert said == [(name, False) for name in NAMES] + [(name, True) for name in reversed(NAMES)]


def test_a_disk_on_the_mark_does_not_flutter() -> None:
    disk = DiskMarks()
    assert [disk.measured(at(n)) for n in (950, 945, 951, 931)][1:] == [[], [], []]
    assert disk.full
    assert disk.measured(at(929)) == [("disk_full", True)]
    assert not disk.full


def test_a_large_disk_with_plenty_left_is_at_most_filling() -> None:
    disk = DiskMarks()
    assert disk.measured(Usage(99 * PLENTY, PLENTY)) == [("disk_filling", False)]
    assert [name for name, _ in disk.measured(Usage(99 * PLENTY, PLENTY - 1))] == ["disk_low", "disk_full"]


def test_a_disk_without_any_space_at_all_is_full() -> None:
    disk = DiskMarks()
    disk.measured(Usage(0, 0))
    assert disk.full


@given(st.lists(st.integers(0, 1000), max_size=60))
def test_what_is_said_always_tells_which_marks_are_passed(levels: list[int]) -> None:
    disk, passed = DiskMarks(), set()
    for level in levels:
        for name, over in disk.measured(at(level)):
            assert (name in passed) == over
            passed ^= {name}
        for name, mark in MARKS:
            assert (name in passed) or level < mark
            assert (name not in passed) or level >= mark - RELIEF_PERMILLE
