"""Visits nobody came to: each is woken once it is overdue, and a database that is away is asked again."""

from __future__ import annotations

import asyncio

import pytest

from signaling.live import expiry
from signaling.ports import StoreAway
from tests.patience import PATIENCE_S


class Overdue:
    """Says what it was told to, call by call; then waits for ever."""

    def __init__(self, *said: list[str] | StoreAway) -> None:
        self.said = list(said)
        self.asked: list[str] = []
        self.done = asyncio.Event()

    async def overdue(self, at: str, limit: int) -> list[str]:
        self.asked.append(at)
        if not self.said:
            self.done.set()
            return []
        now = self.said.pop(0)
        if isinstance(now, StoreAway):
            raise now
        return now[:limit]


async def test_overdue_visits_are_woken_and_a_lost_database_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "EVERY_S", 0.0)
    store = Overdue(["v1", "v2"], StoreAway(), ["v3"])
    woken: list[str] = []

    async def wake(visit: str) -> None:
        woken.append(visit)

    task = asyncio.create_task(expiry.expire(store, wake, lambda: 1_790_000_000.0))
    async with asyncio.timeout(PATIENCE_S):
        await store.done.wait()
    task.cancel()
    await asyncio.wait([task])
    assert woken == ["v1", "v2", "v3"]
    assert store.asked[0] == "2026-09-21T14:13:20.000Z"
