"""A real S3 under locks that is away, hangs, or loses its answers: nothing is lost, nothing is doubled, all is said."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from recorder import control
from recorder.bundle.directory import verify_directory
from recorder.bundle.export import export_visit
from recorder.store.locked import LockedStore
from recorder.store.retention import Retention
from tests.ceph.server import Ceph
from tests.fault.store_proxy import HANG_S, StoreProxy, proxied
from tests.recordings import complaints, parts, records
from tests.tapping import VISIT, Clip, Studio, clip

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(600)]

BUCKET = "evidence"
DAYS = Retention(media_days=1, evidence_days=1)


@pytest.fixture(scope="module", autouse=True)
def credentials(ceph: Ceph) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", ceph.access_key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", ceph.secret_key)
        LockedStore.promised(f"s3://{BUCKET}", ceph.endpoint, DAYS)._s3.create_bucket(
            Bucket=BUCKET, ObjectLockEnabledForBucket=True
        )
        yield


class Stage(NamedTuple):
    studio: Studio
    proxy: StoreProxy
    store: LockedStore


@asynccontextmanager
async def staged(ceph: Ceph, tmp_path: Path) -> AsyncIterator[Stage]:
    """A recorder whose store lies behind a proxy, proven and ready."""
    async with proxied(ceph.endpoint) as proxy:
        store = LockedStore.promised(f"s3://{BUCKET}/{tmp_path.name}", proxy.endpoint, DAYS)
        await store.prove()
        yield Stage(Studio(tmp_path, store), proxy, store)
        await store.close()


async def recorded(studio: Studio, what: Clip) -> None:
    """A patient's whole visit, until nothing of it waits any more."""
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        await studio.play(worker, "patient", what)
        await studio.close()
        await drained(studio)


async def drained(studio: Studio, within_s: float = 120) -> None:
    async with asyncio.timeout(within_s):
        while studio.recorder.uploader.busy:
            await studio.recorder.uploader.progress()


async def judged(stage: Stage, tmp_path: Path) -> Path:
    """The recording as an auditor gets it: whole, intact, playable; every object stored once."""
    out = tmp_path / "bundle"
    await export_visit(stage.store, VISIT, out, trust_file=tmp_path / "trust")
    verdict = verify_directory(out)
    assert verdict.broken == []
    assert verdict.complete
    for part in parts(out, tmp_path):
        assert complaints(part.path) == ""
    pages = await asyncio.to_thread(lambda: list(stage.store._pages(f"{stage.store._prefix}recordings/", "")))
    stored = Counter(one["Key"] for page in pages for one in page.get("Versions", ()))
    assert set(stored.values()) == {1}
    return out


async def test_while_the_store_is_away_everything_waits_and_then_goes_there_once(ceph: Ceph, tmp_path: Path) -> None:
    what = clip("VP8", seconds=20)
    async with staged(ceph, tmp_path) as stage:
        studio, proxy, _ = stage
        async with studio.running(), studio.worker() as worker:
            await studio.begin("patient")
            worker.publish("patient", "microphone", "opus")
            worker.publish("patient", "camera", "VP8")
            await studio.play(worker, "patient", what, until_ms=3000)
            await proxy.away()
            await studio.play(worker, "patient", what, from_ms=3000, until_ms=17_000)
            async with asyncio.timeout(30):
                while control.Degraded("store_unreachable", False) not in studio.news:
                    await asyncio.sleep(0.05)
            assert len(list((tmp_path / "data" / "spool" / VISIT / "streams").rglob("seg-*"))) >= 5
            await proxy.back()
            await drained(studio)
            await studio.play(worker, "patient", what, from_ms=17_000)
            await studio.close()
            await drained(studio)
        told = records(await judged(stage, tmp_path))
    said = [(r["body"]["code"], r["body"]["over"]) for r in told if r["type"] == "degraded"]
    assert said == [("store_unreachable", False), ("store_unreachable", True)]
    assert not any(r["type"] == "gap" and r["body"]["cause"] == "recorder" for r in told)
    assert sum(len(r["body"]["objects"]) for r in told if r["type"] == "stored") >= 6


async def test_a_store_that_hangs_on_every_put_is_waited_for(ceph: Ceph, tmp_path: Path) -> None:
    what = clip("VP8", seconds=12)
    async with staged(ceph, tmp_path) as stage:
        studio, proxy, _ = stage
        proxy.hang_s = HANG_S
        await recorded(studio, what)
        told = records(await judged(stage, tmp_path))
    assert not any(r["type"] == "degraded" for r in told)
    assert not any(r["type"] == "gap" and r["body"]["cause"] == "recorder" for r in told)


async def test_a_put_that_was_applied_and_not_answered_is_not_doubled(ceph: Ceph, tmp_path: Path) -> None:
    what = clip("VP8", seconds=8)
    async with staged(ceph, tmp_path) as stage:
        studio, proxy, _ = stage
        proxy.cut = True
        await recorded(studio, what)
        assert proxy.cuts >= 4
        await judged(stage, tmp_path)
