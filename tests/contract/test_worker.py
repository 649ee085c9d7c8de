"""The media worker whole: its process, its control door, real peers through it, and a recorder that dies."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from config.link import Refusal
from media.control import (
    AskRoom,
    AskStats,
    CloseRoom,
    Done,
    OpenRoom,
    Quality,
    Record,
    RoomState,
    Stats,
    TapChanged,
    TransportChanged,
)
from media.tap import TapTrack
from tests.contract.media_peers import Peer, WorkerProcess, in_visit
from tests.patience import PATIENCE_S

VIDEO, AUDIO = "doctor.camera", "doctor.microphone"


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[WorkerProcess]:
    async with WorkerProcess(tmp_path) as process:
        assert await process.link.ask(OpenRoom("v1")) == Done()
        yield process


class TapRecorder:
    """The process of `tap_recorder`, and the lines it has said."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[tuple[str, int, str]] = []

    async def start(self) -> None:
        script = Path(__file__).with_name("tap_recorder.py")
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            script,
            self.path,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 22,
        )

    async def until(self, kind: str, count: int = 1) -> None:
        """Read on until so many more frames of a kind have come."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while count:
                line = (await self.process.stdout.readline()).decode()
                assert line, "the recorder ended"
                said, seq, rest = line.rstrip("\n").split(" ", 2)
                self.lines.append((said, int(seq), rest))
                count -= said == kind

    def acknowledge(self, seq: int) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"ack {seq}\n".encode())

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    @property
    def tracks(self) -> list[TapTrack]:
        return [msgspec.json.decode(rest, type=TapTrack) for kind, _, rest in self.lines if kind == "TRACK"]

    def sequence(self, handle: int) -> set[int]:
        packets = [word for kind, _, rest in self.lines if kind == "PACKETS" for word in rest.split()]
        return {int(word.split(":")[1]) for word in packets if word.startswith(f"{handle}:")}


@pytest.fixture
async def recorder(tmp_path: Path) -> AsyncIterator[TapRecorder]:
    made = TapRecorder(tmp_path / "tap.sock")
    await made.start()
    yield made
    await made.kill()


def assert_no_hole(sequence: set[int]) -> None:
    first = next(n for n in sequence if (n - 1) & 0xFFFF not in sequence)
    assert sequence == {(first + n) & 0xFFFF for n in range(len(sequence))}


async def test_two_aiortc_peers_see_and_hear_each_other(worker: WorkerProcess) -> None:
    async with in_visit(worker, "v1", "doctor", "patient") as (doctor, patient):
        await worker.tracks(
            "v1", {f"{seat}.{source}" for seat in ("doctor", "patient") for source in ("microphone", "camera")}
        )
        await patient.subscribe(AUDIO, VIDEO)
        await doctor.subscribe("patient.microphone", "patient.camera")
        for peer, other in ((patient, "doctor"), (doctor, "patient")):
            pictures = await peer.frames(f"{other}.camera", 10)
            assert {(picture.width, picture.height) for picture in pictures} == {(160, 120)}
            assert len(await peer.frames(f"{other}.microphone", 10)) == 10
        quality = await worker.hear(Quality)
        assert quality.room == "v1"
        stats = await worker.link.ask(AskStats())
        assert isinstance(stats, Stats)
        assert (stats.rooms, stats.transports) == (1, 2)
        assert min(stats.packets_in, stats.packets_out, stats.rss_bytes) > 0


async def test_rooms_survive_a_signaling_that_restarts(worker: WorkerProcess) -> None:
    epoch = worker.greeted.epoch
    async with in_visit(worker, "v1", "doctor") as (_,):
        await worker.hang_up()
        assert (await worker.connect()).epoch == epoch
        state = await worker.link.ask(AskRoom("v1"))
        assert isinstance(state, RoomState)
        assert [track.id for track in state.tracks] == [AUDIO, VIDEO]


async def test_a_new_pc_goes_on_for_who_was_watching(worker: WorkerProcess) -> None:
    async with in_visit(worker, "v1", "doctor", "patient") as (doctor, patient):
        await patient.subscribe(AUDIO, VIDEO)
        await patient.frames(VIDEO, 3)
        again = Peer(worker, "v1", "doctor", pc="pc2")
        try:
            await again.publish()
            await doctor.close()
            assert len(await patient.frames(VIDEO, 40)) == 40
        finally:
            await again.close()


async def test_a_closed_room_ends_its_transports(worker: WorkerProcess) -> None:
    async with in_visit(worker, "v1", "doctor") as (_,):
        worker.news.clear()
        await worker.link.ask(CloseRoom("v1"))
        changed = await worker.hear(TransportChanged)
        assert changed.state == "gone"


async def test_a_killed_recorder_misses_nothing(worker: WorkerProcess, recorder: TapRecorder) -> None:
    await worker.link.ask(Record("v1", "doctor", on=True))
    async with in_visit(worker, "v1", "doctor") as (_,):
        await recorder.until("TRACK", 2)
        await recorder.until("PACKETS", 20)
        recorder.acknowledge(recorder.lines[-5][1])
        await recorder.kill()
        await worker.hear(TapChanged)
        await recorder.start()
        await recorder.until("HELLO")
        await recorder.until("PACKETS", 60)
        camera, microphone = (
            next(t.handle for t in recorder.tracks if t.source == s) for s in ("camera", "microphone")
        )
        while len(recorder.sequence(camera)) <= 30:
            await recorder.until("PACKETS")
        for handle in (camera, microphone):
            assert_no_hole(recorder.sequence(handle))


async def test_nothing_is_tapped_before_record_nor_after(worker: WorkerProcess, recorder: TapRecorder) -> None:
    async with in_visit(worker, "v1", "doctor", "patient") as (_, patient):
        await patient.subscribe(AUDIO, VIDEO)
        await patient.frames(VIDEO, 5)
        await worker.link.ask(Record("v1", "doctor", on=True))
        await recorder.until("PACKETS", 5)
        assert {track.seat for track in recorder.tracks} == {"doctor"}
        await worker.link.ask(Record("v1", "doctor", on=False))
        await recorder.until("END", 2)
        last = recorder.lines[-1][1]
        await patient.frames(VIDEO, 5)
        await worker.link.ask(Record("v1", "doctor", on=True))
        await recorder.until("TRACK")
        assert recorder.lines[-1][1] == last + 1


async def test_the_worker_ends_when_its_supervisor_does(worker: WorkerProcess) -> None:
    assert worker.process.stdin is not None
    worker.process.stdin.close()
    async with asyncio.timeout(PATIENCE_S):
        assert await worker.process.wait() == 0
    assert not worker.settings.socket("media-0").exists()


async def test_sigterm_ends_it_in_order(worker: WorkerProcess, recorder: TapRecorder) -> None:
    await worker.link.ask(Record("v1", "doctor", on=True))
    async with in_visit(worker, "v1", "doctor") as (_,):
        await recorder.until("TRACK", 2)  # a track begins with its first packet: the camera's comes when it has a core
        worker.process.send_signal(signal.SIGTERM)
        await recorder.until("END", 2)
        async with asyncio.timeout(PATIENCE_S):
            assert await worker.process.wait() == 0
    assert {msgspec.json.decode(rest)["reason"] for kind, _, rest in recorder.lines if kind == "END"} == {"room_closed"}


async def test_a_killed_worker_is_followed_by_one_that_has_forgotten(worker: WorkerProcess) -> None:
    worker.process.kill()
    await worker.process.wait()
    async with WorkerProcess(worker.settings.data) as again:
        assert again.greeted.epoch != worker.greeted.epoch
        with pytest.raises(Refusal, match="room_unknown"):
            await again.link.ask(AskRoom("v1"))


async def test_a_link_that_talks_nonsense_ends_alone(worker: WorkerProcess) -> None:
    reader, writer = await asyncio.open_unix_connection(worker.settings.socket("media-0"))
    writer.write(b'\x00\x00\x00\x20{"id":1,"body":{"type":"nobody"}}')
    async with asyncio.timeout(PATIENCE_S):
        assert await reader.read() == b""
    writer.close()
    assert isinstance(await worker.link.ask(AskRoom("v1")), RoomState)
