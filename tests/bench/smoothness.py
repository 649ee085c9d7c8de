"""Does the desk stutter? Video, a shared screen and typing at once, beside the hospital's page, in Chromium.

Every task of the page's own thread over 50 ms (W3C Long Tasks) is listed with the scripts that the Long Animation Frames API
names for it, and the layout shifts with what moved. `opening` is from the click that admits until everything is open;
`working` is what the bar is about: 0 long tasks a minute. The doctor's browser has half of the cores, and all that is
elsewhere in life (the patient's browser, the server) the other half, where there are four or more.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.waits import Waits, renderers
from tests.browser.faces import talking_face
from tests.browser.pages import DESK, PHONE, act, patient_waits, picture
from tests.browser.remote import Browser, Driver, Page
from tests.system import System, running

WATCH = (Path(__file__).parent / "smoothness.js").read_text()
WORDS = "头晕三天晨起明显，血压 168/95，无胸痛。Amlodipine 5 mg once a day, measure at home. "
LONG_US = 50_000
USABLE = """
const look = () => {
  const node = THERE;
  if (node === null || node.getClientRects().length === 0) requestAnimationFrame(look);
  else window.__usable = performance.now();
};
requestAnimationFrame(look);
"""
KEYS_S = 0.12
"""Between two keys: about 8 a second."""


@contextlib.contextmanager
def _elsewhere() -> Iterator[tuple[set[int], set[int]]]:
    """The cores of the doctor's browser, and those of everything that is begun meanwhile."""
    cores = os.sched_getaffinity(0)
    half = len(cores) // 2 if len(cores) >= 4 else 0  # fewer are shared
    near, far = set(sorted(cores)[:half]) or cores, set(sorted(cores)[half:])
    os.sched_setaffinity(0, far)
    try:
        yield near, far
    finally:
        os.sched_setaffinity(0, cores)


async def _desk(system: System, doctors: Browser, patients: Browser) -> tuple[Page, Page]:
    doctor, patient = await doctors.blank(**DESK), await patients.blank(**PHONE)
    for page in (doctor, patient):
        await page.before_load(WATCH)
    links = system.ready["links"]
    await asyncio.gather(doctor.goto(links["doctor"]), patient.goto(links["patient"]))
    await patient_waits(patient)
    await doctor.wait("return document.querySelector('[data-act=admit]:not([aria-disabled])') !== null")
    return doctor, patient


async def _mark(page: Page, name: str) -> float:
    await page.eval(f"window.__mark('{name}')")
    return float(await page.eval("return performance.now()"))


async def _open(doctor: Page, patient: Page) -> None:
    await _mark(doctor, "admit")
    await doctor.press("F8")
    await asyncio.gather(picture(doctor, "patient"), picture(patient, "doctor"))
    await _mark(doctor, "prescribe")
    await doctor.press("F9")
    await doctor.wait("return document.querySelector('[data-slot=ready], [data-slot=claimed]') !== null")
    await _mark(doctor, "share")
    await act(doctor, "share")
    await picture(patient, "screen")
    await asyncio.sleep(2)


async def _work(doctor: Page, patient: Page, seconds: float) -> int:
    """Type by turns into advice and notes, while the patient writes now and then; how many keys."""
    until = time.monotonic() + seconds
    keys = 0
    letters = itertools.cycle(WORDS)
    await act(patient, "chat")
    fields = itertools.cycle(("advice", "notes"))
    while True:
        field = next(fields)
        await doctor.click(f"[data-act={field}]")
        for _ in range(40):
            await doctor.type(f"[data-act={field}]", next(letters))
            keys += 1
            await asyncio.sleep(KEYS_S)
            if time.monotonic() >= until:
                return keys
        await patient.type("[data-chat] textarea", "头还是晕")
        await patient.press("Enter")


