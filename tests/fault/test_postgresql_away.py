"""A PostgreSQL that stops, is killed and comes back under those who write: refused by one name, and what was taken stays."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from signaling.ports import StoreAway
from tests.debian.packages import unpacked
from tests.http_api import open_store, some_visit
from tests.patience import until
from tests.postgresql.server import PACKAGES, Postgresql

SIGNALS = (signal.SIGINT, signal.SIGKILL, signal.SIGQUIT)


@pytest.fixture
def server(postgresql: Postgresql, tmp_path: Path) -> Iterator[Postgresql]:
    """One of its own, that may be ended; where `postgresql` is skipped, so is this."""
    made = Postgresql(unpacked("postgresql", PACKAGES), tmp_path)
    made.start()
    yield made
    made.stop()


async def test_who_writes_while_it_goes_and_comes_is_refused_by_name_and_nothing_taken_is_lost(
    server: Postgresql, tmp_path: Path
) -> None:
    async with open_store(tmp_path, server.database()) as store:
        taken: list[str] = []
        refused = 0
        over = asyncio.Event()

        async def write(who: int) -> None:
            nonlocal refused
            number = 0
            while not over.is_set():
                number += 1
                visit = f"v{who}-{number}"
                try:
                    await store.create(some_visit(visit), visit, "body")
                    taken.append(visit)
                except StoreAway:
                    refused += 1
                await asyncio.sleep(0.005)

        writing = [asyncio.create_task(write(who)) for who in range(5)]

        async def took_more() -> None:
            before = len(taken)
            await until(lambda: len(taken) > before + 20)

        async def refused_more() -> None:
            before = refused
            await until(lambda: refused > before + 20)

        for with_signal in SIGNALS:
            await took_more()
            await asyncio.to_thread(server.stop, with_signal)
            await refused_more()
            await asyncio.to_thread(server.start)
        await took_more()
        over.set()
        await asyncio.gather(*writing)
        for visit in taken:
            assert (await store.load(visit)).id == visit
