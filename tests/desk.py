"""A sealed recording on the recorder's desk: the audit door, its custody chain and its log, and two people who ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, UnixConnector

from recorder.audit.looks import Looks
from recorder.audit.routes import audit_door, make_audit_app
from recorder.log.custody import Custody
from recorder.log.keys import load_or_create
from recorder.log.notary import LocalWitness, Notary
from recorder.log.site_log import SiteLog
from recorder.log.witness_book import WitnessBook
from recorder.sealing.mint import Mint
from recorder.sealing.mint_settings import mint_for
from recorder.store.holdings import Holdings
from recorder.store.retention import Retention
from tests.bundles import keys_of
from tests.tapping import VISIT, Studio, clip

LEE = {"who": "p-lee", "role": "auditor", "reason": "complaint 7"}
KIM = {"who": "p-kim", "role": "administrator", "reason": "agreed"}
SEE = {"who": "p-lee", "role": "auditor", "purpose": "dispute"}
INIT = "streams/patient/part-001/init.webm"
SEGMENT = "streams/patient/part-001/seg-000001.webm"


class Desk:
    """The audit door over a recording, with the real log behind it."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.ahead = timedelta()
        self.time: Callable[[], Awaitable[datetime | None]] | None = None
        """What an authority says that the time is."""
        self.client: ClientSession
        self.notary: Notary
        self.custody: Custody
        self.mint: Mint

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    @asynccontextmanager
    async def open(self, logged: bool = True) -> AsyncIterator[Desk]:
        studio, settings = self.studio, self.studio.settings
        signer = load_or_create(settings.keys / "recorder-ed25519.pem")
        self.mint = mint_for(settings, lambda *_: None)
        site = SiteLog(settings.data / "log", studio.recorder.origin, signer)
        book = WitnessBook(settings.data / "local-witness", f"{site.key.name}/witness", keys_of("witness"))
        notary = self.notary = Notary(site, LocalWitness(book, site.key), [], 0, studio.store, lambda *_: None)
        try:
            self.custody = Custody(
                settings.data / "custody", signer.fingerprint[:16], notary if logged else None, self.now
            )
            notary.before_publishing = self.custody.publish
            app = make_audit_app(studio.store, None, self._looks)
            socket = settings.data / "audit.sock"
            async with (
                audit_door(app, socket),
                ClientSession("http://x", connector=UnixConnector(str(socket))) as client,
            ):
                self.client = client
                yield self
        finally:
            site.close()

    def _looks(self, holdings: Holdings) -> Looks:
        return Looks(holdings, self.custody, self.mint, lambda: Retention(365, 365), self.time)

    async def ask(self, path: str, body: dict[str, Any], status: int) -> Any:
        async with self.client.post(path, json=body) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json() if answer.content_type == "application/json" else await answer.read()

    async def get(self, path: str, status: int = 200, **headers: str) -> Any:
        async with self.client.get(path, headers=headers) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json() if answer.content_type == "application/json" else await answer.read()

    async def look(self, **more: Any) -> str:
        return str((await self.ask(f"/visits/{VISIT}/looks", SEE | more, 201))["look"])


async def sealed_recording(folder: Path) -> Desk:
    """A closed recording of a patient, sealed, and the desk that it lies on."""
    studio, what = Studio(folder, encryption="aes256gcm"), clip("VP8")
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        await studio.play(worker, "patient", what)
        await studio.end()
        await studio.recorder.mint.round()
    return Desk(studio)
