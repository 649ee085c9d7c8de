"""A third party: by a link of its own, in when the doctor says so, seen and heard by both, recorded once it agreed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.browser import shifts
from tests.browser.axe import clean_in_every_dress
from tests.browser.keyboard import keyed
from tests.browser.pages import HANDSET, Visit, act, hearing, moving, picture, screen
from tests.browser.remote import Browser
from tests.browser.test_visit import export, verdict
from tests.patience import PATIENCE_S
from tests.recordings import parts
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_village_doctor_joins_by_link_and_all_three_see_each_other(
    system: System, doctors: Browser, patients: Browser, tmp_path: Path
) -> None:
    visit = await Visit.live(system, doctors, patients)
    asked = {"role": "guest", "as": "village_doctor"}
    made = await system.api("POST", f"/visits/{visit.id}/links", json=asked)
    guest = await patients.blank(**HANDSET)
    await guest.before_load(shifts.WATCH)
    await guest.goto(str(made["link"]).replace("/g/#", "/g/?lang=zh#"))
    # Who asks is said at once; the patient is nobody's to see yet (SIG-26).
    await keyed(guest, "confirm")
    assert "王" not in await guest.eval("return document.body.innerText")
    await visit.doctor.wait("return document.querySelector('[data-guest=guest-1]') !== null")
    assert await visit.doctor.eval("return document.querySelector('[data-act=guest-in]').ariaDisabled") == "true"
    for name in ("agree", "enter"):
        await keyed(guest, name)
    await screen(guest, "waiting")
    assert await guest.eval("return window.__teleconsult.transport") == "new"

    await act(visit.doctor, "guest-in")
    await screen(guest, "live")
    await asyncio.gather(
        picture(guest, "patient"),
        picture(guest, "doctor"),
        picture(visit.doctor, "guest-1"),
        picture(visit.patient, "guest-1"),
        picture(visit.patient, "doctor"),
        picture(visit.doctor, "patient"),
    )
    # A row begins with its first packet: sound may come a moment after the picture.
    rows = "return (await window.__teleconsult.stats()).filter((row) => row.type === 'inbound-rtp').length"
    async with asyncio.timeout(PATIENCE_S):
        while [await page.eval(rows) for page in (guest, visit.doctor, visit.patient)] != [4, 4, 4]:
            await asyncio.sleep(0.1)
    assert "王*英" in await guest.eval("return document.querySelector('[data-page=live]').innerText")
    line = {"seat": "guest-1", "line": "l1", "text": "血压一百六十八", "final": True, "language": "zh"}
    await system.api("POST", f"/visits/{visit.id}/captions", json=line)
    for page in (visit.doctor, visit.patient):
        await page.wait("return document.querySelector('[data-captions]')?.textContent === '血压一百六十八'")
    await act(visit.doctor, "share")
    await picture(guest, "screen")
    await shifts.steady(guest)
    await act(visit.doctor, "share")
    await guest.wait("return document.querySelector('.sharing') === null")

    await keyed(guest, "sound-only")
    await guest.wait("return document.querySelector('[data-strip]').dataset.strip === 'sound.only'")
    await visit.patient.wait("return document.querySelector('[data-tile].faceless') !== null")
    await keyed(guest, "sound-only")
    await visit.patient.wait("return document.querySelector('[data-tile]:not(.faceless)') !== null")
    await moving(guest)

    await keyed(guest, "microphone")
    for name in ("chat", "end", "end-stay"):
        await keyed(guest, name)
    await clean_in_every_dress(guest)
    await guest.reload()
    await screen(guest, "live")
    await picture(guest, "patient")

    await act(visit.doctor, "guest-out")
    await screen(guest, "waiting")
    await visit.patient.wait("return document.querySelector('[data-tile]') === null")
    await moving(visit.patient)
    await hearing(visit.doctor)
    await visit.end()
    await screen(guest, "ended")
    await system.until(visit.id, "ended")
    bundle = await export(system, visit.id, tmp_path)
    found = await verdict(system, bundle)
    assert (found["intact"], found["complete"], found["broken"]) == (True, True, [])
    assert "guest-1" in {file.stream for file in parts(bundle, tmp_path, system.data)}
