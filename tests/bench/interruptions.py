"""A patient's seat through seeded interruptions, in real Chromium: refreshed, asleep, cut off, the server restarted.

Half of them come in the waiting room, half in the visit. Before each, one side writes a line and nobody waits for its
acknowledgement. After each: the seat is the same, the phase is the same, the doctor's queue has one row, one picture and one
sound arrive (no ghost), and both sides show every line once, in one order. `--count`, `--seed`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Literal

from tests.browser.cut import Cut, cuttable
from tests.browser.pages import Visit, act, moving, screen
from tests.browser.remote import Browser, BrowserError, Page, driver
from tests.system import System, free_port, running

Kind = Literal["refresh", "sleep", "network", "restart"]
KINDS: tuple[Kind, ...] = ("refresh", "sleep", "network", "restart")

LINES = "[...document.querySelectorAll('[data-message] > p')].map((each) => each.textContent)"
STREAMS = (
    "return (await window.__teleconsult.stats())"
    ".filter((row) => row.type === 'inbound-rtp').map((row) => row.kind).sort()"
)


@dataclass(slots=True)
class Tally:
    """What came of it."""

    seed: int
    done: int = 0
    seats_kept: int = 0
    ghosts: int = 0
    lost: int = 0
    doubled: int = 0
    disorder: int = 0
    back_s: dict[str, list[float]] = field(default_factory=dict)


async def interrupt(kind: Kind, random: Random, system: System, way: Cut, page: Page) -> None:
    """Do it to the patient."""
    match kind:
        case "refresh":
            await page.reload()
        case "sleep":
            await page.sleep(random.uniform(0.5, 17))  # the server gives a silent socket up after 15 s (SIG-2)
        case "network":
            await way.cut(random.uniform(0, 4))
            await page.eval("dispatchEvent(new Event('online'))")
        case "restart":
            system.kill("signaling")


async def _write(page: Page, words: str) -> None:
    await page.wait("return document.querySelector('[data-chat] textarea') !== null")
    await page.type("[data-chat] textarea", words)
    await page.eval("document.querySelector('[data-act=send]').click()")


async def _settle(visit: Visit, phase: str) -> None:
    try:
        await screen(visit.patient, phase, 30)
    except BrowserError:
        print(
            "the page stands at",
            await visit.patient.eval("return [window.__teleconsult?.page, document.body.innerText]"),
        )
        raise
    for page in (visit.patient, visit.doctor):
        await page.wait(f"return window.__teleconsult.phase === '{phase}'", 30)
    # A tab that slept paints nothing for a while in a headless browser, and a real click waits for paint.
    await visit.patient.eval(
        "if (document.querySelector('[data-chat]') === null) document.querySelector('[data-act=chat]').click()"
    )


async def _look(visit: Visit, phase: str, lines: list[str], tally: Tally) -> None:
    await _settle(visit, phase)
    if phase == "live":
        await asyncio.gather(moving(visit.patient), moving(visit.doctor))
    tally.seats_kept += await visit.patient.eval("return window.__teleconsult.seat") == "patient"
    rows = await visit.doctor.eval("return document.querySelectorAll('[data-visit]').length")
    streams = [await page.eval(STREAMS) for page in (visit.doctor, visit.patient)] if phase == "live" else []
    tally.ghosts += (rows - 1) + sum(each != ["audio", "video"] for each in streams)
    shown: list[list[str]] = []
    for page in (visit.patient, visit.doctor):
        settled = f"{LINES}.length >= {len(lines)} && document.querySelector('.pending') === null"
        await page.wait(f"return {settled}", 30)
        shown.append([str(each) for each in await page.eval(f"return {LINES}")])
    for each in shown:
        tally.lost += len(set(lines) - set(each))
        tally.doubled += len(each) - len(set(each))
    tally.disorder += shown[0] != shown[1]


async def measure(count: int, seed: int, scratch: Path) -> Tally:
    """All of it, in one visit."""
    random = Random(seed)
    kinds = [KINDS[number % len(KINDS)] for number in range(count)]
    random.shuffle(kinds)
    tally, lines = Tally(seed), list[str]()
    port, front = free_port(), free_port()
    public = {"TELECONSULT_PUBLIC_URL": f"http://127.0.0.1:{front}"}
    serving = running(scratch / "data", "--port", str(port), **public)
    async with cuttable(front, port) as way, driver() as held, serving as system:
        doctors, patients = await held.browser("chromium"), await held.browser("chromium")
        visit = await _waiting(system, doctors, patients)
        for number, kind in enumerate(kinds):
            phase = "waiting" if number < count // 2 else "live"
            if number == count // 2:
                await act(visit.doctor, "admit")
                await _look(visit, "live", lines, Tally(seed))
            words = f"{number} {kind}"
            await _write(random.choice((visit.patient, visit.doctor)), words)
            lines.append(words)
            began = time.monotonic()
            await interrupt(kind, random, system, way, visit.patient)
            if kind == "restart":
                await system.until(visit.id, phase, 30)
            await _settle(visit, phase)
            # And one more from the patient's page as it is now: it must reach the other side.
            await _write(visit.patient, f"{words}, after")
            lines.append(f"{words}, after")
            await _look(visit, phase, lines, tally)
            tally.back_s.setdefault(kind, []).append(round(time.monotonic() - began, 2))
            tally.done += 1
    return tally


async def _waiting(system: System, doctors: Browser, patients: Browser) -> Visit:
    visit = await Visit.waiting(system, doctors, patients)
    await act(visit.doctor, "chat")
    await act(visit.patient, "chat")
    return visit


def verdict(tally: Tally, count: int) -> bool:
    """Whether nothing at all went wrong."""
    wrong = tally.ghosts, tally.lost, tally.doubled, tally.disorder
    return tally.done == tally.seats_kept == count and not any(wrong)


def arguments(given: argparse.ArgumentParser) -> None:
    """What the command line may say."""
    given.add_argument("--count", type=int, default=50)
    given.add_argument("--seed", type=int, default=20260504)


def main(args: argparse.Namespace) -> int:
    """Run and print."""
    with tempfile.TemporaryDirectory(prefix="tci-") as folder:
        tally = asyncio.run(measure(args.count, args.seed, Path(folder)))
    shown: dict[str, Any] = {name: getattr(tally, name) for name in tally.__slots__}
    print(json.dumps(shown, indent=2))
    return 0 if verdict(tally, args.count) else 1
