"""Parts for tests of the realtime half of signaling: a store in memory, a media worker and a recorder that speak the real
control link over Unix sockets, the real gateway on a real aiohttp server, and clients by python-socketio."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import socketio
from aiohttp import web

from config.link import Link, Refused
from media import control as media
from recorder import control as recorder
from signaling import consent_text
from signaling.gateway import Gateway
from signaling.messages import (
    MOST_MESSAGES,
    MOST_PHOTOS,
    PAGE,
    Draft,
    Message,
    MessageConflict,
    MessagesFull,
    Photo,
    PhotosFull,
    PhotoUnknown,
    says,
)
from signaling.ports import Doctor, Page, Patient, Phase, StoreAway, VisitFacts
from signaling.registry import VisitRegistry
from signaling.tokens import SignedTokens
from signaling.workers import MediaWorkers, RecorderLink

WITHIN_S = 5.0


def facts(visit: str = "V1", recording: str = "required", **more: Any) -> VisitFacts:
    """A scheduled visit that expires in 2100."""
    given: dict[str, Any] = {
        "id": visit,
        "doctor": Doctor("doc-1", "李敏", "主治医师", "内科", "110312345678217"),
        "patient": Patient("pat-1", "王小英", 68, "female", "头晕三天"),
        "recording": recording,
        "created": "2026-05-04T09:00:00.000Z",
        "expires": "2100-01-01T00:00:00.000Z",
    }
    return VisitFacts(**{**given, **more})


class MemoryStore:
    """`ports.VisitStore` in memory: it outlives a server, as a database would."""

    def __init__(self, *visits: VisitFacts) -> None:
        self.visits = {visit.id: visit for visit in visits}
        self.saves: list[VisitFacts] = []
        self.made: dict[str, str] = {}
        self.broken = False
        self.stuck: asyncio.Event | None = None

    async def create(self, facts: VisitFacts, idempotency_key: str | None, body_sha256: str) -> VisitFacts:
        made = self.made.setdefault(idempotency_key, facts.id) if idempotency_key is not None else facts.id
        return self.visits.setdefault(made, facts)

    async def load(self, visit: str) -> VisitFacts | None:
        return self.visits.get(visit)

    async def save(self, facts: VisitFacts) -> None:
        if self.broken:
            raise OSError("the store is away")
        if self.stuck is not None:
            await self.stuck.wait()
        self.saves.append(facts)
        if facts.seq >= self.visits[facts.id].seq:
            self.visits[facts.id] = facts

    async def page(self, limit: int, cursor: str | None, phase: Phase | None = None) -> Page:
        return Page(list(self.visits.values())[:limit], None)

    async def open_visits(self) -> list[VisitFacts]:
        return [
            visit
            for visit in self.visits.values()
            if visit.phase in ("waiting", "live") or visit.log_open or visit.rx_due
        ]

    async def queue_of(self, doctor: str) -> list[VisitFacts]:
        return []

    async def past_of(self, doctor: str, limit: int) -> list[VisitFacts]:
        past = [each for each in self.visits.values() if each.phase == "ended" and each.live and each.ended_at]
        return sorted(past, key=lambda each: each.ended_at or "", reverse=True)[:limit]

    async def doctors(self) -> list[Doctor]:
        return sorted({each.doctor.id: each.doctor for each in self.visits.values()}.values(), key=lambda each: each.id)

    async def log_access(self, who: str, role: str, visit: str | None, what: str, at: str) -> None: ...


class MemoryMessages:
    """`ports.MessageStore` in memory: it outlives a server, as a database would."""

    def __init__(self) -> None:
        self.messages: dict[str, list[Message]] = {}
        self.photos: dict[str, tuple[str, Photo]] = {}
        self.on_log: set[tuple[str, int]] = set()
        self.away = False

    async def append(self, visit: str, seat: str, draft: Draft, at: str, nonce: str) -> Message:
        self._answer()
        mine = self.messages.setdefault(visit, [])
        before = next((each for each in mine if (each.seat, each.id) == (seat, draft.id)), None)
        if before is not None:
            if not says(before, draft):
                raise MessageConflict
            return before
        photo = None if draft.photo is None else self.photos.get(draft.photo, ("", None))
        if photo is not None and photo[0] != visit:
            raise PhotoUnknown
        if len(mine) >= MOST_MESSAGES:
            raise MessagesFull
        mine.append(Message(visit, len(mine) + 1, draft.id, seat, at, nonce, draft.text, photo and photo[1]))
        return mine[-1]

    async def after(self, visit: str, seq: int) -> list[Message]:
        self._answer()
        return self.messages.get(visit, [])[seq : seq + PAGE]

    async def last(self, visit: str) -> int:
        self._answer()
        return len(self.messages.get(visit, []))

    async def unnoted(self, visit: str) -> list[Message]:
        self._answer()
        return [each for each in self.messages.get(visit, []) if (visit, each.seq) not in self.on_log]

    async def noted(self, visit: str, seq: int) -> None:
        self._answer()
        self.on_log.add((visit, seq))

    async def keep_photo(self, visit: str, seat: str, photo: Photo, at: str) -> Photo:
        self._answer()
        mine = [kept for where, kept in self.photos.values() if where == visit]
        same = next((kept for kept in mine if kept.sha256 == photo.sha256), None)
        if same is None and len(mine) >= MOST_PHOTOS:
            raise PhotosFull
        if same is None:
            self.photos[photo.id] = (visit, photo)
        return same or photo

    async def photo(self, photo: str) -> tuple[str, Photo] | None:
        self._answer()
        return self.photos.get(photo)

    def _answer(self) -> None:
        if self.away:
            raise StoreAway("away")


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


class NoIce:
    """`ports.IceServers` with one server."""

    def issue(self, visit: str, seat: str) -> tuple[list[dict[str, Any]], int]:
        return [{"urls": ["turn:example.org"], "username": "u", "credential": "c"}], 300


class Client:
    """A page: a python-socketio client that remembers every state."""

    def __init__(self) -> None:
        self.session = aiohttp.ClientSession()
        self.io = socketio.AsyncClient(reconnection=False, http_session=self.session)
        self.states: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.queues: list[dict[str, Any]] = []
        self.byes: list[str] = []
        self.problems: list[dict[str, Any]] = []
        self.refusal: Any = None
        self.gone = asyncio.Event()
        self._news = asyncio.Event()
        self.io.on("state", self._hear(self.states))
        self.io.on("queue", self._hear(self.queues))
        self.io.on("message", self._hear(self.messages))
        self.io.on("problem", self._hear(self.problems))
        self.io.on("bye", lambda payload: self.byes.append(payload["code"]))
        self.io.on("disconnect", lambda *_: self.gone.set())
        self.io.on("connect_error", lambda payload=None: setattr(self, "refusal", payload))

    def _hear(self, into: list[dict[str, Any]]) -> Callable[[dict[str, Any]], None]:
        def hear(payload: dict[str, Any]) -> None:
            into.append(payload)
            self._news.set()

        return hear

    async def connect(self, url: str, auth: Any, headers: dict[str, str] | None = None) -> None:
        await self.io.connect(url, auth=auth, transports=["websocket"], headers=headers or {}, wait_timeout=5)

    async def say(self, event: str, **payload: Any) -> dict[str, Any]:
        """Send an event and return its acknowledgement."""
        answer: dict[str, Any] = await self.io.call(event, {"v": 1, **payload}, timeout=WITHIN_S)
        return answer

    async def sees(self, what: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The newest state, once it is as described."""
        async with asyncio.timeout(WITHIN_S):
            while not (self.states and what(self.newest)):
                self._news.clear()
                await self._news.wait()
        return self.newest

    async def sees_queue(self, what: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The newest queue, once it is as described."""
        async with asyncio.timeout(WITHIN_S):
            while not (self.queues and what(self.queues[-1])):
                self._news.clear()
                await self._news.wait()
        return self.queues[-1]

    @property
    def newest(self) -> dict[str, Any]:
        """SIG-11."""
        return max(self.states, key=lambda state: state["seq"])

    async def close(self) -> None:
        await self.io.disconnect()
        await self.session.close()


CONSENT = {
    "text_version": consent_text.VERSION,
    "text_sha256": consent_text.SHA256["zh"],
    "language": "zh",
    "method": "tap",
}


class Server:
    """Signaling's realtime half, whole, with everything around it faked."""

    def __init__(self, run: Path, store: MemoryStore, workers: int = 1) -> None:
        self.run = run
        self.store = store
        self.messages = MemoryMessages()
        self.media = [FakeMedia(run / f"media-{n}.sock") for n in range(workers)]
        self.recorder = FakeRecorder(run / "recorder.sock")
        self.tokens = SignedTokens([b"k" * 32], lambda: int(time.time()))
        self.clients: list[Client] = []
        self.offset_s = 0.0
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def worker(self) -> FakeMedia:
        return self.media[0]

    async def start(self) -> None:
        """Signaling alone, on the port it had before."""
        clock = lambda: time.time() + self.offset_s  # noqa: E731
        workers = MediaWorkers([each.socket for each in self.media])
        link = RecorderLink(self.recorder.socket)
        self.registry = VisitRegistry(
            self.store, self.messages, workers, link, lambda role, identity: f"{role}-p", clock
        )
        origins = ["https://clinic.example", "http://127.0.0.1:19600"]
        self.gateway = Gateway(self.registry, self.tokens, NoIce(), origins, clock)
        app = web.Application()
        self.gateway.attach(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"
        await self.registry.start()
        async with asyncio.timeout(WITHIN_S):
            while not (link.up and all(each.up for each in workers.workers)):
                await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Signaling stops; workers, recorder and store go on."""
        assert self._runner is not None
        await self.registry.stop()
        await self._runner.cleanup()

    def token(self, role: str, visit: str = "V1", lifetime_s: int = 600) -> str:
        return self.tokens.issue(role, visit, f"{role}-subject", lifetime_s)  # type: ignore[arg-type]

    async def client(self, role: str, visit: str = "V1") -> Client:
        """A connected client that has seen its first state."""
        client = Client()
        self.clients.append(client)
        await client.connect(self.url, {"v": 1, "token": self.token(role, visit)})
        await client.sees(lambda state: True)
        return client

    async def live(self, visit: str = "V1") -> tuple[Client, Client]:
        """A visit that went live, as (doctor, patient)."""
        doctor, patient = await self.client("doctor", visit), await self.client("patient", visit)
        for client in (doctor, patient):
            assert (await client.say("consent", decision="agreed", **CONSENT))["ok"]
        assert (await patient.say("enter"))["ok"]
        assert (await doctor.say("admit"))["ok"]
        return doctor, patient


@contextlib.asynccontextmanager
async def serving(*visits: VisitFacts, workers: int = 1) -> AsyncIterator[Server]:
    """A running server with these visits stored."""
    with tempfile.TemporaryDirectory(prefix="tc-") as run:
        server = Server(Path(run), MemoryStore(*(visits or (facts(),))), workers)
        for each in (*server.media, server.recorder):
            await each.start()
        await server.start()
        try:
            yield server
        finally:
            for client in server.clients:
                await client.close()
            await server.stop()
            for each in (*server.media, server.recorder):
                await each.cut()


async def until(what: Callable[[], Any]) -> None:
    """Wait until something holds, at most five seconds."""
    async with asyncio.timeout(WITHIN_S):
        while not what():
            await asyncio.sleep(0.005)


def copy(payload: Any) -> Any:
    """A deep copy through JSON."""
    return msgspec.json.decode(msgspec.json.encode(payload))
