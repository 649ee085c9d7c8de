"""The signaling process: Socket.IO and HTTP on one port, put together from the settings and from nothing else.

APP-1  Everything opens in the order database, visits (and their links to workers and recorder), port; and closes in the
       opposite one: no request finds a part missing.
APP-2  SIGTERM, SIGINT and, for a supervised process, the end of standard input stop it within two seconds.
APP-3  Under TLS every answer carries HSTS; no answer says which software it came from.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from functools import partial

import msgspec
from aiohttp import web

from config import logs
from config.addresses import own_addresses
from config.clock import random_bytes, random_name
from config.link import LinkError
from config.secrets import SecretError, secret_key, secret_text
from config.settings import Settings
from recorder.control import Note
from signaling.api.auth import Failures, Gate
from signaling.api.calendar import CalendarRoutes
from signaling.api.captions import CaptionRoutes
from signaling.api.copies import CopyRoutes
from signaling.api.exports import ExportRoutes
from signaling.api.grants import GrantRoutes
from signaling.api.looks import Looks, Noting, Seen
from signaling.api.photos import PhotoRoutes
from signaling.api.pictures import PictureRoutes
from signaling.api.playing import PlayingRoutes
from signaling.api.public import Check
from signaling.api.ratings import RatingRoutes
from signaling.api.receipts import ReceiptRoutes
from signaling.api.recordings import RecordingRoutes
from signaling.api.rehearsals import RehearsalRoutes
from signaling.api.serving import add_routes, answering
from signaling.api.signing_in import IssuerDoor, attach_signing_in
from signaling.api.slot import SlotRoutes
from signaling.api.sources import PROXIES, networks
from signaling.api.table import all_routes
from signaling.api.webhooks import WebhookRoutes
from signaling.calendar import SqlCalendar
from signaling.law.facts import Contact, Contacts, Slot
from signaling.law.promise import Limits
from signaling.links import Links
from signaling.live.doors import Doors, Practice
from signaling.live.expiry import expire
from signaling.live.registry import VisitRegistry
from signaling.live.rehearsals import Rehearsals
from signaling.live.workers import MediaWorkers, RecorderLink
from signaling.outbound.notices import Door, FileDoor, NoticeSender, WebhookDoor
from signaling.outbound.reminders import Reminders
from signaling.outbound.webhooks import WebhookSender
from signaling.pages import Pages
from signaling.photos.photo_files import FolderPhotos
from signaling.ports import Clock, StoreAway
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
from signaling.tls import Certificate
from signaling.tokens import SignedTokens, token_keys
from turn.credentials import ice_servers

IDLE_S = 75.0  # longer than a proxy keeps a connection to us, else it would send into a closing one
SHUTDOWN_S = 1.0
END_LIVE_WITHIN_S = 1.2
HSTS = "max-age=31536000"

log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Serve until told to stop. What keeps it from starting is said in one plain line, with exit code 1."""
    logs.setup("signaling", settings.log_level, settings.log_json)
    try:
        listening = listen(settings)
    except OSError as error:
        sys.exit(_plain(error, settings))
    settings = msgspec.structs.replace(settings, port=listening.getsockname()[1])
    try:
        asyncio.run(_serve(settings, listening))
    except StoreAway as error:
        sys.exit(f"the database cannot be used: {error}")
    except SecretError as error:
        sys.exit(str(error))


async def _serve(settings: Settings, listening: socket.socket) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if os.environ.get("TELECONSULT_SUPERVISED") == "1":
        _watch_stdin(loop, stop.set)
    # It would quote what cannot be parsed; what goes wrong in a handler is logged by `serving.answering`.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    async with serving(settings, listening) as parts:
        gc.freeze()
        log.info("signaling ready", extra={"url": settings.base_url})
        await stop.wait()
        log.info("signaling stops")
        if os.environ.get("TELECONSULT_SUPERVISED") == "1":  # a supervisor never stops signaling alone
            await parts.registry.end_live(END_LIVE_WITHIN_S)