def _told(held: dict[str, Any], begins: float, ends: float) -> dict[str, Any]:
    tasks = [each for each in held["tasks"] if begins <= each["at"] < ends]
    frames = [each for each in held["frames"] if begins <= each["at"] < ends and each["ms"] > 50]
    return {
        "seconds": round((ends - begins) / 1000, 1),
        "long_tasks_ms": [round(each["ms"]) for each in tasks],
        "a_minute": round(len(tasks) / (ends - begins) * 60_000, 2),
        "tasks": [_rounded({**each, "at": each["at"] - begins}) for each in tasks],
        "frames": [_rounded({**each, "at": each["at"] - begins}) for each in frames],
        "layout_shift": round(sum(each["by"] for each in held["shifts"] if begins <= each["at"] < ends), 4),
    }


def _rounded_shifts(shifts: list[dict[str, Any]]) -> list[str]:
    return [f"{each['by']:.3f} {' '.join(each['of'])}" for each in shifts]


def _rounded(given: Any) -> Any:
    if isinstance(given, float):
        return round(given, 1)
    if isinstance(given, dict):
        return {name: _rounded(value) for name, value in given.items()}
    return [_rounded(each) for each in given] if isinstance(given, list) else given


def _traced(path: Path, waits: Waits, work: float) -> list[dict[str, Any]]:
    """Tasks over 50 ms of any renderer's main thread: wall and CPU time, what was longest within, and how long a thread of
    the doctor's waited for a core meanwhile. `work`: when the work began; a trace has the clock of `time.monotonic`."""
    events = json.loads(path.read_text())["traceEvents"]
    mains = {(each["pid"], each["tid"]) for each in events if each.get("args", {}).get("name") == "CrRendererMain"}
    whole = [each for each in events if each.get("ph") == "X" and (each["pid"], each["tid"]) in mains]
    first = min((each["ts"] for each in whole), default=0)
    tasks = [each for each in whole if each["name"].endswith("RunTask") and each["dur"] > LONG_US]
    return [
        {
            "at": (task["ts"] - first) / 1000,
            "ms": task["dur"] / 1000,
            "cpu_ms": task.get("tdur", 0) / 1000,
            "waited_ms": waits.between_ms(task["pid"], task["ts"] / 1e6, (task["ts"] + task["dur"]) / 1e6),
            "working": task["ts"] / 1e6 >= work,
            "pid": task["pid"],
            "within": _within(task, whole),
        }
        for task in tasks
    ]


def _within(task: dict[str, Any], whole: list[dict[str, Any]]) -> list[str]:
    ends = task["ts"] + task["dur"]
    inside = [
        each
        for each in whole
        if each is not task
        and (each["pid"], each["tid"]) == (task["pid"], task["tid"])
        and task["ts"] <= each["ts"]
        and each["ts"] + each["dur"] <= ends
        and each["dur"] > 3000
    ]
    return [
        f"{each['name']} {each['dur'] / 1000:.0f} ms ({each.get('tdur', 0) / 1000:.0f} CPU) {_where(each)}".strip()
        for each in sorted(inside, key=lambda each: -each["dur"])[:8]
    ]


def _where(event: dict[str, Any]) -> str:
    said = event.get("args", {}).get("data", {})
    url = str(said.get("url", "")).rpartition("/")[2]
    return " ".join(str(each) for each in (said.get("type", ""), said.get("functionName", ""), url) if each)


async def _machine(gaps: list[float]) -> None:
    """How late this machine wakes who asked for 5 ms: what a busy or rented processor does to everybody on it."""
    while True:
        before = time.monotonic()
        await asyncio.to_thread(time.sleep, 0.005)
        gaps.append((time.monotonic() - before) * 1000)


