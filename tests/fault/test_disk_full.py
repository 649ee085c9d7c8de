"""A disk that fills: said in three marks, decided by policy, on the record; and a write that fails at any point at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.link import Refusal
from recorder import control
from recorder.bundle.directory import verify_directory
from recorder.live.recording_errors import SpoolFailed
from recorder.spool.disk import Usage
from recorder.spool.spool import Spool
from recorder.store.folder import FolderStore
from recorder.store.objects import Stored, StoreUnavailable
from tests.recordings import complaints, degraded, parts, records
from tests.tapping import VISIT, Studio, clip

MIB = 1 << 20


def lost_ms(root: Path) -> int:
    gaps = [r["body"] for r in records(root) if r["type"] == "gap" and r["body"]["cause"] == "recorder"]
    return sum(gap["to_ms"] - gap["from_ms"] for gap in gaps)


class Shut(FolderStore):
    """A store that can be shut, so that the spool fills."""

    shut = False

    async def put(self, name: str, data: bytes | Path, sha256: str) -> Stored:
        if self.shut:
            raise StoreUnavailable("shut")
        return await super().put(name, data, sha256)


@pytest.mark.parametrize(("policy", "least", "most"), [("pause", 1500, 5000), ("record", 0, 0)])
async def test_at_the_last_mark_the_hospitals_policy_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, least: int, most: int
) -> None:
    studio, what = Studio(tmp_path), clip("VP8", seconds=9)
    studio.settings = msgspec.structs.replace(studio.settings, when_disk_full=policy)
    used = 10
    monkeypatch.setattr(Spool, "usage", lambda self, limit: Usage(used * MIB, (100 - used) * MIB))
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        await studio.play(worker, "patient", what, until_ms=2000)
        used = 96
        await studio.play(worker, "patient", what, from_ms=2000, until_ms=5000)
        used = 20
        await studio.play(worker, "patient", what, from_ms=5000)
        await studio.end()
    verdict = verify_directory(studio.root)
    assert verdict.broken == []
    assert verdict.complete
    assert degraded(studio.root) == [
        *(("disk_filling", False), ("disk_low", False), ("disk_full", False)),
        *(("disk_filling", True), ("disk_low", True), ("disk_full", True)),
    ]
    assert control.Degraded("disk_full", False) in studio.news
    assert least <= lost_ms(studio.root) <= most
    for part in parts(studio.root, tmp_path):
        assert complaints(part.path) == ""


async def test_a_spool_that_reaches_its_limit_waits_for_the_store_and_goes_on(tmp_path: Path) -> None:
    store = Shut(tmp_path / "data" / "store")
    studio, what = Studio(tmp_path, store), clip("VP8", seconds=12, keyframe_every_ms=1000)
    studio.settings = msgspec.structs.replace(studio.settings, spool_limit_mb=1)
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        store.shut = True
        (filler := tmp_path / "data" / "spool" / "other").mkdir()
        (filler / "journal").write_bytes(b"")
        (filler / "segment").write_bytes(bytes(MIB * 9 // 10))
        await studio.play(worker, "patient", what, until_ms=6000)
        assert control.Degraded("disk_full", False) in studio.news
        (filler / "segment").unlink()
        store.shut = False
        await studio.play(worker, "patient", what, from_ms=6000)
        await studio.end()
    assert verify_directory(studio.root).complete
    assert ("disk_full", True) in degraded(studio.root)
    assert lost_ms(studio.root) >= 1000


class Flaky:
    """Fails the `first` to `last` call of what it stands before, with no space left."""

    def __init__(self, first: int, last: int) -> None:
        self.calls, self.first, self.last = 0, first, last

    def before(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*given: Any, **named: Any) -> Any:
            self.calls += 1
            if self.first <= self.calls <= self.last:
                raise OSError(errno.ENOSPC, "no space left on device")
            return real(*given, **named)

        return called


@pytest.mark.parametrize("first", [1, 4, 10, 16, 19, 25, 37, 60, 90])
async def test_wherever_the_space_runs_out_the_recording_is_whole_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    studio, what = Studio(tmp_path), clip("VP8", seconds=9)
    async with studio.running(), studio.worker() as worker:
        flaky = Flaky(first, first + 5)
        for name in ("pwrite", "pwritev", "fdatasync", "fsync"):
            monkeypatch.setattr(f"recorder.spool.visit.os.{name}", flaky.before(getattr(os, name)))
        refusals: list[str] = []
        for _ in range(8):  # whoever asks is refused, and asks again
            try:
                await studio.begin("patient")
                break
            except Refusal as refused:
                refusals.append(refused.code)
        assert set(refusals) <= {"spool_failed", "visit_unknown"}
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        await studio.play(worker, "patient", what)
        monkeypatch.undo()
        await studio.wait_ms(worker, 2000)
        await studio.end()
    verdict = verify_directory(studio.root)
    assert verdict.broken == []
    assert verdict.complete
    if flaky.calls >= first and first > 30:
        assert ("spool_failed", False) in [(n.code, n.over) for n in studio.news if isinstance(n, control.Degraded)]
    for part in parts(studio.root, tmp_path):
        assert complaints(part.path) == ""
    assert not (tmp_path / "data" / "spool" / VISIT).exists()


async def test_a_recorder_that_starts_on_a_full_disk_takes_up_its_visits_from_the_reserve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio, what = Studio(tmp_path), clip("VP8", seconds=6)
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        await studio.play(worker, "patient", what, until_ms=3000)
    reserve = tmp_path / "data" / "spool" / ".reserve"
    assert reserve.stat().st_size == 8 * MIB

    def while_held(real: Callable[..., int]) -> Callable[..., int]:
        def called(*given: Any) -> int:
            if reserve.exists():
                raise OSError(errno.ENOSPC, "no space left on device")
            return real(*given)

        return called

    for name in ("pwrite", "pwritev"):
        monkeypatch.setattr(f"recorder.spool.visit.os.{name}", while_held(getattr(os, name)))
    async with studio.running(), studio.worker() as worker:
        assert not reserve.exists()
        monkeypatch.undo()
        await studio.wait_ms(worker, 1500)
        assert reserve.exists()
        await studio.end()
    assert verify_directory(studio.root).complete


def test_a_spool_failure_says_whether_it_was_for_space() -> None:
    assert SpoolFailed("no", full=True).full
    assert not SpoolFailed("no").full
