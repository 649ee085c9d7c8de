"""How many visits are written to the disk at once.

A commit is a dozen calls that each let go of the interpreter and want it back; threads that do so side by side spend more on
waiting for one another than on writing: with 15 visits 12–15 µs a packet in the system with six lanes, 7–8 with one, and a
third of the context switches (`python -m tests.bench recorder_process`). A slow disk is another matter: there waiting for
several at once is what keeps a round short.

LANES-1  One at a time, as long as the round will be over in `LONG_S` at the pace of what is done. Where it will not, another
         lane is opened, up to `MOST`. They stay open; a round shorter than `SHORT_S` closes half of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

LONG_S = 0.4
SHORT_S = 0.2
MOST = 6
"""What was made of a visit's packets is held until it is on the disk: more lanes hold more of it."""

One = TypeVar("One")


class Lanes:
    """Works through rounds, one round at a time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self.open = 1
        self._clock = clock

    async def each(self, ones: Sequence[One], work: Callable[[One], Awaitable[None]]) -> list[Exception | None]:
        """Do the work for each; what each one raised, in their order."""
        raised: list[Exception | None] = [None] * len(ones)
        waiting = iter(range(len(ones)))
        begun, done = self._clock(), 0

        async def lane() -> None:
            nonlocal done
            for place in waiting:
                try:
                    await work(ones[place])
                except Exception as error:  # noqa: BLE001 - the caller's, who ends what raised it
                    raised[place] = error
                done += 1
                late = (self._clock() - begun) / done * len(ones) > LONG_S
                if late and self.open < MOST and len(ones) - done > self.open:  # LANES-1
                    self.open += 1
                    group.create_task(lane())

        async with asyncio.TaskGroup() as group:
            for _ in range(self.open):
                group.create_task(lane())
        if self._clock() - begun < SHORT_S:
            self.open = max(self.open // 2, 1)
        return raised
