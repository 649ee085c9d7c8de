"""Three ways to hold a call in the laboratory: through our server, through Janus VideoRoom, and directly.

Each yields a `Call`: two real pages, watched by `eye.js`, that are about to see each other. `begin()` is the moment the
doctor says "come in"; what came before it (links, consent, devices) happened on a good network.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.browser.faces import Face, talking_face
from tests.browser.pages import Visit, act
from tests.browser.remote import Browser, Driver, Page
from tests.lab.place import MEDIA_IP, Place
from tests.lab.sight import Taken
from tests.system import System, running

HERE = Path(__file__).resolve().parent
EYE = (HERE / "eye.js").read_text()
PORT, PLAIN_PORT = 8080, 8090
SIZES = {480: (640, 480), 720: (1280, 720)}


def now_ms() -> float:
    """The wall clock as the pages read it."""
    return time.time() * 1000


@dataclass
class Call:
    """Two pages about to meet."""

    patient: Page
    doctor: Page
    begin: Callable[[], Awaitable[None]]
    server: dict[str, Any] = field(default_factory=dict)
    """What the server said of this call, for the raw results."""

    async def seen(self, within_s: float) -> None:
        """Wait until both have been shown a picture. Raises `BrowserError`."""
        waiting = "return window.__lab.seen() > 0"
        await asyncio.gather(*(page.wait(waiting, within_s) for page in (self.patient, self.doctor)))

    async def taken(self) -> tuple[Taken, Taken]:
        """The patient's notes and the doctor's."""
        taken = await asyncio.gather(*(page.eval("return window.__lab.take()") for page in (self.patient, self.doctor)))
        return Taken.of(taken[0]), Taken.of(taken[1])


@dataclass
class Table:
    """The laboratory with a browser at either end."""

    place: Place
    patients: Browser
    doctors: Browser


@contextlib.asynccontextmanager
async def table(place: Place, lines: int = 480) -> AsyncIterator[Table]:
    """Start both browsers, each in its namespace, with a camera of so many lines."""
    face = talking_face(*SIZES[lines])
    hosts = (place.ip, MEDIA_IP)
    trusted = ",".join(f"http://{ip}:{port}" for ip in hosts for port in (PORT, PLAIN_PORT))
    async with Driver(place.patient.within) as far, Driver(place.doctor.within) as near:
        patients, doctors = await asyncio.gather(_browser(far, trusted, face), _browser(near, trusted, face))
        yield Table(place, patients, doctors)


async def _browser(driver: Driver, trusted: str, face: Face) -> Browser:
    return await driver.browser(args=(f"--unsafely-treat-insecure-origin-as-secure={trusted}",), face=face)


# ---- through our server


@contextlib.asynccontextmanager
async def our_server(place: Place, data: Path, run_parent: Path, **more: str) -> AsyncIterator[System]:
    """`teleconsult serve` in the server's namespace: pages on the clean address, media on the laboratory's.

    `more`: further variables of its environment.
    """
    surroundings = {
        "TMPDIR": str(run_parent),
        "TELECONSULT_PUBLIC_URL": f"http://{place.ip}:{PORT}",
        "TELECONSULT_MEDIA_ADDRESSES": MEDIA_IP,
        "TELECONSULT_MEDIA_PORT": "7900",
        **more,
    }
    words = ("--port", str(PORT), "--host", "0.0.0.0")
    async with running(data, *words, within=place.within, **surroundings) as system:
        yield system


@contextlib.asynccontextmanager
async def ours(table: Table, system: System, one_link: bool = False) -> AsyncIterator[Call]:
    """A whole visit, as a patient and a doctor hold it. `one_link`: the patient's signaling takes the bad link too."""

    def address(link: str) -> str:
        return link.replace(table.place.ip, MEDIA_IP) if one_link else link

    visit = await Visit.waiting(system, table.doctors, table.patients, before_load=EYE, patient_at=address)

    async def begin() -> None:
        await act(visit.doctor, "admit")

    try:
        yield Call(visit.patient, visit.doctor, begin)
    finally:
        await asyncio.gather(visit.patient.close(), visit.doctor.close())
        await system.api("POST", f"/visits/{visit.id}/end", json={})


# ---- directly


@contextlib.asynccontextmanager
async def plain_pages(place: Place) -> AsyncIterator[str]:
    """An HTTP server for `plain.html` in the server's namespace; yields the page's URL."""
    words = ("python3", "-m", "http.server", str(PLAIN_PORT), "--bind", place.ip, "--directory", str(HERE))
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*place.within, *words, stdout=quiet, stderr=quiet)
    try:
        await _answers(place.ip, PLAIN_PORT)
        yield f"http://{place.ip}:{PLAIN_PORT}/plain.html"
    finally:
        process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def two_plain(table: Table, url: str) -> AsyncIterator[tuple[Page, Page]]:
    """Patient's and doctor's pages, cameras on."""
    patient, doctor = await asyncio.gather(table.patients.blank(), table.doctors.blank())
    try:
        for page in (patient, doctor):
            await page.before_load(EYE)
            await page.goto(url)
            await page.eval("await meet.begin()")
        yield patient, doctor
    finally:
        await asyncio.gather(patient.close(), doctor.close())


@contextlib.asynccontextmanager
async def direct(table: Table, url: str) -> AsyncIterator[Call]:
    """Two browsers and nothing between them but the wires: what a stock browser can do by itself."""
    async with two_plain(table, url) as (patient, doctor):

        async def begin() -> None:
            for page in (patient, doctor):
                await page.eval("meet.make('one', true)")
            offer = await doctor.eval("return meet.offer('one')")
            answer = await patient.eval(f"return meet.answer('one', {offer!r})")
            await doctor.eval(f"await meet.accept('one', {answer!r})")

        yield Call(patient, doctor, begin)


async def _answers(ip: str, port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(ip, port)
                writer.close()
                return
            await asyncio.sleep(0.05)
