"""Networks that go dark, change, and let less and less through: the visit goes on, by whatever way is left."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from config.certificate import self_signed
from tests.bench.hosts import NoNamespaces
from tests.browser.faces import talking_face
from tests.browser.pages import Visit, moving, rms_dbfs
from tests.browser.remote import Driver, Page
from tests.browser.test_checkup import checked
from tests.browser.test_visit import SPEECH_DBFS
from tests.lab import calls
from tests.lab.link import Weather
from tests.lab.place import CLEAN, MEDIA_IP, Leg, Place, Plan, place

pytestmark = [
    pytest.mark.network,
    pytest.mark.browser,
    pytest.mark.asyncio,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is missing: make test installs it"),
    pytest.mark.skipif(shutil.which("turnserver") is None, reason="coturn is missing: make test installs it"),
    pytest.mark.skipif(shutil.which("iptables") is None, reason="iptables is missing"),
]

MEDIA_PORT, TURN_PORT, TLS_PORT = 7900, 3478, 443

NARROWER = (
    ((), ("straight", "udp")),
    (("-p", "udp"), ("straight", "tcp")),
    (("-p", "tcp", "--dport", str(MEDIA_PORT)), ("relay", "tcp")),
    (("-p", "tcp", "--dport", str(TURN_PORT)), ("relay", "tls")),
)
"""What is closed besides, and the way that is left."""

CLOSED = {"udp", "tcp", "relay-udp"}
"""What the connection test must call blocked on the third of them."""

_LAST = "return Math.max(...window.__lab.take().states.map((each) => each[1]))"
"""The number of the page's newest connection; the device check makes some, too."""

_WAY = """
const rows = await window.__teleconsult.stats();
const pair = rows.find((row) => row.id === rows.find((each) => each.type === 'transport')?.selectedCandidatePairId);
const local = rows.find((row) => row.id === pair?.localCandidateId);
return local ? [
  local.candidateType === 'relay' ? 'relay' : 'straight', local.relayProtocol ?? local.protocol,
] : null;
"""


def drop(leg: Leg, *words: str) -> None:
    """From now on the client's network swallows what goes there."""
    command = (*leg.within, "iptables", "-w", "-A", "OUTPUT", "-o", "radio", *words, "-j", "DROP")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no iptables in a namespace here: {done.stderr.strip()}")


async def way(page: Page) -> tuple[str, str]:
    """How media goes: straight to us or by the relay, and over what."""
    kind, protocol = await page.eval(_WAY)
    return kind, protocol


async def says(page: Page, *words: str) -> None:
    """Wait until the page says one of these."""
    await page.wait(f"return {json.dumps(words)}.some((each) => document.body.innerText.includes(each))")


async def dark_then_elsewhere(there: Place, visit: Visit) -> None:
    """Both pages tell of the silence; then the same transport goes on, from another address too (MEDIA-7)."""
    before = await visit.patient.eval(_LAST)
    await there.turn(Plan.both(Weather(dark=True)), CLEAN, 1)
    await asyncio.gather(
        says(visit.doctor, "患者断线了", "The patient lost connection"),
        says(visit.patient, "画面停了一下", "The picture paused"),
    )
    await there.turn(Plan(), CLEAN, 1)
    await asyncio.gather(moving(visit.doctor), moving(visit.patient))
    there.patient.move()
    await asyncio.gather(moving(visit.doctor), moving(visit.patient))
    assert await visit.patient.eval(_LAST) == before, "it was made anew"


async def test_each_network_finds_the_way_that_it_leaves_open(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, [MEDIA_IP])
    turn = {
        "TELECONSULT_TURN": "true",
        "TELECONSULT_TURN_TLS_PORT": str(TLS_PORT),
        "TELECONSULT_TURN_TLS_NAME": MEDIA_IP,
        "TELECONSULT_TLS_CERT": str(certificate),
        "TELECONSULT_TLS_KEY": str(key),
    }
    try:
        async with (
            place() as there,
            calls.our_server(there, tmp_path / "data", tmp_path, **turn) as system,
            Driver(there.patient.within) as far,
            Driver(there.doctor.within) as near,
        ):
            trusted = f"--unsafely-treat-insecure-origin-as-secure=http://{there.ip}:{calls.PORT}"
            given = {"args": (trusted, "--ignore-certificate-errors"), "face": talking_face()}
            patients, doctors = await asyncio.gather(far.browser(**given), near.browser(**given))
            for blocked, expected in NARROWER:
                if blocked:
                    drop(there.patient, *blocked)
                visit = await Visit.live(system, doctors, patients, before_load=calls.EYE)
                await asyncio.gather(moving(visit.doctor), moving(visit.patient))
                assert await way(visit.patient) == expected
                if not blocked:
                    await dark_then_elsewhere(there, visit)
                assert (
                    min(await asyncio.gather(*(rms_dbfs(page, 1.5) for page in (visit.doctor, visit.patient))))
                    > SPEECH_DBFS
                )
                await visit.end()
                await asyncio.gather(*(page.close() for page in (visit.doctor, visit.patient)))
                if expected == ("relay", "tcp"):
                    page = await patients.open(f"http://{there.ip}:{calls.PORT}/check")
                    report = await checked(page)
                    assert report["verdict"] in ("detour", "slow"), report  # slow is what a busy machine makes of it
                    assert {step for step, tried in report["steps"].items() if tried["outcome"] == "failed"} == CLOSED
                    await page.close()
    except NoNamespaces as error:
        pytest.skip(f"no network namespaces or TUN devices here: {error}")
