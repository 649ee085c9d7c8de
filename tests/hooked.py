"""A hospital's webhook receiver that misbehaves on purpose, and a process that makes visits happen and tells of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import time

from aiohttp import web
from msgspec.structs import replace

from config.clock import now_iso
from signaling.law.facts import Ending
from signaling.outbound import webhooks
from signaling.outbound.webhooks import WebhookSender, secret_of, signature
from signaling.sql.database import open_engine
from signaling.sql.migrations import migrate
from signaling.sql.outbox import SqlOutbox
from signaling.sql.store import SqlVisitStore
from tests.http_api import some_visit

KEY = bytes(32)
PHASES = ("waiting", "live", "ended")


@dataclass
class Hospital:
    """Keeps the first of every id, in the order they came; `fails`: 503, hang, take it and lose the answer, redirect."""

    random: Random
    fails: float = 0.0
    down: bool = False
    secrets: dict[str, bytes] = field(default_factory=dict)
    heard: dict[str, dict[str, object]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    requests: int = 0
    url: str = ""

    def kinds(self, visit: str) -> list[str]:
        """What it heard of one visit, in order."""
        return [each["type"] for each in self.heard.values() if each["data"]["visit"] == visit]  # type: ignore[index,misc]

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        body = await request.read()
        event = request.headers["webhook-id"]
        secret = secret_of(KEY, request.path.strip("/"))
        expected = signature(secret, event, int(request.headers["webhook-timestamp"]), body)
        assert request.headers["webhook-signature"] == expected
        assert self.bodies.setdefault(event, body) == body
        chance = self.random.random() if self.fails else 1.0
        if self.down or chance < self.fails / 4:
            return web.Response(status=503)
        if chance < self.fails / 2:
            await asyncio.Event().wait()  # for good: whoever asked hangs up, which ends this, too
        if chance < self.fails * 3 / 4:
            return web.Response(status=302, headers={"Location": "/elsewhere"})
        self.heard.setdefault(event, json.loads(body))
        if chance < self.fails:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=204)


@contextlib.asynccontextmanager
async def hospital(seed: int, fails: float = 0.0) -> AsyncIterator[Hospital]:
    """A receiving server on loopback."""
    here = Hospital(Random(seed), fails)
    app = web.Application()
    app.router.add_post("/{receiver}", here.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    here.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield here
    finally:
        await runner.cleanup()


def sender_of(store: SqlVisitStore, seed: int, answer_within_s: float = 0.3) -> WebhookSender:
    """One that is in a hurry."""
    random = Random(seed)
    sender = WebhookSender(SqlOutbox(store.engine), KEY, time, random.random, answer_within_s, 0.05, pace=0.02)
    store.on_happened = sender.wake
    return sender


async def live(store: SqlVisitStore, visit: str) -> None:
    """Carry one visit on from wherever it is: created, waiting, live, ended."""
    facts = await store.load(visit)
    if facts is None:
        facts = await store.create(some_visit(visit), None, "")
    done = {"scheduled": 0, "waiting": 1, "live": 2, "ended": 3}[facts.phase]
    for phase in PHASES[done:]:
        ended = Ending("doctor", "completed") if phase == "ended" else None
        facts = replace(facts, phase=phase, seq=facts.seq + 1, ended=ended, ended_at=now_iso() if ended else None)
        await store.save(facts)


async def work(folder: Path, visits: int, seed: int) -> None:
    """Make every visit happen and send until killed; says `done` once nothing waits."""
    webhooks.LAST_AGAIN_S = (
        25.0  # half a second at this pace: where a core is missing, an answer is late again and again
    )
    engine = open_engine(f"sqlite+aiosqlite:///{folder / 'visits.db'}")
    await migrate(engine)
    store = SqlVisitStore(engine)
    sending = asyncio.create_task(sender_of(store, seed).run())
    for number in range(visits):
        await live(store, f"v{number}")
    while any(each.waiting for each in await SqlOutbox(engine).receivers()):
        await asyncio.sleep(0.05)
        assert not sending.done()
    print("done", flush=True)
    await asyncio.sleep(3600)


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