@contextlib.asynccontextmanager
async def serving(settings: Settings, listening: socket.socket, clock: Clock = time.time) -> AsyncIterator[Assembly]:
    """The whole of signaling, open while the context lasts (APP-1)."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = open_engine(settings.database)
    try:
        await migrate(engine)
        async with RecorderDoor(settings.socket("audit")) as door:
            store = SqlVisitStore(engine)
            parts = assemble(settings, store, door, clock)
            await store.name_patients()
            await parts.copies.forget_unfinished()
            await parts.registry.start()
            expiring = asyncio.create_task(expire(store, parts.registry.get, clock), name="expiry")
            sending = asyncio.create_task(parts.sender.run(), name="webhooks")
            telling = asyncio.create_task(parts.notices.run(), name="notices")
            following = asyncio.create_task(parts.copies.follow_shredding(partial(_shredded, door)), name="copies")
            reminding = asyncio.create_task(parts.reminders.run(), name="reminders")
            certificate = _certificate(settings)
            renewing = [] if certificate is None else [asyncio.create_task(certificate.run(), name="certificate")]
            runner = _runner(parts.app)
            try:
                await runner.setup()
                context = None if certificate is None else certificate.context
                await web.SockSite(runner, listening, ssl_context=context).start()
                yield parts
            finally:
                for task in (beside := [expiring, sending, telling, following, reminding, *renewing]):
                    task.cancel()
                await asyncio.wait(beside)
                await parts.copies.close()
                await parts.rehearsals.close()
                await parts.registry.stop()
                await parts.issuer_door.close()
                await runner.cleanup()
    finally:
        await engine.dispose()


def _runner(app: web.Application) -> web.AppRunner:
    # A connection on which no request begins is closed; bodies are taken as they come (BODY-1).
    return web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=SHUTDOWN_S,
        keepalive_timeout=IDLE_S,
        auto_decompress=False,
    )


@dataclass(frozen=True, slots=True)
class Assembly:
    """What a caller of `assemble` may want to reach."""

    app: web.Application
    registry: VisitRegistry
    links: Links
    sender: WebhookSender
    notices: NoticeSender
    reminders: Reminders
    rehearsals: Rehearsals
    issuer_door: IssuerDoor
    copies: Copies


def assemble(settings: Settings, store: SqlVisitStore, door: RecorderDoor, clock: Clock) -> Assembly:
    """All parts, connected; nothing runs yet."""
    tokens = SignedTokens(token_keys(settings.keys / "token.key"), clock)
    pseudonyms = KeyedPseudonyms(secret_key(settings.recorder_seat_salt_file or settings.keys / "pseudonym.key"))
    media = MediaWorkers([settings.socket(f"media-{number}") for number in range(settings.media_workers)])
    recorder = RecorderLink(settings.socket("recorder"))
    messages = SqlMessageStore(store.engine)
    origin = settings.slot_origin
    slot = None if settings.slot_url is None or origin is None else Slot(settings.slot_url, origin)
    practice = Practice(Limits(settings.call_within_s, settings.escalate_after_s), slot, settings.camera_codec)
    registry = VisitRegistry(Doors(store, messages, media, recorder, pseudonyms, clock), practice)
    links = Links(tokens, settings.base_url, clock)
    store.patient_code = lambda person: pseudonyms("patient", person)
    access = SqlAccess(store.engine)
    looks = Looks(store, access, _noting(recorder), clock)
    files = FolderPhotos(settings.data / "photos", secret_key(settings.keys / "photos.key"))
    photos = PhotoRoutes(store, messages, files, clock)
    recordings = RecordingRoutes(store, messages, files, door, pseudonyms, looks)
    exports = ExportRoutes(store, SqlExports(store.engine), door, looks)
    playing = PlayingRoutes(door, looks)
    copies = Copies(store.engine, settings.data / "copies")
    grants = GrantRoutes(store, access, looks, clock)
    outbox, hook_key = SqlOutbox(store.engine), secret_key(settings.keys / "webhook.key")
    sender = WebhookSender(outbox, hook_key, clock, random_chance)
    store.on_happened = sender.wake
    webhooks = WebhookRoutes(outbox, hook_key)
    launches, slot_key = SqlLaunches(store.engine), secret_key(settings.slot_key_file or settings.keys / "slot.key")
    slot_routes = SlotRoutes(store, registry, launches, clock, slot_key, slot, settings.slot_fhir_base)
    ratings = RatingRoutes(store, SqlRatings(store.engine), clock)
    relays = ice_servers(settings)
    rehearsals = Rehearsals(media, relays, clock)
    trying = RehearsalRoutes(rehearsals)
    receipts = ReceiptRoutes(store, door)
    kept = (
        recordings,
        playing,
        CopyRoutes(copies, door, looks, playing),
        exports,
        receipts,
        grants,
        photos,
        PictureRoutes(files),
    )
    calendar = CalendarRoutes(store, registry, SqlCalendar(store.engine), links, clock)
    more = (*kept, webhooks, slot_routes, ratings, trying, calendar, CaptionRoutes(registry))
    checks = _parts(store, media, recorder)
    routes = all_routes(store, registry, links, more, checks, clock, contacts(settings))

    app = web.Application(middlewares=[answering])
    app[PROXIES] = networks(settings.proxies)
    app.on_response_prepare.append(_finish(settings.tls != "off"))
    gate = Gate(secret_text(settings.keys / "api.key"), tokens, store, access, Failures(clock), clock)
    add_routes(app, routes, gate)
    with _hidden("redis"):
        from signaling.sockets.gateway import Gateway
    origins = (*settings.origins, *_own_origins(settings))
    Gateway(registry, tokens, relays, origins, clock, launches, contacts(settings)).attach(app)
    Pages(settings.base_url, slot_origin=origin).attach(app)
    issuer_door = attach_signing_in(app, settings, access, pseudonyms, clock)
    link_of = _patient_link(store, links)
    notices = NoticeSender(
        store.engine, _door(settings, clock), link_of, clock, random_chance, zone=settings.zone or UTC
    )
    reminders = Reminders(store.engine, clock, settings.remind_before_min * 60)
    return Assembly(app, registry, links, sender, notices, reminders, rehearsals, issuer_door, copies)


async def _shredded(door: RecorderDoor, visit: str) -> bool:
    keeping = await door.keeping(visit)
    return keeping is not None and keeping.shredded


def _door(settings: Settings, clock: Clock) -> Door:
    if settings.notices_url is None:
        return FileDoor(settings.data / "notices.jsonl")
    return WebhookDoor(settings.notices_url, secret_key(settings.keys / "notices.key"), clock)


def _patient_link(store: SqlVisitStore, links: Links) -> Callable[[str], Awaitable[str | None]]:
    async def link_of(visit: str) -> str | None:
        facts = await store.load(visit)
        return None if facts is None or facts.phase == "ended" else links.all_of(facts)["patient"]

    return link_of


def _own_origins(settings: Settings) -> list[str]:
    """Where our pages are opened (SIG-3): the public address and, without a proxy, every one that we listen on."""
    hosts = own_addresses() if settings.everywhere else [settings.host]
    return [settings.base_url, *(settings.url_at(host) for host in (*hosts, "localhost"))]


def contacts(settings: Settings) -> Contacts:
    """Whom patients may phone, where the visit does not say."""
    clinic, emergency = settings.clinic_name, settings.emergency_name
    return Contacts(
        None if clinic is None else Contact(clinic, settings.clinic_phone or ""),
        None if emergency is None else Contact(emergency, settings.emergency_phone or ""),
    )


def random_chance() -> float:
    """From 0 to 1."""
    return int.from_bytes(random_bytes(4)) / 0xFFFFFFFF


@contextlib.contextmanager
def _hidden(module: str) -> Iterator[None]:
    """Keep an optional import out: python-socketio loads every broker's client it finds, and redis alone is 13 % of our start
    (`python -X importtime -c "import signaling.sockets.gateway"`)."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


