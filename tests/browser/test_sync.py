"""Sound and picture of a recording stay together, and a recording is as long as the visit was."""

from __future__ import annotations

import asyncio
import statistics
from datetime import datetime
from pathlib import Path

import pytest

from tests.browser.pages import Visit, act
from tests.browser.remote import Browser
from tests.browser.test_visit import export, verdict
from tests.recordings import lip_sync_ms, parts, records
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FLASH = Path(__file__).with_name("flash.js").read_text()
APART_MS = 80
SPAN_S = 0.2
OWN_CLOCK_S = 0.05
"""Between a moment of the stream and the record of it, by the recorder itself."""
ANOTHER_FLASH_MS = 500
VISITS_MOST = 3


def seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


async def apart_ms(system: System, doctors: Browser, patients: Browser, into: Path) -> dict[str, list[float]]:
    """How far beeps and flashes are from each other in each stream of a visit, whose recording is as long as it was."""
    into.mkdir()
    visit = await Visit.waiting(system, doctors, patients, before_load=FLASH)
    await visit.admit()
    await asyncio.sleep(7)
    await act(visit.doctor, "share")
    await asyncio.sleep(6)
    await act(visit.doctor, "share")
    await asyncio.sleep(6)
    await visit.end()
    told = await system.until(visit.id, "ended")
    bundle = await export(system, visit.id, into)
    assert (await verdict(system, bundle))["complete"] is True
    files = [file for file in parts(bundle, into, system.data) if "." not in file.stream]
    chain = records(bundle)
    (began,) = [record for record in chain if record["type"] == "start"]
    (closed,) = [record for record in chain if record["type"] == "close"]
    # From the moment on which it was allowed to begin until the recorder heard of the end: a busy machine tells it later.
    assert told["live"] <= began["at"]
    assert told["ended_at"] <= closed["at"]
    lasted = closed["body"]["end_ms"] / 1000
    assert lasted == pytest.approx(seconds(closed["at"]) - seconds(began["at"]), abs=OWN_CLOCK_S)
    found: dict[str, list[float]] = {}
    for stream in ("doctor", "patient"):
        own = [file for file in files if file.stream == stream]
        found[stream] = sorted(abs(ms) for file in own for ms in lip_sync_ms(file.path) if abs(ms) < ANOTHER_FLASH_MS)
        assert len(found[stream]) > 10
        assert own[-1].to_ms / 1000 == pytest.approx(lasted, abs=SPAN_S)
        assert closed["body"]["streams"][stream]["coverage"]["present"] >= lasted * 1000 - 1500
    return found


def together(apart: list[float]) -> bool:
    """Whether eyes and ears take them for one."""
    return statistics.median(apart) <= APART_MS / 2 and apart[len(apart) * 9 // 10] <= APART_MS


async def test_a_flash_and_its_beep_are_together_and_spans_are_the_visits(
    system: System, doctors: Browser, patients: Browser, tmp_path: Path
) -> None:
    # A page that gets no core sends a sound that has slipped, and a recording holds what was sent: another visit tells
    # whether it was that. A recorder that parts them does so each time.
    seen: dict[str, list[list[float]]] = {"doctor": [], "patient": []}
    for visit in range(VISITS_MOST):
        for stream, apart in (await apart_ms(system, doctors, patients, tmp_path / str(visit))).items():
            seen[stream].append(apart)
        if all(any(map(together, tried)) for tried in seen.values()):
            return
    pytest.fail(f"apart, in ms: {seen}")
