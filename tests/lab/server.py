"""What our media worker says of itself while a call goes on: counters before and after, and the quality of each seat."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from config.link import Link
from media import control


class Door:
    """A control link beside signaling's."""

    def __init__(self, link: Link[control.FromWorker, control.ToWorker], news: list[control.FromWorker]) -> None:
        self._link, self._news = link, news

    async def stats(self) -> dict[str, Any]:
        """Counters since the worker began."""
        said: dict[str, Any] = msgspec.to_builtins(await self._link.ask(control.AskStats()))
        return said

    def news(self) -> list[dict[str, Any]]:
        """What was told unasked since the last time, transports and tracks aside."""
        told = [msgspec.to_builtins(one) for one in self._news if not isinstance(one, control.TracksChanged)]
        self._news.clear()
        return told


@contextlib.asynccontextmanager
async def worker_door(run_parent: Path) -> AsyncIterator[Door]:
    """Dial the worker of the system whose TMPDIR this is."""
    (path,) = run_parent.glob("teleconsult-*/media-0.sock")
    news: list[control.FromWorker] = []

    async def hear(one: control.FromWorker) -> None:
        news.append(one)

    reader, writer = await asyncio.open_unix_connection(str(path))
    link: Link[control.FromWorker, control.ToWorker] = Link(reader, writer, control.FromWorker, hear)
    task = asyncio.create_task(link.run())
    try:
        await link.ask(control.Greet())
        yield Door(link, news)
    finally:
        link.close()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
