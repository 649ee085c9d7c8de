"""Processes die during a visit; the people in it hardly notice, and the record says what was missed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.browser.pages import Visit, moving
from tests.browser.remote import Browser
from tests.browser.test_visit import export, verdict
from tests.recordings import complaints, parts, records
from tests.system import Part, System

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

BEFORE_S, AFTER_S = 4.0, 5.0
MISSING_MS = {"recorder": 2000, "media": 7000}


def missing_ms(bundle: Path, stream: str, cause: str) -> int:
    """Milliseconds of the stream declared missing for this cause."""
    gaps = [record["body"] for record in records(bundle) if record["type"] == "gap"]
    return sum(gap["to_ms"] - gap["from_ms"] for gap in gaps if (gap["stream"], gap["cause"]) == (stream, cause))


async def through(visit: Visit, part: Part) -> bool:
    """A visit in which a part is killed once, and is alive again before the end; whether one connection carried it all."""
    its_own = "return (await window.__teleconsult.stats()).find((row) => row.type === 'transport').localCertificateId"
    before = await visit.patient.eval(its_own)
    await asyncio.sleep(BEFORE_S)
    visit.system.kill(part)
    await asyncio.sleep(1.0)
    await asyncio.gather(moving(visit.doctor), moving(visit.patient))
    await asyncio.sleep(AFTER_S)
    after = await visit.patient.eval(its_own)
    await visit.end()
    return bool(before == after)


async def test_the_recorder_is_killed_and_the_call_goes_on(
    system: System, doctors: Browser, patients: Browser, tmp_path: Path
) -> None:
    visit = await Visit.live(system, doctors, patients)
    assert await through(visit, "recorder")
    bundle = await export(system, visit.id, tmp_path)
    found = await verdict(system, bundle)
    assert (found["intact"], found["complete"], found["broken"]) == (True, True, [])
    assert [record["type"] for record in records(bundle)].count("recovered") == 1
    for stream in ("doctor", "patient"):
        assert missing_ms(bundle, stream, "recorder") <= MISSING_MS["recorder"]
    files = parts(bundle, tmp_path, system.data)
    assert {file.path.name: complaints(file.path) for file in files} == {file.path.name: "" for file in files}


async def test_the_media_worker_is_killed_and_the_visit_comes_back_by_itself(
    system: System, doctors: Browser, patients: Browser, tmp_path: Path
) -> None:
    visit = await Visit.live(system, doctors, patients)
    assert not await through(visit, "media")
    assert (await system.api("GET", f"/visits/{visit.id}"))["phase"] == "ended"
    bundle = await export(system, visit.id, tmp_path)
    found = await verdict(system, bundle)
    assert (found["intact"], found["complete"], found["broken"]) == (True, True, [])
    for stream in ("doctor", "patient"):
        assert 0 < missing_ms(bundle, stream, "worker") <= MISSING_MS["media"]


async def test_signaling_is_killed_and_sound_and_picture_never_stop(
    system: System, doctors: Browser, patients: Browser, tmp_path: Path
) -> None:
    visit = await Visit.live(system, doctors, patients)
    await asyncio.sleep(BEFORE_S)
    system.kill("signaling")
    await asyncio.gather(moving(visit.doctor), moving(visit.patient))
    await system.until(visit.id, "live")
    await asyncio.sleep(AFTER_S)
    await visit.end()
    bundle = await export(system, visit.id, tmp_path)
    assert (await verdict(system, bundle))["complete"] is True
    assert sum(missing_ms(bundle, "patient", cause) for cause in ("worker", "recorder", "network")) <= 1000
