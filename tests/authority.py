"""A time-stamp authority of our own, made by openssl, behind HTTP on a free port."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

CONFIG = """
[tsa]
default_tsa = one
[one]
dir = .
serial = ./serial
signer_cert = ./tsa.crt
certs = ./ca.crt
signer_key = ./tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
[stamping]
extendedKeyUsage = critical,timeStamping
"""


def openssl(folder: Path, *words: str) -> bytes:
    return subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True).stdout


def make_authority(folder: Path) -> Path:
    """Keys and certificates of a CA (`ca.crt`) and its authority."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tsa.cnf").write_text(CONFIG)
    (folder / "serial").write_text("01\n")
    new = ("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(folder, *new, "-x509", "-days", "2", "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.crt")
    openssl(folder, *new, "-subj", "/CN=Test TSA", "-keyout", "tsa.key", "-out", "tsa.csr")
    signing = ("-req", "-in", "tsa.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
    openssl(folder, "x509", *signing, "-extfile", "tsa.cnf", "-extensions", "stamping", "-out", "tsa.crt")
    return folder


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one that all tests may ask."""
    return make_authority(tmp_path_factory.mktemp("authority"))


def reply_to(folder: Path, query: bytes) -> bytes:
    """What the authority answers."""
    (folder / "query").write_bytes(query)
    return openssl(folder, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query")


@asynccontextmanager
async def served(folder: Path, in_pieces: bool = False) -> AsyncIterator[str]:
    """The authority's URL. `in_pieces`: its replies come as over a slow network, one packet after the other."""

    async def answer(asked: web.Request) -> web.StreamResponse:
        reply = await asyncio.to_thread(reply_to, folder, await asked.read())
        if not in_pieces:
            return web.Response(body=reply, content_type="application/timestamp-reply")
        slowly = web.StreamResponse(headers={"Content-Length": str(len(reply))})
        await slowly.prepare(asked)
        for at in range(0, len(reply), 400):
            await slowly.write(reply[at : at + 400])
            await asyncio.sleep(0.02)
        return slowly

    app = web.Application()
    app.add_routes([web.post("/", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/"
    finally:
        await runner.cleanup()
