"""What several visits commit at the same time, made durable together: one block of `recorder.spool.ahead` for all that wait.

TOGETHER-1  One block is written at a time. What is given meanwhile waits, and is the next one.
TOGETHER-2  What follows a commit is done in the same thread, before anybody is told of it.
TOGETHER-3  Whatever is raised is told to those whom it concerns, and to nobody else: the next block is written all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from recorder.spool.ahead import Commit, WriteAhead


class _Given(NamedTuple):
    commit: Commit
    then: Callable[[], None]
    done: asyncio.Future[None]


class Together:
    """One owner, and one loop."""

    def __init__(self, ahead: WriteAhead, in_thread: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
        """`in_thread` does what blocks (`recorder.store.lanes`)."""
        self._ahead = ahead
        self.in_thread = in_thread
        self._waiting: list[_Given] = []
        self._writing: asyncio.Task[None] | None = None

    async def commit(self, commit: Commit, then: Callable[[], None]) -> None:
        """Make it durable, and do `then` in that thread. Raises what either raises: `OSError` of a disk that will not."""
        loop = asyncio.get_running_loop()
        given = _Given(commit, then, loop.create_future())
        self._waiting.append(given)
        if self._writing is None:
            self._writing = loop.create_task(self._write())  # by the time it runs, whoever is ready has given
        await given.done

    async def _write(self) -> None:
        while self._waiting:
            block, self._waiting = self._waiting, []
            failed: list[Exception | None] = [None] * len(block)
            await self.in_thread(lambda block=block, failed=failed: self._write_now(block, failed))  # type: ignore[misc]
            for given, error in zip(block, failed, strict=True):
                if given.done.done():
                    continue
                if error is None:
                    given.done.set_result(None)
                else:
                    given.done.set_exception(error)
        self._writing = None

    def _write_now(self, block: list[_Given], failed: list[Exception | None]) -> None:
        try:
            self._ahead.write([given.commit for given in block])
        except Exception as error:  # noqa: BLE001 - TOGETHER-3
            failed[:] = [error] * len(block)
            return
        for place, given in enumerate(block):
            try:
                given.then()
            except Exception as error:  # noqa: BLE001 - TOGETHER-3
                failed[place] = error
