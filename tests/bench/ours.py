"""Our own worker as a load server: its control socket, without signaling in between."""

from __future__ import annotations

import asyncio
from types import TracebackType

from config.link import Link, Refused
from media import control
from tests.bench.load import Client, Seat, begin
from tests.bench.sdp import AUDIO_PT, VIDEO_PT, Line, read, write
from tests.bench.source import Source

NAMES = ("doctor", "patient")


def room_name(room: int) -> str:
    """The room a pair of publishers meets in."""
    return f"bench-{room}"


async def dial(path: str) -> tuple[Link[control.FromWorker, control.ToWorker], asyncio.Task[None]]:
    """A control link to a worker, greeted."""

    async def hear(_: control.FromWorker) -> None:
        return None

    reader, writer = await asyncio.open_unix_connection(path)
    link: Link[control.FromWorker, control.ToWorker] = Link(reader, writer, control.FromWorker, hear)
    task = asyncio.create_task(link.run())
    await link.ask(control.Greet())
    return link, task


class Rooms:
    """Joins pairs over one control link."""

    def __init__(self, path: str, prefix: str) -> None:
        self._path, self._prefix = path, prefix

    async def __aenter__(self) -> Rooms:
        self._link, self._task = await dial(self._path)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._link.close()
        self._task.cancel()

    async def join(self, room: int, client: Client, seats: tuple[Seat, Seat]) -> None:
        """Both publish; then both offer again with the other's tracks subscribed."""
        peers = [client.peer() for _ in seats]
        for seat, peer, name in zip(seats, peers, NAMES, strict=True):
            lines = [Line("audio", "sendonly", seat.audio_ssrc), Line("video", "sendonly", seat.video_ssrc)]
            answer = await self._negotiate(room, name, write(peer, lines, "actpass"), {})
            begin(peer, read(answer, self._prefix), controlling=True, answered=True)
            seat.sender, seat.source = peer, Source(seat.audio_ssrc, seat.video_ssrc, AUDIO_PT, VIDEO_PT)
        for seat, peer, name, other in zip(seats, peers, NAMES, reversed(NAMES), strict=True):
            lines = [
                Line("audio", "sendonly", seat.audio_ssrc),
                Line("video", "sendonly", seat.video_ssrc),
                Line("audio", "recvonly"),
                Line("video", "recvonly"),
            ]
            subscribe = {"2": f"{other}.microphone", "3": f"{other}.camera"}
            await self._negotiate(room, name, write(peer, lines, "actpass"), subscribe)

    async def _negotiate(self, room: int, name: str, offer: str, subscribe: dict[str, str]) -> str:
        publish: dict[str, control.Source] = {"0": "microphone", "1": "camera"}
        asked = control.Negotiate(room_name(room), name, "bench", offer, publish, subscribe)
        said = await self._link.ask(asked, within_s=20)
        assert isinstance(said, control.Answered), said if not isinstance(said, Refused) else said.code
        return said.sdp
