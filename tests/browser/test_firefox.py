"""Every role in Firefox, with real media: patient on a phone, doctor, third party, coordinator, auditor."""

from __future__ import annotations

import asyncio

import pytest

from tests.browser.pages import (
    DESK,
    HANDSET,
    PHONE,
    Visit,
    act,
    moving,
    patient_waits,
    picture,
    recording_closed,
    rms_dbfs,
    screen,
)
from tests.browser.remote import Browser
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TONE_DBFS = -60.0
FIREFOX = "Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0"


@pytest.mark.timeout(180)
async def test_all_five_roles_from_the_link_to_the_proof(system: System, firefox: Browser) -> None:
    made = await system.visit()
    (link,) = [(await system.api("POST", "/links", json={"role": "coordinator"}))["link"]]
    doctor, patient = await firefox.blank(**DESK), await firefox.blank(**{**HANDSET, "agent": FIREFOX})
    await doctor.goto(made["links"]["doctor"])
    await patient.goto(made["links"]["patient"])
    await patient_waits(patient)
    coordinator = await firefox.open(link, **DESK)
    await coordinator.wait(f"return document.querySelector('[data-visit=\"{made['id']}\"]') !== null")

    visit = Visit(system, made, doctor, patient)
    await visit.admit()
    asked = {"role": "guest", "as": "village_doctor"}
    guest = await firefox.open((await system.api("POST", f"/visits/{visit.id}/links", json=asked))["link"], **PHONE)
    for name in ("confirm", "agree", "enter"):
        await act(guest, name)
    await screen(guest, "waiting")
    await act(doctor, "guest-in")
    await asyncio.gather(
        picture(guest, "patient"), picture(guest, "doctor"), picture(doctor, "guest-1"), picture(patient, "guest-1")
    )
    assert min(await asyncio.gather(rms_dbfs(doctor), rms_dbfs(patient), rms_dbfs(guest))) > TONE_DBFS
    await asyncio.gather(*(moving(page, 30) for page in (doctor, patient, guest)))  # three encoders on two cores
    await act(doctor, "end")
    await act(doctor, "end-confirm")
    await asyncio.gather(screen(patient, "ended"), screen(doctor, "desk-ended"), screen(guest, "ended"))

    await act(patient, "stars-5")
    await act(patient, "rate")
    await patient.wait("return document.querySelector('[data-rated]') !== null")
    await coordinator.reload()
    await act(coordinator, "rating-show")
    await coordinator.wait("return document.querySelector('[data-rating][data-state=shown]') !== null")

    await recording_closed(system, visit.id)
    auditor = await firefox.open(made["links"]["auditor"], **DESK)
    await act(auditor, "open")
    await auditor.wait("return document.querySelector('[data-verdict=done]') !== null", 30)
    verdict = await auditor.eval("return {...document.querySelector('[data-verdict]').dataset}")
    assert (verdict["intact"], verdict["complete"]) == ("true", "true"), await auditor.eval(
        "return document.body.innerText"
    )
    await act(auditor, "play")
    await auditor.wait(
        "return [...document.querySelectorAll('video')].slice(0, 2).every((each) => each.currentTime > 1)", 20
    )
    said = [line for page in (doctor, patient, guest, coordinator, auditor) for line in await page.said()]
    assert not [line for line in said if "pageerror" in line]
