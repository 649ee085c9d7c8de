"""Commits made durable together: one block for all that wait, and each its own outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from recorder.spool.ahead import Commit, WriteAhead
from recorder.spool.together import Together


class Counted(WriteAhead):
    """Remembers how many commits each block had, and can be broken."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, lambda: 0.0)
        self.blocks: list[int] = []
        self.broken = False

    def write(self, commits: Sequence[Commit]) -> None:
        if self.broken:
            raise OSError(5, "input/output error")
        self.blocks.append(len(commits))
        super().write(commits)


def commit(visit: str) -> Commit:
    return Commit(visit, 0, b"{}\n", [], [])


async def test_what_is_given_at_the_same_time_is_one_block_and_what_comes_meanwhile_the_next(tmp_path: Path) -> None:
    ahead, may_end = Counted(tmp_path), asyncio.Event()

    async def slow(work: Callable[[], None]) -> None:
        await may_end.wait()
        work()

    together, settled = Together(ahead, slow), []
    first = [asyncio.create_task(together.commit(commit(v), lambda v=v: settled.append(v))) for v in "abc"]  # type: ignore[misc]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    later = [asyncio.create_task(together.commit(commit(v), lambda v=v: settled.append(v))) for v in "de"]  # type: ignore[misc]
    await asyncio.sleep(0)
    may_end.set()
    await asyncio.gather(*first, *later)
    assert ahead.blocks == [3, 2]
    assert settled == ["a", "b", "c", "d", "e"]


async def test_a_block_that_fails_fails_for_all_and_the_next_one_may_go_well(tmp_path: Path) -> None:
    ahead, settled = Counted(tmp_path), list[str]()
    together = Together(ahead, asyncio.to_thread)
    ahead.broken = True
    both = [together.commit(commit(visit), lambda: settled.append("no")) for visit in "ab"]
    assert [type(outcome) for outcome in await asyncio.gather(*both, return_exceptions=True)] == [OSError, OSError]
    assert not settled
    ahead.broken = False
    await together.commit(commit("a"), lambda: settled.append("a"))
    assert settled == ["a"]


async def test_what_follows_a_commit_fails_for_that_one_alone(tmp_path: Path) -> None:  # TOGETHER-2
    together = Together(Counted(tmp_path), asyncio.to_thread)
    settled: list[str] = []

    def full() -> None:
        raise OSError(28, "no space left on device")

    one, two = together.commit(commit("a"), full), together.commit(commit("b"), lambda: settled.append("b"))
    failed, went = await asyncio.gather(one, two, return_exceptions=True)
    assert isinstance(failed, OSError)
    assert (went, settled) == (None, ["b"])
    with pytest.raises(OSError, match="no space"):
        await together.commit(commit("a"), full)


async def test_a_fault_of_one_visit_ends_neither_the_others_nor_the_writing(tmp_path: Path) -> None:  # TOGETHER-3
    together = Together(Counted(tmp_path), asyncio.to_thread)

    def wrong() -> None:
        raise ValueError("what nobody thought of")

    async with asyncio.timeout(30):
        one, two = together.commit(commit("a"), wrong), together.commit(commit("b"), lambda: None)
        outcomes = await asyncio.gather(one, two, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [ValueError, type(None)]
        await together.commit(commit("c"), lambda: None)
