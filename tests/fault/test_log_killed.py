"""kill -9 of the real recorder at any moment: its log never forks, and every visit that closes is proven in it."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from random import Random

import pytest

from config.link import LinkClosed, Refusal
from config.settings import Settings
from recorder import control
from recorder.bundle.directory import verify_directory
from recorder.evidence.checkpoint import Checkpoint, parse_checkpoint, parse_note
from recorder.evidence.tiles import tile_name, tiles
from recorder.evidence.tree import Tree, check_consistency
from tests.fault.test_recorder_killed import connected, process
from tests.patience import PATIENCE_S
from tests.tapping import SEATS, consent

LIVES = 5


async def _live(settings: Settings, visit: str, records: int, opened: asyncio.Event) -> None:
    """One visit, as far as it comes before the recorder dies."""
    link, linked = await connected(settings)
    try:
        await link.ask(control.Open(visit, SEATS))
        opened.set()
        for n in range(records):
            await link.ask(control.Note(visit, f"k{n}", "consent", consent("patient")))
            await asyncio.sleep(0.01)
        await link.ask(control.Close(visit, "completed"))
    finally:
        link.close()
        await asyncio.gather(linked, return_exceptions=True)


@pytest.mark.slow
async def test_a_recorder_killed_again_and_again_keeps_one_log(tmp_path: Path) -> None:
    rng = Random(11)
    settings = Settings(data=tmp_path / "data", run=tmp_path)
    for life in range(LIVES):
        async with process(settings) as child:
            opened = asyncio.Event()
            living = asyncio.create_task(_live(settings, f"visit-{life}", 200, opened))
            await opened.wait()
            await asyncio.sleep(rng.uniform(0, 2.2))
            child.kill()
            await child.wait()
            with contextlib.suppress(LinkClosed, Refusal, OSError, TimeoutError):
                await living
    async with process(settings):
        link, linked = await connected(settings)
        for life in range(LIVES):
            await link.ask(control.Close(f"visit-{life}", "completed"))
        link.close()
        await asyncio.gather(linked, return_exceptions=True)
        async with asyncio.timeout(PATIENCE_S):
            while any((settings.data / "spool").glob("visit-*")):
                await asyncio.sleep(0.05)
    for life in range(LIVES):
        verdict = verify_directory(settings.data / "store" / "recordings" / f"visit-{life}")
        assert (verdict.broken, verdict.witnessed) == ([], "local"), life
    _one_log(settings.data / "store" / "log")


def _one_log(folder: Path) -> None:
    """Every checkpoint ever published is of one growing tree, as the tiles rebuild it."""
    (root,) = folder.iterdir()
    seen = [parse_checkpoint(parse_note(path.read_bytes()).text) for path in sorted((root / "checkpoint").iterdir())]
    tree = Tree()
    for level, number, width in tiles(0, seen[-1].size):
        tile = (root / f"tile/{level}/{tile_name(number)}{'' if width == 256 else f'.p/{width}'}").read_bytes()
        for at in range(0, len(tile) if level == 0 else 0, 32):
            tree.append(tile[at : at + 32])
    before: Checkpoint | None = None
    for checkpoint in seen:
        assert tree.root(checkpoint.size) == checkpoint.root
        if before is not None:
            proof = tree.consistency(before.size, checkpoint.size)
            check_consistency(before.size, before.root, checkpoint.size, checkpoint.root, proof)
        before = checkpoint
