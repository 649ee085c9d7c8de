"""An event loop in which time passes only while everybody waits, and no thread runs: what a story takes, it takes at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any


class _Still(selectors.SelectSelector):
    """Waits for nothing, and says how long it would have."""

    def __init__(self, passed: Callable[[float], None]) -> None:
        super().__init__()
        self._passed = passed

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "everybody waits, and nothing will happen"
        self._passed(max(0.0, timeout))
        return []


class StoryLoop(asyncio.SelectorEventLoop):
    """`now_us`: its clock, in whole microseconds."""

    def __init__(self) -> None:
        self.now_us = 1_000_000_000
        super().__init__(_Still(self._pass))

    def time(self) -> float:
        return self.now_us / 1_000_000

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - as a thread would tell it
            future.set_exception(error)
        return future

    def _pass(self, seconds: float) -> None:
        self.now_us += round(seconds * 1_000_000)
