"""The assembled signaling process: pages, API and sockets on one port, under one set of headers."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession, WSMsgType

from config.certificate import self_signed
from config.settings import Settings
from signaling.app import listen, serving
from tests.http_api import VISIT, open_store, some_visit
from tests.patience import PATIENCE_S


@asynccontextmanager
async def signaling(folder: Path, **more: Any) -> AsyncIterator[Settings]:
    (folder / "run").mkdir(exist_ok=True)
    settings = Settings(data=folder / "data", run=folder / "run", port=0, **more)
    listening = listen(settings)
    settings = msgspec.structs.replace(settings, port=listening.getsockname()[1])
    async with serving(settings, listening):
        yield settings


async def test_a_visit_made_over_http_has_links_that_the_socket_knows(tmp_path: Path) -> None:
    async with signaling(tmp_path) as settings, ClientSession(settings.base_url) as client:
        key = (settings.keys / "api.key").read_text().strip()
        async with client.post("/api/v1/visits", json=VISIT, headers={"X-API-Key": key}) as answer:
            assert answer.status == 201
            links = (await answer.json())["links"]
        base, _, token = links["patient"].partition("#")
        async with client.get(base) as page:
            assert "text/html" in page.headers["Content-Type"]
        async with client.ws_connect("/socket.io/?EIO=4&transport=websocket") as socket:
            assert (await socket.receive_str()).startswith("0{")
            await socket.send_str("40" + json.dumps({"v": 1, "token": token}))
            said = await socket.receive_str()
            assert said.startswith("40{"), said
            state = await socket.receive_str()
            assert '"phase":"scheduled"' in state


async def test_revoked_links_close_their_sockets_and_open_none(tmp_path: Path) -> None:
    async with signaling(tmp_path) as settings, ClientSession(settings.base_url) as client:
        headers = {"X-API-Key": (settings.keys / "api.key").read_text().strip()}
        async with client.post("/api/v1/visits", json=VISIT, headers=headers) as answer:
            made = await answer.json()
        connect = "40" + json.dumps({"v": 1, "token": made["links"]["patient"].partition("#")[2]})
        async with client.ws_connect("/socket.io/?EIO=4&transport=websocket") as socket, asyncio.timeout(PATIENCE_S):
            await socket.receive_str()
            await socket.send_str(connect)
            async with client.post(f"/api/v1/visits/{made['id']}/links/revoke", headers=headers) as answer:
                assert answer.status == 200
            said = ""
            while "token_revoked" not in said:
                said = await socket.receive_str()
        async with client.ws_connect("/socket.io/?EIO=4&transport=websocket") as socket, asyncio.timeout(PATIENCE_S):
            await socket.receive_str()
            await socket.send_str(connect)
            said = await socket.receive_str()
            assert said.startswith("44")
            assert "token_revoked" in said


async def test_the_public_address_may_connect_whatever_host_a_proxy_names(tmp_path: Path) -> None:
    async with signaling(tmp_path, public_url="https://visit.example/care") as settings:
        for origin, said in (("https://visit.example", "44"), ("https://evil.example", "44")):
            async with (
                ClientSession(f"http://127.0.0.1:{settings.port}") as client,
                client.ws_connect("/socket.io/?EIO=4&transport=websocket", headers={"Origin": origin}) as socket,
            ):
                await socket.receive_str()
                await socket.send_str('40{"v":1,"token":"made up"}')
                answer = await socket.receive_str()
                assert answer.startswith(said)
                assert ("origin_refused" in answer) == (origin == "https://evil.example")


async def test_own_origins_come_from_the_settings_and_never_from_the_host_header(tmp_path: Path) -> None:
    async with signaling(tmp_path, origins=("https://desk.example",)) as settings, ClientSession() as client:
        own = [f"http://127.0.0.1:{settings.port}", f"http://localhost:{settings.port}", "https://desk.example"]
        for origin in (*own, f"http://evil:{settings.port}", f"https://127.0.0.1:{settings.port}"):
            headers = {"Origin": origin, "Host": origin.partition("://")[2]}
            where = f"{settings.base_url}/socket.io/?EIO=4&transport=websocket"
            async with client.ws_connect(where, headers=headers) as socket:
                await socket.receive_str()
                await socket.send_str('40{"v":1,"token":"made up"}')
                assert ("origin_refused" in await socket.receive_str()) == (origin not in own)


async def test_the_socket_refuses_polling_and_strangers(tmp_path: Path) -> None:
    async with signaling(tmp_path) as settings, ClientSession(settings.base_url) as client:
        async with client.get("/socket.io/?EIO=4&transport=polling") as answer:
            assert answer.status == 400
        async with client.ws_connect("/socket.io/?EIO=4&transport=websocket") as socket:
            await socket.receive_str()
            await socket.send_str('40{"v":1,"token":"made up"}')
            said = await socket.receive()
            assert said.type is WSMsgType.TEXT
            assert said.data.startswith("44")
            assert "token_invalid" in said.data


async def test_readiness_says_which_part_is_away(tmp_path: Path) -> None:
    async with (
        signaling(tmp_path) as settings,
        ClientSession(settings.base_url) as client,
        client.get("/readyz") as answer,
    ):
        assert answer.status == 503
        parts = {"database": True, "recorder": False, "media": False}
        assert await answer.json() == {"ready": False, "parts": parts}


async def test_no_answer_says_what_serves_it_and_tls_is_for_good(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, ["127.0.0.1"])
    trusted = ssl.create_default_context(cafile=str(certificate))
    async with (
        signaling(tmp_path, tls="files", tls_cert=certificate, tls_key=key) as settings,
        ClientSession(settings.base_url) as client,
    ):
        assert settings.base_url.startswith("https://")
        for path in ("/healthz", "/p/", "/nothing"):
            async with client.get(path, ssl=trusted) as answer:
                assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
                assert answer.headers["Server"] == "teleconsult"


async def test_facts_and_links_outlive_a_restart(tmp_path: Path) -> None:
    async with signaling(tmp_path) as settings, ClientSession(settings.base_url) as client:
        headers = {"X-API-Key": (settings.keys / "api.key").read_text().strip()}
        async with client.post("/api/v1/visits", json=VISIT, headers=headers) as answer:
            made = await answer.json()
    async with signaling(tmp_path) as settings, ClientSession(settings.base_url) as client:
        token = made["links"]["auditor"].partition("#")[2]
        headers = {"Authorization": f"Bearer {token}"}
        async with client.get(f"/api/v1/recordings/{made['id']}", headers=headers) as answer:
            assert answer.status == 200


def test_a_port_that_is_taken_is_an_error_with_a_plain_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from signaling import app

    taken = listen(Settings(port=0))
    settings = Settings(data=tmp_path, port=taken.getsockname()[1])
    monkeypatch.setattr("config.logs.setup", lambda *_: None)
    with pytest.raises(SystemExit, match=f"port {settings.port} on 127.0.0.1 is in use.*--port"):
        app.run(settings)
    taken.close()


async def test_a_visit_nobody_came_to_ends_as_expired(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await store.create(some_visit("v1", expires="2026-01-01T00:00:00.000Z"), None, "")
    url = f"sqlite+aiosqlite:///{tmp_path / 'visits.db'}"
    async with signaling(tmp_path, database_url=url) as settings, ClientSession(settings.base_url) as client:
        headers = {"X-API-Key": (settings.keys / "api.key").read_text().strip()}
        async with asyncio.timeout(PATIENCE_S):
            visit: dict[str, Any] = {"phase": "scheduled"}
            while visit["phase"] == "scheduled":
                async with client.get("/api/v1/visits/v1", headers=headers) as answer:
                    visit = await answer.json()
    assert visit["ended"] == {"by": "system", "reason": "expired"}
