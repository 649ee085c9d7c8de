"""The visit as people live it: messages and photos, a call answered in elder mode, prescribing beside the picture."""

from __future__ import annotations

import asyncio

import pytest

from tests.browser import shifts
from tests.browser.pages import DESK, HANDSET, PHONE, Visit, act, moving, patient_waits, picture, screen
from tests.browser.remote import Browser, Page
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FILE = """
const canvas = document.createElement('canvas');
canvas.width = 3000; canvas.height = 1500;
const paint = canvas.getContext('2d');
paint.fillStyle = '#a33'; paint.fillRect(0, 0, 3000, 1500);
const blob = await new Promise((then) => canvas.toBlob(then, 'image/png'));
const given = new DataTransfer();
given.items.add(new File([blob], 'rash at home.png', { type: 'image/png' }));
const field = document.querySelector('FIELD');
field.files = given.files;
field.dispatchEvent(new Event('change', { bubbles: true }));
"""


PHOTO = FILE.replace("FIELD", "[data-chat] input[type=file]")
PICTURE = FILE.replace("FIELD", "[data-act=show] input")
UNLOOKED = """
if (location.pathname.startsWith('/d/')) {
  window.noticed = [];
  window.away = true;
  Object.defineProperty(document, 'visibilityState', { get: () => (window.away ? 'hidden' : 'visible') });
  window.Notification = class {
    static permission = 'granted';
    constructor(words, options) { window.noticed.push([words, options.tag]); }
  };
}
"""
"""The doctor looks at another window, and has allowed notices."""
HEARD = """
window.spoken = [];
window.shaken = 0;
window.popups = 0;
window.speechSynthesis.speak = (said) => { spoken.push(said.text); setTimeout(() => said.onend?.(), 50); };
navigator.vibrate = () => (window.shaken += 1, true);
for (const each of ['alert', 'confirm', 'prompt', 'open']) window[each] = () => (window.popups += 1, null);
HTMLDialogElement.prototype.showModal = () => { window.popups += 1; };
"""
"""What the browser's voice is given to say, how often the phone shakes, and whether anything pops up."""
SUMMARY = {
    "allergies": [{"substance": "碘造影剂", "severity": "mild"}, {"substance": "青霉素", "severity": "severe"}],
    "conditions": [],
    "medication": [{"name": "氨氯地平片", "dosage": "5 mg"}],
}


async def write(page: Page, words: str) -> None:
    """Type a line and send it."""
    await page.wait("return document.querySelector('[data-chat] textarea') !== null")
    await page.type("[data-chat] textarea", words)
    await act(page, "send")


async def written(page: Page, count: int) -> list[str]:
    """What stands in the messages, once there are so many and none is on its way."""
    await page.wait(
        f"return document.querySelectorAll('[data-message]').length === {count}"
        " && document.querySelector('.pending') === null"
    )
    rows = await page.eval(
        "return [...document.querySelectorAll('[data-message] > p')].map((each) => each.textContent)"
    )
    return [str(row) for row in rows]


async def test_messages_and_photos_go_both_ways_while_waiting_and_live(
    system: System, doctors: Browser, patients: Browser
) -> None:
    visit = await Visit.waiting(system, doctors, patients, before_load=UNLOOKED, summary=SUMMARY)
    noticed = await visit.doctor.wait("return window.noticed.length > 0 && window.noticed")
    assert noticed in (
        [["A patient is waiting", "teleconsult"]],
        [["有患者在候诊", "teleconsult"]],
    )  # and nobody's name
    await visit.doctor.eval("window.away = false")
    allergies = "return [...document.querySelectorAll('[data-allergies]')].map((each) => each.textContent).join()"
    assert (await visit.doctor.eval(allergies)).index("青霉素") < (await visit.doctor.eval(allergies)).index("碘")
    assert "氨氯地平" in await visit.doctor.eval("return document.querySelector('[data-summary]').textContent")
    await act(visit.patient, "chat")
    await write(visit.patient, "头还是晕")
    await visit.doctor.wait("return document.querySelector('.unread') !== null")
    await act(visit.doctor, "chat")
    assert await written(visit.doctor, 1) == ["头还是晕"]
    await write(visit.doctor, "先量血压")
    assert await written(visit.patient, 2) == ["头还是晕", "先量血压"]
    await visit.patient.eval(PHOTO)
    await visit.doctor.wait(
        "const it = document.querySelector('.photo img'); return it !== null && it.naturalWidth > 0"
    )
    size = await visit.doctor.eval(
        "const it = document.querySelector('.photo img'); return [it.naturalWidth, it.naturalHeight]"
    )
    assert size == [2048, 1024]
    await visit.doctor.wait("return document.querySelector('[data-summary] .photos img')?.naturalWidth > 0")
    await visit.admit()
    await visit.patient.reload()
    await screen(visit.patient, "live")
    await act(visit.patient, "chat")
    assert await written(visit.patient, 3) == ["头还是晕", "先量血压"]
    await visit.end()


