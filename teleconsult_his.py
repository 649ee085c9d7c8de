"""A sample of a hospital's own system, for the demo and the tests: its prescribing page, and the server behind that page.

It shows what a real one does: its page lives in the slot (PROTOCOL.md §11), its server redeems the one-time code, signs and
hashes the prescription, and confirms it under the slot's key until it is heard. Nothing here is for use with patients.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web

from config.clock import random_name
from config.pinned import pinned
from config.secrets import secret_key
from config.settings import Settings
from signaling.outbound.webhooks import signature

FILES = Path(__file__).parent / "web_client" / "sample_his"
AGAIN_S = 1.0
SESSIONS_MOST = 200
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors {ours}",
    "Origin-Agent-Cluster": "?1",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class SampleHospital:
    """The server behind the page. `behave` of a session: `never` confirms nothing, `other` names another hash."""

    def __init__(self, ours: str, reach: str, key: bytes, tls: ssl.SSLContext | None) -> None:
        """`ours` is the origin that may frame the page; `reach` the base URL under which this server reaches it."""
        self._ours = ours
        self._reach = reach
        self._key = key
        self._tls = tls
        self._sessions: dict[str, dict[str, Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def app(self) -> web.Application:
        """Page and server on one origin."""
        app = web.Application()
        app.router.add_post("/launch", self._launch)
        app.router.add_post("/sign", self._sign)
        app.router.add_get("/{file:(?:rx|page[.]js|page[.]css)}", self._file)
        app.on_cleanup.append(self._stop)
        return app

    async def _file(self, request: web.Request) -> web.FileResponse:
        name = request.match_info["file"]
        headers = {name: said.format(ours=self._ours) for name, said in HEADERS.items()}
        return web.FileResponse(FILES / ("index.html" if name == "rx" else name), headers=headers)

    async def _launch(self, request: web.Request) -> web.Response:
        said = await request.json()
        status, found = await self._say("redeem", {"code": said["code"]})
        if status != 200:
            raise web.HTTPForbidden
        if len(self._sessions) >= SESSIONS_MOST:
            self._sessions.pop(next(iter(self._sessions)))
        session = random_name(24)
        self._sessions[session] = {"visit": found["visit"], "behave": said.get("behave")}
        return web.json_response({"session": session, "patient": {"name": found["patient"]["name"]}})

    async def _sign(self, request: web.Request) -> web.Response:
        said = await request.json()
        session = self._sessions.get(said.pop("session"))
        if session is None:
            raise web.HTTPForbidden
        rx, nonce = f"sample-{random_name(9)}", random_name(16)
        document = json.dumps(
            {"rx": rx, "version": 1, "nonce": nonce, "line": said}, sort_keys=True, ensure_ascii=False
        )
        claim = {"rx": rx, "version": 1, "state": "signed", "sha256": hashlib.sha256(document.encode()).hexdigest()}
        if session["behave"] != "never":
            word = {"visit": session["visit"], **claim}
            if session["behave"] == "other":
                word["sha256"] = hashlib.sha256(b"another").hexdigest()
            task = asyncio.create_task(self._confirm(word))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return web.json_response({**claim, "signedAt": now, "signer": "sample"})

    async def _confirm(self, word: dict[str, Any]) -> None:
        """Until it is heard: 200, or a refusal that will not change."""
        while True:
            try:
                status, _ = await self._say("confirm", word)
                if status < 500 and status != 429:
                    return
            except (ClientError, OSError, TimeoutError):
                pass
            await asyncio.sleep(AGAIN_S)

    async def _say(self, what: str, body: dict[str, Any]) -> tuple[int, Any]:
        raw, now, name = json.dumps(body).encode(), int(datetime.now(UTC).timestamp()), f"msg_{random_name(12)}"
        headers = {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(now),
            "webhook-signature": signature(self._key, name, now, raw),
        }
        tls = self._tls if self._tls is not None else True
        async with (
            ClientSession(timeout=ClientTimeout(total=5), connector=TCPConnector(ssl=tls)) as http,
            http.post(f"{self._reach}/api/v1/slot/{what}", data=raw, headers=headers) as answer,
        ):
            return answer.status, await answer.json(content_type=None)

    async def _stop(self, _app: web.Application) -> None:
        for task in self._tasks:
            task.cancel()


def run(settings: Settings) -> None:
    """Serve on the port of `slot_url` until told to stop."""
    assert settings.slot_url is not None, "the front door names it"
    serving = trusting = None
    if settings.tls != "off" and settings.tls_cert is not None:
        serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        serving.load_cert_chain(settings.tls_cert, settings.tls_key)
        trusting = pinned(settings.tls_cert)
    ours = urlsplit(settings.base_url)
    reach = settings.url_at("127.0.0.1" if settings.everywhere else settings.host)
    key = secret_key(settings.slot_key_file or settings.keys / "slot.key")
    hospital = SampleHospital(f"{ours.scheme}://{ours.netloc}", reach, key, trusting)
    web.run_app(
        hospital.app(),
        host=settings.host,
        port=urlsplit(settings.slot_url).port,
        ssl_context=serving,
        print=None,
        handle_signals=False,  # it has nothing to finish: SIGTERM ends it at once
    )
