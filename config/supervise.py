"""The supervisor: starts parts together, restarts what dies, stops them in order, leaves none behind.

SUP-1  All parts start at once; `ready` is called when every one of them has answered for the first time. Whom we still
       wait for is said every 10 s, and after two minutes we give up (`NotReady`): a machine that has no core to give, as
       while it boots, starts everything late.
SUP-2  A part that ends before it was ever ready is not restarted: it has said why on standard error, and all ends
       (`PartFailed`). Later deaths are restarted (`config.restarts`).
SUP-3  Stopping goes stage by stage: SIGTERM, and what has not ended within the stage's time is killed with its children.
SUP-4  Each child holds the reading end of a pipe as its standard input; when this process is gone, it reads EOF.
SUP-5  Children are in sessions of their own: a Ctrl-C in the terminal reaches this process alone, which then does SUP-3.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field

from config.restarts import Restarts

log = logging.getLogger(__name__)

POLL_S = 0.02
TELL_S = 10.0
START_S = 120.0


class SupervisionError(Exception):
    """`PartFailed` or `NotReady`."""

    code = "supervision_failed"


class PartFailed(SupervisionError):
    """A part ended while starting. Its own last lines say why."""

    code = "part_failed"


class NotReady(SupervisionError):
    """A part neither ended nor answered in time."""

    code = "part_not_ready"


@dataclass(frozen=True, slots=True)
class Part:
    """One process to keep alive."""

    name: str
    command: Sequence[str]
    ready: Callable[[], bool]
    """Whether it answers by now; called often, so it must be quick and leave no trace."""
    environment: Mapping[str, str] = field(default_factory=dict)
    stage: int = 0
    """Lower stages are stopped first."""
    quiet: bool = False
    """Its standard output and error are of no use to anyone."""


@dataclass(frozen=True, slots=True)
class Stage:
    """How long the parts of a stage may take to end, in seconds."""

    stage: int
    within_s: float


async def supervise(
    parts: Sequence[Part],
    ready: Callable[[], Awaitable[None]],
    stop: asyncio.Event,
    stages: Sequence[Stage],
    within_s: float = START_S,
    tell_s: float = TELL_S,
) -> None:
    """Keep the parts alive until `stop` is set. Raises `PartFailed`, or `NotReady` after `within_s` seconds.

    Every `tell_s` seconds of waiting are told.
    """
    keepers = [_Keeper(part) for part in parts]
    failed: list[
        SupervisionError
    ] = []  # raised outside: Python 3.11.2 wraps what `except*` raises in a group of its own
    try:
        async with asyncio.TaskGroup() as tasks:
            keeping = [tasks.create_task(keeper.keep()) for keeper in keepers]
            await _until_first(stop, _start(keepers, ready, within_s, tell_s))
            await stop.wait()
            await _stop(keepers, stages)
            for task in keeping:
                task.cancel()
    except* SupervisionError as group:
        failed.append(_first(group))
    finally:
        for keeper in keepers:
            keeper.kill()
        for keeper in keepers:
            await keeper.reap()
    if failed:
        raise failed[0]


class _Keeper:
    """Keeps one part's process alive."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.was_ready = False
        self.stopping = False
        self._process: asyncio.subprocess.Process | None = None
        self._ended = asyncio.Event()

    async def keep(self) -> None:
        restarts = Restarts()
        while not self.stopping:
            started = time.monotonic()
            code = await self._live_once()
            if self.stopping:
                return
            if not self.was_ready:  # SUP-2
                raise PartFailed(f"{self.part.name} ended while starting ({_ending(code)}); the lines above say why")
            delay = restarts.died(time.monotonic() - started)
            log.warning("part ended", extra={"name_of_part": self.part.name, "how": _ending(code), "again_in_s": delay})
            await asyncio.sleep(delay)

    async def stop(self, within_s: float) -> None:
        """SIGTERM, then SIGKILL. Idempotent."""
        self.stopping = True
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(within_s):
                await self._ended.wait()
        except TimeoutError:
            log.warning("part killed", extra={"name_of_part": self.part.name, "after_s": within_s})
            self.kill()
            await self._ended.wait()

    def kill(self) -> None:
        """SIGKILL to the process and its children, now."""
        self.stopping = True
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def reap(self) -> None:
        """Wait for the end of what was killed."""
        if self._process is not None:
            await self._process.wait()

    async def _live_once(self) -> int:
        output = asyncio.subprocess.DEVNULL if self.part.quiet else sys.stderr
        self._ended.clear()
        self._process = await asyncio.create_subprocess_exec(
            *self.part.command,
            env=os.environ | self.part.environment,
            stdin=asyncio.subprocess.PIPE,  # SUP-4
            stdout=output,
            stderr=output,
            start_new_session=True,  # SUP-5
        )
        log.debug("part started", extra={"name_of_part": self.part.name, "pid_of_part": self._process.pid})
        try:
            return await self._process.wait()
        finally:
            self._ended.set()


async def _start(
    keepers: Sequence[_Keeper], ready: Callable[[], Awaitable[None]], within_s: float, tell_s: float
) -> None:
    begun = time.monotonic()
    tell_at = tell_s
    for keeper in keepers:
        while not keeper.part.ready():
            waited = time.monotonic() - begun
            if waited > within_s:
                raise NotReady(f"{keeper.part.name} did not answer within {within_s:.0f} s")
            if waited > tell_at:  # SUP-1
                log.warning("part not ready yet", extra={"name_of_part": keeper.part.name, "waited_s": round(waited)})
                tell_at = waited + tell_s
            await asyncio.sleep(POLL_S)
        keeper.was_ready = True
    await ready()


async def _until_first(stop: asyncio.Event, starting: Coroutine[None, None, None]) -> None:
    """Wait for the start to complete, unless we are told to stop meanwhile."""
    async with asyncio.TaskGroup() as tasks:
        start = tasks.create_task(starting)
        stopped = tasks.create_task(stop.wait())
        await asyncio.wait([start, stopped], return_when=asyncio.FIRST_COMPLETED)
        start.cancel()
        stopped.cancel()


async def _stop(keepers: Sequence[_Keeper], stages: Sequence[Stage]) -> None:
    for stage in sorted(stages, key=lambda one: one.stage):
        now = [keeper for keeper in keepers if keeper.part.stage == stage.stage]
        async with asyncio.TaskGroup() as tasks:
            for keeper in now:
                tasks.create_task(keeper.stop(stage.within_s))


def _ending(code: int) -> str:
    return f"exit {code}" if code >= 0 else signal.Signals(-code).name


def _first(group: BaseExceptionGroup[SupervisionError]) -> SupervisionError:
    for error in group.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    raise AssertionError("an exception group is never empty")
