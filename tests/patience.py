"""How tests wait for what another task or process does: for the thing itself, and at most as long as a hang may last.

No test judges by `PATIENCE_S`: on a machine that works everything comes long before it, and on a busy one it may come late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from config.link import Link

PATIENCE_S = 60.0
"""Half of what pytest gives a whole test, so that a hang is reported where it is."""

In = TypeVar("In")
Out = TypeVar("Out")


async def until(what: Callable[[], Any], within_s: float = PATIENCE_S, look_every_s: float = 0.005) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(within_s):
        while not what():
            await asyncio.sleep(look_every_s)


class PatientLink(Link[In, Out]):
    """A control link that waits for an answer as long as a test does."""

    async def ask(self, body: Out, within_s: float = PATIENCE_S) -> In:
        return await super().ask(body, within_s)
