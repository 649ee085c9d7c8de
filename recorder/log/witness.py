"""The witness daemon, `teleconsult witness`: C2SP tlog-witness over HTTP.

It belongs elsewhere: another machine, another operator, its own key. What it keeps in DATA/witness:
`recorder.log.witness_book`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from urllib.parse import urlsplit

from aiohttp import web

from config import logs
from config.settings import Settings
from recorder.evidence.checkpoint import NoteInvalid
from recorder.evidence.witnessing import MAX_REQUEST, WitnessRefused
from recorder.log.witness_book import WitnessBook, open_book

log = logging.getLogger(__name__)


def make_witness_app(book: WitnessBook) -> web.Application:
    """The HTTP door: `POST /add-checkpoint`, and `GET /` with the witness's own key for those who set it up."""

    async def add(request: web.Request) -> web.Response:
        body = await request.read()
        try:
            signature = await asyncio.to_thread(book.add, body)
        except WitnessRefused as refused:
            said = {"status": refused.status, "reason": str(refused)}
            if refused.forked is not None:
                log.error("log forked", extra={**said, "log": refused.forked})
            else:  # anybody may knock: no warning for it
                log.info("checkpoint refused", extra=said)
            if refused.seen is not None:
                return web.Response(
                    status=refused.status,
                    body=f"{refused.seen}\n".encode(),
                    headers={"Content-Type": "text/x.tlog.size"},
                )
            return web.Response(status=refused.status, text=f"{refused}\n")
        except (NoteInvalid, OSError) as error:
            log.error("witness cannot answer", extra={"error": type(error).__name__})
            return web.Response(status=503)
        return web.Response(text=signature.line)

    async def key(_request: web.Request) -> web.Response:
        return web.Response(text=f"{book.key.vkey}\n")

    app = web.Application(client_max_size=MAX_REQUEST)
    app.add_routes([web.post("/add-checkpoint", add), web.get("/", key)])
    return app


def run(settings: Settings) -> None:
    """The process, on `host` and `port`: until SIGTERM or SIGINT."""
    logs.setup("witness", settings.log_level, settings.log_json)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(settings))


async def _main(settings: Settings) -> None:
    name = f"{urlsplit(settings.base_url).netloc or 'localhost'}/witness"
    book = await asyncio.to_thread(open_book, settings.data / "witness", name)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner = web.AppRunner(make_witness_app(book), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, settings.host, settings.port).start()
    log.info("witness ready", extra={"key": book.key.vkey, "logs": len(book.logs())})
    await stop.wait()
    await runner.cleanup()
