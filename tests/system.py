"""The whole system as its user starts it: `teleconsult serve` in a process of its own, on free ports and a fresh folder."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import json
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Literal

import aiohttp
import psutil

from tests.patience import PATIENCE_S

Part = Literal["signaling", "media", "recorder"]

DOCTOR = {"id": "d-1", "name": "李敏", "title": "主治医师", "department": "内科", "licence": "110312345678217"}
PATIENT = {"id": "p-1", "name": "王桂英", "age": 68, "sex": "female", "complaint": "头晕三天"}


_GIVEN = Path(tempfile.gettempdir()) / f"teleconsult-test-ports-{os.getuid()}"
_held: list[int] = []


def free_port() -> int:
    """A port that was free a moment ago, for TCP and UDP, at every address.

    It is none of those that the kernel gives to whoever asks for any (from 32 768): so nobody gets it by chance meanwhile.
    No other process of tests on this machine is given it while it is one of the last 200 of this one.
    """
    _GIVEN.mkdir(exist_ok=True)
    while True:
        port = secrets.choice(range(12_000, 32_000))
        ours = os.open(_GIVEN / str(port), os.O_CREAT | os.O_WRONLY)
        try:
            fcntl.flock(ours, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
                for each in (stream, datagram):
                    each.bind(("", port))
        except OSError:
            os.close(ours)
            continue
        _held.append(ours)
        if len(_held) > 200:
            os.close(_held.pop(0))
        return port


class System:
    """A running system and its operator's hands: HTTP with the API key, and kill."""

    def __init__(self, process: asyncio.subprocess.Process, ready: Mapping[str, Any], data: Path) -> None:
        self.process, self.ready, self.data = process, ready, data
        self.apart = False
        """Whether each visit has a doctor of its own, so that the queues of tests that share this system do not meet."""
        self.made: dict[str, str] = {}
        """The visits made here, and the test each was made for."""
        self.spoilt: set[str] = set()
        """Visits whose recordings a test has damaged."""
        self._doctors = itertools.count(1001)
        self.url: str = ready["url"].rstrip("/")
        self.api_key = Path(ready["api_key_file"]).read_text().strip()

    def part(self, name: Part) -> psutil.Process:
        """The child process that does this."""
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if name in child.cmdline():
                    return child
        raise LookupError(f"no {name} process")

    def kill(self, name: Part) -> None:
        """As the kernel would: no warning."""
        self.part(name).kill()

    async def api(self, method: str, path: str, token: str | None = None, **given: Any) -> Any:
        """A JSON answer of the HTTP API, which must be a success."""
        headers = {"Authorization": f"Bearer {token or self.api_key}", **given.pop("headers", {})}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{self.url}/api/v1{path}", headers=headers, ssl=False, **given) as answer,
        ):
            assert answer.status < 400, (answer.status, await answer.text())
            return await answer.json()

    async def visit(self, **more: Any) -> dict[str, Any]:
        """A new visit, with its links."""
        doctor = {**DOCTOR, "id": f"d-{next(self._doctors)}"} if self.apart else DOCTOR
        made: dict[str, Any] = await self.api("POST", "/visits", json={"doctor": doctor, "patient": PATIENT, **more})
        self.made[made["id"]] = os.environ.get("PYTEST_CURRENT_TEST", "")
        return made

    async def until(self, visit: str, phase: str, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """Wait until the visit is in this phase, and the server there to say so."""
        async with asyncio.timeout(within_s):
            while True:
                with contextlib.suppress(aiohttp.ClientConnectionError):
                    now: dict[str, Any] = await self.api("GET", f"/visits/{visit}")
                    if now["phase"] == phase:
                        return now
                await asyncio.sleep(0.1)

    async def stop(self, within_s: float = 10) -> int:
        """Ctrl-C, and wait."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
            async with asyncio.timeout(within_s):
                await self.process.wait()
        assert self.process.returncode is not None
        return self.process.returncode


async def teleconsult(*words: str, **environ: str) -> tuple[int, str, str]:
    """The command, run to its end: exit code, standard output, standard error."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "teleconsult", *words, stdout=pipe, stderr=pipe, env={**os.environ, **environ}
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@contextlib.asynccontextmanager
async def running(data: Path, *words: str, within: tuple[str, ...] = (), **environ: str) -> AsyncIterator[System]:
    """A system on free ports that is gone afterwards, whatever happened. What it logs goes to `data`/serve.log.

    `within` are words that run a command elsewhere, such as in a namespace.
    """
    data.mkdir(parents=True, exist_ok=True)
    command = [*within, sys.executable, "-m", "teleconsult", "serve", "--json", "--data", str(data)]
    command += ["--port", str(free_port()), *words]
    surroundings = {
        **os.environ,
        "TELECONSULT_MEDIA_PORT": str(free_port()),
        "TELECONSULT_TRUST": str(data / "trusted_keys"),
        **environ,
    }
    with (data / "serve.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=log, env=surroundings
        )
    children: list[psutil.Process] = []
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = await process.stdout.readline()
        assert line, (data / "serve.log").read_text()[-4000:]
        system = System(process, json.loads(line), data)
        yield system
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(process.pid).children(recursive=True)
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(10):
                    await process.wait()
        for left in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                left.kill()
        if process.returncode is None:
            process.kill()
            await process.wait()
