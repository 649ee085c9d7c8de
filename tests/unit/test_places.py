"""Sixteen places for uploads: slow callers keep them only as long as nobody else needs one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack

import pytest

from signaling.api.bodies import UPLOAD_WITHIN_S
from signaling.api.places import AT_ONCE, OF_ONE, SLOW_AFTER_S, Place, Places
from signaling.api.problems import NotReady

MOST_BYTES = 6_000
FAST = round(MOST_BYTES / UPLOAD_WITHIN_S)  # a second: what the slowest that comes to its end has


class Door:
    """Places that nobody leaves before the end, on a clock of the test's own."""

    def __init__(self, stack: ExitStack) -> None:
        self.now = 100.0
        self._places = Places(MOST_BYTES, lambda: self.now)
        self._stack = stack

    def enter(self, visit: str) -> Place:
        return self._stack.enter_context(self._places.one(visit))

    def fill(self, *visits: str) -> list[Place]:
        return [self.enter(visits[i % len(visits)]) for i in range(AT_ONCE)]


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    with ExitStack() as stack:
        yield Door(stack)


def lost(places: list[Place]) -> list[Place]:
    return [each for each in places if each.lost.done()]


async def test_one_visit_has_four_and_all_have_sixteen(door: Door) -> None:
    for _ in range(OF_ONE):
        door.enter("v0")
    with pytest.raises(NotReady):
        door.enter("v0")
    for visit in ("v1", "v2", "v3") * OF_ONE:
        door.enter(visit)
    with pytest.raises(NotReady):
        door.enter("v1")


async def test_four_visits_that_take_all_give_one_up_to_a_fifth_and_get_it_back_from_nobody(door: Door) -> None:
    held = door.fill("a", "b", "c", "d")
    for each in held:
        each.arrived(0 if each is held[6] else 1)
    mine = door.enter("v1")
    assert lost(held) == [held[6]]  # the slowest of those that have most
    with pytest.raises(NotReady):
        door.enter("c")  # it would have four again, and another three
    assert not mine.lost.done()


async def test_visits_that_have_one_each_lose_it_only_while_too_slow_to_come_to_their_end(door: Door) -> None:
    held = door.fill(*(f"v{n}" for n in range(AT_ONCE)))
    with pytest.raises(NotReady):
        door.enter("w")
    door.now += SLOW_AFTER_S
    for each in held:
        each.arrived(int(FAST * SLOW_AFTER_S))
    with pytest.raises(NotReady):
        door.enter("w")
    door.now += 2
    for each in held[1:]:
        each.arrived(FAST * 2)
    door.enter("w")
    assert lost(held) == [held[0]]


async def test_what_came_whole_is_not_given_up(door: Door) -> None:
    held = door.fill("a", "b", "c", "d")
    for each in held:
        each.whole = True
    with pytest.raises(NotReady):
        door.enter("v1")
    assert lost(held) == []
