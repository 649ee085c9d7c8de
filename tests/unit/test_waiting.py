"""A doctor's queue."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.law.waiting import MOST_ROWS, Queue, Row


def row(visit: str, since: str, phase: str = "waiting") -> Row:
    return Row(visit, phase, since, True, "agreed", {})


def test_the_longest_wait_comes_first_and_live_visits_count_for_nobody() -> None:
    queue = Queue()
    for each in (row("c", "3"), row("a", "1", "live"), row("b", "2"), row("d", "3")):
        assert queue.put(each)
    assert [each.visit for each in queue.rows()] == ["a", "b", "c", "d"]
    assert queue.ahead() == {"b": 0, "c": 1, "d": 2}


def test_it_says_whether_anything_changed() -> None:
    queue = Queue()
    assert queue.put(row("a", "1"))
    assert not queue.put(row("a", "1"))
    assert queue.put(row("a", "1", "live"))
    assert queue.remove("a")
    assert not queue.remove("a")
    assert len(queue) == 0


def test_at_most_two_hundred_rows_are_shown_but_everyone_has_a_place() -> None:
    queue = Queue()
    for number in range(MOST_ROWS + 5):
        queue.put(row(f"v{number:04}", f"{number:04}"))
    assert len(queue.rows()) == MOST_ROWS
    assert queue.ahead()["v0204"] == 204


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("123"), st.sampled_from(["waiting", "live"]))))
def test_places_are_counted_without_holes(puts: list[tuple[str, str, str]]) -> None:
    queue = Queue()
    for visit, since, phase in puts:
        queue.put(row(visit, since, phase))
    ahead = queue.ahead()
    assert sorted(ahead.values()) == list(range(len(ahead)))
    assert set(ahead) == {each.visit for each in queue.rows() if each.phase == "waiting"}
