"""Rehearsals: bounded in number, in time and by source; what media refuses is said."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from config.link import LinkClosed, Refusal
from media import control as media
from signaling.live import rehearsals
from signaling.live.rehearsals import NoWorker, OfferInvalid, Rehearsals, RehearsalUnknown, TooManyRehearsals
from tests.patience import PATIENCE_S
from turn.credentials import NoRelay


class Asked:
    """A worker's door that writes down what it is asked."""

    def __init__(self) -> None:
        self.rooms: set[str] = set()
        self.up = True
        self.open: list[str] = []
        self.offers: list[media.Negotiate] = []
        self.refuses: Exception | None = None

    async def ask(self, body: Any, within_s: float = 5.0) -> Any:
        if self.refuses is not None:
            raise self.refuses
        if isinstance(body, media.OpenRoom):
            self.open.append(body.room)
            return media.Done()
        self.offers.append(body)
        return media.Answered("answer", [])

    async def close_room(self, room: str) -> None:
        self.open.remove(room)


class One:
    """`MediaWorkers` of one, or of none."""

    def __init__(self, worker: Asked | None) -> None:
        self.worker = worker

    def pick(self) -> Asked | None:
        return self.worker


def made(worker: Asked | None, now: list[float] | None = None) -> Rehearsals:
    return Rehearsals(One(worker), NoRelay(), lambda: (now or [0.0])[0])  # type: ignore[arg-type]


async def test_offers_are_answered_by_the_worker_each_seat_a_transport() -> None:
    worker = Asked()
    here = made(worker)
    begun = await here.begin("a")
    assert await here.offer(begun.rehearsal, "up", "offer", {"0": "camera"}, {}) == "answer"
    assert worker.offers[0] == media.Negotiate(worker.open[0], "up", "up-1", "offer", {"0": "camera"}, {})
    await here.close()
    assert worker.open == []
    with pytest.raises(RehearsalUnknown):
        await here.offer(begun.rehearsal, "up", "offer", {}, {})


async def test_a_rehearsal_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsals, "LASTS_S", 0.01)
    worker = Asked()
    here = made(worker)
    await here.begin("a")
    async with asyncio.timeout(PATIENCE_S):
        while worker.open:
            await asyncio.sleep(0.005)


async def test_one_source_begins_only_so_many_and_others_still_may() -> None:
    now = [0.0]
    here = made(Asked(), now)
    for _ in range(rehearsals.A_SOURCE_AT_ONCE):
        await here.begin("a")
    with pytest.raises(TooManyRehearsals):
        await here.begin("a")
    await here.begin("b")
    now[0] = 10.0
    await here.begin("a")
    await here.close()


async def test_all_sources_together_begin_only_so_many_and_offers_are_counted() -> None:
    here = made(Asked())
    begun = [await here.begin(str(n)) for n in range(rehearsals.MOST)]
    with pytest.raises(TooManyRehearsals):
        await here.begin("another")
    for _ in range(rehearsals.OFFERS):
        await here.offer(begun[0].rehearsal, "up", "offer", {}, {})
    with pytest.raises(TooManyRehearsals):
        await here.offer(begun[0].rehearsal, "up", "offer", {}, {})
    await here.close()


async def test_what_media_refuses_is_said_and_a_worker_that_is_away_too() -> None:
    with pytest.raises(NoWorker):
        await made(None).begin("a")
    worker = Asked()
    here = made(worker)
    begun = await here.begin("a")
    worker.refuses = Refusal("sdp_invalid")
    with pytest.raises(OfferInvalid) as told:
        await here.offer(begun.rehearsal, "up", "offer", {}, {})
    assert told.value.code == "sdp_invalid"
    worker.refuses = LinkClosed("away")
    with pytest.raises(NoWorker):
        await here.offer(begun.rehearsal, "up", "offer", {}, {})
    await here.close()
