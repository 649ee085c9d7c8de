"""Cameras and microphones that are refused, missing or in use: the visit works with what there is, and the page says so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.pages import DESK, PHONE, Visit, act, inbound, picture, rms_dbfs, screen
from tests.browser.remote import Browser, Page
from tests.browser.test_visit import SPEECH_DBFS
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

FAILS = """
const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  if (wanted.video && %s) throw new DOMException('as the test wants', '%s');
  if (wanted.audio && %s) throw new DOMException('as the test wants', '%s');
  return real(wanted);
};
"""


async def enters(system: System, patients: Browser, script: str) -> tuple[dict[str, Any], Page]:
    """A patient whose devices fail goes in all the same."""
    made = await system.visit()
    page = await patients.blank(**PHONE)
    await page.before_load(script)
    await page.goto(made["links"]["patient"])
    for name in ("confirm", "agree"):
        await act(page, name)
    await page.wait("return document.querySelector('[data-act=\"enter\"]:not([aria-disabled])') !== null")
    return made, page


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("NotAllowedError", "The camera is not allowed. Tap the lock by the address"),
        ("NotReadableError", "Another app is using the camera."),
        ("NotFoundError", "No camera found. Sound alone is fine."),
    ],
)
async def test_without_a_camera_there_is_sound_and_the_page_says_why(
    system: System, doctors: Browser, patients: Browser, error: str, words: str
) -> None:
    made, page = await enters(system, patients, FAILS % ("true", error, "false", ""))
    assert words in await page.eval("return document.body.innerText")
    await act(page, "enter")
    await screen(page, "waiting")
    doctor = await doctors.open(made["links"]["doctor"], **DESK)
    await act(doctor, "admit")
    await picture(page, "doctor")
    assert await rms_dbfs(doctor) > SPEECH_DBFS
    assert not (await inbound(doctor, "video")).get("framesDecoded")


async def test_without_any_device_they_still_see_the_doctor(
    system: System, doctors: Browser, patients: Browser
) -> None:
    made, page = await enters(system, patients, FAILS % ("true", "NotFoundError", "true", "NotFoundError"))
    await act(page, "enter")
    await screen(page, "waiting")
    doctor = await doctors.open(made["links"]["doctor"], **DESK)
    await act(doctor, "admit")
    await picture(page, "doctor")
    assert await rms_dbfs(page) > SPEECH_DBFS


async def test_two_visits_at_once_do_not_meet(system: System, doctors: Browser, patients: Browser) -> None:
    one = await Visit.live(system, doctors, patients)
    other = await Visit.waiting(system, doctors, patients, doctor={"id": "d-2", "name": "陈立"})
    await other.patient.wait("return window.__teleconsult.phase === 'waiting'")
    await other.admit()
    await one.end()
    await other.patient.wait("return window.__teleconsult.phase === 'live'")
