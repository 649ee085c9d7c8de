"""A visit's journal: what reached the store leaves the disk, and never before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from recorder.evidence.log import VisitLog
from recorder.live.journal import Journal, Onward
from recorder.log.keys import load_or_create
from recorder.spool.spool import Spool
from recorder.spool.together import Together
from recorder.spool.upload import Upload
from recorder.spool.visit import Life
from recorder.store.objects import Stored
from recorder.tape.output import Write

SEGMENT = "streams/patient/part-001/seg-000001.webm"


class Desk:
    """A journal over a spool, and what it gave to the store."""

    def __init__(
        self, root: Path, in_thread: Callable[[Callable[[], None]], Awaitable[None]] = asyncio.to_thread
    ) -> None:
        self.given: list[Upload] = []
        signer = load_or_create(root / "key.pem")
        life = Life("epoch", "boot", 1_700_000_000_000_000, 0)
        spool = Spool(root / "spool").visit("v")
        self.journal = Journal(
            VisitLog("v", "example.org/t", signer),
            spool,
            life,
            lambda: 0,
            Together(spool.ahead, in_thread),
            Onward(store=self.given.append, leaf=lambda *_: None),
        )

    async def commit(self, *writes: Write) -> None:
        for write in writes:
            self.journal.write(write)
        await self.journal.commit(None)
        self.journal.after_commit()


@pytest.mark.parametrize("version", [None, "v1"])
async def test_a_stored_segment_leaves_the_disk_with_the_next_commit_that_says_what_must_be_said(
    tmp_path: Path, version: str | None
) -> None:  # JOURNAL-3
    desk = Desk(tmp_path)
    desk.journal.append("open", {"seats": {"patient": "p"}, "recorder": "r", "epoch": "e"}, 0)
    desk.journal.finish(SEGMENT, "0" * 64)
    await desk.commit(Write(SEGMENT, b"content", whole=True))
    (upload,) = desk.given
    assert desk.journal.stored(upload, Stored(version=version)), "it is removed here"
    await desk.commit(Write("streams/patient/part-001/seg-000002.webm", b"more"))
    assert upload.path.exists() is (version is not None)
    desk.journal.say_stored(1)
    await desk.commit()
    assert not upload.path.exists()


async def test_a_journal_that_commits_no_more_leaves_removing_to_others(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.journal.stuck = True
    upload = Upload(SEGMENT, tmp_path / "x", "0" * 64)
    assert not desk.journal.stored(upload, Stored(version=None))
    desk.journal.stuck = False
    assert not desk.journal.stored(upload._replace(name="records/000001.jsonl"), Stored(version=None))


async def test_a_commit_whose_asker_is_gone_is_over_before_anything_else_is_said(tmp_path: Path) -> None:  # JOURNAL-4
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(work: Callable[[], None]) -> None:
        begun.set()
        await may_end.wait()
        work()

    desk = Desk(tmp_path, slow)
    desk.journal.append("open", {"seats": {"patient": "p"}, "recorder": "r", "epoch": "e"}, 0)
    asking = asyncio.create_task(desk.journal.commit(None))
    await begun.wait()
    asking.cancel()
    await asyncio.sleep(0)
    assert not asking.done(), (
        "whoever is next in the lock's line would take its records for written, or write them twice"
    )
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not desk.journal.pending
