"""Cameras and microphones that are refused, missing or in use: the visit works with what there is, and the page says so."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.browser.pages import DESK, HANDSET, PHONE, Visit, act, inbound, picture, rms_dbfs, screen
from tests.browser.remote import Browser, Page
from tests.browser.test_visit import SPEECH_DBFS
from tests.patience import PATIENCE_S
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

WECHAT = (
    "Mozilla/5.0 (Linux; Android 13; K) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile "
    "Safari/537.36 XWEB/1160027 MicroMessenger/8.0.43 Language/en"
)
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


async def test_in_an_apps_own_browser_without_devices_they_see_the_doctor_and_write(
    system: System, doctors: Browser, patients: Browser
) -> None:
    made = await system.visit()
    page = await patients.blank(**{**HANDSET, "agent": WECHAT})
    await page.before_load("delete Navigator.prototype.mediaDevices; delete window.speechSynthesis;")
    await page.goto(made["links"]["patient"])
    for name in ("confirm", "agree"):
        await act(page, name)
    await page.wait("return document.querySelector('[data-act=\"enter\"]:not([aria-disabled])') !== null")
    said = await page.eval("return document.body.innerText")
    assert "choose Open in browser" in said
    assert "no camera or microphone for pages" in said
    await act(page, "enter")
    await screen(page, "waiting")
    doctor = await doctors.open(made["links"]["doctor"], **DESK)
    await act(doctor, "admit")
    await picture(page, "doctor")
    assert await rms_dbfs(page) > SPEECH_DBFS
    await act(page, "phone-back")
    await page.wait("return document.querySelector('[data-act=phone-back]') === null")
    (waits,) = [row for row in (await system.api("GET", "/coordination"))["visits"] if row["visit"] == made["id"]]
    assert waits["phone_back"] is True
    await act(page, "chat-text")
    await page.wait("return document.querySelector('[data-chat] textarea') !== null")
    await page.type("[data-chat] textarea", "头晕三天")
    await act(page, "send")
    await doctor.wait("return document.querySelector('.unread') !== null")
    assert (await system.api("GET", f"/visits/{made['id']}"))["phase"] == "live"


async def test_two_visits_at_once_do_not_meet(system: System, doctors: Browser, patients: Browser) -> None:
    one = await Visit.live(system, doctors, patients)
    other = await Visit.waiting(system, doctors, patients, doctor={"id": "d-2", "name": "陈立"})
    await other.patient.wait("return window.__teleconsult.phase === 'waiting'")
    await other.admit()
    await one.end()
    await other.patient.wait("return window.__teleconsult.phase === 'live'")


COVERED = """
if (location.pathname.startsWith('/p/')) {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await real(wanted);
    if (!wanted.video) return stream;
    const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 });
    const paint = canvas.getContext('2d');
    let n = 0;
    setInterval(() => {
      paint.fillStyle = window.__light ? `hsl(${n += 40} 80% 60%)` : '#000';
      paint.fillRect(0, 0, 320, 240);
      paint.fillStyle = window.__light ? '#fff' : '#010101';
      paint.fillRect(10, 10, 100, 100);
    }, 100);
    return new MediaStream([...stream.getAudioTracks(), ...canvas.captureStream(10).getVideoTracks()]);
  };
}
"""


async def frames(page: Page, after_s: float = 0.0) -> int:
    """How many this page has decoded by then."""
    await asyncio.sleep(after_s)
    return int((await inbound(page, "video")).get("framesDecoded", 0))


async def test_a_covered_camera_is_told_of_and_sound_alone_can_be_chosen_by_hand(
    system: System, doctors: Browser, patients: Browser
) -> None:
    visit = await Visit.waiting(system, doctors, patients, before_load=COVERED)
    await visit.admit()
    patient, doctor = visit.patient, visit.doctor
    strip = "return document.querySelector('[data-strip]').dataset.strip === '{}'"
    await patient.wait(strip.format("black.mine"))
    await doctor.wait("return document.body.innerText.includes('picture is black')")
    await patient.eval("window.__light = true")
    await patient.wait("return !document.querySelector('[data-strip]').dataset.strip.startsWith('black')")
    await doctor.wait("return !document.body.innerText.includes('picture is black')")

    await act(patient, "sound-only")
    await patient.wait(strip.format("sound.only"))
    await doctor.wait("return document.body.innerText.includes('chose sound only')")
    async with asyncio.timeout(PATIENCE_S):
        while await frames(patient) != (before := await frames(patient, after_s=0.7)):
            pass
    assert await rms_dbfs(patient) > SPEECH_DBFS
    await patient.reload()
    await patient.eval("window.__light = true")
    await patient.wait(strip.format("sound.only"))
    await patient.wait(
        "return document.querySelector('.self') === null && window.__teleconsult.transport === 'connected'"
    )
    before = await frames(patient)
    await act(patient, "sound-only")
    async with asyncio.timeout(PATIENCE_S):
        while await frames(patient, after_s=0.2) <= before:
            pass
    await doctor.wait("return !document.body.innerText.includes('chose sound only')")
    await visit.end()
