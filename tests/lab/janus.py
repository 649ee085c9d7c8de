"""Two pages meeting in Janus VideoRoom: this process carries descriptions between the pages and Janus' Unix socket."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.bench import janus
from tests.browser.remote import Page
from tests.lab.calls import Call, Table, two_plain
from tests.lab.place import MEDIA_IP, Place


class VideoRoom(janus.Rooms):
    """Rooms for real pages."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), "", record=False)
        self._rooms = itertools.count(1)

    async def make(self) -> int:
        """A room as VideoRoom's own demonstration has it: VP8 and Opus with in-band FEC."""
        room = next(self._rooms)
        more = {"audiocodec": "opus", "videocodec": "vp8", "opus_fec": True, "fir_freq": 10}
        await self._message(self._control, {"request": "create", "room": room, "publishers": 2, **more})
        return room

    async def publish(self, room: int, page: Page, number: int) -> None:
        """The page sends."""
        handle = await self._attach()
        await self._event(handle, {"request": "join", "ptype": "publisher", "room": room, "id": number})
        await page.eval("meet.make('out', true)")
        offer = {"type": "offer", "sdp": await page.eval("return meet.offer('out')")}
        said = await self._event(handle, {"request": "publish"}, offer)
        await page.eval(f"await meet.accept('out', {said['jsep']['sdp']!r})")

    async def subscribe(self, room: int, page: Page, number: int) -> None:
        """The page receives what that one sends."""
        handle = await self._attach()
        asked: dict[str, Any] = {"request": "join", "ptype": "subscriber", "room": room, "streams": [{"feed": number}]}
        said = await self._when_published(handle, asked)
        await page.eval("meet.make('in', false)")
        answer = await page.eval(f"return meet.answer('in', {said['jsep']['sdp']!r})")
        await self._event(handle, {"request": "start", "room": room}, {"type": "answer", "sdp": answer})


@contextlib.asynccontextmanager
async def video_room(place: Place, folder: Path) -> AsyncIterator[VideoRoom]:
    """Janus in the server's namespace, media on the laboratory's address."""
    sock = folder / "janus.sock"
    command = janus.write_configuration(folder / "conf", sock, MEDIA_IP)
    with (folder / "janus.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(*place.within, *command, stdout=log, stderr=log)
    try:
        async with asyncio.timeout(15):
            while not sock.exists():
                assert process.returncode is None, (folder / "janus.log").read_text()[-1000:]
                await asyncio.sleep(0.05)
        rooms = VideoRoom(sock)
        async with rooms:
            yield rooms
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def call(table: Table, url: str, rooms: VideoRoom) -> AsyncIterator[Call]:
    """A room, and both in it."""
    async with two_plain(table, url) as (patient, doctor):
        room = await rooms.make()
        numbered = ((patient, room * 2), (doctor, room * 2 + 1))

        async def begin() -> None:
            await asyncio.gather(*(rooms.publish(room, page, number) for page, number in numbered))
            await asyncio.gather(rooms.subscribe(room, patient, room * 2 + 1), rooms.subscribe(room, doctor, room * 2))

        yield Call(patient, doctor, begin)
