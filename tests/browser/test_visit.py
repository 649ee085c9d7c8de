"""A whole visit in two real browsers, from the link to the proof."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from tests.browser import shifts
from tests.browser.pages import Visit, act, inbound, moving, picture, rms_dbfs, screen
from tests.browser.remote import Browser
from tests.patience import PATIENCE_S
from tests.recordings import complaints, parts, records, span_s
from tests.system import System, teleconsult

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SPEECH_DBFS = -45.0


async def export(system: System, visit: str, into: Path) -> Path:
    """The bundle, once the recording is closed and stored."""
    out = into / "bundle"
    proof = system.data / "store" / "recordings" / visit / "log" / "close.tlog-proof"
    async with asyncio.timeout(PATIENCE_S):
        while not proof.exists():
            await asyncio.sleep(0.1)
    code, said, complaint = await teleconsult("export", visit, "-o", str(out), "--data", str(system.data))
    assert code == 0, said + complaint
    return out


async def verdict(system: System, bundle: Path) -> dict[str, object]:
    """What the offline verifier says."""
    trust = os.devnull  # nobody's list
    _, said, _ = await teleconsult("verify", str(bundle), "--json", TELECONSULT_TRUST=trust)
    return dict(json.loads(said))


async def test_they_see_and_hear_each_other_and_the_recording_proves_it(
    system: System, doctors: Browser, patients: Browser, tmp_path: Path
) -> None:
    visit = await Visit.live(system, doctors, patients)
    assert (await visit.patient.eval("return location.hash")) == ""
    loudness = await asyncio.gather(rms_dbfs(visit.doctor), rms_dbfs(visit.patient))
    assert min(loudness) > SPEECH_DBFS
    for page in (visit.doctor, visit.patient):
        async with asyncio.timeout(PATIENCE_S):
            while (await inbound(page, "video"))["framesDecoded"] <= 30:
                await asyncio.sleep(0.1)
    await visit.end()
    await visit.system.until(visit.id, "ended")
    bundle = await export(system, visit.id, tmp_path)
    found = await verdict(system, bundle)
    assert (found["intact"], found["complete"], found["broken"]) == (True, True, [])
    files = parts(bundle, tmp_path, system.data)
    assert {file.stream for file in files} == {"doctor", "patient"}
    assert {file.path.name: complaints(file.path) for file in files} == {file.path.name: "" for file in files}
    assert not [line for page in (visit.doctor, visit.patient) for line in await page.said() if "error" in line]


async def test_a_screen_is_shared_and_taken_back(
    system: System, doctors: Browser, patients: Browser, tmp_path: Path
) -> None:
    visit = await Visit.live(system, doctors, patients, before_load=shifts.WATCH)
    face = "window.__face ??= document.querySelector('[data-video=doctor]'); return window.__face.isConnected"
    assert await visit.patient.eval(face)
    await act(visit.doctor, "share")
    await picture(visit.patient, "screen")
    await asyncio.sleep(3)
    small = "return document.querySelector('[data-video=doctor]').getBoundingClientRect().width"
    assert await visit.patient.eval(small) < 120
    await act(visit.doctor, "share")
    await visit.patient.wait("return document.querySelector('.sharing') === null")
    await moving(visit.patient)
    # The face gave its place to the screen and took it back: the same element, and nothing moved meanwhile.
    assert await visit.patient.eval(face)
    for page in (visit.patient, visit.doctor):
        await shifts.steady(page)
    await visit.end()
    bundle = await export(system, visit.id, tmp_path)
    assert (await verdict(system, bundle))["complete"] is True
    shared = [file for file in parts(bundle, tmp_path, system.data) if file.stream == "doctor.screen"]
    told = [r["body"] for r in records(bundle) if r["type"] == "part" and r["body"]["stream"] == "doctor.screen"]
    # One part, but where a busy page's first frames came late, and its reports put them where they belong (PARTING-2).
    assert {part["why"] for part in told[1:]} <= {"timestamps"}
    assert len(shared) == len(told) <= 2
    assert [complaints(part.path) for part in shared] == [""] * len(shared)
    spans = [span_s(part.path) for part in shared]
    assert sum(ends - begins for begins, ends in spans) >= 2
    events = [
        (r["body"]["event"], r["body"]["state"])
        for r in records(bundle)
        if r["type"] == "event" and "state" in r["body"]
    ]
    assert ("screen", "on") in events


async def test_a_refresh_brings_the_patient_back_into_the_same_seat(
    system: System, doctors: Browser, patients: Browser, tmp_path: Path
) -> None:
    visit = await Visit.live(system, doctors, patients)
    await visit.patient.reload()
    await screen(visit.patient, "live")
    await picture(visit.patient, "doctor")
    await moving(visit.doctor)
    seats = await visit.doctor.eval("return window.__teleconsult.phase")
    assert seats == "live"
    await visit.end()
    assert (await verdict(system, await export(system, visit.id, tmp_path)))["complete"] is True


async def test_firefox_and_chromium_see_and_hear_each_other(system: System, doctors: Browser, firefox: Browser) -> None:
    visit = await Visit.live(system, doctors, firefox)
    assert min(await asyncio.gather(rms_dbfs(visit.doctor), rms_dbfs(visit.patient))) > SPEECH_DBFS
    await moving(visit.doctor)
    await moving(visit.patient)
    await visit.end()
