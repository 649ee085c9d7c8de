"""Who writes to the disk: one thread for all visits, more where the round would be late or nothing goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from recorder.store.lanes import LONG_S, MOST, READY, Lanes
from tests.patience import until

PATIENCE_S = 10


class Now:
    """A clock that stands."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def written(lanes: Lanes, work: Callable[[], None]) -> None:
    await lanes.write(work)


async def a_round(lanes: Lanes, works: list[Callable[[], None]]) -> list[Exception | None]:
    async with asyncio.timeout(PATIENCE_S):
        return await lanes.each(works, lanes.write)


async def test_on_a_quick_disk_all_are_written_in_their_order_by_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.store.lanes.LOOK_S", 60)
    written: list[tuple[int, int]] = []
    works = [lambda n=n: written.append((n, threading.get_ident())) for n in range(3 * READY)]
    assert await a_round(Lanes(Now()), works) == [None] * (3 * READY)  # type: ignore[arg-type]
    assert [number for number, _ in written] == list(range(3 * READY))
    assert len({thread for _, thread in written[:READY]}) == 1
    assert threading.get_ident() not in {thread for _, thread in written}


async def test_a_visit_that_the_disk_does_not_take_holds_up_no_other() -> None:
    others = threading.Semaphore(0)

    def slow() -> None:
        for _ in range(5):
            assert others.acquire(timeout=PATIENCE_S), "another lane takes the others"

    assert await a_round(Lanes(Now()), [slow, *[lambda: others.release()] * 5]) == [None] * 6


async def test_where_the_round_would_be_late_lanes_are_opened_and_never_more_than_the_most() -> None:
    clock, lock, inside, most = Now(), threading.Lock(), [0], [0]
    all_there = threading.Event()

    def work() -> None:
        clock.now += LONG_S / 4
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            if inside[0] == MOST:
                all_there.set()
        assert all_there.wait(PATIENCE_S), "as many as may be are at it at once"
        with lock:
            inside[0] -= 1

    lanes = Lanes(clock)
    assert await a_round(lanes, [lambda: None, *[work] * READY]) == [None] * (READY + 1)
    assert most[0] == MOST == lanes.open


async def test_what_was_opened_stays_open_and_is_closed_again_once_rounds_are_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("recorder.store.lanes.LOOK_S", 60)  # real time: a thread that waits for a core is no slow disk
    lanes = Lanes(Now())
    lanes.open = MOST
    at_once = threading.Barrier(MOST)
    assert await a_round(lanes, [lambda: (at_once.wait(PATIENCE_S), None)[1]] * MOST) == [None] * MOST
    for _ in range(3):
        await until(lambda: not lanes._writing)  # a thread that is not back yet would take what the next round brings
        await a_round(lanes, [lambda: None] * READY)
    await until(lambda: not lanes._writing)
    assert lanes.open == 1


async def test_what_is_durable_is_told_while_others_are_still_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.store.lanes.TELL_S", -1)
    monkeypatch.setattr("recorder.store.lanes.LOOK_S", 60)
    told = threading.Event()
    lanes = Lanes(Now())

    async def first() -> None:
        await lanes.write(lambda: None)
        told.set()

    def second() -> None:
        assert told.wait(PATIENCE_S)

    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        group.create_task(first())
        group.create_task(written(lanes, second))


async def test_what_one_raises_is_told_in_its_place_and_keeps_no_other_from_its_turn() -> None:
    fault = OSError("no")

    def fails() -> None:
        raise fault

    assert await a_round(Lanes(Now()), [lambda: None, fails, lambda: None]) == [None, fault, None]


async def test_no_more_are_made_ready_than_may_be_held() -> None:
    ready, most = [0], [0]

    async def work(_: int) -> None:
        ready[0] += 1
        most[0] = max(most[0], ready[0])
        await asyncio.sleep(0)
        ready[0] -= 1

    await Lanes(Now()).each(range(4 * READY), work)
    assert most[0] == READY


async def test_a_round_of_nothing_is_over_at_once() -> None:
    assert await a_round(Lanes(Now()), []) == []


async def test_what_somebody_asked_for_is_done_although_he_is_gone() -> None:
    lanes, go, done = Lanes(Now()), threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    await lanes.write(lambda: None)  # and again after it
    first = asyncio.create_task(written(lanes, lambda: (go.wait(PATIENCE_S), None)[1]))
    second = asyncio.create_task(written(lanes, lambda: (loop.call_soon_threadsafe(done.set), None)[1]))
    await asyncio.sleep(0)
    second.cancel()
    go.set()
    async with asyncio.timeout(PATIENCE_S):
        await done.wait()
        await first
    with pytest.raises(asyncio.CancelledError):
        await second
