"""The media worker's process: one event loop, one data plane, one control door, one tap.

WORKER-1  Rooms belong to the process, not to a link: signaling may restart and find its rooms by the same `epoch`.
WORKER-2  A supervised worker ends when its standard input does, so none outlives its supervisor. SIGTERM is an orderly
          stop: rooms close, the tap drains, within 2 s.
WORKER-3  News goes to every link. A link that does not read is cut off by LINK-3; nobody waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import resource
import signal
import sys
import time
from collections.abc import Mapping

from config.addresses import announced_addresses
from config.clock import monotonic_s, monotonic_us, random_bytes, random_name
from config.link import Link, LinkClosed
from config.settings import Settings
from media.control import FromWorker, Greeted, TapChanged, ToWorker
from media.plane import DataPlane
from media.python_plane.plane import PythonPlane
from media.rooms.numbers import Credentials, Ssrcs
from media.rooms.registry import Rooms
from media.rooms.surroundings import Surroundings
from media.sockets.urgency import ask_for_short_waits
from media.tap import TapTrack
from media.tap_feed import TapFeed

QUALITY_S = 2.0
DRAIN_S = 1.0

log = logging.getLogger(__name__)


def run(settings: Settings, index: int) -> None:
    """Be worker `index` until told to stop. Raises `OSError` when the UDP port or the control socket cannot be had."""
    asyncio.run(_live(settings, index))


async def _live(settings: Settings, index: int) -> None:
    stop = asyncio.Event()
    _heed(stop)
    ask_for_short_waits()
    worker = Worker(settings, index)
    gc.collect()
    gc.freeze()  # what the start made is never garbage: a full collection would walk it, 85 ms for 600 k objects
    await worker.run(stop)


def _heed(stop: asyncio.Event) -> None:
    """WORKER-2."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    if os.environ.get("TELECONSULT_SUPERVISED") != "1":
        loop.add_signal_handler(signal.SIGINT, stop.set)
        return
    # Ctrl-C reaches the whole group at once, and the order of ending is the supervisor's.
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    stdin = sys.stdin.fileno()
    os.set_blocking(stdin, False)

    def readable() -> None:
        with contextlib.suppress(BlockingIOError):
            if not os.read(stdin, 4096):
                loop.remove_reader(stdin)
                stop.set()

    loop.add_reader(stdin, readable)


class Worker:
    """Everything of one process, put together."""

    def __init__(self, settings: Settings, index: int) -> None:
        """Binds the UDP sockets at once. Needs a running loop."""
        self._door = settings.socket(f"media-{index}")
        self._links: dict[Link[ToWorker, FromWorker], asyncio.Task[None] | None] = {}
        """Each with the task that reads it."""
        name, epoch = f"media-{index}", f"m-{random_name(9)}"
        self._feed = TapFeed(settings.socket("tap"), name, epoch, self._ask_keyframe, self._tap_changed)
        self._plane: DataPlane = PythonPlane(
            asyncio.get_running_loop(),
            announced_addresses(settings.media_addresses),
            monotonic_s,
            random_bytes,
            self._feed,
            settings.media_port_of(index),
            settings.media_tcp,
        )
        given = Surroundings(
            plane=self._plane,
            tap=self._feed,
            tell=self._tell,
            new_ssrc=Ssrcs(random_bytes).new,
            new_credentials=Credentials(random_bytes).new,
            now_us=monotonic_us,
        )
        addresses = [f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}" for ip, port in self._plane.addresses]
        greeting = Greeted(worker=name, pid=os.getpid(), epoch=epoch, addresses=addresses)
        self._rooms = Rooms(given, greeting, _Process(self._plane, self._feed))
        # At once, from within the packet loop: a track's first packet is still to be tapped, and what the plane
        # has closed must not be called any more.
        self._plane.on_event(self._rooms.heard)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`, then close everything in order."""
        server = await asyncio.start_unix_server(self._serve, self._door)
        log.info("media worker ready", extra={"sockets": len(self._plane.addresses)})
        async with asyncio.TaskGroup() as tasks:
            feeding = tasks.create_task(self._feed.run())
            telling = tasks.create_task(self._tell_quality())
            await stop.wait()
            telling.cancel()
            self._rooms.close()
            await self._feed.drain(DRAIN_S)
            feeding.cancel()
            server.close()
            await self._hang_up()
        self._plane.close()
        with contextlib.suppress(FileNotFoundError):
            self._door.unlink()
        log.info("media worker stopped")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link: Link[ToWorker, FromWorker] = Link(reader, writer, ToWorker, self._answer)
        self._links[link] = asyncio.current_task()
        try:
            await link.run()
        except* Exception:  # a link that carries what we do not know is a bug of its other end (LINK-1): it alone ends
            log.exception("control link failed")
        finally:
            del self._links[link]

    async def _hang_up(self) -> None:
        reading = [task for task in self._links.values() if task is not None]
        for link in list(self._links):
            link.close()
        if reading:
            await asyncio.wait(reading, timeout=DRAIN_S)

    async def _answer(self, asked: ToWorker) -> FromWorker:
        return self._rooms.answer(asked)

    def _tell(self, news: FromWorker) -> None:
        for link in list(self._links):
            with contextlib.suppress(LinkClosed):
                link.tell(news)

    def _tap_changed(self) -> None:
        self._tell(TapChanged(self._feed.connected, self._feed.buffered_bytes, self._feed.lost_packets))

    def _ask_keyframe(self, track: TapTrack, old: bool) -> None:
        with contextlib.suppress(KeyError):  # a room that ended by a bug may have left its handle behind
            self._plane.request_keyframe(f"{track.visit}/{track.seat}.{track.source}", old)

    async def _tell_quality(self) -> None:
        lost = 0
        while True:
            await asyncio.sleep(QUALITY_S)
            self._rooms.tell_quality()
            if self._feed.lost_packets != lost:
                lost = self._feed.lost_packets
                self._tap_changed()


class _Process:
    """`rooms.Machine`: this process."""

    def __init__(self, plane: DataPlane, feed: TapFeed) -> None:
        self._plane = plane
        self._feed = feed

    def cpu_s(self) -> float:
        return time.process_time()

    def rss_bytes(self) -> int:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()

    def drops(self) -> Mapping[str, int]:
        return {**self._plane.drops, "tap_full": self._feed.lost_packets}
