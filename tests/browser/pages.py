"""What a person does on our pages, in the pages' own terms: `data-act`, `data-page`, `data-video`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any, Literal

from tests.browser.remote import Browser, BrowserError, Page
from tests.patience import PATIENCE_S
from tests.system import System

PHONE = {"width": 360, "height": 740, "phone": False}
DESK = {"width": 1440, "height": 900}
ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"
)
HANDSET = {"width": 360, "height": 740, "phone": True, "agent": ANDROID}
"""A phone as a browser emulates one: touch, a phone's viewport and name."""

Kind = Literal["audio", "video"]


STANDING = """
const ranges = ({ buffered }) => [...Array(buffered.length).keys()].map((at) => [buffered.start(at), buffered.end(at)]);
return {
  ...document.querySelector('.transport')?.dataset,
  videos: [...document.querySelectorAll('video')].map((video) => ({
    stream: video.dataset.stream, here: video.hasAttribute('data-here'), at: video.currentTime, paused: video.paused,
    seeking: video.seeking, ready: video.readyState, error: video.error?.message, buffered: ranges(video),
  })),
};
"""
"""What each element of a recording is doing."""


SHOWN = """
const rows = (await window.__teleconsult.stats()).filter((row) => row.type === 'inbound-rtp' && row.kind === 'video');
return {
  at: node?.currentTime, paused: node?.paused, ready: node?.readyState, width: node?.videoWidth,
  tracks: (node?.srcObject?.getTracks() ?? []).map((track) => [track.kind, track.muted, track.readyState]),
  rows: rows.map((row) => [row.mid, row.packetsReceived, row.framesDecoded, row.keyFramesDecoded, row.pliCount]),
};
"""
"""What a page knows of a picture that does not come."""


async def act(page: Page, name: str) -> None:
    """Press a button when it may be pressed."""
    await page.click(f'[data-act="{name}"]:not([aria-disabled])')


async def screen(page: Page, name: str, within_s: float = PATIENCE_S) -> None:
    """Wait until the page shows this screen."""
    await page.wait(f"return document.querySelector('[data-page=\"{name}\"]') !== null", within_s)


async def picture(page: Page, name: str, within_s: float = PATIENCE_S) -> None:
    """Wait until this picture has painted a frame; fails with what the page knows of it."""
    node = f"const node = document.querySelector('[data-video=\"{name}\"]');"
    try:
        await page.wait(f"{node} return node !== null && node.videoWidth > 2 && node.currentTime > 0", within_s)
    except BrowserError as failed:
        raise AssertionError(await page.eval(node + SHOWN)) from failed


async def rms_dbfs(page: Page, seconds: float = 3.0) -> float:
    """RMS of the loudest sound this page decoded meanwhile, in dB of full scale; −∞ is silence (W3C webrtc-stats).

    It listens from when sound arrives: on a busy machine that may be after the first picture.
    """
    await hearing(page)
    before = {row["id"]: row for row in await received(page, "audio")}
    await asyncio.sleep(seconds)
    loudest = -math.inf
    for row in await received(page, "audio"):
        begun = before.get(row["id"], {})
        energy = row["totalAudioEnergy"] - begun.get("totalAudioEnergy", 0.0)
        lasted = row["totalSamplesDuration"] - begun.get("totalSamplesDuration", 0.0)
        if energy > 0 and lasted > 0:
            loudest = max(loudest, 10 * math.log10(energy / lasted))
    return loudest


async def received(page: Page, kind: Kind, name: str | None = None) -> list[dict[str, Any]]:
    """The page's own account of each stream it receives, or of what is shown under this name (getStats, inbound-rtp)."""
    its = f"row.type === 'inbound-rtp' && row.kind === '{kind}'"
    if name is not None:
        shown = f"document.querySelector('[data-video=\"{name}\"]')?.srcObject"
        its += f" && {shown}?.getTracks().some((track) => track.id === row.trackIdentifier)"
    return list(await page.eval(f"return (await window.__teleconsult.stats()).filter((row) => {its})"))


