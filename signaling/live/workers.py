"""Links to the media workers and to the recorder: connect, greet, come back, and place rooms.

Each other process is a door: a Unix socket that may be there, go, and come again with another epoch. A door tells its
listener `came` after every greeting and `lost` when the link ends; between the two, `ask` works.

DIAL-1  A lost link is dialled again after 20 ms, doubling to 100 ms: what a restart takes is the other process's to decide.
DIAL-2  A room that could not be closed because its worker was away is closed when the worker is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from config.link import Link, LinkClosed, LinkError
from media import control as media
from recorder import control as recorder

FIRST_RETRY_S = 0.02
LAST_RETRY_S = 0.1
GREET_WITHIN_S = 2.0
SETTLED_WITHIN_S = 2.0
ORPHANS_MOST = 10_000

In = TypeVar("In")
Out = TypeVar("Out")

log = logging.getLogger(__name__)


class Door(Generic[In, Out]):
    """One other process. `incoming` is the union it may say; `greeting` the first thing said to it."""

    def __init__(self, socket: Path, incoming: Any, greeting: Out) -> None:
        self.socket = socket
        self.epoch: str | None = None
        self._incoming = incoming
        self._greeting = greeting
        self._link: Link[In, Out] | None = None
        self.on_came: Callable[[], None] = lambda: None
        self.on_lost: Callable[[], None] = lambda: None
        self.on_news: Callable[[In], None] = lambda _: None

    @property
    def up(self) -> bool:
        """Whether the other side has greeted us and the link stands."""
        return self._link is not None and not self._link.closed

    async def ask(self, body: Out, within_s: float = 5.0) -> In:
        """Request and answer. Raises `LinkError`: `LinkClosed`, `LinkTimeout` or the peer's `Refusal`."""
        if self._link is None:
            raise LinkClosed("not connected")
        return await self._link.ask(body, within_s)

    async def run(self) -> None:
        """Stay connected until cancelled."""
        retry_s = FIRST_RETRY_S
        while True:
            with contextlib.suppress(OSError):
                if await self._connected():
                    retry_s = FIRST_RETRY_S
            await asyncio.sleep(retry_s)  # DIAL-1
            retry_s = min(retry_s * 2, LAST_RETRY_S)

    async def _connected(self) -> bool:
        """One connection from dialling to its end; whether it got as far as a greeting. Raises `OSError`."""
        reader, writer = await asyncio.open_unix_connection(str(self.socket))
        link: Link[In, Out] = Link(reader, writer, self._incoming, self._hear)
        reading = asyncio.create_task(link.run(), name=f"link {self.socket.name}")
        try:
            if not await self._greeted(link):
                return False
            self._link = link
            log.info("link up", extra={"door": self.socket.name, "epoch": self.epoch})
            self.on_came()
            await asyncio.wait([reading])
            return True
        finally:
            link.close()
            reading.cancel()
            ended = (await asyncio.gather(reading, return_exceptions=True))[0]
            if isinstance(ended, Exception):  # LINK-1: the two sides ship together, so this is a bug
                log.error("link broken", extra={"door": self.socket.name, "error": type(ended).__name__})
            if self._link is link:
                self._link = None
                log.info("link lost", extra={"door": self.socket.name})
                self.on_lost()

    async def _greeted(self, link: Link[In, Out]) -> bool:
        try:
            said = await link.ask(self._greeting, GREET_WITHIN_S)
        except LinkError as error:
            log.warning("greeting failed", extra={"door": self.socket.name, "code": error.code})
            return False
        assert isinstance(said, media.Greeted | recorder.Greeted)
        self.epoch = said.epoch
        return True

    async def _hear(self, news: In) -> None:
        self.on_news(news)


class MediaListener(Protocol):
    """Who hears of the workers."""

    def worker_came(self, worker: Worker) -> None:
        """It greeted us; its `epoch` says whether it is the one we knew."""
        ...

    def worker_lost(self, worker: Worker) -> None:
        """The link ended."""
        ...

    def worker_told(self, worker: Worker, news: media.FromWorker) -> None:
        """Something it said unasked."""
        ...


