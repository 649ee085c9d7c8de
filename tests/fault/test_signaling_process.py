"""How the signaling process ends: when told to, and when whoever started it is gone."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from config.settings import Settings, to_environment
from tests.patience import PATIENCE_S

START = "from config.settings import load; from signaling.app import run; run(load())"


@asynccontextmanager
async def process(folder: Path, supervised: bool) -> AsyncIterator[asyncio.subprocess.Process]:
    """Signaling, ready."""
    (folder / "run").mkdir()
    settings = Settings(data=folder / "data", run=folder / "run", port=0)
    environment = os.environ | to_environment(settings) | {"TELECONSULT_SUPERVISED": "1" if supervised else "0"}
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", START, stdin=pipe, stderr=pipe, env=environment, cwd=Path(__file__).parents[2]
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            assert child.stderr is not None
            said = b""
            while b"signaling ready" not in said:
                line = await child.stderr.readline()
                assert line, said.decode()
                said += line
        yield child
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_when_told_to(tmp_path: Path, number: signal.Signals) -> None:
    async with process(tmp_path, supervised=False) as child:
        child.send_signal(number)
        async with asyncio.timeout(PATIENCE_S):
            assert await child.wait() == 0
            assert child.stderr is not None
            assert b"Traceback" not in await child.stderr.read()


async def test_it_ends_with_whoever_supervised_it(tmp_path: Path) -> None:
    async with process(tmp_path, supervised=True) as child:
        assert child.stdin is not None
        child.stdin.close()
        async with asyncio.timeout(PATIENCE_S):
            assert await child.wait() == 0
