"""From the spool to the store: in order, again and again, and never removed before it is stored."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from recorder.spool.upload import Upload, Uploader
from recorder.store.folder import FolderStore
from recorder.store.objects import DigestMismatch, Stored, StoreUnavailable
from tests.patience import PATIENCE_S


class Scripted(FolderStore):
    """A folder store that fails as told: each name's failures, first first."""

    def __init__(self, root: Path, failures: dict[str, list[Exception]]) -> None:
        super().__init__(root)
        self.failures = failures
        self.stored: list[str] = []

    async def put(self, name: str, data: bytes | Path, sha256: str) -> Stored:
        assert isinstance(data, Path)
        assert data.exists()
        if waiting := self.failures.get(name):
            raise waiting.pop(0)
        self.stored.append(name)
        return await super().put(name, data, sha256)


def spooled(folder: Path, name: str) -> Upload:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(name.encode())
    return Upload(name, path, hashlib.sha256(name.encode()).hexdigest())


@asynccontextmanager
async def uploading(store: FolderStore, said: list[tuple[str, bool]]) -> AsyncIterator[Uploader]:
    uploader = Uploader(store, lambda code, over: said.append((code, over)), first_delay_s=0.001)
    task = asyncio.create_task(uploader.run())
    try:
        yield uploader
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def stored(uploader: Uploader, visit: str) -> None:
    done = asyncio.Event()
    uploader.when_stored(visit, done.set)
    async with asyncio.timeout(PATIENCE_S):
        await done.wait()


NAMES = ["streams/p/part-001/init.webm", "streams/p/part-001/seg-000001.webm", "records/000001.jsonl"]


async def test_a_visit_goes_in_the_order_it_came_and_leaves_nothing_behind(tmp_path: Path) -> None:
    store, said = Scripted(tmp_path / "store", {}), []
    async with uploading(store, said) as uploader:
        for name in NAMES:
            uploader.add("v", spooled(tmp_path, name))
        await stored(uploader, "v")
    assert store.stored == [f"recordings/v/{name}" for name in NAMES]
    assert not any((tmp_path / name).exists() for name in NAMES)
    assert said == []


async def test_a_store_that_is_away_is_told_once_and_tried_until_it_is_back(tmp_path: Path) -> None:
    failures: list[Exception] = [StoreUnavailable("away") for _ in range(4)]
    store, said = Scripted(tmp_path / "store", {f"recordings/v/{NAMES[1]}": failures}), []
    async with uploading(store, said) as uploader:
        for name in NAMES:
            uploader.add("v", spooled(tmp_path, name))
        await stored(uploader, "v")
    assert store.stored == [f"recordings/v/{name}" for name in NAMES]
    assert said == [("store_unreachable", False), ("store_unreachable", True)]


async def test_an_object_the_store_will_never_take_stays_and_holds_up_no_other(tmp_path: Path) -> None:
    store, said = Scripted(tmp_path / "store", {f"recordings/v/{NAMES[0]}": [DigestMismatch("no")]}), []
    async with uploading(store, said) as uploader:
        for name in NAMES:
            uploader.add("v", spooled(tmp_path, name))
        await stored(uploader, "v")
    assert (tmp_path / NAMES[0]).exists()
    assert store.stored == [f"recordings/v/{name}" for name in NAMES[1:]]
    assert said == [("digest_mismatch", False)]


async def test_one_visit_does_not_wait_for_another(tmp_path: Path) -> None:
    store, said = Scripted(tmp_path / "store", {f"recordings/slow/{NAMES[0]}": [StoreUnavailable("x")] * 9}), []
    async with uploading(store, said) as uploader:
        uploader.add("slow", spooled(tmp_path / "slow", NAMES[0]))
        uploader.add("quick", spooled(tmp_path / "quick", NAMES[0]))
        await stored(uploader, "quick")
        assert uploader.pending("slow") == 1
        await stored(uploader, "slow")
    assert uploader.pending("slow") == 0


async def test_a_batch_of_records_waits_for_the_media_before_it_and_media_for_nothing(tmp_path: Path) -> None:
    class Slow(Scripted):
        async def put(self, name: str, data: bytes | Path, sha256: str) -> Stored:
            begun.append(name.removeprefix("recordings/v/"))
            if len(begun) == 4:
                together.set()
            if name.endswith("webm"):
                await together.wait()
            return await super().put(name, data, sha256)

    begun: list[str] = []
    together = asyncio.Event()
    media = [f"streams/p/part-001/seg-00000{n}.webm" for n in (1, 2, 3)]
    async with uploading(Slow(tmp_path / "store", {}), []) as uploader:
        for name in [*media, NAMES[2], "streams/p/part-001/seg-000004.webm"]:
            uploader.add("v", spooled(tmp_path, name))
        await stored(uploader, "v")
    assert begun == [*media, "streams/p/part-001/seg-000004.webm", NAMES[2]]


async def test_the_visit_that_waited_longest_goes_first(tmp_path: Path) -> None:
    store = Scripted(tmp_path / "store", {})
    uploader = Uploader(store, lambda code, over: None)
    for age, visit in enumerate(["newest", "newer", "old", "oldest"]):
        upload = spooled(tmp_path / visit, NAMES[0])
        os.utime(upload.path, (10_000 - age, 10_000 - age))
        uploader.add(visit, upload)
    assert sorted(uploader._queues, key=uploader._since) == ["oldest", "old", "newer", "newest"]


async def test_who_keeps_a_copy_removes_it(tmp_path: Path) -> None:
    kept: list[str] = []

    def keep(visit: str, upload: Upload, how: Stored) -> bool:
        kept.append(upload.name)
        return upload.name == NAMES[0]

    uploader = Uploader(Scripted(tmp_path / "store", {}), lambda code, over: None, keep=keep)
    task = asyncio.create_task(uploader.run())
    for name in NAMES:
        uploader.add("v", spooled(tmp_path, name))
    await stored(uploader, "v")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert sorted(kept) == sorted(NAMES)
    assert [(tmp_path / name).exists() for name in NAMES] == [True, False, False]
