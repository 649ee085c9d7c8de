"""The slot for the hospital's prescribing page: a sample page is heard, and twelve hostile ones are not."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.asyncio]

RUN = Path(__file__).resolve().parents[2] / "web_client" / "tests" / "slot" / "run.mjs"


async def test_a_sample_page_is_heard_and_no_hostile_one_is() -> None:
    process = await asyncio.create_subprocess_exec("node", str(RUN), stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(180):
        said, _ = await process.communicate()
    rows = {row["page"]: row for row in map(json.loads, said.decode().splitlines()) if "page" in row}
    assert rows["good"]["claims"] == 1
    assert rows["good"]["heard"] == "answer tc.context answer"
    hostile = {name: row for name, row in rows.items() if name != "good"}
    assert len(hostile) == 12
    assert {
        name: (row["accepted"], row["claims"], row["stayed"], row["tabs"]) for name, row in hostile.items()
    } == dict.fromkeys(hostile, (0, 0, True, 1))
    assert process.returncode == 0
