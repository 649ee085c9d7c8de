"""The HTTP API over a real database in a temporary folder; visits are run by a stand-in that only writes them down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from config.clock import now_iso
from signaling.api.auth import Failures, Gate
from signaling.api.calendar import CalendarRoutes
from signaling.api.captions import CaptionRoutes
from signaling.api.copies import CopyRoutes
from signaling.api.exports import ExportRoutes
from signaling.api.grants import GrantRoutes
from signaling.api.looks import Looks, Noting
from signaling.api.photos import PhotoRoutes
from signaling.api.pictures import PictureRoutes
from signaling.api.playing import PlayingRoutes
from signaling.api.ratings import RatingRoutes
from signaling.api.receipts import ReceiptRoutes
from signaling.api.recordings import RecordingRoutes
from signaling.api.serving import add_routes, answering
from signaling.api.slot import SlotRoutes
from signaling.api.table import all_routes
from signaling.api.webhooks import WebhookRoutes
from signaling.calendar import SqlCalendar
from signaling.law.asked import Rescheduled, RxConfirmed
from signaling.law.captions import Caption
from signaling.law.errors import GuestsFull, PhaseWrong
from signaling.law.facts import Doctor, Ending, GuestKind, Patient, Pulse, Seat, Slot, VisitFacts
from signaling.law.terms import GUESTS
from signaling.law.visit import Visit
from signaling.links import Links
from signaling.photos.photo_files import FolderPhotos
from signaling.pseudonyms import KeyedPseudonyms
from signaling.recordings.copies import Copies
from signaling.recordings.door import RecorderDoor
from signaling.recordings.export_store import SqlExports
from signaling.sql.database import open_engine
from signaling.sql.launches import SqlLaunches
from signaling.sql.message_store import SqlMessageStore
from signaling.sql.migrations import migrate
from signaling.sql.outbox import SqlOutbox
from signaling.sql.rating import SqlRatings
from signaling.sql.store import SqlVisitStore
from signaling.staff.access_store import SqlAccess
from signaling.tokens import SignedTokens
from tests.signaling_parts import LIMITS

API_KEY = "an-api-key-for-tests"
SLOT_KEY = b"slot" * 8
BASE_URL = "https://visit.example"

DOCTOR = {"id": "d-1", "name": "李敏", "title": "主治医师", "department": "内科", "licence": "110312345678217"}
PATIENT = {"id": "p-1", "name": "王桂英", "age": 68, "sex": "female", "complaint": "头晕三天"}
VISIT = {"doctor": DOCTOR, "patient": PATIENT}


def some_visit(visit: str, created: str | None = None, **more: Any) -> VisitFacts:
    """Facts of a visit nobody entered."""
    facts = VisitFacts(
        id=visit,
        doctor=msgspec.convert(DOCTOR, Doctor),
        patient=msgspec.convert(PATIENT, Patient),
        recording="required",
        created=created or now_iso(),
        expires=now_iso(),
    )
    return msgspec.structs.replace(facts, **more)


@dataclass
class WrittenVisits:
    """Implements `ports.Visits` on the store alone."""

    store: SqlVisitStore
    made: list[str] = field(default_factory=list)
    revoked: list[tuple[str, int]] = field(default_factory=list)

    def created(self, facts: VisitFacts) -> None:
        """See the port."""
        self.made.append(facts.id)

    async def end(self, visit: str, reason: Literal["completed", "cancelled"]) -> VisitFacts:
        """See the port."""
        facts = await self.store.load(visit)
        if facts is None:
            raise KeyError(visit)
        if facts.phase != "ended":
            ending = Ending("hospital", reason)
            facts = msgspec.structs.replace(facts, phase="ended", seq=facts.seq + 1, ended=ending, ended_at=now_iso())
            await self.store.save(facts)
        return facts

    async def invite(self, visit: str, kind: GuestKind) -> tuple[Seat, VisitFacts]:
        """See the port."""
        facts = await self.store.load(visit)
        if facts is None:
            raise KeyError(visit)
        seat = next((each for each in GUESTS if each not in facts.guests), None)
        if seat is None:
            raise GuestsFull
        facts = msgspec.structs.replace(facts, seq=facts.seq + 1, guests={**facts.guests, seat: kind})
        await self.store.save(facts)
        return seat, facts

    async def transfer(self, visit: str, doctor: str, by: Literal["doctor", "hospital"]) -> VisitFacts:
        """See the port."""
        raise KeyError(visit)

    async def reschedule(self, visit: str, starts: str, expires: str) -> VisitFacts:
        """See the port."""
        facts = await self.store.load(visit)
        if facts is None:
            raise KeyError(visit)
        law = Visit(facts, time.time(), LIMITS)
        law.handle(Rescheduled(starts, expires), time.time())
        await self.store.save(law.facts)
        return law.facts

    def here(self) -> frozenset[str]:
        """See the port."""
        return frozenset()

    def pulse(self, visit: str) -> Pulse | None:
        """See the port."""
        return None

    async def confirm(self, visit: str, given: RxConfirmed) -> VisitFacts:
        """See the port."""
        facts = await self.store.load(visit)
        if facts is None:
            raise KeyError(visit)
        law = Visit(facts, time.time(), LIMITS)
        law.handle(given, time.time())
        await self.store.save(law.facts)
        return law.facts

    async def caption(self, visit: str, said: Caption) -> int:
        """See the port."""
        facts = await self.store.load(visit)
        if facts is None:
            raise KeyError(visit)
        if facts.phase != "live":
            raise PhaseWrong
        return 0

    async def links_revoked(self, visit: str, links_epoch: int) -> None:
        """See the port."""
        self.revoked.append((visit, links_epoch))


@dataclass
class Api:
    """The running API, and its parts for those who look behind it."""

    client: TestClient[web.Request, web.Application]
    store: SqlVisitStore
    visits: WrittenVisits
    links: Links
    tokens: SignedTokens
    ready: dict[str, bool]
    messages: SqlMessageStore
    files: FolderPhotos
    launches: SqlLaunches
    access: SqlAccess
    copies: Copies

    async def call(self, method: str, path: str, token: str = API_KEY, **given: Any) -> tuple[int, Any]:
        """Status and JSON."""
        headers = {"Authorization": f"Bearer {token}", **given.pop("headers", {})}
        async with self.client.request(method, path, headers=headers, **given) as answer:
            return answer.status, await answer.json(content_type=None)

    async def visit(self, **more: Any) -> dict[str, Any]:
        """A new visit."""
        status, made = await self.call("POST", "/api/v1/visits", json=VISIT | more)
        assert status == 201, made
        return made  # type: ignore[no-any-return]


@asynccontextmanager
async def open_store(folder: Path, url: str | None = None) -> AsyncIterator[SqlVisitStore]:
    """A migrated database: that of the URL, or SQLite in this folder."""
    store = SqlVisitStore(engine := open_engine(url or f"sqlite+aiosqlite:///{folder / 'visits.db'}"))
    await migrate(engine)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def open_api(folder: Path, burst: float = 20, note: Noting | None = None) -> AsyncIterator[Api]:
    """The API over the store in this folder; the recorder's audit door is `folder/audit.sock`."""
    async with open_store(folder) as store, RecorderDoor(folder / "audit.sock") as door:
        tokens = SignedTokens([bytes(32)], time.time)
        visits, links = WrittenVisits(store), Links(tokens, BASE_URL, time.time)
        ready = {"database": True}

        async def database() -> bool:
            return ready["database"]

        pseudonyms = KeyedPseudonyms(bytes(32))
        store.patient_code = lambda person: pseudonyms("patient", person)
        access = SqlAccess(store.engine)
        looks = Looks(store, access, note, time.time)
        app = web.Application(middlewares=[answering])
        messages, files = SqlMessageStore(store.engine), FolderPhotos(folder / "photos", bytes(32))
        photos = PhotoRoutes(store, messages, files, time.time)
        recordings = RecordingRoutes(store, messages, files, door, pseudonyms, looks)
        exports = ExportRoutes(store, SqlExports(store.engine), door, looks)
        playing = PlayingRoutes(door, looks)
        copies = Copies(store.engine, folder / "copies")
        grants = GrantRoutes(store, access, looks, time.time)
        webhooks = WebhookRoutes(SqlOutbox(store.engine), bytes(32))
        slot = Slot("https://his.example/rx", "https://his.example")
        launches = SqlLaunches(store.engine)
        slots = SlotRoutes(store, visits, launches, time.time, SLOT_KEY, slot, "https://his.example/fhir")
        ratings = RatingRoutes(store, SqlRatings(store.engine), time.time)
        receipts = ReceiptRoutes(store, door)
        copying = CopyRoutes(copies, door, looks, playing)
        more = (
            receipts,
            recordings,
            playing,
            copying,
            exports,
            grants,
            photos,
            webhooks,
            slots,
            PictureRoutes(files),
            ratings,
            CaptionRoutes(visits),
        )
        calendar = CalendarRoutes(store, visits, SqlCalendar(store.engine), links, time.time)
        routes = all_routes(store, visits, links, (*more, calendar), {"database": database}, time.time)
        add_routes(app, routes, Gate(API_KEY, tokens, store, access, Failures(time.time, burst=burst), time.time))
        server = TestServer(app)
        await server.start_server(access_log=None, auto_decompress=False)  # as `signaling.app` does
        client = TestClient(server)
        try:
            yield Api(client, store, visits, links, tokens, ready, messages, files, launches, access, copies)
        finally:
            await copies.close()
            await client.close()


async def raw(client: TestClient[web.Request, web.Application], path: str, headers: str = "") -> tuple[str, str]:
    """Head and body of the answer to a path sent as it is: an HTTP client would tidy it up first."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}Connection: close\r\n\r\n".encode())
    said = (await reader.read()).decode(errors="replace")
    writer.close()
    await writer.wait_closed()
    head, _, body = said.partition("\r\n\r\n")
    return head, body