async def prescribing(data: Path, seconds: float) -> dict[str, Any]:
    """One visit: opened, then worked in for `seconds`. Wall time is the bar; CPU time is what is ours of it."""
    gaps: list[float] = []
    async with contextlib.AsyncExitStack() as stack:
        cores = stack.enter_context(_elsewhere())
        words = ("taskset", "-c", ",".join(str(each) for each in sorted(cores[0])))
        here, there = [await stack.enter_async_context(Driver(each)) for each in (words, ())]
        system = await stack.enter_async_context(running(data, "--demo"))
        doctors = await here.browser("chromium", face=talking_face())
        patients = await there.browser("chromium", face=talking_face())
        doctor, patient = await _desk(system, doctors, patients)
        await doctor.trace()
        begins = await _mark(doctor, "begin")
        await _open(doctor, patient)
        assert doctors.pid is not None
        waits = Waits(renderers(doctors.pid))
        watching = [asyncio.create_task(each) for each in (waits.run(), _machine(gaps))]
        opened, work = await _mark(doctor, "work"), time.monotonic()
        keys = await _work(doctor, patient, seconds)
        ends = float(await doctor.eval("return performance.now()"))
        await asyncio.sleep(0.1)
        for each in watching:
            each.cancel()
        await doctor.trace(data / "trace.json")
        traced = await asyncio.to_thread(_traced, data / "trace.json", waits, work)
        told = json.loads(await doctor.eval("return JSON.stringify(window.__held)"))
        marks = {each["name"]: round(each["at"] - begins) for each in told["marks"]}
        theirs = await patient.eval("return window.__held.shifts")
        ours = [each for each in traced if each["working"] and each["waited_ms"] is not None]
        return {
            "cores": {"doctor": sorted(cores[0]), "everything else": sorted(cores[1])},
            "keys": keys,
            "marks_ms": marks,
            "loading": _told(told, 0, begins),
            "opening": _told(told, begins, opened),
            "working": _told(told, opened, ends),
            "patient_layout_shift": round(sum(each["by"] for each in theirs), 4),
            "patient_layout_shifts": _rounded_shifts(theirs),
            "traced": [_rounded(each) for each in traced],
            "most_cpu_in_a_task_ms": round(max((each["cpu_ms"] for each in traced), default=0), 1),
            "working_without_waits_ms": [
                round(max(each["cpu_ms"], each["ms"] - each["waited_ms"]), 1) for each in ours
            ],
            "machine_late_ms": {"most": round(max(gaps)), "over_50": sum(each > LONG_US / 1000 for each in gaps)},
        }


FIRST = {
    "patient": "document.querySelector('[data-act=confirm]')",
    "doctor": "document.querySelector('[data-page^=desk] .queue')",
}
"""What can be used first."""


async def first_screen(held: Driver, data: Path, runs: int) -> dict[str, Any]:
    """From the opened link to the first thing that can be used: 1.6 Mbit/s, a processor four times slower, an empty cache."""
    out: dict[str, Any] = {}
    async with running(data) as system:
        for role, there in FIRST.items():
            found = [await _first(held, (await system.visit())["links"][role], role, there) for _ in range(runs)]
            out[role] = {
                "usable_ms": {"median": statistics.median(each["usable"] for each in found)}
                | {"all": [round(each["usable"]) for each in found]},
                "kilobytes": found[-1]["bytes"] / 1000,
                "layout_shift": max(each["shift"] for each in found),
                "long_tasks_ms": [each["tasks"] for each in found],
            }
    return _rounded(out)  # type: ignore[no-any-return]


async def _first(held: Driver, link: str, role: str, there: str) -> dict[str, Any]:
    browser = await held.browser("chromium")
    page = await browser.blank(**(PHONE if role == "patient" else DESK))
    await page.throttle(cpu=4, kbps=1600)
    await page.before_load(WATCH + USABLE.replace("THERE", there))
    await page.goto(link)
    await page.wait("return window.__usable !== undefined", 30)
    await asyncio.sleep(3)
    told = await page.eval(
        "return {usable: window.__usable, shift: window.__held.shifts.reduce((sum, each) => sum + each.by, 0),"
        " moved: window.__held.shifts, tasks: window.__held.tasks.map((each) => Math.round(each.ms)),"
        " bytes: [...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]"
        ".reduce((sum, each) => sum + each.transferSize, 0)}"
    )
    await browser.close()
    return dict(told)
