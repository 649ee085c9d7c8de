"""kill -9 of the real recorder in the middle of a visit: it goes on, on the same chain, and almost nothing is missing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from config.clock import monotonic_us
from config.settings import Settings
from recorder import control
from recorder.bundle.directory import verify_directory
from tests.patience import PATIENCE_S, PatientLink
from tests.recordings import complaints, parts, records
from tests.tapping import SEATS, VISIT, Clip, Worker, clip, consent

TALKED_ON_S = 7.0
"""Less than the worker keeps for a recorder that is away (TAP-1)."""
PROGRAM = "from config.settings import load; from recorder.process import run; run(load())"


@asynccontextmanager
async def process(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    """A recorder process, ready."""
    environment = {**os.environ, "TELECONSULT_DATA": str(settings.data), "TELECONSULT_RUN": str(settings.run)}
    door = settings.socket("recorder")
    door.unlink(missing_ok=True)
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, env=environment)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not door.exists():
                await asyncio.sleep(0.01)
        yield child
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()


async def connected(
    settings: Settings,
) -> tuple[PatientLink[control.FromRecorder, control.ToRecorder], asyncio.Task[None]]:
    async def heard(message: control.FromRecorder) -> None:
        pass

    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(settings.socket("recorder"))
                break
            except OSError:
                await asyncio.sleep(0.01)
    link: PatientLink[control.FromRecorder, control.ToRecorder] = PatientLink(
        reader, writer, control.FromRecorder, heard
    )
    return link, asyncio.create_task(link.run())


async def begun(link: PatientLink[control.FromRecorder, control.ToRecorder], worker: Worker) -> None:
    """A visit whose patient has agreed, is recorded, and sends sound and picture."""
    await link.ask(control.Open(VISIT, SEATS))
    await link.ask(control.Note(VISIT, "c", "consent", consent("patient")))
    await link.ask(control.Start(VISIT, ["patient"]))
    worker.publish("patient", "microphone", "opus")
    worker.publish("patient", "camera", "VP8")


async def play(worker: Worker, what: Clip, enough: asyncio.Event | None = None, least_ms: int = 0) -> int:
    """At its own pace, to its end, or until it is said to be enough; how many ms of it were sent."""
    begun = monotonic_us()
    for sent in what.packets:
        if enough is not None and enough.is_set() and sent.at_ms >= least_ms:
            return sent.at_ms
        while (wait_us := begun + sent.at_ms * 1000 - monotonic_us()) > 0:
            await asyncio.sleep(wait_us / 1e6)
        worker.send("patient", sent.source, sent.packet)
    return what.packets[-1].at_ms


async def test_a_killed_recorder_resumes_its_chain_and_at_most_a_second_is_missing(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", run=tmp_path)
    what, back = clip("VP8", seconds=20), asyncio.Event()
    worker = Worker(settings.socket("tap"), monotonic_us)
    feeding = asyncio.create_task(worker.feed.run())
    async with process(settings) as child:
        link, linked = await connected(settings)
        await begun(link, worker)
        playing = asyncio.create_task(play(worker, what, back, least_ms=6000))
        await asyncio.sleep(3.0)
        child.send_signal(signal.SIGKILL)
        asyncio.get_running_loop().call_later(TALKED_ON_S, back.set)
        await child.wait()
        await linked
    async with process(settings):
        link, linked = await connected(settings)
        # What signaling says to a recorder that is back: all of it is known and changes nothing.
        await link.ask(control.Open(VISIT, SEATS))
        await link.ask(control.Start(VISIT, ["patient"]))
        back.set()  # until here the people talk on, unless a busy machine takes too long to bring it back
        sent_ms = await playing
        closed = await link.ask(control.Close(VISIT, "completed"))
        assert isinstance(closed, control.Closed)
        link.close()
        await linked
        async with asyncio.timeout(PATIENCE_S):
            while (settings.data / "spool" / VISIT).exists():
                await asyncio.sleep(0.02)
    feeding.cancel()
    await asyncio.gather(feeding, return_exceptions=True)

    root = settings.data / "store" / "recordings" / VISIT
    verdict = verify_directory(root)
    assert verdict.broken == []
    assert verdict.complete
    assert verdict.summary.recovered == 1
    coverage = records(root)[-1]["body"]["streams"]["patient"]["coverage"]
    assert coverage["present"] >= sent_ms - 1000, "what lies between the last packet and the end was never sent"
    assert coverage["recorder"] + coverage["worker"] <= 1000
    held = sum(part.to_ms - part.from_ms for part in parts(root, tmp_path))
    assert held >= 5000
    for part in parts(root, tmp_path):
        assert complaints(part.path) == ""
    print("coverage", coverage, "parts", [(p.from_ms, p.to_ms) for p in parts(root, tmp_path)])


@pytest.mark.parametrize("after_s", [0.0, 0.3])
async def test_a_recorder_stopped_while_a_visit_closes_leaves_it_whole_or_to_its_next_life(
    tmp_path: Path, after_s: float, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(data=tmp_path / "data", run=tmp_path)
    worker = Worker(settings.socket("tap"), monotonic_us)
    feeding = asyncio.create_task(worker.feed.run())
    async with process(settings) as child:
        link, linked = await connected(settings)
        await begun(link, worker)
        await play(worker, clip("VP8", seconds=3))
        closing = asyncio.create_task(link.ask(control.Close(VISIT, "completed")))
        await asyncio.sleep(after_s)
        child.send_signal(signal.SIGTERM)
        assert await child.wait() == 0
        assert isinstance(await closing, control.Closed)
        await linked
    assert "Traceback" not in capfd.readouterr().err
    async with process(settings), asyncio.timeout(PATIENCE_S):
        while (settings.data / "spool" / VISIT).exists():
            await asyncio.sleep(0.02)
    feeding.cancel()
    await asyncio.gather(feeding, return_exceptions=True)
    verdict = verify_directory(settings.data / "store" / "recordings" / VISIT)
    assert (verdict.broken, verdict.complete) == ([], True)