async def test_what_was_written_offline_comes_once_and_in_order(
    system: System, doctors: Browser, patients: Browser
) -> None:
    visit = await Visit.live(system, doctors, patients)
    await act(visit.patient, "chat")
    await act(visit.doctor, "chat")
    await write(visit.patient, "one")
    await written(visit.patient, 1)
    system.kill("signaling")
    for words in ("two", "three"):
        await write(visit.patient, words)
    await system.until(visit.id, "live")
    assert await written(visit.patient, 3) == ["one", "two", "three"]
    assert await written(visit.doctor, 3) == ["one", "two", "three"]
    await visit.end()


async def test_in_elder_mode_a_call_is_answered_with_one_tap_and_a_doctors_phone_shows_who_was_admitted(
    system: System, doctors: Browser, patients: Browser
) -> None:
    made = await system.visit()
    doctor, patient = await doctors.blank(**HANDSET), await patients.blank(**HANDSET)
    await patient.before_load(HEARD)
    link = made["links"]["patient"].replace("/p/#", "/p/?lang=zh#")
    await asyncio.gather(doctor.goto(made["links"]["doctor"]), patient.goto(link))
    assert await patient.eval("return document.documentElement.dataset.mode") == "normal"
    await act(patient, "mode")  # one tap, which is remembered beyond this page's life (below)
    await patient_waits(patient)
    for words in (
        "今天看病的是您吗",
        "看诊会录像",
        "下一位就是您",
    ):  # every page is spoken, and stands there in letters
        await patient.wait(f"return spoken.some((each) => each.includes('{words}'))")
    await act(doctor, "admit")
    await screen(patient, "called")
    assert await patient.eval("return document.title") == "医生叫您了"
    # Two of the three calls, four seconds apart, each with a bell and a shake.
    called = "spoken.filter((each) => each.includes('叫您了')).length"
    await patient.wait(f"return {called} >= 2 && window.shaken >= 2")
    height = await patient.eval("return document.querySelector('[data-act=answer]').getBoundingClientRect().height")
    assert height >= 92
    assert (await patient.eval("return window.__teleconsult.transport")) == "new"
    await act(patient, "answer")
    await asyncio.gather(picture(doctor, "patient"), picture(patient, "doctor"))
    buttons = await patient.eval(
        "return [...document.querySelectorAll('.bar [data-act]')].map((each) => each.dataset.act)"
    )
    assert buttons == ["microphone", "help", "end"]

    # The doctor, on a phone too, sees who was admitted without another tap, and is offered no keys.
    tab = "return document.querySelector('.desk').dataset.tab"
    assert await doctor.eval(tab) == "picture"
    assert await doctor.eval("return document.querySelector('[data-act=keys]').getClientRects().length") == 0
    await doctor.eval("document.querySelectorAll('.tabs button')[1].click()")
    await act(doctor, "prescribe")
    assert await doctor.eval(tab) == "work"
    await doctor.eval("document.querySelectorAll('.tabs button')[2].click()")
    await moving(doctor)
    await patient.reload()
    await screen(patient, "live")
    assert await patient.eval("return document.documentElement.dataset.mode") == "elder"
    await picture(patient, "doctor")
    visit = Visit(system, made, doctor, patient)
    await visit.end()
    await patient.wait("return spoken.some((each) => each.includes('看诊结束了'))")
    assert await patient.eval("return window.popups") == 0


async def test_hold_advice_and_a_call_back_are_said_on_both_sides(
    system: System, doctors: Browser, patients: Browser
) -> None:
    visit = await Visit.live(system, doctors, patients)
    await act(visit.doctor, "hold")
    await visit.patient.wait("return document.querySelector('[data-strip=hold]') !== null")
    await visit.doctor.wait("return document.querySelector('[data-act=hold][aria-pressed=true]') !== null")
    await act(visit.doctor, "hold")
    await visit.patient.wait("return document.querySelector('[data-strip=hold]') === null")
    await visit.doctor.eval(PICTURE)
    await picture(visit.patient, "screen")  # a picture from a file, while the camera goes on
    await moving(visit.patient, "doctor")
    await act(visit.doctor, "share")
    await visit.patient.wait("return document.querySelector('[data-video=screen]')?.closest('[hidden]') !== null")

    await visit.doctor.type("[data-act=advice]", "三天后复诊")
    await visit.doctor.type("[data-act=notes]", "脉细，家属焦虑")
    await visit.doctor.reload()  # before anything paused: what was typed last is still in the tab
    await screen(visit.doctor, "desk-live")
    await visit.doctor.wait("return document.querySelectorAll('[data-kept=yes]').length === 2")
    kept = "return [...document.querySelectorAll('.field textarea')].map((each) => each.value)"
    assert await visit.doctor.wait(f"{kept}.filter(Boolean).length === 2") is True
    assert await visit.doctor.eval(kept) == ["三天后复诊", "脉细，家属焦虑"]
    assert (await system.api("GET", f"/visits/{visit.id}/notes"))["notes"] == "脉细，家属焦虑"
    await visit.end()
    advice = await visit.patient.wait("return document.querySelector('[data-advice] p')?.textContent")
    assert advice == "三天后复诊"
    assert "脉细" not in await visit.patient.eval("return document.documentElement.outerHTML")


