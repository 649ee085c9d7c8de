"""A visit's errands: what goes first, what goes last, and what is given up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from config.link import LinkClosed, LinkTimeout, Refusal
from recorder import control as recorder
from signaling import lanes
from signaling.inputs import Input
from signaling.lanes import MediaLane, RecorderLane
from signaling.outputs import CloseLog, CloseRoom, Note, OpenLog, OpenRoom, SetTap, StartRecording
from signaling.reported import LogClosed, MediaClosed, Noted, RecorderRefused, RecordingStarted, RoomOpened, TapSet
from tests.signaling_parts import until


class Recorder:
    """A recorder's door, by hand: what it says next is taken from `says`."""

    def __init__(self) -> None:
        self.up = True
        self.heard: list[Any] = []
        self.says: list[Exception] = []

    async def ask(self, body: Any, within_s: float = 5.0) -> Any:
        await asyncio.sleep(0)
        if self.says:
            raise self.says.pop(0)
        self.heard.append(body)

    def names(self) -> list[str]:
        return [getattr(each, "key", type(each).__name__) for each in self.heard]


class Worker:
    """A media worker, by hand."""

    def __init__(self, epoch: str = "m-1") -> None:
        self.up = True
        self.fed = True
        self.epoch = epoch
        self.rooms: set[str] = set()
        self.heard: list[str] = []

    async def ask(self, body: Any, within_s: float = 5.0) -> Any:
        if not self.up:
            raise LinkClosed("away")
        self.heard.append(type(body).__name__)

    async def close_room(self, room: str) -> None:
        self.heard.append("CloseRoom")


class Workers:
    def __init__(self, *workers: Worker) -> None:
        self.workers = workers

    def pick(self) -> Worker | None:
        return next((worker for worker in self.workers if worker.up), None)


def note(key: str, kind: Any = "event") -> Note:
    return Note(key, kind, {"event": key})


@contextlib.asynccontextmanager
async def running(lane: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(lane.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def door() -> Recorder:
    return Recorder()


@pytest.fixture
def told() -> list[Input]:
    return []


@pytest.fixture
def lane(door: Recorder, told: list[Input]) -> RecorderLane:
    return RecorderLane("V1", {"doctor": "d", "patient": "p"}, door, told.append)  # type: ignore[arg-type]


async def test_errands_are_carried_out_in_order_and_their_answers_told(
    lane: RecorderLane, door: Recorder, told: list[Input]
) -> None:
    async with running(lane):
        lane.put([OpenLog(), note("a", "consent")])
        lane.put([StartRecording(), CloseLog("left")])
        await until(lambda: len(told) == 3)
    assert told == [Noted("a"), RecordingStarted(), LogClosed()]
    assert door.names() == ["Open", "a", "Start", "Close"]
    assert door.heard[0] == recorder.Open("V1", {"doctor": "d", "patient": "p"})


async def test_what_was_not_answered_is_asked_again_after_the_log_is_open_again(
    lane: RecorderLane, door: Recorder, told: list[Input]
) -> None:
    async with running(lane):
        door.up = False
        lane.put([note("a"), note("b")])
        await asyncio.sleep(0)
        door.up = True
        lane.put([OpenLog(), note("c", "consent"), note("b")])
        await until(lambda: len(told) == 3)
    assert door.names() == ["Open", "c", "b", "a"]


async def test_a_slow_recorder_is_asked_again_with_the_same_key(
    lane: RecorderLane, door: Recorder, told: list[Input]
) -> None:
    door.says = [LinkTimeout("slow"), LinkClosed("gone"), LinkTimeout("slow")]
    async with running(lane):
        lane.put([note("a")])
        await until(lambda: told)
    assert door.names() == ["a"]


async def test_nothing_comes_after_the_close(lane: RecorderLane, door: Recorder, told: list[Input]) -> None:
    lane.put([CloseLog("left")])
    lane.put([note("late")])
    lane.put([OpenLog(), CloseLog("left")])
    async with running(lane):
        await until(lambda: LogClosed() in told)
    assert door.names() == ["Open", "late", "Close"]


async def test_a_record_the_recorder_cannot_take_is_given_up_alone(
    lane: RecorderLane, door: Recorder, told: list[Input]
) -> None:
    door.says = [Refusal("record_invalid")]
    async with running(lane):
        lane.put([note("bad"), note("good")])
        await until(lambda: told)
    assert told == [Noted("good")]


async def test_an_unknown_visit_holds_the_lane_until_the_log_is_open_again(
    lane: RecorderLane, door: Recorder, told: list[Input]
) -> None:
    door.says = [Refusal("visit_unknown")]
    async with running(lane):
        lane.put([note("a")])
        await until(lambda: told)
        assert told == [RecorderRefused("visit_unknown")]
        assert door.heard == []
        lane.put([OpenLog()])
        await until(lambda: len(told) == 2)
    assert door.names() == ["Open", "a"]


def test_past_the_bound_the_oldest_event_is_given_up_and_nothing_else(
    lane: RecorderLane, door: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "WAITING_MOST", 4)
    lane.put([OpenLog(), note("consent", "consent"), note("a"), note("b"), note("join", "join"), note("c")])
    kept = [getattr(each, "key", type(each).__name__) for each in lane._waiting]
    assert kept == ["OpenLog", "consent", "join", "c"]
    lane.put([note(f"join-{number}", "join") for number in range(3)])
    assert len(lane._waiting) == 6  # what must never be given up


async def test_the_room_is_opened_tapped_and_closed_in_order(told: list[Input]) -> None:
    worker = Worker()
    room = MediaLane("V1", Workers(worker), told.append, resumed=False)  # type: ignore[arg-type]
    async with running(room):
        room.put(OpenRoom())
        room.put(SetTap("doctor", on=True))
        await until(lambda: TapSet("doctor", on=True) in told)
        room.put(CloseRoom())
        await until(lambda: MediaClosed() in told)
    assert worker.heard == ["OpenRoom", "Record", "Record", "Record", "CloseRoom"]
    assert worker.rooms == set()


async def test_a_room_waits_for_a_worker_and_takes_the_first_that_comes(told: list[Input]) -> None:
    worker = Worker()
    worker.up = False
    room = MediaLane("V1", Workers(worker), told.append, resumed=False)  # type: ignore[arg-type]
    async with running(room):
        room.put(OpenRoom())
        await until(lambda: not room._waiting)
        assert told == []
        worker.up = True
        room.came(worker)  # type: ignore[arg-type]
        await until(lambda: RoomOpened("m-1") in told)


async def test_another_worker_that_comes_does_not_take_the_room_at_once(
    told: list[Input], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "MOVE_AFTER_S", 0.03)
    mine, other = Worker("m-1"), Worker("m-2")
    other.up = False
    room = MediaLane("V1", Workers(mine, other), told.append, resumed=False)  # type: ignore[arg-type]
    async with running(room):
        room.put(OpenRoom())
        await until(lambda: RoomOpened("m-1") in told)
        mine.up = False
        room.lost(mine)  # type: ignore[arg-type]
        other.up = True
        room.came(other)  # type: ignore[arg-type]
        await asyncio.sleep(0)
        assert room.worker is mine
        await until(lambda: RoomOpened("m-2") in told)
    assert mine.heard[-1] == "CloseRoom"  # or as soon as it is back: DOOR-2
