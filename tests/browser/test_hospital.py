"""Doctor, third party and coordinator: a patient is watched over, given to a colleague, and followed by a guest's link."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.browser.pages import DESK, PHONE, act, patient_waits, picture, screen
from tests.browser.remote import Browser, Page
from tests.system import DOCTOR, System

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

AXE = (Path(__file__).parents[2] / "web_client" / "node_modules" / "axe-core" / "axe.min.js").read_text()
OTHER = {**DOCTOR, "id": "d-2", "name": "陈立", "department": "外科"}


async def clean(page: Page) -> None:
    """axe finds nothing (WCAG 2.2 AA)."""
    await page.click(".head b")  # to the front: a tab behind does not finish its transitions
    await page.eval(f"{AXE}; await new Promise((then) => setTimeout(then, 300)); return true")
    tags = "['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa']"
    found = await page.eval(
        f"const found = await axe.run({{runOnly: {tags}}});"
        "return found.violations.map((each) => `${each.id} ${each.nodes[0].html}`)"
    )
    assert found == []


async def keyed(page: Page, name: str) -> None:
    """Reach a button by Tab alone, and press it with Enter."""
    met: list[str] = []
    for _ in range(60):
        met.append(await page.eval("return document.activeElement?.dataset?.act ?? document.activeElement?.tagName"))
        if await page.eval(f"return document.activeElement?.dataset?.act === '{name}'"):
            await page.press("Enter")
            return
        await page.press("Tab")
    there = await page.eval(f"return document.querySelector('[data-act={name}]')?.outerHTML ?? null")
    raise AssertionError(f"{name} is not reached by Tab: {met}; it is {there}")


async def test_a_patient_goes_from_a_late_wait_to_a_colleague_and_a_guest_joins(
    system: System, doctors: Browser, patients: Browser
) -> None:
    made, others = await system.visit(), await system.visit(doctor=OTHER)
    coordinator_link = (await system.api("POST", "/links", json={"role": "coordinator"}))["link"]
    doctor, other = await doctors.blank(**DESK), await patients.blank(**DESK)
    patient, coordinator = await patients.blank(**PHONE), await doctors.blank(**DESK)
    await asyncio.gather(
        doctor.goto(made["links"]["doctor"]),
        other.goto(others["links"]["doctor"]),
        patient.goto(made["links"]["patient"]),
        coordinator.goto(coordinator_link),
    )
    await patient_waits(patient)

    await screen(coordinator, "coordinator")
    await coordinator.wait(f"return document.querySelector('[data-visit=\"{made['id']}\"]') !== null")
    assert "王*英" in await coordinator.eval("return document.querySelector('[data-visit] b').textContent")
    await coordinator.wait("return document.querySelectorAll('[data-doctor] .pill.good').length === 2")
    await clean(coordinator)

    await doctor.wait("return document.querySelector('[data-act=admit]:not([aria-disabled])') !== null")
    await keyed(doctor, "admit")
    await asyncio.gather(picture(doctor, "patient"), picture(patient, "doctor"))
    await doctor.wait("return document.querySelector('[data-theirs=good]') !== null")

    await keyed(doctor, "invite")
    await keyed(doctor, "invite-interpreter")
    await doctor.wait("return document.querySelector('[data-link]') !== null")
    link = await doctor.eval("return document.querySelector('[data-link]').value")
    await clean(doctor)
    guest = await patients.blank(**PHONE)
    await guest.goto(link)
    await guest.wait("return window.__teleconsult.seat === 'guest-1'")

    await keyed(doctor, "hand")
    await doctor.wait("return document.querySelector('[data-act=hand-to]') !== null")
    await clean(doctor)
    await keyed(doctor, "hand-to")
    await screen(doctor, "desk-ended")
    await other.wait("return document.querySelectorAll('.queue [data-visit]').length === 1")
    await screen(patient, "consent")  # the page followed; what was agreed with one doctor is asked again for another
    await act(patient, "agree")
    await screen(patient, "waiting")
    await act(other, "admit")
    await asyncio.gather(picture(other, "patient"), picture(patient, "doctor"))
    ended = await system.until(made["id"], "ended")
    assert ended["ended"] == {"by": "doctor", "reason": "transferred"}

    # The visit that was handed over stands there until the page asks again: wait for the one that follows it.
    follows = f"[data-group=live] [data-visit]:not([data-visit='{made['id']}'])"
    await coordinator.wait(f'return document.querySelector("{follows}") !== null', 15)
    await coordinator.wait(f"return document.querySelector(\"[data-visit='{made['id']}']\") === null")
    await keyed(coordinator, "reassign")
    await coordinator.wait("return document.querySelector('[data-act=reassign-to]') !== null")
    await clean(coordinator)
    await keyed(coordinator, "reassign-to")
    await screen(other, "desk-ended")
    await doctor.wait("return document.querySelectorAll('.queue [data-visit]').length === 1")
