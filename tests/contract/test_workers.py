"""The doors to other processes, over real Unix sockets."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from config.link import LinkClosed, Refused
from media import control as media
from signaling.live.workers import MediaWorkers, Worker
from tests.signaling_parts import FakeMedia, until


class Ear:
    """Remembers what the workers say."""

    def __init__(self) -> None:
        self.came: list[str | None] = []
        self.lost = 0
        self.news: list[Any] = []

    def worker_came(self, worker: Worker) -> None:
        self.came.append(worker.epoch)

    def worker_lost(self, worker: Worker) -> None:
        self.lost += 1

    def worker_told(self, worker: Worker, news: media.FromWorker) -> None:
        self.news.append(news)


@contextlib.asynccontextmanager
async def connected(number: int = 1) -> AsyncIterator[tuple[MediaWorkers, list[FakeMedia], Ear]]:
    with tempfile.TemporaryDirectory(prefix="tc-") as run:
        fakes = [FakeMedia(Path(run) / f"media-{each}.sock") for each in range(number)]
        for fake in fakes:
            await fake.start()
        workers, ear = MediaWorkers([fake.socket for fake in fakes]), Ear()
        workers.start(ear)
        try:
            await until(lambda: all(worker.up for worker in workers.workers))
            yield workers, fakes, ear
        finally:
            await workers.stop()
            for fake in fakes:
                await fake.cut()


async def test_a_restarted_worker_is_back_under_its_new_epoch() -> None:
    async with connected() as (workers, (fake,), ear):
        await fake.die()
        await until(lambda: ear.lost == 1)
        with pytest.raises(LinkClosed):
            await workers.workers[0].ask(media.AskStats())
        assert workers.pick() is None
        await fake.start()
        await until(lambda: ear.came == ["m-1", "m-1x"])
        assert workers.pick() is workers.workers[0]


async def test_news_are_passed_on() -> None:
    async with connected() as (_, (fake,), ear):
        fake.tell(media.TracksChanged("V1", []))
        await until(lambda: ear.news == [media.TracksChanged("V1", [])])


async def test_rooms_go_to_the_worker_with_the_fewest() -> None:
    async with connected(2) as (workers, _, _ear):
        first, second = workers.workers
        first.rooms.add("V1")
        assert workers.pick() is second
        second.rooms.update(("V2", "V3"))
        assert workers.pick() is first


async def test_a_room_is_found_on_the_worker_that_holds_it() -> None:
    async with connected(2) as (workers, fakes, _ear):
        fakes[1].rooms["V1"] = {"patient": media.SeatState("p1", "connected")}
        fakes[1].tracks["V1"] = []
        found = await workers.find("V1")
        assert found is not None
        assert found[0] is workers.workers[1]
        assert found[1].seats["patient"].pc == "p1"
        assert await workers.find("V2") is None


async def test_a_room_that_could_not_be_closed_is_closed_when_the_worker_is_back() -> None:
    async with connected() as (workers, (fake,), ear):
        fake.rooms["V1"] = {}
        await fake.cut()
        await until(lambda: ear.lost == 1)
        await workers.workers[0].close_room("V1")
        assert "V1" in fake.rooms
        await fake.start()
        await until(lambda: "V1" not in fake.rooms)


async def test_a_worker_that_refuses_the_greeting_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected() as (workers, (fake,), _ear):
        answer = FakeMedia.answer

        async def refuse(self: FakeMedia, message: Any) -> Any:
            return Refused("protocol_unsupported") if isinstance(message, media.Greet) else await answer(self, message)

        monkeypatch.setattr(FakeMedia, "answer", refuse)
        await fake.cut()
        await fake.start()
        await until(lambda: sum(isinstance(each, media.Greet) for each in fake.said) >= 3)
        assert not workers.workers[0].up
        monkeypatch.undo()
        await until(lambda: workers.workers[0].up)
