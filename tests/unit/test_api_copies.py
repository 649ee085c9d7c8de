"""Derived copies through the API: a reason, a look, a process of its own, and a manifest that says what it is."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from config.clock import now_iso
from signaling.recordings.copies import Copy, Manifest, Noted, Recipe, listed
from signaling.recordings.door import Keeping, LookRefused, RecorderDoor
from tests.http_api import Api, open_api, some_visit
from tests.looking import recorder_door
from tests.patience import PATIENCE_S
from tests.unit.test_api_recordings import auditor, look
from tests.unit.test_muxer import jittered

WHY = {"purpose": "patient_request", "reason": "copy for the file"}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(tmp_path) as opened, recorder_door(tmp_path):
        await opened.store.create(some_visit("v1"), None, "")
        yield opened


def line(kind: str, **body: Any) -> bytes:
    return json.dumps({"type": kind, "body": body}).encode()


async def test_objects_are_named_by_their_records_in_order() -> None:
    records = [
        line("open", seats={}),
        line("part", stream="patient", init={"name": "streams/patient/part-001/init.webm", "sha256": "a1"}),
        line("segment", stream="patient", name="streams/patient/part-001/seg-000001.webm", sha256="a2", to_ms=2000),
        line("part", stream="patient.screen", init={"name": "s", "sha256": "b"}),
    ]
    inputs, end_ms = listed([b"\n".join(records)])
    assert [(one.name.rpartition("/")[2], one.sha256) for one in inputs] == [
        ("init.webm", "a1"),
        ("seg-000001.webm", "a2"),
    ]
    assert end_ms == 2000


async def test_a_copy_is_made_by_a_process_and_its_manifest_names_what_it_is_of(api: Api, tmp_path: Path) -> None:
    part = jittered("VP8")
    name = "streams/patient/part-001/init.webm"
    records = [line("part", stream="patient", init={"name": name, "sha256": hashlib.sha256(part).hexdigest()})]
    records += [line("segment", stream="patient", name=f"{name[:-9]}seg-000001.webm", sha256="00", to_ms=1500)]
    asked = Copy("c1", "v1", "auditor-1", now_iso(), "waiting", Recipe("training", mute=((0, 500),)))
    told: list[Manifest] = []

    async def noted(made: Manifest) -> None:
        assert (await api.copies.of("v1"))[0].state == "waiting"  # COPY-7: on the log before it can be had
        told.append(made)

    async def fetch(wanted: str, into: Path) -> None:
        with into.open("ab") as file:
            file.write(part if wanted == name else b"")

    await api.copies.make(asked, [b"\n".join(records)], fetch, noted)
    async with asyncio.timeout(60):
        while (await api.copies.of("v1"))[0].state == "waiting":
            await asyncio.sleep(0.1)
    (made,) = await api.copies.of("v1")
    assert made.state == "ready"
    assert made.manifest is not None
    assert told == [made.manifest]
    assert [one.name for one in made.manifest.made_of] == [name, f"{name[:-9]}seg-000001.webm"]
    assert (made.manifest.muted, made.manifest.is_evidence) == (((0, 500),), False)
    token = auditor(api)
    _, body = await look(api, "/v1/copies/c1", token, 403)
    assert b"reason_needed" in body
    assert (await api.call("POST", "/api/v1/recordings/v1/reason", token, json=WHY))[0] == 201
    _, body = await look(api, "/v1/copies/c1", token)
    assert hashlib.sha256(body).hexdigest() == made.manifest.sha256
    _, listed_copies = await api.call("GET", "/api/v1/recordings/v1/copies", token)
    assert listed_copies["copies"][0]["manifest"]["sha256"] == made.manifest.sha256
    assert not (tmp_path / "copies" / "work" / "c1").exists()


async def made_of(api: Api, copy: str, noted: Noted) -> Copy:
    """A copy of nothing but a second of darkness, once it is made or failed."""
    records = [
        line("segment", stream="patient", name="streams/patient/part-001/seg-000001.webm", sha256="0", to_ms=500)
    ]

    async def fetch(_name: str, into: Path) -> None:
        with into.open("ab") as file:
            file.write(jittered("VP8"))

    asked = Copy(copy, "v1", "auditor-1", now_iso(), "waiting", Recipe("training"))
    await api.copies.make(asked, records, fetch, noted)
    async with asyncio.timeout(60):
        while True:
            made = next(one for one in await api.copies.of("v1") if one.id == copy)
            if made.state != "waiting":
                return made
            await asyncio.sleep(0.05)


async def test_a_copy_goes_with_the_keys_of_its_recording_and_one_that_no_log_took_leaves_no_file(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping = Keeping(held=False, shredded=False, sealed=True, kept_until=None)

    async def kept(_door: RecorderDoor, _visit: str) -> Keeping:
        return keeping

    async def taken(_made: Manifest) -> None:
        pass

    async def refused(_made: Manifest) -> None:
        raise LookRefused("its keys were destroyed", "content_shredded", 410)

    monkeypatch.setattr(RecorderDoor, "keeping", kept)
    folder = tmp_path / "copies"
    assert (await made_of(api, "c1", refused)).state == "failed"
    assert list(folder.glob("*.webm")) == []
    assert (await made_of(api, "c2", taken)).state == "ready"
    assert (await made_of(api, "c3", taken)).state == "ready"
    (folder / "old.webm").write_bytes(b"what a failure of an earlier version left")
    await api.copies.forget_unfinished()
    assert {path.stem for path in folder.glob("*.webm")} == {"c2", "c3"}
    token = auditor(api)
    assert (await api.call("POST", "/api/v1/recordings/v1/reason", token, json=WHY))[0] == 201
    await look(api, "/v1/copies/c2", token)
    keeping = Keeping(held=False, shredded=True, sealed=True, kept_until=None)
    _, body = await look(api, "/v1/copies/c2", token, 404)  # at once, though the file is still there
    assert b"content_shredded" in body
    following = asyncio.create_task(api.copies.follow_shredding(lambda _visit: _true()))
    async with asyncio.timeout(PATIENCE_S):
        while {one.state for one in await api.copies.of("v1")} != {"shredded", "failed"}:
            await asyncio.sleep(0.05)
    following.cancel()
    assert list(folder.glob("*.webm")) == []
    await look(api, "/v1/copies/c3", token, 404)


async def _true() -> bool:
    return True


async def test_four_wait_however_many_are_asked_for_at_once(api: Api) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    part = line("part", stream="patient", init={"name": "streams/patient/part-001/init.webm", "sha256": "a1"})
    asked = [Copy(f"c{n}", "v1", "auditor-1", now_iso(), "waiting", Recipe("training")) for n in range(9)]
    told = await asyncio.gather(
        *(api.copies.make(each, [part], never, never) for each in asked), return_exceptions=True
    )
    assert [getattr(each, "code", None) for each in told] == [None] * 5 + ["copies_full"] * 4


async def test_what_cannot_be_made_says_so(api: Api) -> None:
    async def away(name: str, into: Path) -> None:
        raise OSError("gone")

    async def unasked(_made: Manifest) -> None:
        raise AssertionError("nothing came out")

    records = [line("part", stream="patient", init={"name": "streams/patient/part-001/init.webm", "sha256": "0"})]
    await api.copies.make(Copy("c2", "v1", "a", now_iso(), "waiting", Recipe("other")), records, away, unasked)
    async with asyncio.timeout(PATIENCE_S):
        while (await api.copies.of("v1"))[0].state == "waiting":
            await asyncio.sleep(0.05)
    assert (await api.copies.of("v1"))[0].state == "failed"
    token = auditor(api)
    for body, code in (({"mute": [[5, 5]]}, "span_invalid"), ({"black": [[0, 10]]}, "recording_unknown")):
        _, problem = await api.call("POST", "/api/v1/recordings/v1/copies", token, json=WHY | body)
        assert problem["code"] == code
