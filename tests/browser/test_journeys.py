"""Journeys on the real pages: how many taps they take, that keys alone are enough, and that axe finds nothing on the way."""

from __future__ import annotations

import asyncio

import pytest

from tests.browser import shifts
from tests.browser.axe import clean, clean_in_every_dress
from tests.browser.keyboard import keyed
from tests.browser.pages import DESK, PHONE, act, moving, picture, screen
from tests.browser.remote import Browser
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


LATE = """
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (words) { setTimeout(() => send.call(this, words), 300); };
"""
"""A network on which a key is pressed again before the first press is answered."""


async def test_a_whole_visit_by_keyboard_with_nothing_for_axe_to_find(
    system: System, doctors: Browser, patients: Browser
) -> None:
    made = await system.visit()
    doctor, patient = await doctors.blank(**DESK), await patients.blank(**PHONE)
    await doctor.before_load(LATE)
    await asyncio.gather(doctor.goto(made["links"]["doctor"]), patient.goto(made["links"]["patient"]))
    taps = 0
    for name, page in (("confirm", "entry"), ("agree", "consent"), ("enter", "check")):
        await screen(patient, page)
        await patient.wait("return document.activeElement?.tagName === 'H1'")
        await keyed(patient, name)
        taps += 1
    # With the browser's own question that is four.
    assert taps == 3
    await screen(patient, "waiting")
    await keyed(patient, "chat")
    await patient.wait("return document.querySelector('[data-chat]') !== null")
    await keyed(doctor, "admit")
    await asyncio.gather(picture(doctor, "patient"), picture(patient, "doctor"))
    await clean_in_every_dress(patient)
    await clean_in_every_dress(doctor)
    for name in ("hold", "hold", "prescribe", "chat"):
        await keyed(doctor, name)
    await doctor.wait("return document.querySelector('[data-chat] textarea') !== null")
    await keyed(patient, "emergency")
    await clean(patient)
    await keyed(patient, "emergency")
    await keyed(patient, "microphone")
    await patient.wait("return document.querySelector('[data-strip=muted]') !== null")
    await moving(doctor)
    for name in ("end", "end-stay", "end", "end-confirm"):
        await keyed(patient, name)
    await asyncio.gather(screen(patient, "ended"), screen(doctor, "desk-ended"))
    await clean_in_every_dress(doctor)
    await keyed(patient, "stars-4")
    await keyed(patient, "rate")
    await patient.wait("return document.querySelector('[data-rated]') !== null")


async def test_one_who_comes_back_needs_two_taps_at_most(system: System, patients: Browser) -> None:
    made = await system.visit()
    first = await patients.blank(**PHONE)
    await first.before_load(shifts.WATCH)
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
    # The page before is told where the seat went, and takes it back with one tap: there is one of them, never two.
    await screen(again, "closed")
    await act(again, "continue")
    await asyncio.gather(screen(again, "waiting"), screen(last, "closed"))
    await shifts.steady(first)


async def test_in_elder_mode_the_visit_itself_is_clean_in_both_languages(
    system: System, doctors: Browser, patients: Browser
) -> None:
    made = await system.visit()
    doctor, patient = await doctors.blank(**DESK), await patients.blank(**PHONE)
    link = made["links"]["patient"].replace("/p/#", "/p/?mode=elder&lang=zh#")
    await asyncio.gather(doctor.goto(made["links"]["doctor"]), patient.goto(link))
    for name in ("confirm", "agree", "enter"):
        await keyed(patient, name)
    await screen(patient, "waiting")
    await keyed(doctor, "admit")
    await screen(patient, "called")
    await clean(patient)
    await keyed(patient, "answer")
    await picture(patient, "doctor")
    await clean_in_every_dress(patient)
    await keyed(patient, "help")
    await clean(patient)
    for name in ("end", "end-stay"):
        await keyed(patient, name)
    for name in ("end", "end-confirm"):
        await keyed(doctor, name)
    await asyncio.gather(screen(patient, "ended"), screen(doctor, "desk-ended"))