class Worker(Door[media.FromWorker, media.ToWorker]):
    """One media worker, through all its lives."""

    def __init__(self, socket: Path) -> None:
        super().__init__(socket, media.FromWorker, media.Greet())
        self.rooms: set[str] = set()
        self.fed = True
        """Whether it feeds the recorder, by what it last said."""
        self._orphans: set[str] = set()

    async def close_room(self, room: str) -> None:
        """Close a room now, or as soon as the worker is back (DIAL-2). Never raises `LinkError`."""
        self.rooms.discard(room)
        try:
            await self.ask(media.CloseRoom(room))
        except LinkError:
            if len(self._orphans) < ORPHANS_MOST:
                self._orphans.add(room)

    async def close_orphans(self) -> None:
        """What `close_room` could not."""
        orphans, self._orphans = self._orphans, set()
        for room in orphans - self.rooms:
            await self.close_room(room)


class MediaWorkers:
    """The media workers this process may place rooms on, one Unix socket each."""

    def __init__(self, sockets: Sequence[Path]) -> None:
        self.workers = [Worker(Path(socket)) for socket in sockets]
        self._tasks: list[asyncio.Task[None]] = []
        self._closing: set[asyncio.Task[None]] = set()
        self._settled = asyncio.Event()

    def start(self, listener: MediaListener) -> None:
        """Begin to connect, on the running loop."""
        for worker in self.workers:
            worker.on_came = lambda worker=worker: self._came(worker, listener)  # type: ignore[misc]
            worker.on_lost = lambda worker=worker: listener.worker_lost(worker)  # type: ignore[misc]
            worker.on_news = lambda news, worker=worker: listener.worker_told(worker, news)  # type: ignore[misc]
        self._tasks = [asyncio.create_task(worker.run(), name=worker.socket.name) for worker in self.workers]

    async def stop(self) -> None:
        """Hang up. Rooms are left as they are: a restarted signaling finds them again."""
        for task in (*self._tasks, *self._closing):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._closing, return_exceptions=True)

    def pick(self) -> Worker | None:
        """The connected worker with the fewest rooms."""
        return min((worker for worker in self.workers if worker.up), key=lambda worker: len(worker.rooms), default=None)

    async def find(self, room: str) -> tuple[Worker, media.RoomState] | None:
        """The worker that holds this room, after giving all of them two seconds to connect."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLED_WITHIN_S):
                await self._settled.wait()
        for worker in self.workers:
            with contextlib.suppress(LinkError):
                state = await worker.ask(media.AskRoom(room))
                assert isinstance(state, media.RoomState)
                return worker, state
        return None

    def _came(self, worker: Worker, listener: MediaListener) -> None:
        if all(each.up for each in self.workers):
            self._settled.set()
        task = asyncio.create_task(worker.close_orphans())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        listener.worker_came(worker)


class RecorderListener(Protocol):
    """Who hears of the recorder."""

    def recorder_came(self) -> None:
        """It greeted us."""
        ...

    def recorder_lost(self) -> None:
        """The link ended."""
        ...

    def recorder_told(self, news: recorder.FromRecorder) -> None:
        """Something it said unasked."""
        ...


class RecorderLink(Door[recorder.FromRecorder, recorder.ToRecorder]):
    """The recorder behind its Unix socket."""

    def __init__(self, socket: Path) -> None:
        super().__init__(Path(socket), recorder.FromRecorder, recorder.Greet())
        self._task: asyncio.Task[None] | None = None

    def start(self, listener: RecorderListener) -> None:
        """Begin to connect, on the running loop."""
        self.on_came = listener.recorder_came
        self.on_lost = listener.recorder_lost
        self.on_news = listener.recorder_told
        self._task = asyncio.create_task(self.run(), name=self.socket.name)

    async def stop(self) -> None:
        """Hang up. The recorder goes on with what it was told."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
