"""How many are worked on at once: as few as will do, more where the round would be late."""

from __future__ import annotations

import asyncio

import pytest

from recorder.lanes import LONG_S, MOST, SHORT_S, Lanes


class Disk:
    """Every write takes so long, by a clock that goes on when all who are there wait."""

    def __init__(self, write_s: float) -> None:
        self.now = 0.0
        self.write_s = write_s
        self.at_once = self.most_at_once = 0
        self.written: list[int] = []

    async def write(self, number: int) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        for _ in range(10):
            await asyncio.sleep(0)
            self.now += self.write_s / 10 / self.at_once
        self.at_once -= 1
        self.written.append(number)


def a_round(lanes: Lanes, disk: Disk, count: int) -> None:
    asyncio.run(asyncio.wait_for(_each(lanes, disk, count), 10))


async def _each(lanes: Lanes, disk: Disk, count: int) -> None:
    assert await lanes.each(range(count), disk.write) == [None] * count


def test_on_a_quick_disk_one_is_written_after_the_other() -> None:
    disk = Disk(write_s=LONG_S / 40)
    lanes = Lanes(lambda: disk.now)
    a_round(lanes, disk, 15)
    assert disk.most_at_once == 1
    assert disk.written == list(range(15))


def test_on_a_slow_disk_lanes_are_opened_within_the_round_and_never_more_than_the_most() -> None:
    disk = Disk(write_s=0.1)
    lanes = Lanes(lambda: disk.now)
    a_round(lanes, disk, 100)
    assert disk.most_at_once == MOST == lanes.open
    assert sorted(disk.written) == list(range(100))
    assert disk.now < 100 * 0.1 / MOST * 1.3


def test_what_was_opened_stays_open_and_is_closed_again_once_rounds_are_short() -> None:
    disk = Disk(write_s=0.1)
    lanes = Lanes(lambda: disk.now)
    a_round(lanes, disk, 100)
    disk.write_s, disk.most_at_once = SHORT_S / 40, 0
    a_round(lanes, disk, 20)
    assert disk.most_at_once == MOST
    for _ in range(4):
        a_round(lanes, disk, 20)
    assert lanes.open == 1


def test_what_one_raises_is_told_in_its_place_and_keeps_no_other_from_its_turn() -> None:
    fault = OSError("no")

    async def work(number: int) -> None:
        if number == 1:
            raise fault

    assert asyncio.run(Lanes(lambda: 0.0).each(range(3), work)) == [None, fault, None]


def test_a_round_of_nothing_is_over_at_once() -> None:
    assert asyncio.run(Lanes(lambda: 0.0).each([], Disk(1.0).write)) == []


async def test_who_is_cancelled_waits_for_nobody() -> None:
    started = asyncio.Event()

    async def work(_: int) -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(Lanes(lambda: 0.0).each([1, 2], work))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
