"""Evidence services over HTTP, asked on a real local server: what they are given, what they may answer, and their silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from recorder.log import anchors
from recorder.log.anchors import Anchors, AnchorSilent, HttpAnchor, anchors_for

HASH = "ab" * 32
Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def service(answer: Answering) -> AsyncIterator[str]:
    """An evidence service; its address."""
    app = web.Application()
    app.router.add_post("/deposits", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/deposits"))


async def deposited(answer: Answering) -> str:
    async with service(answer) as url, aiohttp.ClientSession() as session:
        return await HttpAnchor(url, session).deposit(HASH)


async def test_a_service_is_given_the_hash_and_nothing_else_and_its_reference_comes_back() -> None:
    asked: list[tuple[object, str]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((await request.json(), request.headers["Content-Type"]))
        return web.json_response({"reference": "court 2026/17", "more": 1}, status=201)

    assert await deposited(answer) == "court 2026/17"
    assert asked == [({"sha256": HASH}, "application/json")]


async def test_an_answer_in_pieces_is_read_to_its_end_and_a_long_reference_is_cut() -> None:
    async def slowly(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for piece in (b'{"refer', b'ence": "', b"x" * 2000, b'"}'):
            await response.write(piece)
            await asyncio.sleep(0.02)
        return response

    assert await deposited(slowly) == "x" * anchors.MAX_REFERENCE


async def _refused(_request: web.Request) -> web.Response:
    return web.json_response({"reference": "7"}, status=202)


async def _elsewhere(_request: web.Request) -> web.Response:
    return web.Response(status=307, headers={"Location": "/deposits"})


async def _nonsense(_request: web.Request) -> web.Response:
    return web.Response(text="<html>thank you</html>")


async def _nothing(_request: web.Request) -> web.Response:
    return web.json_response({"reference": ""})


async def _control(_request: web.Request) -> web.Response:
    return web.json_response({"reference": "7\n8"})


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        while True:
            await response.write(b" " * 65_536)
    except ConnectionError:
        return response


@pytest.mark.parametrize("answer", [_refused, _elsewhere, _nonsense, _nothing, _control, _endless])
async def test_what_is_no_reference_is_silence(answer: Answering) -> None:
    with pytest.raises(AnchorSilent):
        await deposited(answer)


async def test_a_service_that_fails_is_asked_again_and_an_outage_is_said_once_until_it_is_over() -> None:
    failing = [500, 500, 200, 503, 503, 200]
    told: list[tuple[str, bool]] = []

    async def answer(_request: web.Request) -> web.Response:
        status = failing.pop(0)
        return web.json_response({"reference": "r"}, status=status)

    async with service(answer) as url, aiohttp.ClientSession() as session:
        asked = Anchors([HttpAnchor(url, session)], lambda code, over: told.append((code, over)), (0, 0))
        name = url.split("/")[2]
        assert await asked.deposit(HASH) == []
        assert await asked.deposit(HASH) == [(name, "r")]
        assert await asked.deposit(HASH) == []
        assert await asked.deposit(HASH) == [(name, "r")]
    assert told == [("anchor_unavailable", False), ("anchor_unavailable", True)] * 2


async def test_a_service_that_is_not_there_is_silence() -> None:
    async with anchors_for(("http://127.0.0.1:9/",), lambda *_: None) as services:
        assert services is not None
        services._tries_s = (0,)
        assert await services.deposit(HASH) == []
