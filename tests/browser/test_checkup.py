"""The connection test: a page of its own, without a link or a seat."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.axe import clean, clean_colours, clean_in_every_dress
from tests.browser.keyboard import keyed
from tests.browser.pages import PHONE
from tests.browser.remote import Browser, Page
from tests.patience import PATIENCE_S
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def checked(page: Page, within_s: float = PATIENCE_S) -> dict[str, Any]:
    """Start the test, wait for its sentence, and take the report."""
    await keyed(page, "start")
    await page.wait("return document.querySelector('[data-verdict]') !== null", within_s)
    report: dict[str, Any] = await page.eval("return window.__checkup.report()")
    return report


async def test_a_good_connection_is_called_good_with_real_media_there_and_back(
    system: System, patients: Browser
) -> None:
    page = await patients.open(f"{system.url}/check?lang=en", **PHONE)
    report = await checked(page)
    outcomes = {step: tried["outcome"] for step, tried in report["steps"].items()}
    flow = outcomes.pop("flow")
    assert outcomes == {
        **dict.fromkeys(("secure", "server", "socket", "udp", "tcp", "camera", "microphone"), "good"),
        **dict.fromkeys(("relay-udp", "relay-tcp", "relay-tls"), "absent"),
    }, report
    # A busy machine is slow, and nothing else is.
    verdict, words = ("good", "All is well.") if flow == "good" else ("slow", "The network is slow.")
    assert report["verdict"] == verdict, report
    assert min(report["flow"]["up_bps"], report["flow"]["down_bps"]) > 10_000, report
    assert (await page.eval("return document.querySelector('h1').textContent")).startswith(words)
    await keyed(page, "copy")
    await clean_in_every_dress(page)
    assert not [line for line in await page.said() if "error" in line]
    await page.close()


async def test_every_guide_is_clean_by_day_and_by_night(system: System, patients: Browser) -> None:
    for who in ("patient", "doctor"):
        for language in ("zh", "en"):
            page = await patients.open(f"{system.url}/guides/{who}-{language}", **PHONE)
            assert (await page.eval("return document.documentElement.lang")).startswith(language)
            await clean(page)
            await page.dressed(dark=True)
            await clean_colours(page)
            assert await page.eval("return document.documentElement.scrollWidth") <= PHONE["width"]
            await page.close()
