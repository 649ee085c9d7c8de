"""Around the visit: a link opened too soon, twice, too late or broken, a network that stays away, the phone's own Back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from yarl import URL

from tests.browser.cut import Cut, cuttable
from tests.browser.pages import DESK, HANDSET, Visit, act, patient_waits, picture, screen
from tests.browser.proven import proven
from tests.browser.remote import Browser, Page
from tests.system import System, free_port

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

CLINIC = {"TELECONSULT_CLINIC_NAME": "县人民医院", "TELECONSULT_CLINIC_PHONE": "0571-8877 6655"}
CALLS_CLINIC = "return document.querySelector('[data-phone=\"0571-8877 6655\"]')?.getAttribute('href')"
BACK = "history.back()"
LATER = "window.ahead = 0; const clock = Date.now.bind(Date); Date.now = () => clock() + window.ahead;"
"""A clock that can be set on: nobody waits here for what takes a quarter of a minute."""
EMPTY = """
window.battery = Object.assign(new EventTarget(), { level: 0.12, charging: false });
navigator.getBattery = async () => window.battery;
const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
window.mics = [];
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await real(wanted);
  window.mics.push(...stream.getAudioTracks());
  return stream;
};
"""
"""A phone whose battery is nearly empty, and whose microphone may be taken for a call as the system does it."""


@dataclass(frozen=True)
class Clinic:
    """A clinic with a telephone, whose pages may also come by a way that can be cut."""

    system: System
    other_way: str
    cut: Cut


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def clinic(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Clinic]:
    """Shared: each test makes visits of its own."""
    port = free_port()
    origins = {"TELECONSULT_ORIGINS": f"http://127.0.0.1:{port}"}
    async with proven(tmp_path_factory.mktemp("around") / "data", **CLINIC, **origins) as made:
        made.apart = True
        async with cuttable(port, URL(made.url).port or 0) as cut:
            yield Clinic(made, f"http://127.0.0.1:{port}", cut)


async def heading(page: Page) -> str:
    """What the page is about."""
    return str(await page.eval("return document.querySelector('h1').textContent"))


async def test_a_link_opened_on_the_day_before_says_when_and_lets_the_patient_in_all_the_same(
    clinic: Clinic, patients: Browser
) -> None:
    slot = (datetime.now(UTC) + timedelta(days=1)).replace(minute=30, second=0, microsecond=0)
    made = await clinic.system.visit(scheduled=slot.isoformat(), expires_in_s=7 * 86_400)
    page = await patients.blank(**HANDSET)
    await page.goto(made["links"]["patient"])
    await screen(page, "early")
    shown = str(await page.eval("return document.querySelector('[data-scheduled]').textContent"))
    assert re.search(r"\b\d{1,2}:30\b", shown)
    assert await page.eval(CALLS_CLINIC) == "tel:057188776655"
    await act(page, "early")
    await screen(page, "entry")
    # The phone's Back takes a step back within the page, and the page stays.
    await act(page, "not-me")
    await page.wait("return document.querySelector('[data-act=mistake]') !== null")
    await page.eval(BACK)
    await page.wait("return document.querySelector('[data-act=confirm]') !== null")
    await page.reload()
    await screen(page, "entry")
    await patient_waits(page)
    assert await heading(page) != ""


async def test_a_link_that_opens_nothing_says_why_and_whom_to_phone(clinic: Clinic, patients: Browser) -> None:
    made = await clinic.system.visit()
    page = await patients.blank(**HANDSET)
    said: list[str] = []
    for link in (
        f"{clinic.system.url}/p/?broken#{'x' * 80}",
        f"{clinic.system.url}/p/?withdrawn#{URL(made['links']['patient']).fragment}",
    ):
        await clinic.system.api("POST", f"/visits/{made['id']}/links/revoke")
        await page.goto(link)
        await screen(page, "closed")
        await page.wait(CALLS_CLINIC)
        said.append(await heading(page))
    assert len(set(said)) == 2
    await page.goto(f"{clinic.system.url}/d/?broken#{'x' * 80}")
    await screen(page, "closed")
    await act(page, "language")
    cancelled = await clinic.system.visit()
    await page.goto(cancelled["links"]["patient"])
    await screen(page, "entry")
    await clinic.system.api("POST", f"/visits/{cancelled['id']}/end", json={"reason": "cancelled"})
    await screen(page, "ended")
    assert await page.eval(CALLS_CLINIC) == "tel:057188776655"


async def test_a_second_page_takes_the_visit_over_and_the_first_can_have_it_back(
    clinic: Clinic, doctors: Browser, patients: Browser
) -> None:
    made = await clinic.system.visit()
    doctor, first, second = await doctors.blank(**DESK), await patients.blank(**HANDSET), await doctors.blank(**HANDSET)
    await asyncio.gather(doctor.goto(made["links"]["doctor"]), first.goto(made["links"]["patient"]))
    await patient_waits(first)
    await act(first, "chat")
    await first.wait("return document.querySelector('[data-chat]') !== null")
    await first.eval(BACK)
    await first.wait("return document.querySelector('[data-chat]') === null")
    await second.goto(made["links"]["patient"])
    await screen(first, "closed")
    await act(first, "continue")
    await asyncio.gather(screen(first, "waiting"), screen(second, "closed"))

    visit = Visit(clinic.system, made, doctor, first)
    await visit.admit()
    # Back asks before a visit is left, and a second time takes the question back; a panel closes first.
    await act(first, "emergency")
    await first.wait("return document.querySelector('[data-urgent]') !== null")
    asking = "return document.querySelector('[data-act=end-confirm]') !== null"
    await first.eval(BACK)
    await first.wait("return document.querySelector('[data-urgent]') === null")
    assert not await first.eval(asking)
    await first.eval(BACK)
    await first.wait(asking)
    await first.eval(BACK)
    await first.wait("return document.querySelector('[data-act=end]') !== null")
    assert await first.eval("return window.__teleconsult.phase") == "live"
    await visit.end()


async def test_who_stays_cut_off_is_told_to_phone_and_comes_back_by_themselves(
    clinic: Clinic, doctors: Browser, patients: Browser
) -> None:
    made = await clinic.system.visit()
    doctor, patient = await doctors.blank(**DESK), await patients.blank(**HANDSET)
    await patient.before_load(LATER + EMPTY)
    away = made["links"]["patient"].replace(clinic.system.url, clinic.other_way)
    await asyncio.gather(doctor.goto(made["links"]["doctor"]), patient.goto(away))
    await patient_waits(patient)
    await patient.wait("return document.querySelector('[data-battery]') !== null")
    await patient.eval("battery.charging = true; battery.dispatchEvent(new Event('chargingchange'))")
    await patient.wait("return document.querySelector('[data-battery]') === null")
    gone = asyncio.create_task(clinic.cut.cut(4))
    await patient.wait("return document.querySelector('[data-state=lost]') !== null")
    assert not await patient.eval(CALLS_CLINIC)
    await patient.eval("window.ahead = 15000")
    await patient.wait(CALLS_CLINIC)
    await gone
    await patient.wait("return document.querySelector('[data-state=lost]') === null")
    await act(doctor, "admit")
    await asyncio.gather(picture(doctor, "patient"), picture(patient, "doctor"))
    # The phone rings: the microphone is the call's, everyone is told so, and it comes back by itself.
    await patient.eval("mics.at(-1).dispatchEvent(new Event('mute'))")
    await patient.wait("return document.querySelector('[data-strip=taken]') !== null")
    await doctor.wait("return document.body.innerText.includes('mic is off')")
    await patient.eval("mics.at(-1).dispatchEvent(new Event('unmute'))")
    await patient.wait("return document.querySelector('[data-strip=taken]') === null")
