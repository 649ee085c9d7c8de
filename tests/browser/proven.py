"""A net under every test that has a visit: whatever it looked at, the recordings it left behind are whole.

A fault of a recording may show only on a machine that has no core to give, in a test that asks something else.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from recorder.bundle.directory import verify_directory
from tests.patience import until
from tests.system import System, running


@contextlib.asynccontextmanager
async def proven(data: Path, *words: str, **environ: str) -> AsyncIterator[System]:
    """As `running`; and at the end every recording is closed in order, and intact and complete."""
    async with running(data, *words, **environ) as system:
        yield system
        wrong = await broken(system)
        assert wrong == {}, wrong  # said here, since pytest tells values for test modules alone


async def broken(system: System) -> dict[str, str]:
    """What is wrong with which visit's recording. Visits that tests left open are ended; those they spoilt do not count."""
    recordings = system.data / "store" / "recordings"
    kept = [folder for folder in recordings.glob("*") if folder.name not in system.spoilt]
    found = await asyncio.gather(*(_judged(system, folder) for folder in kept))
    return {
        f"{folder.name} of {system.made.get(folder.name)}": said
        for folder, said in zip(kept, found, strict=True)
        if said
    }


async def _judged(system: System, recording: Path) -> str | None:
    visit = recording.name
    await system.api("POST", f"/visits/{visit}/end", json={})
    try:
        await until((recording / "log" / "close.tlog-proof").exists, look_every_s=0.05)
    except TimeoutError:
        return "never closed"
    verdict = await asyncio.to_thread(verify_directory, recording)
    return None if verdict.intact and verdict.complete else str(verdict.broken)
