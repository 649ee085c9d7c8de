"""The audit door over a real socket: what is stored, what is still in the spool, ranges, the archive, and failures."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import ClientSession, UnixConnector

from recorder.audit.routes import audit_door, make_audit_app
from recorder.bundle.directory import verify_directory
from recorder.store.folder import FolderStore
from recorder.store.objects import StoreUnavailable
from tests.bundles import ORIGIN, RECORDER, honest_visit, shelve, write_bundle
from tests.looking import recorder_door


@asynccontextmanager
async def door(store: FolderStore, folder: Path, spool: Path | None = None) -> AsyncIterator[ClientSession]:
    async with (
        recorder_door(folder, store, spool),
        ClientSession("http://recorder", connector=UnixConnector(str(folder / "audit.sock"))) as client,
    ):
        yield client


async def packed(client: ClientSession, visit: str) -> bytes:
    """The archive, for two people."""
    people = {"who": "p-lee", "role": "auditor", "reason": "dispute", "second": "p-kim"}
    async with client.post(f"/visits/{visit}/bundle", json=people) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


async def seen(client: ClientSession, visit: str) -> str:
    """The address of a look at what is not sealed."""
    person = {"who": "p-lee", "role": "auditor", "purpose": "dispute"}
    async with client.post(f"/visits/{visit}/looks", json=person) as answer:
        return f"?look={(await answer.json())['look']}"


async def said(client: ClientSession, path: str, status: int = 200, **headers: str) -> Any:
    async with client.get(path, headers=headers) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json() if answer.content_type == "application/json" else await answer.read()


async def test_a_stored_recording_is_listed_with_its_facts(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    await shelve(store, "v1", honest_visit(Random(1), "v1"))
    await shelve(store, "v2", honest_visit(Random(2), "v2"))
    async with door(store, tmp_path) as client:
        first = await said(client, "/visits?limit=1")
        assert [one["visit"] for one in first["visits"]] == ["v1"]
        assert first["next"] == "v1"
        second = await said(client, "/visits?after=v1")
        assert [one["visit"] for one in second["visits"]] == ["v2"]
        assert second["next"] is None
        facts = await said(client, "/visits/v1")
    assert (facts["origin"], facts["key"]) == (ORIGIN, RECORDER.fingerprint)
    assert facts["reason"] == "completed"
    assert {stream["stream"] for stream in facts["streams"]} >= {"doctor", "patient"}
    assert sum(facts["streams"][0]["coverage"].values()) == facts["end_ms"]


async def test_files_are_listed_and_read_whole_or_in_ranges(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    objects = honest_visit(Random(3), "v1")
    await shelve(store, "v1", objects)
    async with door(store, tmp_path) as client:
        listed = await said(client, "/visits/v1/files")
        assert {one["name"]: one["size"] for one in listed["files"]} == {n: len(d) for n, d in objects.items()}
        name = next(name for name in objects if "seg-" in name)
        path, data = f"/visits/v1/files/{name}{await seen(client, 'v1')}", objects[name]
        assert await said(client, path) == data
        assert await said(client, path, 206, Range="bytes=10-19") == data[10:20]
        assert await said(client, path, 206, Range="bytes=50-") == data[50:]
        assert await said(client, path, 206, Range="bytes=-5") == data[-5:]
        assert await said(client, path, Range="lines=1-2") == data
        assert (await said(client, path, 416, Range=f"bytes={len(data)}-"))["code"] == "range_wrong"
        async with client.get(path, headers={"Range": "bytes=0-0"}) as answer:
            assert answer.headers["Content-Range"] == f"bytes 0-0/{len(data)}"
            assert answer.content_type in {"video/webm", "video/x-matroska"}


async def test_media_that_is_not_sealed_is_given_out_after_its_look_is_on_the_log(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    for visit in ("v1", "v2"):
        await shelve(store, visit, honest_visit(Random(3), visit))
    segment = "/visits/v1/files/streams/patient/part-001/seg-000001.webm"
    async with door(store, tmp_path) as client:
        await said(client, "/visits/v1/files/records/000001.jsonl")
        assert (await said(client, segment, 403))["code"] == "look_needed"
        assert not (tmp_path / "custody" / "journal").exists()
        theirs, mine = await seen(client, "v2"), await seen(client, "v1")
        assert (await said(client, f"{segment}{theirs}", 404))["code"] == "look_unknown"
        assert await said(client, f"{segment}{mine}")
    lines = [json.loads(line) for line in (tmp_path / "custody" / "journal").read_text().splitlines()]
    assert [(line["type"], line["visit"]) for line in lines] == [("access", "v2"), ("access", "v1")]


async def test_without_a_log_no_unsealed_media_and_no_archive_leaves(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    await shelve(store, "v1", honest_visit(Random(3), "v1"))
    people = {"who": "p-lee", "role": "auditor", "reason": "dispute", "second": "p-kim"}
    socket = tmp_path / "audit.sock"
    async with (
        audit_door(make_audit_app(store), socket),
        ClientSession("http://recorder", connector=UnixConnector(str(socket))) as client,
    ):
        path = "/visits/v1/files/streams/patient/part-001/seg-000001.webm?look=x"
        assert (await said(client, path, 503))["code"] == "log_unavailable"
        async with client.post("/visits/v1/bundle", json=people) as answer:
            assert answer.status == 503


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/visits/none", "visit_unknown"),
        ("/visits/..%2f..%2fetc", "visit_unknown"),
        ("/visits/v1/files/records/000999.jsonl", "object_missing"),
        ("/visits/v1/files/..%2fv2%2frecords%2f000001.jsonl", "object_missing"),
    ],
)
async def test_what_is_not_there_is_said_by_code(tmp_path: Path, path: str, code: str) -> None:
    store = FolderStore(tmp_path / "store")
    await shelve(store, "v1", honest_visit(Random(1), "v1"))
    async with door(store, tmp_path) as client:
        assert (await said(client, path, 404))["code"] == code


async def test_the_archive_unpacks_to_a_bundle_that_verifies(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    await shelve(store, "v1", honest_visit(Random(4), "v1"))
    async with door(store, tmp_path) as client:
        archived = await packed(client, "v1")
    with zipfile.ZipFile(io.BytesIO(archived)) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "out")
    verdict = verify_directory(tmp_path / "out" / "v1")
    assert verdict.broken == []


async def test_a_live_recording_is_shown_from_the_spool_in_its_newest_whole_state(tmp_path: Path) -> None:
    objects = honest_visit(Random(5), "v1", closed=False)
    batches = sorted(name for name in objects if name.startswith("records/"))
    # The newest batch of records is there and its heads are not yet; a segment is still being written.
    del objects[batches[-1].replace("records/", "heads/")]
    spool = write_bundle(objects, tmp_path / "spool" / "v1").parent
    (spool / "v1" / "journal").write_bytes(b"{}\n")
    (spool / "v1" / "streams/patient/part-001/seg-000099.webm").write_bytes(b"half")
    async with door(FolderStore(tmp_path / "store"), tmp_path, spool) as client:
        facts = await said(client, "/visits/v1")
        files = {one["name"] for one in (await said(client, "/visits/v1/files"))["files"]}
        archived = await packed(client, "v1")
    assert facts["closed"] is None
    assert batches[-1] not in files
    assert "streams/patient/part-001/seg-000099.webm" not in files
    assert "journal" not in files
    with zipfile.ZipFile(io.BytesIO(archived)) as archive:
        archive.extractall(tmp_path / "out")
    verdict = verify_directory(tmp_path / "out" / "v1")
    assert verdict.intact
    assert [one.rule for one in verdict.broken] == ["CLOSE-1"]


async def test_a_recording_half_in_the_store_and_half_in_the_spool_is_one(tmp_path: Path) -> None:
    objects = honest_visit(Random(6), "v1")
    names = sorted(objects)
    store = FolderStore(tmp_path / "store")
    await shelve(store, "v1", {name: objects[name] for name in names[::2]})
    spool = write_bundle({name: objects[name] for name in names[1::2]}, tmp_path / "spool" / "v1").parent
    async with door(store, tmp_path, spool) as client:
        archived = await packed(client, "v1")
        assert [one["visit"] for one in (await said(client, "/visits"))["visits"]] == ["v1"]
    with zipfile.ZipFile(io.BytesIO(archived)) as archive:
        archive.extractall(tmp_path / "out")
    assert verify_directory(tmp_path / "out" / "v1").broken == []


async def test_a_store_that_cannot_answer_is_a_503_with_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("away")

    store = FolderStore(tmp_path / "store")
    monkeypatch.setattr(store, "list", away)
    async with door(store, tmp_path) as client:
        assert (await said(client, "/visits/v1", 503))["code"] == "store_unreachable"


async def test_the_socket_is_private_and_goes_with_the_door(tmp_path: Path) -> None:
    (tmp_path / "audit.sock").write_bytes(b"")  # left by one that was killed
    async with door(FolderStore(tmp_path / "store"), tmp_path) as client:
        assert await said(client, "/healthz") == {"ok": True}
        assert (tmp_path / "audit.sock").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "audit.sock").exists()
