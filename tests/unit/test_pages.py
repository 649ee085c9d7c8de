"""The client's pages: what is served, under which policy, and that nothing else ever is."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from signaling.api.serving import answering
from signaling.pages import Pages
from tests.http_api import raw

SCRIPT = b"console.log('teleconsult');" * 100
Client = TestClient[web.Request, web.Application]


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    built = tmp_path / "dist"
    for role in "pda":
        (built / role).mkdir(parents=True)
        (built / role / "index.html").write_text(f"<!doctype html><title>{role}</title>")
    (built / "assets").mkdir()
    (built / "assets" / "main-abc123.js").write_bytes(SCRIPT)
    (built / "assets" / "main-abc123.js.br").write_bytes(b"as if brotli")
    (built / "assets" / "style-abc123.css").write_bytes(b"body{color:red}" * 100)
    (built / "assets" / "main-abc123.js.map").write_bytes(b"{}")
    (tmp_path / "secret.txt").write_text("secret")
    (built / "assets" / "link.js").symlink_to(tmp_path / "secret.txt")
    return built


async def serve(dist: Path, base_url: str = "https://visit.example") -> Client:
    app = web.Application(middlewares=[answering])
    Pages(base_url, dist).attach(app)
    client = TestClient(TestServer(app), auto_decompress=False)
    await client.start_server()
    return client


@pytest.fixture
async def client(dist: Path) -> AsyncIterator[Client]:
    made = await serve(dist)
    yield made
    await made.close()


@pytest.mark.parametrize("role", ["p", "d", "a"])
async def test_each_role_has_its_page(client: Client, role: str) -> None:
    answer = await client.get(f"/{role}/")
    assert answer.status == 200
    assert answer.content_type == "text/html"
    assert f"<title>{role}</title>" in await answer.text()
    assert answer.headers["Cache-Control"] == "no-cache"


async def test_a_page_runs_only_our_script_and_is_framed_by_nobody(client: Client) -> None:
    headers = (await client.get("/p/")).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "connect-src 'self' wss://visit.example;" in policy
    assert "unsafe" not in policy
    assert "camera=(self), microphone=(self), display-capture=(self)" in headers["Permissions-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


async def test_only_the_doctors_page_may_hold_a_frame_and_only_of_the_hospitals_page(tmp_path: Path) -> None:
    assert "frame-src 'none';" in _headers_of(tmp_path, None)["d"]
    found = _headers_of(tmp_path, "https://his.example")
    assert "frame-src https://his.example;" in found["d"]
    assert "frame-src 'none';" in found["p"]


def _headers_of(folder: Path, origin: str | None) -> dict[str, str]:
    pages = Pages("https://visit.example", folder, origin)
    headers = {"d": pages._doctor_headers, "p": pages._page_headers}
    assert all(each["Origin-Agent-Cluster"] == "?1" for each in headers.values())
    return {letter: each["Content-Security-Policy"] for letter, each in headers.items()}


async def test_the_slash_is_added_below_any_path(client: Client) -> None:
    answer = await client.get("/p", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (308, "p/")


async def test_the_connection_test_has_a_name_that_can_be_said(client: Client) -> None:
    answer = await client.get("/check?lang=zh", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (308, "c/?lang=zh")


async def test_an_asset_is_kept_for_ever_and_sent_compressed(client: Client) -> None:
    plain = await client.get("/assets/main-abc123.js", headers={"Accept-Encoding": "identity"})
    assert await plain.read() == SCRIPT
    assert plain.content_type == "text/javascript"
    assert "immutable" in plain.headers["Cache-Control"]
    brotli = await client.get("/assets/main-abc123.js", headers={"Accept-Encoding": "gzip, br"})
    assert (brotli.headers["Content-Encoding"], await brotli.read()) == ("br", b"as if brotli")
    zipped = await client.get("/assets/style-abc123.css", headers={"Accept-Encoding": "gzip"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(await zipped.read()) == b"body{color:red}" * 100


async def test_an_encoding_the_client_refuses_is_not_sent(client: Client) -> None:
    answer = await client.get("/assets/main-abc123.js", headers={"Accept-Encoding": "br;q=0, gzip;q=0.5"})
    assert answer.headers["Content-Encoding"] == "gzip"


async def test_an_unchanged_file_is_not_sent_again(client: Client) -> None:
    etag = (await client.get("/p/")).headers["ETag"]
    assert (await client.get("/p/", headers={"If-None-Match": etag})).status == 304


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../../secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets//etc/passwd",
        "/assets/link.js",
        "/assets/main-abc123.js.map",
        "/assets/main-abc123.js%00.css",
        "/p/../../secret.txt",
        "/p/index.html",
        "/x/",
        "/assets/",
        "/" + "a" * 4000,
    ],
)
async def test_nothing_but_the_build_is_served(client: Client, path: str) -> None:
    head, body = await raw(client, path)
    assert head.startswith("HTTP/1.1 404 ")
    assert "application/problem+json" in head
    assert "secret" not in body


async def test_an_unbuilt_client_says_so_and_is_found_once_built(tmp_path: Path, dist: Path) -> None:
    client = await serve(tmp_path / "later")
    answer = await client.get("/p/")
    assert answer.status == 503
    assert "not built" in await answer.text()
    dist.rename(tmp_path / "later")
    assert (await client.get("/p/")).status == 200
    assert (await client.get("/assets/main-abc123.js")).status == 200
    await client.close()


async def test_a_guide_stands_below_its_own_address(dist: Path) -> None:
    (dist / "guides").mkdir()
    (dist / "guides" / "patient-zh.html").write_text("<!doctype html><title>guide</title>")
    client = await serve(dist)
    try:
        async with client.get("/guides/patient-zh") as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        for name in ("patient-de", "doctor-zh", "../p/index", "patient-zh.html"):
            async with client.get(f"/guides/{name}") as answer:
                assert answer.status == 404
    finally:
        await client.close()


async def test_the_front_page_sends_people_to_their_link(client: Client) -> None:
    answer = await client.get("/")
    assert answer.status == 200
    said = await answer.text()
    assert 'href="tel:120"' in said
    for where in ("check", "guides/patient-zh", "auth/login"):
        assert f'href="{where}"' in said  # relative: below any path


async def test_a_person_at_a_wrong_address_reads_what_to_do_and_a_program_a_problem(client: Client) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    lost = await client.get("/p/half-a-link", headers=browser)
    assert (lost.status, lost.content_type) == (404, "text/html")
    said = await lost.text()
    assert "从短信或公众号里再点一次" in said
    assert "half-a-link" not in said
    assert "script" not in said
    assert "default-src 'none'" in lost.headers["Content-Security-Policy"]
    for path, asks in (("/p/half-a-link", {"Accept": "*/*"}), ("/api/v1/nothing", browser)):
        assert (await client.get(path, headers=asks)).content_type == "application/problem+json"
