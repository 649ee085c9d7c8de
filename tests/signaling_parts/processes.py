"""A media worker and a recorder that speak the real control link over Unix sockets, and negotiate and note anything."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from pathlib import Path
from typing import Any

from config.link import Link, Refused
from media import control as media
from recorder import control as recorder


class _Process:
    """A process behind a Unix socket, with `config.link`; it can die and come back."""

    incoming: Any

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.links: list[Link[Any, Any]] = []
        self.said: list[Any] = []
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, str(self.socket))

    async def cut(self) -> None:
        """The link breaks; the process lives on, and is not reachable until `start`."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for link in self.links:
            link.close()
        self.links.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.socket.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        link: Link[Any, Any] = Link(reader, writer, self.incoming, self._take)
        self.links.append(link)
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await link.run()
        finally:
            self._tasks.discard(task)

    async def _take(self, message: Any) -> Any:
        self.said.append(message)
        return await self.answer(message)

    async def answer(self, message: Any) -> Any:
        raise NotImplementedError

    def tell(self, news: Any) -> None:
        for link in self.links:
            if not link.closed:
                link.tell(news)

    def names(self) -> list[str]:
        """The kinds of messages heard, in order, without greetings."""
        return [type(each).__name__ for each in self.said if type(each).__name__ != "Greet"]


class FakeMedia(_Process):
    """A media worker that negotiates anything."""

    incoming = media.ToWorker

    def __init__(self, socket: Path) -> None:
        super().__init__(socket)
        self.epoch = "m-1"
        self.rooms: dict[str, dict[str, media.SeatState]] = {}
        self.tracks: dict[str, list[media.Track]] = {}
        self.taps: dict[tuple[str, str], bool] = {}

    async def die(self) -> None:
        await self.cut()
        self.rooms.clear()
        self.tracks.clear()
        self.taps.clear()
        self.epoch += "x"

    async def answer(self, message: Any) -> Any:
        match message:
            case media.Greet():
                return media.Greeted("w", 1, self.epoch, [])
            case media.OpenRoom(room):
                self.rooms.setdefault(room, {})
                self.tracks.setdefault(room, [])
            case media.CloseRoom(room):
                self.rooms.pop(room, None)
            case media.Drop(room, seat):
                self.rooms.get(room, {}).pop(seat, None)
                self.tracks[room] = [track for track in self.tracks.get(room, []) if track.seat != seat]
                self.tell(media.TracksChanged(room, self.tracks[room]))
            case media.Record(room, seat, on):
                self.taps[room, seat] = on
            case media.AskRoom(room):
                if room not in self.rooms:
                    return Refused("room_unknown")
                return media.RoomState(room, self.tracks[room], self.rooms[room])
            case media.Negotiate():
                return self._negotiate(message)
        return media.Done()

    def _negotiate(self, asked: media.Negotiate) -> Any:
        if asked.room not in self.rooms:
            return Refused("room_unknown")
        if asked.sdp == "bad":
            return Refused("sdp_invalid", "no")
        kinds = {"microphone": ("audio", "opus"), "camera": ("video", "VP8"), "screen": ("video", "VP8")}
        mine = [media.Track(f"{asked.seat}.{s}", asked.seat, s, *kinds[s]) for s in asked.publish.values()]  # type: ignore[arg-type]
        others = [track for track in self.tracks[asked.room] if track.seat != asked.seat]
        self.tracks[asked.room] = [*others, *mine]
        self.rooms[asked.room][asked.seat] = media.SeatState(asked.pc, "connecting")
        self.tell(media.TracksChanged(asked.room, self.tracks[asked.room]))
        return media.Answered("answer", mine)


class FakeRecorder(_Process):
    """A recorder that keeps REC-2 and REC-3, and forgets nothing when it dies."""

    incoming = recorder.ToRecorder

    def __init__(self, socket: Path) -> None:
        super().__init__(socket)
        self.lives = itertools.count(1)
        self.logs: dict[str, dict[str, recorder.Note]] = {}
        self.started: set[str] = set()
        self.closed: dict[str, str] = {}

    async def answer(self, message: Any) -> Any:
        match message:
            case recorder.Greet():
                return recorder.Greeted("r", f"r-{next(self.lives)}", "k", "folder")
            case recorder.Open(visit):
                self.logs.setdefault(visit, {})
            case recorder.Note(visit, key):
                if visit not in self.logs or visit in self.closed:
                    return Refused("visit_closed" if visit in self.closed else "visit_unknown")
                self.logs[visit].setdefault(key, message)
            case recorder.Start(visit, seats):
                agreed = {n.body["seat"] for n in self.logs[visit].values() if n.kind == "consent"}
                if not set(seats) <= agreed:
                    return Refused("consent_missing")
                self.started.add(visit)
            case recorder.Close(visit, reason):
                self.closed[visit] = reason
                return recorder.Closed(1, "00", 0, 0)
        return recorder.Noted(1, "00")

    def notes(self, visit: str = "V1") -> list[str]:
        """The records of a visit as `kind:seat`, or `event:name:state`."""
        return [
            f"{n.kind}:{n.body['seat']}" if n.kind != "event" else f"event:{n.body['event']}:{n.body['state']}"
            for n in self.logs[visit].values()
        ]
