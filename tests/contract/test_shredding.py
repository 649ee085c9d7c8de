"""Crypto-shredding: by two people, after retention, and not under a hold; whole afterwards, whatever came in between."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import shutil
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from recorder.audit.looks import ContentShredded, Person
from recorder.bundle.directory import verify_directory
from recorder.bundle.inventory import StoreFolder
from recorder.evidence.inventory import take_inventory
from recorder.log.timestamps import NoTimestamp
from recorder.sealing.mint import Mint
from recorder.store.holdings import Holdings
from tests.desk import INIT, KIM, LEE, SEE, Desk, sealed_recording
from tests.recordings import secrets
from tests.tapping import VISIT


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    return await sealed_recording(tmp_path)


async def test_shredding_takes_two_people_after_retention_and_no_hold_and_leaves_the_proof(desk: Desk) -> None:
    shred, hold = f"/visits/{VISIT}/shred", f"/visits/{VISIT}/hold"
    async with desk.open():
        look = await desk.look()
        assert (await desk.ask(shred, LEE, 409))["code"] == "retention_runs"
        desk.ahead = timedelta(days=366)
        assert (await desk.ask(hold, LEE | {"on": True}, 200))["held"] is True
        assert (await desk.ask(shred, LEE, 409))["code"] == "on_hold"
        await desk.ask(hold, LEE | {"on": False}, 200)
        assert (await desk.ask(shred, LEE, 202))["state"] == "asked"
        assert (await desk.ask(shred, LEE, 409))["code"] == "same_person"
        await desk.ask(hold, LEE | {"on": True}, 200)
        assert (await desk.ask(shred, KIM, 409))["code"] == "on_hold"
        await desk.ask(hold, LEE | {"on": False}, 200)
        desk.ahead += timedelta(hours=25)
        assert (await desk.ask(shred, KIM, 202))["state"] == "asked"  # the first word was too old
    async with desk.open():  # another life of the recorder
        assert (await desk.ask(shred, LEE, 200))["state"] == "shredded"
        assert (await desk.ask(shred, LEE, 200))["state"] == "shredded"
        await desk.get(f"/looks/{look}/{INIT}", 404)
        assert (await desk.ask(f"/visits/{VISIT}/looks", SEE, 410))["code"] == "content_shredded"
        assert (await desk.ask(f"/visits/{VISIT}/keys", LEE, 410))["code"] == "content_shredded"
        assert (await desk.get(f"/visits/{VISIT}/keeping"))["shredded"] is True
        await desk.notary.round()
        verdict = verify_directory(desk.studio.root)
        assert (verdict.broken, verdict.complete) == ([], True)
    assert secrets(desk.studio.settings.data, VISIT) == {}
    taken = take_inventory(StoreFolder(desk.studio.settings.data / "store"))
    assert taken.shredded == [VISIT]
    # This studio logs no records of the visit itself.
    assert {broken.rule for broken in taken.broken} <= {"INV-4", "INV-7"}


async def test_a_crash_between_the_line_and_the_shredding_is_made_good(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.ahead = timedelta(days=366)
    async with desk.open():
        await desk.ask(f"/visits/{VISIT}/shred", LEE, 202)
        with monkeypatch.context() as patch:
            patch.setattr(desk.mint.keyring, "shred", lambda visit: (_ for _ in ()).throw(OSError("killed")))
            await desk.ask(f"/visits/{VISIT}/shred", KIM, 500)
    assert secrets(desk.studio.settings.data, VISIT)
    async with desk.open():
        assert (await desk.ask(f"/visits/{VISIT}/looks", SEE, 410))["code"] == "content_shredded"
        await desk._looks(Holdings(desk.studio.store)).finish_shredding()
    assert secrets(desk.studio.settings.data, VISIT) == {}


async def test_the_evidence_of_a_shredded_recording_can_still_be_exported(desk: Desk) -> None:
    desk.ahead = timedelta(days=366)
    async with desk.open():
        await desk.ask(f"/visits/{VISIT}/shred", LEE, 202)
        await desk.ask(f"/visits/{VISIT}/shred", KIM, 200)
        archive = await desk.ask(f"/visits/{VISIT}/bundle", LEE | {"second": KIM["who"]}, 200)
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    assert all(name.startswith(f"{VISIT}/") for name in names)


async def test_who_says_shred_again_after_a_disk_or_a_log_failed_finds_the_keys_gone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.ahead = timedelta(days=366)
    async with desk.open():
        await desk.ask(f"/visits/{VISIT}/shred", LEE, 202)
        with monkeypatch.context() as patch:

            async def uncovered(_visit: str, _records: int) -> bool:
                return False

            patch.setattr(desk.notary, "cover", uncovered)  # the line is durable, and no checkpoint covers it
            for _ in range(2):
                assert (await desk.ask(f"/visits/{VISIT}/shred", KIM, 503))["code"] == "log_unavailable"
        with monkeypatch.context() as patch:
            patch.setattr(desk.mint.keyring, "shred", lambda visit: (_ for _ in ()).throw(OSError("disk")))
            await desk.ask(f"/visits/{VISIT}/shred", KIM, 500)
        assert secrets(desk.studio.settings.data, VISIT)
        assert (await desk.ask(f"/visits/{VISIT}/shred", KIM, 200))["state"] == "shredded"
    assert secrets(desk.studio.settings.data, VISIT) == {}


async def test_nobody_holds_a_key_who_asked_for_it_while_two_people_had_it_destroyed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.ahead = timedelta(days=366)
    asked, shredded, real = asyncio.Event(), asyncio.Event(), Mint.secrets

    async def slow(mint: Mint, held: Any) -> dict[str, bytes]:
        found = await real(mint, held)
        asked.set()
        await shredded.wait()
        return found

    monkeypatch.setattr(Mint, "secrets", slow)
    async with desk.open():
        await desk.ask(f"/visits/{VISIT}/shred", LEE, 202)
        looking = asyncio.create_task(desk.ask(f"/visits/{VISIT}/looks", SEE, 410))
        await asked.wait()
        await desk.ask(f"/visits/{VISIT}/shred", KIM, 200)
        shredded.set()
        assert (await looking)["code"] == "content_shredded"


async def test_no_key_leaves_and_no_copy_is_taken_for_one_after_the_line_that_destroyed_them(desk: Desk) -> None:
    desk.ahead = timedelta(days=366)
    async with desk.open():
        looks, held = desk._looks(Holdings(desk.studio.store)), await Holdings(desk.studio.store).recording(VISIT)
        assert held is not None
        for asks in (looks.shred(held, Person("p-lee", "auditor", "over")), looks.keys(held, Person(*"abc"), None)):
            assert not await asks
        both = [
            looks.shred(held, Person("p-kim", "administrator", "over")),
            looks.keys(held, Person("p-pat", "administrator", "agreed"), None),
        ]
        said = await asyncio.gather(*both, return_exceptions=True)
        lines = [json.loads(line)["type"] for line in desk.custody._path.read_bytes().splitlines()]
        assert lines[-1] == "shred" or lines[-2:] == ["export", "shred"]
        assert said[0] is True
        assert isinstance(said[1], bytes if "export" in lines else ContentShredded)
        made = SEE | {"bytes": 7, "sha256": "ab" * 32, "redacted": 2}
        assert (await desk.ask(f"/visits/{VISIT}/copies", made, 410))["code"] == "content_shredded"


async def test_a_clock_set_on_ends_no_retention_where_an_authority_says_what_time_it_is(desk: Desk) -> None:
    said = datetime.now(UTC)
    away = False

    async def authority() -> datetime:
        if away:
            raise NoTimestamp
        return said

    desk.ahead, desk.time = timedelta(days=3660), authority
    async with desk.open():
        assert (await desk.ask(f"/visits/{VISIT}/shred", LEE, 409))["code"] == "retention_runs"
        away = True
        assert (await desk.ask(f"/visits/{VISIT}/shred", LEE, 409))["code"] == "timestamp_unavailable"
        away, said = False, said + timedelta(days=366)
        await desk.ask(f"/visits/{VISIT}/shred", LEE, 202)
        said -= timedelta(days=10)
        assert (await desk.ask(f"/visits/{VISIT}/shred", KIM, 409))["code"] == "retention_runs"
        said += timedelta(days=10)
        assert (await desk.ask(f"/visits/{VISIT}/shred", KIM, 200))["state"] == "shredded"


class Killed(BaseException):
    """What no part of the recorder catches, as it catches no SIGKILL."""


async def test_a_shredding_killed_at_any_write_is_whole_after_the_next_start(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    desk.ahead = timedelta(days=366)
    data = desk.studio.settings.data
    async with desk.open():
        await desk.ask(f"/visits/{VISIT}/shred", LEE, 202)
    before = shutil.copytree(data, tmp_path / "before", symlinks=True)
    ends: list[bool] = []
    for killed_at in range(1, 100):
        written = 0

        def last_breath(real: Any, at: int = killed_at) -> Any:
            def call(*given: Any, **named: Any) -> Any:
                nonlocal written
                written += 1
                if written >= at:
                    raise Killed
                return real(*given, **named)

            return call

        async with desk.open():
            looks, held = desk._looks(Holdings(desk.studio.store)), await Holdings(desk.studio.store).recording(VISIT)
            assert held is not None
            with monkeypatch.context() as patch:
                for name in ("fsync", "fdatasync", "pwrite", "unlink", "rename", "replace"):
                    patch.setattr(os, name, last_breath(getattr(os, name)))
                with contextlib.suppress(Killed):
                    await looks.shred(held, Person("p-kim", "administrator", "over"))
                    break
        async with desk.open():
            looks = desk._looks(Holdings(desk.studio.store))
            await looks.finish_shredding()
            await desk.notary.round()
            ends.append(await looks.is_shredded(VISIT))
            assert ends[-1] is (secrets(data, VISIT) == {})
            assert await looks.shred(held, Person("p-pat", "administrator", "over"))
        async with desk.open():
            await desk.notary.round()  # the first of a life publishes
        assert secrets(data, VISIT) == {}
        taken = take_inventory(StoreFolder(data / "store"))
        assert {broken.rule for broken in taken.broken} <= {"INV-4", "INV-7"}  # as above
        assert taken.shredded == [VISIT]
        shutil.rmtree(data)
        shutil.copytree(before, data, symlinks=True)
    assert ends[0] is False
    assert ends[-1] is True
    assert ends == sorted(ends)


async def test_what_one_recorder_held_or_shredded_is_so_for_another_that_shares_its_keyring(desk: Desk) -> None:
    desk.ahead = timedelta(days=366)
    data = desk.studio.settings.data
    hold, shred = f"/visits/{VISIT}/hold", f"/visits/{VISIT}/shred"

    def another() -> None:
        """What follows is said to a recorder with a log and a custody chain of its own."""
        for name in ("custody", "log", "local-witness"):
            path, aside = data / name, data / f"{name}-aside"
            if aside.exists():
                path.rename(data / f"{name}-new")
                aside.rename(path)
                (data / f"{name}-new").rename(aside)
            else:
                path.rename(aside)

    async with desk.open():
        await desk.ask(hold, LEE | {"on": True}, 200)
    another()
    async with desk.open():
        assert (await desk.get(f"/visits/{VISIT}/keeping"))["held"] is True
        assert (await desk.ask(shred, LEE, 409))["code"] == "on_hold"
        await desk.ask(hold, LEE | {"on": False}, 200)
        await desk.ask(shred, LEE, 202)
        assert (await desk.ask(shred, KIM, 200))["state"] == "shredded"
    another()
    async with desk.open():
        assert (await desk.get(f"/visits/{VISIT}/keeping"))["shredded"] is True
        assert (await desk.ask(f"/visits/{VISIT}/looks", SEE, 410))["code"] == "content_shredded"
        assert (await desk.ask(f"/visits/{VISIT}/keys", LEE, 410))["code"] == "content_shredded"
