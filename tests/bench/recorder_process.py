"""What a tapped packet costs the recorder's own process: `python -m tests.bench recorder_process [--visits N] [--cores N]`.

`teleconsult recorder` as it is run: its socket, log, witness, sealing, hashing, fsync and the folder store; fed by the
worker's own `TapFeed` with the packets of `recorder_micro` (450 a second and visit). It keeps up if what waits for its
acknowledgement does not grow and nothing was given up. Processor time is the whole process's, by the kernel's count.
`--floor` measures the least that evidence asks instead (`recorder_floor`): what no recorder in Python comes below.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from config.link import Link
from media.tap import TapTrack
from media.tap_feed import TapFeed
from recorder import control
from tests.bench.recorder_micro import Source

WARM_S = 4
SEATS = ("doctor", "patient")
STEP_S = 0.02


async def measure(visits: int, seconds: int, cores: int | None, spy: str | None = None, floor: bool = False) -> str:
    """Run, and say what it took."""
    with tempfile.TemporaryDirectory(prefix="tcr-") as scratch:
        async with _recorder(Path(scratch), cores, floor) as process:
            names = [f"visit-{number}" for number in range(visits)]
            link = None if floor else await _open(names, Path(scratch) / "run" / "recorder.sock")
            feed = TapFeed(Path(scratch) / "run" / "tap.sock", "media-0", "m-1", lambda *_: None, lambda: None)
            running = asyncio.create_task(feed.run())
            said = await _feed(feed, names, seconds, process, spy)
            await feed.drain(5)
            running.cancel()
            if link is not None:
                link.cancel()
            return said


async def _feed(feed: TapFeed, names: list[str], seconds: int, process: psutil.Process, spy: str | None) -> str:
    sources: list[Source] = []
    for name in names:
        for seat in SEATS:
            ssrc = 2 * len(sources) + 1
            audio = feed.begin(TapTrack(0, name, seat, "microphone", "opus", 48_000, 111, ssrc))
            video = feed.begin(TapTrack(0, name, seat, "camera", "VP8", 90_000, 96, ssrc + 1))
            assert video == audio + 1
            sources.append(Source(audio))
    begun = since = time.monotonic()
    sent, waits = 0, [0]
    from_s = process.cpu_times()
    for step in range(int((WARM_S + seconds) / STEP_S)):
        if step == int(WARM_S / STEP_S):
            sent, waits, since, from_s = 0, [], time.monotonic(), process.cpu_times()
            if spy:
                await asyncio.create_subprocess_shell(spy.format(pid=process.pid))
        now_us = time.monotonic_ns() // 1000
        for source in sources:
            sent += source.give(feed.packet, step * 20, now_us)
        waits.append(feed.buffered_bytes)
        if (ahead := begun + (step + 1) * STEP_S - time.monotonic()) > 0:
            await asyncio.sleep(ahead)
    to_s, lasted = process.cpu_times(), time.monotonic() - since
    user, system = to_s.user - from_s.user, to_s.system - from_s.system
    third = len(waits) // 3
    return (
        f"{len(names)} visits  {sent / lasted:.0f} packets/s  {(user + system) / sent * 1e6:.1f} us a packet "
        f"(user {user / sent * 1e6:.1f}, system {system / sent * 1e6:.1f})  "
        f"{(user + system) / lasted / len(names):.4f} core a visit\n"
        f"waiting for acknowledgement, at most: {max(waits[:third]) / 1e6:.1f} MB in the first third, "
        f"{max(waits[-third:]) / 1e6:.1f} in the last; given up: {feed.lost_packets}; "
        f"resident {process.memory_info().rss / 1e6:.0f} MB"
    )


@asynccontextmanager
async def _recorder(scratch: Path, cores: int | None, floor: bool) -> AsyncIterator[psutil.Process]:
    run = scratch / "run"
    run.mkdir()
    environ = {**os.environ, "TELECONSULT_DATA": str(scratch / "data"), "TELECONSULT_RUN": str(run)}
    environ["TELECONSULT_TRUST"] = str(scratch / "trust")
    least = ("tests.bench.recorder_floor", str(run / "tap.sock"), str(scratch))
    with (scratch / "log").open("wb") as log:
        started = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *(least if floor else ("teleconsult", "recorder")),
            stdout=log,
            stderr=log,
            env=environ,
        )
    process = psutil.Process(started.pid)
    if cores is not None:
        process.cpu_affinity(list(range(cores)))
    try:
        async with asyncio.timeout(20):
            while not (run / ("tap.sock" if floor else "recorder.sock")).exists():
                assert started.returncode is None, (scratch / "log").read_text()
                await asyncio.sleep(0.05)
        yield process
    finally:
        if started.returncode is None:
            started.terminate()
        await started.wait()


async def _open(names: list[str], sock: Path) -> asyncio.Task[None]:
    async def hear(_: control.FromRecorder) -> None:
        return None

    reader, writer = await asyncio.open_unix_connection(str(sock))
    link: Link[control.FromRecorder, control.ToRecorder] = Link(reader, writer, control.FromRecorder, hear)
    task = asyncio.create_task(link.run())
    await link.ask(control.Greet())
    for name in names:
        await link.ask(control.Open(name, {seat: f"bench-{seat}" for seat in SEATS}))
        for seat in SEATS:
            body = {"seat": seat, "decision": "agreed", "text_version": "bench", "text_sha256": "0" * 64}
            await link.ask(control.Note(name, f"consent-{seat}", "consent", body | {"language": "en", "method": "tap"}))
        await link.ask(control.Start(name, list(SEATS)))
    return task


def arguments(given: argparse.ArgumentParser) -> None:
    """What the command line may say."""
    given.add_argument("--visits", type=int, default=15)
    given.add_argument("--seconds", type=int, default=8)
    given.add_argument("--cores", type=int, help="the recorder may use only so many")
    given.add_argument("--floor", action="store_true", help="the least that could be done instead of the recorder")
    given.add_argument("--spy", help="a command run beside the measurement; {pid} is the recorder's")


def main(args: argparse.Namespace) -> int:
    """Run and print."""
    print(asyncio.run(measure(args.visits, args.seconds, args.cores, args.spy, args.floor)))
    return 0
