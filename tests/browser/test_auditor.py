"""The auditor's page: list, both streams in step, and a verdict reached in the browser."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.browser.axe import clean, clean_in_every_dress
from tests.browser.keyboard import keyed
from tests.browser.pages import DESK, Visit, act, recording_closed, screen
from tests.browser.remote import Browser, Page
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

DRIFT_MS = 40
BEGINNING_MS = 80
"""Apart by no more than two frames from the first moment both run, and by one once they run."""
WATCHED = """
const videos = [...document.querySelectorAll('video')].slice(0, 2);
const seen = [];
const end = performance.now() + 4000;
while (performance.now() < end) {
  const [a, b] = videos;
  const run = videos.every((video) => !video.paused && !video.seeking && video.readyState > 2);
  if (run) seen.push(Math.round(Math.abs(a.currentTime - b.currentTime) * 1000));
  await new Promise((then) => setTimeout(then, 100));
}
return seen;
"""


async def recorded(system: System, doctors: Browser, patients: Browser, words: str | None = None) -> Visit:
    """A visit of a few seconds, ended and stored; the doctor mutes in it for a while, and writes these words."""
    visit = await Visit.live(system, doctors, patients)
    await asyncio.sleep(3)
    if words is not None:
        await act(visit.doctor, "chat")
        await visit.doctor.wait("return document.querySelector('[data-chat] textarea') !== null")
        await visit.doctor.type("[data-chat] textarea", words)
        await act(visit.doctor, "send")
        await visit.doctor.wait("return document.querySelector('[data-message]') !== null")
        await visit.doctor.press("F2")
    await asyncio.sleep(3)
    await visit.end()
    await system.until(visit.id, "ended")
    await recording_closed(system, visit.id)
    return visit


async def opened(visit: Visit, browser: Browser) -> Page:
    """The recording's page, its verdict reached."""
    page = await browser.open(visit.links["auditor"], **DESK)
    await screen(page, "list")
    await keyed(page, "open")
    await screen(page, "recording")
    await page.wait("return document.querySelector('[data-verdict=\"done\"]') !== null", 20)
    return page


async def test_an_auditor_sees_hears_and_proves_a_visit(system: System, doctors: Browser, patients: Browser) -> None:
    visit = await recorded(system, doctors, patients, "三天后复诊")
    page = await opened(visit, doctors)
    verdict = await page.eval("return {...document.querySelector('[data-verdict]').dataset}")
    said = await page.eval("return document.querySelector('[data-verdict]').innerText")
    assert (verdict["intact"], verdict["complete"]) == ("true", "true"), said
    assert visit.id[:4] in await page.eval("return document.body.innerText")
    assert await page.eval("return document.querySelectorAll('.cover rect.present').length") >= 2
    assert await page.eval("return document.querySelectorAll('.cover rect.muted').length") == 1
    await clean_in_every_dress(page)

    await keyed(page, "play")
    drifts = await page.eval(WATCHED)
    assert len(drifts) >= 10
    assert max(drifts) <= BEGINNING_MS, drifts
    assert sorted(drifts[len(drifts) // 2 :])[len(drifts) // 4] <= DRIFT_MS, drifts
    await page.press("Space")
    await page.wait("return [...document.querySelectorAll('video')].every((video) => video.paused)")
    before = await page.eval("return Number(document.querySelector('.transport').dataset.at)")
    await page.press("ArrowLeft")
    await page.wait(f"return Number(document.querySelector('.transport').dataset.at) < {before}")

    shown = await page.eval("return document.body.innerText")
    assert "王桂英" not in shown
    assert "三天后复诊" not in shown
    assert await page.eval("return document.querySelector('.whose').innerText.includes('auditor-')")
    await keyed(page, "reason-open")
    await page.wait("return document.querySelector('[data-why=reason]') !== null")
    await page.type("[data-why=reason] [name=reason]", "投诉 2026-017")
    await keyed(page, "reason")
    await page.wait("return document.querySelector('[data-names]')?.innerText.includes('王桂英')")
    await page.wait("return document.querySelector('[data-kept]')?.dataset.same === 'true'")
    assert "三天后复诊" in await page.eval("return document.querySelector('[data-kept]').innerText")

    await keyed(page, "export-open")
    await page.wait("return document.querySelector('[data-why=export]') !== null")
    await page.type("[data-why=export] [name=reason]", "法院调取 12")
    await keyed(page, "export")
    await page.wait("return document.querySelector('[data-export=asked]') !== null")
    (export,) = (await system.api("GET", "/exports"))["exports"]
    await system.api("POST", f"/exports/{export['id']}/decision", json={"approve": True})
    await page.wait("return document.querySelector('[data-export=approved]') !== null", 15)
    await keyed(page, "download")
    await page.wait("return document.querySelector('[data-export=taken]') !== null", 15)
    await clean(page)

    await keyed(page, "copy-open")
    await page.wait("return document.querySelector('[data-why=copy]') !== null")
    await page.type("[data-why=copy] [name=reason]", "患者要一份")
    await keyed(page, "copy")
    await page.wait("return document.querySelector('[data-copy=ready]') !== null", 40)
    (copy,) = (system.data / "copies").glob("*.webm")
    assert copy.stat().st_size > 50_000

    await keyed(page, "back")
    await screen(page, "list")
    await page.type("[data-find]", "no-such-visit")
    await page.wait("return document.querySelector('table') === null")
    await page.eval("document.querySelector('[data-find]').select()")
    await page.type("[data-find]", visit.id[:6])
    await page.wait("return document.querySelectorAll('tbody tr').length === 1")
    await clean(page)
    log = (await system.api("GET", "/accesses", params={"limit": "200"}))["accesses"]
    looked = [line["what"] for line in log if line["outcome"] == "allowed"]
    assert (
        looked.index("recording")
        < looked.index("play streams/patient")
        < looked.index("reason")
        < looked.index("names")
    )


async def test_one_flipped_byte_is_named_in_the_browser(
    system: System, doctors: Browser, patients: Browser, tmp_path: Path
) -> None:
    visit = await recorded(system, doctors, patients)
    store = system.data / "store" / "recordings" / visit.id
    victim = sorted(store.glob("streams/patient/part-001/seg-*.webm"))[0]
    victim.chmod(0o600)
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    page = await opened(visit, doctors)
    verdict = await page.eval("return {...document.querySelector('[data-verdict]').dataset}")
    assert verdict["intact"] == "false"
    assert "SEG-2" in await page.eval("return document.querySelector('[data-broken]').innerText")
