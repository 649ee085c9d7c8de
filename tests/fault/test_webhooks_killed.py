"""The outbox under kill -9, with a receiver that fails, hangs, redirects and loses answers: all arrives once, in order.

The full run: WEBHOOK_KILLS=100 WEBHOOK_VISITS=250 (1 000 events), a few minutes.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from random import Random

import pytest

from signaling.sql.outbox import SqlOutbox
from tests.hooked import hospital
from tests.http_api import open_store

KILLS = int(os.environ.get("WEBHOOK_KILLS", "6"))
VISITS = int(os.environ.get("WEBHOOK_VISITS", "20"))
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(120 + 20 * KILLS + VISITS)
async def test_whatever_dies_everything_arrives_once_and_in_order(tmp_path: Path) -> None:
    random = Random(seed := 20260504)
    print(f"seed {seed}")
    async with open_store(tmp_path) as store, hospital(seed, fails=0.4) as receiver:
        outbox = SqlOutbox(store.engine)
        await outbox.register("r1", f"{receiver.url}/r1")
        for kill in range(KILLS + 1):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.hooked", str(tmp_path), str(VISITS), str(seed + kill)),
                cwd=ROOT,
                stdout=asyncio.subprocess.PIPE,
            )
            assert process.stdout is not None
            heard = receiver.requests
            try:
                if kill < KILLS:
                    while receiver.requests == heard and process.returncode is None:
                        await asyncio.sleep(0.01)
                    await asyncio.sleep(random.random() * 0.04 * VISITS / KILLS)
                else:
                    assert await process.stdout.readline() == b"done\n"
            finally:
                if process.returncode is None:
                    process.kill()
                await process.wait()
            if len(receiver.heard) == 4 * VISITS and kill < KILLS - 1:
                pytest.fail(f"everything had arrived before kill {kill + 1}: more visits are needed")
        kept = []
        while page := await outbox.after(kept[-1].seq if kept else 0, 200):
            kept += page
        assert {each.id for each in kept} == set(receiver.heard)
        assert len(kept) == 4 * VISITS
        for number in range(VISITS):
            expected = ["visit.created", "visit.waiting", "visit.live", "visit.ended"]
            assert receiver.kinds(f"v{number}") == expected
