"""A prescription of the hospital's own page, from the doctor's keys to the evidence, through a killed server and a reload."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser.pages import DESK, PHONE, act, patient_waits, picture, screen
from tests.browser.proven import proven
from tests.browser.remote import Browser, Page
from tests.patience import PATIENCE_S
from tests.system import teleconsult

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SIGN = (
    "const it = document.getElementById('sign'); if (it === null || it.disabled) return false; it.click(); return true"
)


async def signs(doctor: Page, origin: str) -> None:
    """In the hospital's page, once it knows the patient."""
    async with asyncio.timeout(PATIENCE_S):
        while not await doctor.in_frame(origin, SIGN):
            await asyncio.sleep(0.1)


async def stands(doctor: Page, standing: str, count: int, within_s: float = PATIENCE_S) -> None:
    await doctor.wait(f"return document.querySelectorAll('[data-standing={standing}]').length === {count}", within_s)


async def test_a_prescription_is_confirmed_and_survives_a_killed_server_and_a_reload(
    tmp_path: Path, doctors: Browser, patients: Browser
) -> None:
    async with proven(tmp_path / "data", "--demo") as system:
        links = system.ready["links"]
        doctor, patient = await doctors.blank(**DESK), await patients.blank(**PHONE)
        await asyncio.gather(doctor.goto(links["doctor"]), patient.goto(links["patient"]))
        await patient_waits(patient)
        await doctor.wait("return document.querySelector('[data-act=admit]:not([aria-disabled])') !== null")
        await doctor.press("F8")
        await asyncio.gather(picture(doctor, "patient"), picture(patient, "doctor"))
        await doctor.press("F9")
        slot = await system.api("GET", "/slot")
        assert slot["origin"] not in links["doctor"]
        await signs(doctor, slot["origin"])
        await stands(doctor, "confirmed", 1)
        assert "青霉素" in await doctor.eval("return document.querySelector('[data-allergies=some]').textContent")
        assert await doctor.in_frame(slot["origin"], "return document.getElementById('who').textContent") == "王桂英"
        said = "return document.getElementById('said').textContent"
        signed = await doctor.in_frame(slot["origin"], said)
        await act(doctor, "language")
        async with asyncio.timeout(PATIENCE_S):  # what stands there already is said in the other language, too
            while await doctor.in_frame(slot["origin"], said) == signed:
                await asyncio.sleep(0.05)

        system.kill("signaling")
        await signs(doctor, slot["origin"])
        await stands(doctor, "pending", 1)  # kept in the browser before anything else
        await doctor.goto("about:blank")  # the page is gone with what it knew
        visit = (await system.until(_of(links), "live", 30))["id"]
        await doctor.goto(f"{system.url}/d/")
        await screen(doctor, "desk-live")
        await stands(doctor, "confirmed", 2)
        await stands(doctor, "pending", 0)

        await act(doctor, "end")
        await act(doctor, "end-confirm")
        await screen(doctor, "desk-ended")
        await system.until(visit, "ended")
        events = (await system.api("GET", "/events?limit=200"))["events"]
        told = [each["data"]["standing"] for each in events if each["type"] == "visit.prescription"]
        assert told.count("confirmed") == 2
        assert set(told) <= {"claimed", "confirmed"}  # the hospital's word may come before the page's
        noted = await _noted(system.data, visit, tmp_path / "bundle")
        assert [each["state"] for each in noted].count("confirmed") == 2
        hashes = {each["data"]["sha256"] for each in events if each["type"] == "visit.prescription"}
        assert {each["detail"]["sha256"] for each in noted} == hashes
        assert "王" not in json.dumps(noted, ensure_ascii=False)
        told = (system.data / "serve.log").read_text() + json.dumps(events, ensure_ascii=False)
        told += "".join(each.read_text() for each in (tmp_path / "bundle").rglob("*.json*"))
        assert [word for word in ("青霉素", "高血压", "二甲双胍", "王桂英", "头晕") if word in told] == []  # SUM-1


def _of(links: dict[str, str]) -> str:
    """The visit that a link is for."""
    import jwt

    token = links["doctor"].partition("#")[2]
    return str(jwt.decode(token, options={"verify_signature": False})["visit"])


async def _noted(data: Path, visit: str, folder: Path) -> list[dict[str, Any]]:
    """The `rx` events on the visit's evidence log."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            code, _, said = await teleconsult("export", visit, "-o", str(folder), "--data", str(data))
            if code == 0:
                break
            await asyncio.sleep(0.5)
    assert code == 0, said
    lines = [
        json.loads(line) for each in sorted(folder.rglob("records/*.jsonl")) for line in each.read_text().splitlines()
    ]
    return [each["body"] for each in lines if each["body"].get("event") == "rx"]