async def inbound(page: Page, kind: Kind, name: str | None = None) -> dict[str, Any]:
    """Of the stream it names last; empty if it receives none."""
    rows = await received(page, kind, name)
    return rows[-1] if rows else {}


async def moving(page: Page, name: str | None = None) -> None:
    """Wait until pictures go on arriving: those shown under this name, or those of the stream the page names last."""
    await _coming(page, "video", "framesDecoded", name)


async def hearing(page: Page) -> None:
    """Wait until sound goes on arriving."""
    await _coming(page, "audio", "packetsReceived")


async def _coming(page: Page, kind: Kind, what: str, name: str | None = None) -> None:
    """There may be none for a moment, while the page and we negotiate anew; a new transport counts anew."""
    before: int | None = None
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                now = (await inbound(page, kind, name)).get(what)
                if now is not None and before is not None and now > before + 5:
                    return
                before = now if before is None or now is None else min(before, now)
                await asyncio.sleep(0.1)
    except TimeoutError as late:
        raise AssertionError(await page.eval("return document.body.innerText"), await received(page, kind)) from late


async def played(page: Page, beyond_s: float, within_s: float = PATIENCE_S) -> None:
    """Wait until an auditor's page has played doctor and patient so far; fails with where each element stands."""
    both = "['doctor', 'patient'].map((name) => document.querySelector(`video[data-stream=${name}]`))"
    try:
        await page.wait(f"return {both}.every((video) => video?.currentTime > {beyond_s})", within_s)
    except BrowserError as failed:
        raise AssertionError(await page.eval(STANDING)) from failed


async def still(page: Page) -> None:
    """Wait until nothing plays on an auditor's page."""
    try:
        await page.wait("return [...document.querySelectorAll('video')].every((video) => video.paused)")
    except BrowserError as failed:
        raise AssertionError(await page.eval(STANDING)) from failed


async def patient_waits(page: Page) -> None:
    """From the opened link to the waiting room, as a first-time patient."""
    await act(page, "confirm")
    await act(page, "agree")
    await act(page, "enter")
    await screen(page, "waiting")


async def recording_closed(system: System, visit: str) -> None:
    """Wait until the recording is stored whole."""
    store = system.data / "store" / "recordings" / visit
    async with asyncio.timeout(PATIENCE_S):
        while not any('"type":"close"' in batch.read_text() for batch in store.glob("records/*.jsonl")):
            await asyncio.sleep(0.2)


class Visit:
    """A doctor and a patient in two browsers, in one visit."""

    def __init__(self, system: System, made: dict[str, Any], doctor: Page, patient: Page) -> None:
        self.system, self.id, self.links = system, str(made["id"]), made["links"]
        self.doctor, self.patient = doctor, patient

    @classmethod
    async def waiting(
        cls,
        system: System,
        doctors: Browser,
        patients: Browser,
        before_load: str | None = None,
        patient_at: Callable[[str], str] = str,
        **more: Any,
    ) -> Visit:
        """A visit whose patient waits and whose doctor looks at the desk. `patient_at`: where the patient's link leads."""
        made = await system.visit(**more)
        doctor, patient = await doctors.blank(**DESK), await patients.blank(**PHONE)
        for page in (doctor, patient):
            if before_load is not None:
                await page.before_load(before_load)
        await asyncio.gather(doctor.goto(made["links"]["doctor"]), patient.goto(patient_at(made["links"]["patient"])))
        await patient_waits(patient)
        return cls(system, made, doctor, patient)

    @classmethod
    async def live(cls, system: System, doctors: Browser, patients: Browser, **more: Any) -> Visit:
        """A visit in which both see each other."""
        visit = await cls.waiting(system, doctors, patients, **more)
        await visit.admit()
        return visit

    async def admit(self) -> None:
        """One click, and both see each other."""
        await act(self.doctor, "admit")
        await asyncio.gather(picture(self.doctor, "patient"), picture(self.patient, "doctor"))

    async def end(self) -> None:
        """The patient hangs up."""
        await act(self.patient, "end")
        await act(self.patient, "end-confirm")
        await asyncio.gather(screen(self.patient, "ended"), screen(self.doctor, "desk-ended"))
