"""The laboratory must do what it says: its wires lose, delay and stop what they should, and real visits live on them."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.bench.hosts import NoNamespaces
from tests.lab import calls, sight
from tests.lab.link import Weather
from tests.lab.place import BASE, CLEAN, MEDIA_IP, ROOT, Place, Plan, place

pytestmark = [pytest.mark.network, pytest.mark.asyncio(loop_scope="module")]

SEED = 7
CALL_S = 8.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there() -> AsyncIterator[Place]:
    """The namespaces and their wires; skipped, with the reason, where the machine does not allow them."""
    built = place()
    try:
        made = await built.__aenter__()
    except NoNamespaces as error:
        pytest.skip(f"no network namespaces or TUN devices here: {error}")
    try:
        yield made
    finally:
        await built.__aexit__(None, None, None)


async def echo(within: tuple[str, ...], *words: str) -> asyncio.subprocess.Process:
    """An end of an echo, run there."""
    command = (*within, sys.executable, "-m", "tests.lab.echo", *words)
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)


async def ask(within: tuple[str, ...], ip: str, count: int, own: str = "0.0.0.0") -> dict[str, Any]:
    """What came back of so many datagrams."""
    asking = await echo(within, "ask", ip, str(count), own)
    out, _ = await asking.communicate()
    return dict(json.loads(out))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def answering(there: Place) -> AsyncIterator[Place]:
    """The place, with an echo at every address of the server and at the doctor."""
    ends = ((there.within, MEDIA_IP), (there.within, there.ip), (there.doctor.within, there.doctor.ip))
    echoes = [await echo(within, "serve", ip) for within, ip in ends]
    for one in echoes:
        assert one.stdout is not None
        assert await one.stdout.readline() == b"open\n"
    yield there
    for one in echoes:
        one.kill()
        await one.wait()


async def test_the_wire_loses_its_share_each_way_and_delays_the_rest(answering: Place) -> None:
    await answering.turn(Plan.both(Weather(delay_s=0.04, loss=0.1)), CLEAN, SEED)
    got = await ask(answering.patient.within, MEDIA_IP, 400)
    tallies = (await answering.turn(Plan(), CLEAN, SEED))["patient"]
    assert tallies["up"]["sent"] == 400
    assert 20 <= tallies["up"]["lost"] <= 60
    assert tallies["down"]["sent"] == tallies["up"]["delivered"]
    assert got["back"] == tallies["down"]["delivered"]
    assert got["median_ms"] >= 80


async def test_nothing_gets_through_in_the_dark(answering: Place) -> None:
    await answering.turn(Plan.both(Weather(dark=True)), CLEAN, SEED)
    assert (await ask(answering.patient.within, MEDIA_IP, 20))["back"] == 0
    await answering.turn(Plan(), CLEAN, SEED)
    assert (await ask(answering.patient.within, MEDIA_IP, 20))["back"] == 20


async def test_the_patients_link_is_not_the_doctors(answering: Place) -> None:
    await answering.turn(Plan.both(Weather(dark=True)), CLEAN, SEED)
    assert (await ask(answering.doctor.within, MEDIA_IP, 20))["back"] == 20
    assert (await ask(answering.patient.within, answering.ip, 20))["back"] == 20


async def test_two_clients_reach_each_other_without_the_server(answering: Place) -> None:
    await answering.turn(Plan(), CLEAN, SEED)
    got = await ask(answering.patient.within, answering.doctor.ip, 20)
    assert got["back"] == 20
    assert got["median_ms"] >= 80


async def test_no_address_slips_past_the_wire(answering: Place) -> None:
    for ip, own in ((MEDIA_IP, answering.patient.page_ip), (answering.ip, answering.patient.ip)):
        assert (await ask(answering.patient.within, ip, 5, own)) == {"refused": "Network is unreachable"}


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is missing: make test installs it")
async def test_a_visit_lives_on_a_clear_link_and_on_one_that_loses_a_tenth(there: Place, tmp_path: Path) -> None:
    async with calls.table(there) as table, calls.our_server(there, tmp_path / "data", tmp_path) as system:
        for loss in (0.0, 0.1):
            plan = Plan.both(replace(BASE, loss=loss))
            async with calls.ours(table, system) as call:
                await there.turn(plan, CLEAN, SEED)
                await call.begin()
                await call.seen(20)
                await there.turn(plan, CLEAN, SEED)
                begin = calls.now_ms()
                await asyncio.sleep(CALL_S)
                end = calls.now_ms()
                tallies = (await there.turn(Plan(), CLEAN, SEED))["patient"]
                patient, doctor = await call.taken()
            for way in ("up", "down"):
                assert tallies[way]["sent"] > 100
                assert tallies[way]["lost"] / tallies[way]["sent"] == pytest.approx(loss, abs=0.05)
            for here, far in ((patient, doctor), (doctor, patient)):
                figures = sight.received(here, far, begin, end)
                assert figures["fps"] is not None
                assert figures["fps"] > 0
                assert figures["delay_ms"] is not None
                assert figures["delay_ms"] >= 40
                assert figures["concealed"] is not None
