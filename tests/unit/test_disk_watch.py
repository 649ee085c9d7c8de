"""The watch over the spool's disk: what it says, once, and when media pause."""

from __future__ import annotations

from pathlib import Path

import pytest

from recorder.spool.disk import Usage
from recorder.spool.disk_watch import EVERY_US, DiskWatch
from recorder.spool.spool import Spool

MIB = 1 << 20


class Desk:
    """A watch whose disk is as full as one says."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, pauses_when_full: bool) -> None:
        self.used, self.now_us, self.stuck = 10, 0, False
        self.said: list[tuple[str, bool]] = []
        monkeypatch.setattr(Spool, "usage", lambda _, limit: Usage(self.used * MIB, (100 - self.used) * MIB))
        self.spool = Spool(root, lambda: 0.0)
        told = self.said.append
        self.watch = DiskWatch(
            self.spool, lambda: self.now_us, lambda code, over: told((code, over)), pauses_when_full, None
        )

    async def look(self, used: int) -> bool:
        self.used = used
        self.now_us += EVERY_US
        await self.watch.look(lambda: self.stuck)
        return self.watch.pauses


@pytest.mark.parametrize("pauses", [True, False])
async def test_at_the_last_mark_media_pause_if_the_policy_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: bool
) -> None:  # DISK-2
    desk = Desk(tmp_path, monkeypatch, pauses)
    assert not await desk.look(94)
    assert await desk.look(96) is pauses
    assert not await desk.look(50)
    assert desk.said[-3:] == [("disk_filling", True), ("disk_low", True), ("disk_full", True)]


async def test_it_is_looked_at_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(tmp_path, monkeypatch, True)
    assert await desk.watch.look(lambda: False)
    assert not await desk.watch.look(lambda: False)
    desk.now_us += EVERY_US
    assert await desk.watch.look(lambda: False)


async def test_when_the_last_byte_is_gone_media_pause_until_the_reserve_is_held_again_and_nothing_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # DISK-2
    desk = Desk(tmp_path, monkeypatch, pauses_when_full=False)
    assert not await desk.look(10)
    assert (tmp_path / ".reserve").exists()
    desk.stuck = True
    desk.watch.gone()
    assert not (tmp_path / ".reserve").exists()
    assert await desk.look(99), "no room for the reserve"
    assert await desk.look(10), "something still waits for the disk"
    desk.stuck = False
    assert not await desk.look(10)


async def test_that_the_disk_fails_is_said_once_and_that_it_is_over_when_nothing_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path, monkeypatch, True)
    desk.stuck = True
    desk.watch.failed("spool_failed")
    desk.watch.failed("spool_failed")
    await desk.look(10)
    assert desk.said == [("spool_failed", False)]
    desk.stuck = False
    await desk.look(10)
    assert desk.said == [("spool_failed", False), ("spool_failed", True)]
