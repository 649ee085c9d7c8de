"""The object store fails and heals; the disk fills and is freed: nothing is lost that could be kept, and all is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.settings import Settings
from recorder import control
from recorder.bundle.directory import verify_directory
from recorder.store.folder import FolderStore
from recorder.store.objects import Stored, StoreUnavailable
from tests.patience import until
from tests.recordings import complaints, degraded, parts, records
from tests.tapping import VISIT, Studio, clip


class Unsteady(FolderStore):
    """A folder store that can be switched off."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.down = False

    async def put(self, name: str, data: bytes | Path, sha256: str) -> Stored:
        if self.down:
            raise StoreUnavailable("switched off")
        return await super().put(name, data, sha256)


async def test_while_the_store_is_down_everything_stays_in_the_spool_and_goes_there_when_it_is_back(
    tmp_path: Path,
) -> None:
    store = Unsteady(Settings(data=tmp_path / "data").data / "store")
    studio, what = Studio(tmp_path, store), clip("VP8", seconds=8)
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        await studio.play(worker, "patient", what, until_ms=2500)
        store.down = True
        await studio.play(worker, "patient", what, from_ms=2500, until_ms=6000)
        await until(lambda: control.Degraded("store_unreachable", False) in studio.news)
        assert len(list((tmp_path / "data" / "spool" / VISIT / "streams").rglob("seg-*"))) >= 1
        store.down = False
        await until(lambda: control.Degraded("store_unreachable", True) in studio.news)
        await studio.play(worker, "patient", what, from_ms=6000)
        await studio.end()
    verdict = verify_directory(studio.root)
    assert verdict.broken == []
    assert verdict.complete
    assert degraded(studio.root) == [("store_unreachable", False), ("store_unreachable", True)]
    (part,) = parts(studio.root, tmp_path)
    assert complaints(part.path) == ""
    assert not (tmp_path / "data" / "spool" / VISIT).exists()


async def test_a_visit_closed_while_the_store_is_down_is_stored_by_a_later_life(tmp_path: Path) -> None:
    store = Unsteady(Settings(data=tmp_path / "data").data / "store")
    studio, what = Studio(tmp_path, store), clip("VP8", seconds=3)
    store.down = True
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        await studio.play(worker, "patient", what, lost=lambda _, sent: sent.source != "microphone")
        closed = await studio.close()
    store.down = False
    async with studio.running():
        assert await studio.end() == closed
    assert verify_directory(studio.root).complete


async def test_a_full_disk_is_a_declared_gap_and_the_visit_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio, what = Studio(tmp_path), clip("VP8", seconds=9)
    real = os.fdatasync
    full = False

    def fdatasync(file: int) -> None:
        if full:
            raise OSError(28, "no space left on device")
        real(file)

    monkeypatch.setattr("recorder.spool.visit.os.fdatasync", fdatasync)
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        await studio.play(worker, "patient", what, until_ms=3000)
        full = True
        await studio.play(worker, "patient", what, from_ms=3000, until_ms=5500)
        full = False  # before the disk is looked at again
        await studio.play(worker, "patient", what, from_ms=5500)
        await studio.end()
    verdict = verify_directory(studio.root)
    assert verdict.broken == []
    assert verdict.complete
    assert ("spool_failed", False) in [(n.code, n.over) for n in studio.news if isinstance(n, control.Degraded)]
    lost = sum(
        r["body"]["to_ms"] - r["body"]["from_ms"]
        for r in records(studio.root)
        if r["type"] == "gap" and r["body"]["cause"] == "recorder"
    )
    assert 2000 <= lost <= 4000
    for part in parts(studio.root, tmp_path):
        assert complaints(part.path) == ""
