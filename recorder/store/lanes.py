"""Who writes to the disk: a thread, for all visits of a round together.

What a visit has to write is a dozen calls that each let go of the interpreter and want it back. So visits are first all made
ready, and then written by one thread, one after the other, while the loop has nothing to do; it is woken once for all of
them. Handed over one by one they cost 2 µs a packet more (decisions/0019). A slow disk is another matter: there waiting for
several at once is what keeps a round short.

LANES-1  One thread writes, as long as the round will be over in `LONG_S` at the pace of what is done. Where it will not, or
         where nothing is done at all, another lane is opened each `LOOK_S`, up to `MOST`, and takes the next visit. They
         stay open; a round with something for each of them that is shorter than `SHORT_S` closes half.
LANES-2  What is durable is told at the latest `TELL_S` after it is, however many are still being written.
LANES-3  At most `READY` visits are made ready and not written: what was made of their packets is held until then.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, cast

LONG_S = 0.4
SHORT_S = 0.2
LOOK_S = 0.05
TELL_S = 0.05
MOST = 6
READY = 16
"""A quarter of a megabyte each."""

One = TypeVar("One")
Made = TypeVar("Made")


class Lanes:
    """One owner, and one loop."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self.open = 1
        """How many threads begin to write when there is something to write."""
        self._clock = clock
        self._writing = 0
        self._works: deque[tuple[Callable[[], object], asyncio.Future[object]]] = deque()
        self._done: deque[tuple[asyncio.Future[object], object, Exception | None]] = deque()
        """Written and not yet told; added to by the threads."""
        self._begun = 0.0
        self._count = 0
        """Done since it began."""
        self._looking: asyncio.TimerHandle | None = None

    async def each(self, ones: Sequence[One], work: Callable[[One], Awaitable[None]]) -> list[Exception | None]:
        """Do the work for each, `READY` of them side by side; what each one raised, in their order."""
        raised: list[Exception | None] = [None] * len(ones)
        waiting = iter(range(len(ones)))

        async def next_ones() -> None:
            for place in waiting:
                try:
                    await work(ones[place])
                except Exception as error:  # noqa: BLE001 - the caller's, who ends what raised it
                    raised[place] = error

        async with asyncio.TaskGroup() as group:
            for _ in range(min(READY, len(ones))):
                group.create_task(next_ones())
        return raised

    def write(self, work: Callable[[], Made]) -> asyncio.Future[Made]:
        """Do this in a thread, after what was asked for before and beside it; raises what it raises.

        It is done to its end, whether or not somebody still waits for it.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Made] = loop.create_future()
        self._works.append((work, cast("asyncio.Future[object]", done)))
        if not self._writing and len(self._works) == 1:
            loop.call_soon(self._begin)  # by then whoever is ready has asked
        return done

    # ---- on the loop

    def _begin(self) -> None:
        if self._writing:
            return
        self._begun, self._count = self._clock(), 0
        for _ in range(min(self.open, len(self._works))):
            self._lend()
        self._looking = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _lend(self) -> None:
        self._writing += 1
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, self._work, loop).add_done_callback(self._back)

    def _look(self) -> None:
        took, waiting = self._clock() - self._begun, len(self._works)
        done = self._count + len(self._done)
        late = not done or took / done * (done + waiting) > LONG_S
        if waiting and late and self._writing < MOST:  # LANES-1
            self.open = max(self.open, self._writing + 1)
            self._lend()
        self._looking = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _back(self, _lent: object) -> None:
        self._writing -= 1
        self._tell()
        if self._writing:
            return
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        if self._count > self.open and self._clock() - self._begun < SHORT_S:
            self.open = max(self.open // 2, 1)
        if self._works:  # asked for as the last one came back
            self._begin()

    def _tell(self) -> None:
        while self._done:
            done, made, error = self._done.popleft()
            self._count += 1
            if done.done():  # who waited for it was cancelled
                continue
            if error is None:
                done.set_result(made)
            else:
                done.set_exception(error)

    # ---- in a thread

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        told = self._clock()
        while True:
            try:
                work, done = self._works.popleft()
            except IndexError:
                return
            made: object = None
            error: Exception | None = None
            try:
                made = work()
            except Exception as raised:  # noqa: BLE001 - theirs who asked for it
                error = raised
            self._done.append((done, made, error))
            if self._clock() - told > TELL_S:  # LANES-2
                told = self._clock()
                loop.call_soon_threadsafe(self._tell)
