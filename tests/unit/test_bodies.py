"""Callers who never finish: each gets an answer, keeps nobody else waiting, and is no error of ours."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import web

from signaling import app
from signaling.api import bodies
from signaling.api.places import AT_ONCE, OF_ONE, Place
from tests.http_api import API_KEY, VISIT, Api, open_api, some_visit
from tests.patience import PATIENCE_S
from tests.pictures import dressed_png

PHOTO = "POST /api/v1/photos HTTP/1.1\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n"
JSON = "POST /api/v1/visits HTTP/1.1\r\nContent-Type: application/json\r\n"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(tmp_path) as opened:
        for visit in ("v1", "v2"):
            await opened.store.create(some_visit(visit, phase="waiting"), None, "")
        yield opened


@asynccontextmanager
async def said(
    port: int, head: str, token: str = API_KEY, body: bytes = b""
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which so much of a request was sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{head}Host: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode() + body)
    await writer.drain()
    try:
        yield reader, writer
    finally:
        writer.close()


async def answer(reader: asyncio.StreamReader) -> tuple[int, str]:
    """The status, and what was said."""
    async with asyncio.timeout(PATIENCE_S):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(line for line in head.split("\r\n") if line.lower().startswith("content-length"))
        return int(head.split()[1]), (await reader.readexactly(int(length.split()[1]))).decode()


def seat(api: Api, visit: str = "v1") -> str:
    return api.tokens.issue("patient", visit, "patient", 600, 0)


async def uploaded(api: Api, visit: str) -> int:
    headers = {"Content-Type": "image/png"}
    return (await api.call("POST", "/api/v1/photos", seat(api, visit), data=BytesIO(dressed_png()), headers=headers))[0]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "GZIP", "x"])
async def test_an_encoded_body_is_refused_unread(api: Api, encoding: str) -> None:
    head = f"{JSON}Content-Encoding: {encoding}\r\nContent-Length: 4\r\n"
    async with said(api.client.port or 0, head, body=b"abcd") as (reader, _):
        status, text = await answer(reader)
    assert (status, '"media_type_wrong"' in text) == (415, True)


@pytest.mark.parametrize("sent", ["nothing more", "a byte now and then"])
async def test_who_does_not_finish_is_answered(api: Api, sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "STALL_S", 0.2 if sent == "nothing more" else 60.0)
    monkeypatch.setattr("signaling.api.serving.FORM_WITHIN_S", 0.4)
    async with said(api.client.port or 0, f"{JSON}Content-Length: 1000\r\n", body=b"{") as (reader, writer):
        if sent != "nothing more":
            writer.write(b" ")
        status, text = await answer(reader)
    assert (status, '"request_late"' in text) == (408, True)
    monkeypatch.undo()
    assert (await api.call("POST", "/api/v1/visits", json=VISIT))[0] == 201


async def test_one_visit_cannot_take_the_places_of_all_others(api: Api) -> None:
    async with asyncio.TaskGroup() as group:
        done = asyncio.Event()
        begun = asyncio.Semaphore(0)

        async def hold() -> None:
            while not done.is_set():  # an upload of the loop below may have had the place first
                async with said(api.client.port or 0, PHOTO, seat(api), b"\x89") as (reader, _):
                    begun.release()
                    waits = {asyncio.ensure_future(done.wait()), asyncio.ensure_future(reader.read(1))}
                    _, left = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                    for each in left:
                        each.cancel()

        for _ in range(OF_ONE):
            group.create_task(hold())
        for _ in range(OF_ONE):
            await begun.acquire()
        async with asyncio.timeout(PATIENCE_S):
            while await uploaded(api, "v1") != 503:
                await asyncio.sleep(0.01)
        assert await uploaded(api, "v2") == 201
        done.set()
    async with asyncio.timeout(PATIENCE_S):
        while await uploaded(api, "v1") != 201:
            await asyncio.sleep(0.01)


async def test_four_visits_that_send_slowly_do_not_keep_a_fifth_out(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    visits = ("a", "b", "c", "d")
    for visit in visits:
        await api.store.create(some_visit(visit, phase="waiting"), None, "")
    async with AsyncExitStack() as stack:
        began = asyncio.Semaphore(0)
        monkeypatch.setattr(Place, "arrived", lambda *_: began.release())
        slow = [
            await stack.enter_async_context(said(api.client.port or 0, PHOTO, seat(api, visits[i % 4]), b"\x89"))
            for i in range(AT_ONCE)
        ]
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(AT_ONCE):
                await began.acquire()
        assert await uploaded(api, "a") == 503
        assert [await uploaded(api, "v1"), await uploaded(api, "v2")] == [201, 201]
        answered = [asyncio.ensure_future(answer(reader)) for reader, _ in slow]
        done, waiting = await asyncio.wait(answered, return_when=asyncio.FIRST_COMPLETED)
        assert [(status, '"unavailable"' in text) for status, text in (each.result() for each in done)] == [(503, True)]
        for each in waiting:
            each.cancel()


async def test_who_goes_away_in_the_middle_is_no_error_of_ours(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    async with said(api.client.port or 0, PHOTO, seat(api), b"\x89") as (_, writer):
        await asyncio.sleep(0.1)
        writer.transport.abort()
    await api.call("GET", "/healthz")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nX: a\r\n"])
async def test_a_connection_without_a_request_is_closed(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "IDLE_S", 0.3)
    runner = app._runner(web.Application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        reader, writer = await asyncio.open_connection(*runner.addresses[0][:2])
        writer.write(sent)
        async with asyncio.timeout(PATIENCE_S):
            assert await reader.read() == b""
        writer.close()
    finally:
        await runner.cleanup()