def _parts(store: SqlVisitStore, media: MediaWorkers, recorder: RecorderLink) -> dict[str, Check]:
    async def recorder_up() -> bool:
        return recorder.up

    async def media_up() -> bool:
        return any(worker.up for worker in media.workers)

    return {"database": store.answers, "recorder": recorder_up, "media": media_up}


def _noting(recorder: RecorderLink) -> Noting:
    async def note(visit: str, seen: Seen) -> None:
        body = {"who": seen.who, "role": seen.role, "purpose": seen.purpose, "scope": seen.scope}
        try:
            await recorder.ask(Note(visit, f"access-{random_name(9)}", seen.kind, body))
        except LinkError as error:  # it is on the access log all the same; `visit_closed` is AUDIT-1's other half
            level = logging.DEBUG if error.code == "visit_closed" else logging.WARNING
            log.log(level, "access not noted", extra={"visit": visit, "code": error.code})

    return note


def listen(settings: Settings) -> socket.socket:
    """The listening socket; `port` 0 takes any. Raises `OSError`."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family, backlog=256)


def _finish(tls: bool) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def finish(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = "teleconsult"  # APP-3
        if tls:
            response.headers["Strict-Transport-Security"] = HSTS

    return finish


def _watch_stdin(loop: asyncio.AbstractEventLoop, ended: Callable[[], None]) -> None:
    """Call `ended` when standard input, a pipe our parent holds, ends."""

    def read() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            ended()

    with contextlib.suppress(PermissionError):  # a file or /dev/null: nothing to wait for
        loop.add_reader(0, read)


def _certificate(settings: Settings) -> Certificate | None:
    if settings.tls == "off":
        return None
    assert settings.tls_cert is not None, "a self-signed certificate is made by the front door"
    return Certificate(settings.tls_cert, settings.tls_key)


def _plain(error: OSError, settings: Settings) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"port {settings.port} on {settings.host} is in use: stop what uses it, or choose another with --port"
            )
        case errno.EACCES:
            return f"port {settings.port} may not be used without more rights: choose one above 1023 with --port"
        case _:
            return f"cannot listen on {settings.host}:{settings.port}: {error.strerror}"
