"""Journeys on the real pages: how many taps they take, that keys alone are enough, and that axe finds nothing on the way."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.browser.pages import DESK, PHONE, act, moving, picture, screen
from tests.browser.remote import Browser, Page
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

AXE = Path(__file__).resolve().parents[2] / "web_client" / "node_modules" / "axe-core" / "axe.min.js"
RULES = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']"
SHIFT = (
    "window.shift = 0; new PerformanceObserver((all) => {"
    "for (const each of all.getEntries()) if (!each.hadRecentInput) shift += each.value; })"
    ".observe({ type: 'layout-shift', buffered: true })"
)
MOST_TABS = 40


async def clean(page: Page) -> None:
    """Axe finds no violation on this page as it stands."""
    await page.still()
    await asyncio.sleep(0.1)
    if not await page.eval("return window.axe !== undefined"):
        await page.eval(AXE.read_text() + "\nwindow.axe = axe;")
    found = await page.eval(
        f"const found = await axe.run({{ runOnly: {RULES} }});"
        "return found.violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.target).join(' ')}`)"
    )
    where = await page.eval("return `${document.documentElement.dataset.mode} ${document.documentElement.lang}`")
    assert found == [], where


async def clean_in_every_dress(page: Page) -> None:
    """In both languages, in normal mode and elder mode; and back."""
    for turn in ("language", "mode", "language", "mode", "mode"):
        await clean(page)
        await page.eval(f"document.querySelector('[data-act={turn}]').click()")


async def key_to(page: Page, name: str) -> None:
    """Go to a button by Tab, and press Enter."""
    selector = f'[data-act="{name}"]:not([aria-disabled])'
    await page.wait(f"return document.querySelector('{selector}') !== null")
    for _ in range(MOST_TABS):
        await page.press("Tab")
        if await page.eval(f"return document.activeElement?.matches('{selector}') === true"):
            await page.press("Enter")
            return
    raise AssertionError(f"no Tab leads to {name}")


async def test_a_whole_visit_by_keyboard_with_nothing_for_axe_to_find(
    system: System, doctors: Browser, patients: Browser
) -> None:
    made = await system.visit()
    doctor, patient = await doctors.blank(**DESK), await patients.blank(**PHONE)
    await asyncio.gather(doctor.goto(made["links"]["doctor"]), patient.goto(made["links"]["patient"]))
    taps = 0
    for name, page in (("confirm", "entry"), ("agree", "consent"), ("enter", "check")):
        await screen(patient, page)
        await clean_in_every_dress(patient)
        await key_to(patient, name)
        taps += 1
    # With the browser's own question that is four.
    assert taps == 3
    await screen(patient, "waiting")
    await clean_in_every_dress(patient)
    await key_to(patient, "chat")
    await patient.wait("return document.querySelector('[data-chat]') !== null")
    await clean_in_every_dress(patient)
    await clean(doctor)
    await key_to(doctor, "admit")
    await asyncio.gather(picture(doctor, "patient"), picture(patient, "doctor"))
    for page in (doctor, patient):
        await clean(page)
    await key_to(patient, "emergency")
    await clean(patient)
    await key_to(patient, "microphone")
    await patient.wait("return document.querySelector('[data-strip=muted]') !== null")
    await moving(doctor)
    for name in ("end", "end-confirm"):
        await key_to(patient, name)
    await asyncio.gather(screen(patient, "ended"), screen(doctor, "desk-ended"))
    await clean(doctor)
    await clean_in_every_dress(patient)
    await key_to(patient, "stars-4")
    await key_to(patient, "rate")
    await patient.wait("return document.querySelector('[data-rated]') !== null")


async def test_one_who_comes_back_needs_two_taps_at_most(system: System, patients: Browser) -> None:
    made = await system.visit()
    first = await patients.blank(**PHONE)
    await first.before_load(SHIFT)
    await first.goto(made["links"]["patient"])
    for name in ("confirm", "agree"):
        await act(first, name)
    await screen(first, "check")
    # Another tab, or another day: only the server remembers.
    again = await patients.blank(**PHONE)
    await again.goto(made["links"]["patient"])
    for name in ("confirm", "enter"):
        await act(again, name)
    await screen(again, "waiting")
    last = await patients.blank(**PHONE)
    await last.goto(made["links"]["patient"])
    await screen(last, "waiting")
    assert await first.eval("return shift") <= 0.1


async def test_in_elder_mode_the_visit_itself_is_clean_in_both_languages(
    system: System, doctors: Browser, patients: Browser
) -> None:
    made = await system.visit()
    doctor, patient = await doctors.blank(**DESK), await patients.blank(**PHONE)
    link = made["links"]["patient"].replace("/p/#", "/p/?mode=elder&lang=zh#")
    await asyncio.gather(doctor.goto(made["links"]["doctor"]), patient.goto(link))
    for name in ("confirm", "agree", "enter"):
        await key_to(patient, name)
    await screen(patient, "waiting")
    await act(doctor, "admit")
    await screen(patient, "called")
    await clean(patient)
    await key_to(patient, "answer")
    await picture(patient, "doctor")
    await clean(patient)
    await key_to(patient, "help")
    await clean(patient)
    await patient.goto(link.replace("lang=zh", "lang=en"))
    await picture(patient, "doctor")
    await clean(patient)
    await key_to(patient, "end")
    await clean(patient)
