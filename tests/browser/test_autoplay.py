"""Browsers that play nothing before a tap: a patient who comes back by a reload is told so, and one tap is enough."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.browser.pages import Visit, act, moving, picture, rms_dbfs, screen
from tests.browser.remote import Browser, Driver, Kind, Page
from tests.browser.test_visit import SPEECH_DBFS
from tests.patience import PATIENCE_S
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TELLS = """
const tell = (words) => console.log(words) ?? clearInterval(timer);
const timer = setInterval(() => {
  if (document.querySelector('[data-act=ring-on]')) tell('may not ring');
  const button = document.querySelector('[data-act=sound]');
  const video = document.querySelector('[data-video=doctor]');
  const both = video?.srcObject?.getTracks().length === 2;
  if (button && both) tell(`asked for a tap: ${button.textContent} muted ${video.muted}`);
}, 100);
"""
"""The page says it itself: a script that a driver runs in a page counts as a gesture, and would unlock what is tested."""
NO_DEVICES = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };"
"""Firefox lets a page play that uses a camera."""
STRICT: dict[Kind, dict[str, Any]] = {
    "chromium": {"args": ("--autoplay-policy=user-gesture-required",)},
    # 5: neither sound nor picture; 0: until there was a tap in this very page.
    "firefox": {
        "preferences": {
            "media.autoplay.default": 5,
            "media.autoplay.blocking_policy": 0,
            "media.autoplay.block-webaudio": True,
        }
    },
}
PLAYS = (
    "const node = document.querySelector('[data-video=doctor]');"
    "return !node.muted && !node.paused && document.querySelector('[data-act=sound]') === null"
)


async def after_a_reload(page: Page, words: str) -> str:
    """Reload, and wait until the page says this."""
    before = len(await page.said())
    await page.reload()
    async with asyncio.timeout(PATIENCE_S):
        while not (said := [line for line in (await page.said())[before:] if words in line]):
            await asyncio.sleep(0.1)
    return said[0]


@pytest.mark.parametrize("kind", ["chromium", "firefox"])
async def test_a_reload_in_a_strict_browser_costs_one_tap(
    system: System, held: Driver, doctors: Browser, kind: Kind
) -> None:
    strict = await held.browser(kind, **STRICT[kind])
    made = await system.visit()
    doctor, patient = await doctors.open(made["links"]["doctor"]), await strict.blank(width=360, height=740)
    await patient.before_load(TELLS + (NO_DEVICES if kind == "firefox" else ""))
    await patient.goto(made["links"]["patient"])
    for name in ("confirm", "agree", "enter"):
        await act(patient, name)
    await screen(patient, "waiting")
    if kind == "firefox":
        await after_a_reload(patient, "may not ring")
        await act(patient, "ring-on")
        await patient.wait("return document.querySelector('[data-act=ring-on]') === null")
    await act(doctor, "admit")
    await screen(patient, "live")

    assert "Tap here once. muted true" in await after_a_reload(patient, "asked for a tap")
    await act(patient, "sound")
    await patient.wait(PLAYS)
    await picture(patient, "doctor")
    await moving(patient)
    assert await rms_dbfs(patient) > SPEECH_DBFS
    visit = Visit(system, made, doctor, patient)
    await visit.end()
    await strict.close()
