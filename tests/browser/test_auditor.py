"""The auditor's page: list, both streams in step, and a verdict reached in the browser."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.browser.pages import DESK, Visit, act, screen
from tests.browser.remote import Browser, Page
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

DRIFT_MS = 40
_TIMES = "return [...document.querySelectorAll('video')].map((video) => video.currentTime)"


async def recorded(system: System, doctors: Browser, patients: Browser) -> Visit:
    """A visit of a few seconds, ended and stored."""
    visit = await Visit.live(system, doctors, patients)
    await asyncio.sleep(6)
    await visit.end()
    await system.until(visit.id, "ended")
    closed = system.data / "store" / "recordings" / visit.id
    async with asyncio.timeout(20):
        while not any('"type":"close"' in batch.read_text() for batch in closed.glob("records/*.jsonl")):
            await asyncio.sleep(0.2)
    return visit


async def opened(visit: Visit, browser: Browser) -> Page:
    """The recording's page, its verdict reached."""
    page = await browser.open(visit.links["auditor"], **DESK)
    await screen(page, "list")
    await act(page, "open")
    await screen(page, "recording")
    await page.wait("return document.querySelector('[data-verdict=\"done\"]') !== null", 20)
    return page


async def test_an_auditor_sees_hears_and_proves_a_visit(system: System, doctors: Browser, patients: Browser) -> None:
    visit = await recorded(system, doctors, patients)
    page = await opened(visit, doctors)
    verdict = await page.eval("return {...document.querySelector('[data-verdict]').dataset}")
    assert (verdict["intact"], verdict["complete"]) == ("true", "true")
    assert visit.id[:4] in await page.eval("return document.body.innerText")
    await act(page, "play")
    await page.wait(
        "return [...document.querySelectorAll('video')].filter((video) => video.currentTime > 2).length >= 2"
    )
    drifts = []
    for _ in range(10):
        times = await page.eval(_TIMES)
        drifts.append(abs(times[0] - times[1]) * 1000)
        await asyncio.sleep(0.1)
    assert sorted(drifts)[5] <= DRIFT_MS
    assert "王桂英" not in await page.eval("return document.body.innerText")


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