async def test_a_visit_ended_by_mistake_goes_on_where_recording_is_not_required(
    system: System, doctors: Browser, patients: Browser
) -> None:
    visit = await Visit.live(system, doctors, patients, recording="optional")
    await visit.end()
    await act(visit.patient, "reconnect")
    await screen(visit.patient, "live")
    await asyncio.gather(moving(visit.patient), moving(visit.doctor))
    await visit.end()


async def test_prescribing_shrinks_the_picture_and_leaves_the_call_alone(
    system: System, doctors: Browser, patients: Browser
) -> None:
    visit = await Visit.live(system, doctors, patients)
    width = "return Math.round(document.querySelector('.v').getBoundingClientRect().width)"
    large = await visit.doctor.eval(width)
    await visit.doctor.press("F9")
    await visit.doctor.wait("return document.querySelector('[data-layout=prescribing]') !== null")
    assert await visit.doctor.eval(width) == 316 < large
    await moving(visit.doctor)
    await visit.doctor.press("F9")
    assert await visit.doctor.eval(width) == large
    await visit.doctor.press("?")
    await visit.doctor.wait("return document.querySelector('[data-keys]') !== null")
    await act(visit.doctor, "letters")
    await visit.doctor.press("m")
    assert not await visit.patient.eval("return document.querySelector('[data-strip=muted]')")
    await visit.end()


async def test_the_desk_has_no_long_task_and_no_shift_while_it_is_used(
    system: System, doctors: Browser, patients: Browser
) -> None:
    visit = await Visit.live(system, doctors, patients)
    await visit.doctor.throttle(cpu=4)
    await visit.doctor.eval(
        "window.long = [];"
        "new PerformanceObserver((all) => long.push(...all.getEntries().map((each) => Math.round(each.duration))))"
        ".observe({ type: 'longtask' });" + shifts.WATCH
    )
    await act(visit.doctor, "chat")
    await act(visit.doctor, "prescribe")
    for words in ("先量血压", "再拍一张药盒的照片"):
        await write(visit.doctor, words)
        await asyncio.sleep(2)
    await act(visit.doctor, "prescribe")
    await asyncio.sleep(3)
    print(f"long tasks at 4 x slower processor: {await visit.doctor.eval('return long')} ms")
    await visit.doctor.throttle(cpu=1)
    await shifts.steady(visit.doctor)
    await visit.end()


async def test_a_childs_guardian_says_who_they_are_and_the_doctor_sees_it(
    system: System, doctors: Browser, patients: Browser
) -> None:
    before = {each["id"] for each in (await system.api("GET", "/ratings"))["ratings"]}
    child = {"id": "p-9", "name": "陈小宝", "age": 4}
    phones = {"emergency": {"name": "县医院急诊", "phone": "0571-8877 0120"}}
    made = await system.visit(patient=child, contacts=phones)
    doctor, patient = await doctors.blank(**DESK), await patients.blank(**PHONE)
    await asyncio.gather(doctor.goto(made["links"]["doctor"]), patient.goto(made["links"]["patient"]))
    await patient.wait("return document.querySelector('[data-act=confirm]')?.ariaDisabled === 'true'")
    await patient.type("[data-field=name]", "赵小兰")
    await act(patient, "relation-mother")
    await patient_waits(patient)
    await act(doctor, "admit")
    shown = await doctor.wait("return document.querySelector('[data-behalf=guardian]')?.textContent")
    assert "赵*兰" in shown
    assert "小" not in shown
    visit = Visit(system, made, doctor, patient)
    await picture(patient, "doctor")
    await act(patient, "emergency")
    numbers = await patient.eval("return [...document.querySelectorAll('[data-phone]')].map((each) => each.href)")
    assert numbers == ["tel:120", "tel:057188770120"]
    await moving(patient)
    await visit.end()
    await act(patient, "stars-5")
    await patient.type("[data-field=rating]", "讲得清楚")
    await act(patient, "rate")
    await patient.wait("return document.querySelector('[data-rated]') !== null")
    kept = (await system.api("GET", "/ratings"))["ratings"]
    mine = [(each["stars"], each["text"], each["state"]) for each in kept if each["id"] not in before]
    assert mine == [(5, "讲得清楚", "pending")]
