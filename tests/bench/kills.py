"""kill -9 of the real recorder at seeded moments: what was lost, whether it was declared, whether the log forked.

Several recorders at once, each with a store of its own, a worker's real tap and one visit after the other; a visit of 30 s
survives about ten kills. Afterwards every visit is verified, and each store's inventory is taken: one log that only grew.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random
from typing import NamedTuple

from config.clock import monotonic_us
from config.link import Refusal
from config.settings import Settings
from recorder import control
from recorder.bundle.directory import verify_directory
from recorder.bundle.inventory import StoreFolder
from recorder.evidence.inventory import take_inventory
from tests.fault.test_recorder_killed import connected, play, process
from tests.recordings import records
from tests.tapping import SEATS, Clip, Worker, clip, consent

SECONDS = 30
KILLS_A_VISIT = 10
DECLARED = {"recorder", "worker"}


class Visit(NamedTuple):
    """One visit and the kills it went through; `gaps_ms`: each declared loss that the kills caused."""

    kills: int
    gaps_ms: list[int]
    intact: bool
    complete: bool
    recovered: int
    whole: bool
    broken: list[str]


def arguments(parser: argparse.ArgumentParser) -> None:
    """What may be said on the command line."""
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=4, help="recorders")
    parser.add_argument("--seed", type=int, default=2026)


def main(args: argparse.Namespace) -> int:
    """Kill, verify, print; 0 if nothing was hidden and no kill cost more than a second."""
    done: list[Visit] = []
    with ProcessPoolExecutor(args.at_once) as pool:
        while (kills := sum(visit.kills for visit in done)) < args.kills:
            more = -(-(args.kills - kills) // KILLS_A_VISIT)
            done += pool.map(one_visit, [f"{args.seed} {len(done) + n}" for n in range(more)])
    gaps = sorted(gap for visit in done for gap in visit.gaps_ms)
    sound = sum(visit.intact and visit.complete and visit.whole for visit in done)
    print(f"seed {args.seed}: {kills} kills in {len(done)} visits of {SECONDS} s")
    print(f"intact and complete, one log: {sound} of {len(done)}; recovered on record {sum(v.recovered for v in done)}")
    print(f"declared losses {len(gaps)}: longest {max(gaps, default=0)} ms, together {sum(gaps)} ms")
    for visit in done:
        if not (visit.intact and visit.complete and visit.whole):
            print("BROKEN", visit)
    return 0 if sound == len(done) and max(gaps, default=0) <= 1000 else 1


def one_visit(seed: str) -> Visit:
    """A visit in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    try:
        return asyncio.run(_visit(folder, Random(seed)))
    finally:
        shutil.rmtree(folder)


async def _visit(folder: Path, rng: Random) -> Visit:
    settings = Settings(data=folder / "data", run=folder, log_level="error")
    visit, what = "visit-1", clip("VP8", seconds=SECONDS)
    worker = Worker(settings.socket("tap"), monotonic_us)
    feeding = asyncio.create_task(worker.feed.run())
    playing: asyncio.Task[None] | None = None
    kills = 0
    while playing is None or not playing.done():
        async with process(settings) as child:
            link, linked = await connected(settings)
            try:
                await _begin(link, visit)
                if playing is None:
                    worker.publish("patient", "microphone", "opus")
                    worker.publish("patient", "camera", "VP8")
                    playing = asyncio.create_task(_talk(worker, what))
                await asyncio.wait([playing], timeout=rng.uniform(0.0, 4.0))
            finally:
                if kills < KILLS_A_VISIT:
                    child.kill()
                    kills += 1
                    await child.wait()
                else:
                    await playing
                link.close()
                await asyncio.gather(linked, return_exceptions=True)
    async with process(settings):
        link, linked = await connected(settings)
        await _begin(link, visit)
        await link.ask(control.Close(visit, "completed"))
        link.close()
        await asyncio.gather(linked, return_exceptions=True)
        async with asyncio.timeout(60):
            while (settings.data / "spool" / visit).exists():
                await asyncio.sleep(0.05)
    feeding.cancel()
    await asyncio.gather(feeding, return_exceptions=True)
    return _judged(settings.data / "store", visit, kills)


async def _talk(worker: Worker, what: Clip) -> None:
    await play(worker, what)
    for source in ("microphone", "camera"):
        worker.unpublish("patient", source)


async def _begin(link: object, visit: str) -> None:
    # What signaling says to every recorder that is there: the first time it is news, later it changes nothing.
    for message in (
        control.Open(visit, SEATS),
        control.Note(visit, "c", "consent", consent("patient")),
        control.Start(visit, ["patient"]),
    ):
        with contextlib.suppress(Refusal):
            await link.ask(message)  # type: ignore[attr-defined]


def _judged(store: Path, visit: str, kills: int) -> Visit:
    root = store / "recordings" / visit
    verdict = verify_directory(root)
    gaps = [one["body"] for one in records(root) if one["type"] == "gap" and one["body"]["cause"] in DECLARED]
    broken = [f"{one.rule} {one.where}" for one in verdict.broken]
    found = take_inventory(StoreFolder(store))
    broken += [f"{one.rule} {one.where}" for one in found.broken]
    # What was sent ends after SECONDS: a recorder that is away then misses nothing.
    lost = [min(gap["to_ms"], SECONDS * 1000) - gap["from_ms"] for gap in gaps if gap["from_ms"] < SECONDS * 1000]
    return Visit(kills, lost, verdict.intact, verdict.complete, verdict.summary.recovered, found.whole, broken[:5])
