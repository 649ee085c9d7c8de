"""What the recorder answers is handed on to who is still there."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from aiohttp import web

from recorder.audit.routes import audit_door
from signaling.api.handing_on import hand_on
from signaling.api.serving import answering
from signaling.recordings.door import RecorderDoor
from tests.patience import until


async def test_who_goes_away_before_the_answer_is_no_fault_of_ours(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "signaling")
    asked, gone = asyncio.Event(), asyncio.Event()

    async def late(_: web.Request) -> web.Response:
        asked.set()
        await gone.wait()
        return web.Response(body=b"[]", content_type="application/json")

    recorder = web.Application()
    recorder.router.add_get("/piece", late)
    async with audit_door(recorder, tmp_path / "audit.sock"), RecorderDoor(tmp_path / "audit.sock") as door:

        async def piece(request: web.Request) -> web.StreamResponse:
            asking.append(request)
            return await hand_on(door, request, "/piece")

        asking: list[web.Request] = []
        app = web.Application(middlewares=[answering])
        app.router.add_get("/piece", piece)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.UnixSite(runner, str(tmp_path / "api.sock")).start()
        _, auditor = await asyncio.open_unix_connection(tmp_path / "api.sock")
        auditor.write(b"GET /piece HTTP/1.1\r\nHost: a\r\n\r\n")
        await asked.wait()
        auditor.transport.abort()
        await until(lambda: asking[0].transport is None)
        gone.set()
        await until(lambda: "request answered" in caplog.messages)
        await runner.cleanup()
    assert "request failed" not in caplog.messages
