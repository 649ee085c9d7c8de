"""The real gateway on a real aiohttp server, with everything around it faked."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import web

from signaling.law.facts import Contact, Contacts, VisitFacts
from signaling.live.doors import Doors, Practice
from signaling.live.registry import VisitRegistry
from signaling.live.workers import MediaWorkers, RecorderLink
from signaling.sockets.gateway import Gateway
from signaling.tokens import SignedTokens
from tests.patience import until
from tests.signaling_parts.client import CONSENT, Client
from tests.signaling_parts.messages import MemoryMessages
from tests.signaling_parts.processes import FakeMedia, FakeRecorder
from tests.signaling_parts.stores import LIMITS, MemoryStore, facts

CLINIC = Contacts(Contact("县人民医院", "0571-8877 6655"))


class NoIce:
    """`ports.IceServers` with one server."""

    def issue(self, visit: str, seat: str) -> tuple[list[dict[str, Any]], int]:
        return [{"urls": ["turn:example.org"], "username": "u", "credential": "c"}], 300


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
        doors = Doors(self.store, self.messages, workers, link, lambda role, identity: f"{role}-p", clock)
        self.registry = VisitRegistry(doors, Practice(LIMITS))
        origins = ["https://clinic.example", "http://127.0.0.1:19600"]
        self.gateway = Gateway(self.registry, self.tokens, NoIce(), origins, clock, contacts=CLINIC)
        app = web.Application()
        self.gateway.attach(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"
        await self.registry.start()
        await until(lambda: link.up and all(each.up for each in workers.workers))

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
