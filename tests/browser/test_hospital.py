"""Doctor, third party and coordinator: a patient is watched over, given to a colleague, and followed by a guest's link."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.axe import clean, clean_in_every_dress
from tests.browser.keyboard import keyed
from tests.browser.pages import DESK, PHONE, act, patient_waits, picture, screen
from tests.browser.proven import proven
from tests.browser.remote import Browser
from tests.system import DOCTOR, System

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A clinic that promises its patients to be quick."""
    quick = {"TELECONSULT_CALL_WITHIN_S": "3", "TELECONSULT_ESCALATE_AFTER_S": "5"}
    async with proven(tmp_path_factory.mktemp("system") / "data", **quick) as made:
        made.apart = True
        yield made


OTHER = {**DOCTOR, "id": "d-2", "name": "陈立", "department": "外科"}


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

    # SIG-22: nobody calls in time. The doctor is told, then the clinic; the patient sees both, and may choose the telephone.
    await patient.wait("return document.querySelector('[data-late]')?.dataset.late === 'doctor'")
    await doctor.wait("return document.querySelector('.queue .t.late') !== null")
    await patient.wait("return document.querySelector('[data-late]')?.dataset.late === 'coordinator'")
    first = "return document.querySelector('[data-group=help] [data-visit]')?.dataset.visit"
    assert await coordinator.wait(first) == made["id"]
    await clean_in_every_dress(patient)
    await keyed(patient, "rebook")
    await doctor.wait("return document.querySelector('.queue').innerText.includes('asks for another time')")
    await coordinator.wait(
        "return document.querySelector('[data-group=help]').innerText.includes('Wants another time')"
    )
    await keyed(patient, "phone-back")
    await patient.wait("return document.querySelector('.offers') === null")
    await doctor.wait("return document.querySelector('.queue').innerText.includes('asks to be phoned')")
    await coordinator.wait(
        "return document.querySelector('[data-group=help]').innerText.includes('Wants to be phoned')"
    )
    await clean_in_every_dress(coordinator)

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
    await coordinator.wait(f'return document.querySelector("{follows}") !== null')
    await coordinator.wait(f"return document.querySelector(\"[data-visit='{made['id']}']\") === null")
    await keyed(coordinator, "reassign")
    await coordinator.wait("return document.querySelector('[data-act=reassign-to]') !== null")
    await clean(coordinator)
    await keyed(coordinator, "reassign-to")
    await screen(other, "desk-ended")
    await doctor.wait("return document.querySelectorAll('.queue [data-visit]').length === 1")
