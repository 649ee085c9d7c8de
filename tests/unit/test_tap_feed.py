"""The tap's sending end against a recorder that is slow, mute or killed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from media.tap import Frames, Hello, Kind, TapEnd, TapKeyframe, TapTrack, frame, packets
from media.tap_feed import TapFeed
from tests.patience import PATIENCE_S

CAMERA = TapTrack(0, "v1", "doctor", "camera", "VP8", 90000, 96, 1234)
MICROPHONE = TapTrack(0, "v1", "doctor", "microphone", "opus", 48000, 111, 99, 2)


class Recorder:
    """Listens where the recorder would, and writes down every frame."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.frames: asyncio.Queue[tuple[Kind, int, bytes]] = asyncio.Queue()
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def die(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        self.path.unlink(missing_ok=True)

    def say(self, kind: Kind, seq: int, body: bytes = b"") -> None:
        self._writers[-1].write(frame(kind, seq, body))

    async def next(self, kind: Kind) -> tuple[int, bytes]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                got, seq, body = await self.frames.get()
                if got is kind:
                    return seq, body

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        cut = Frames()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                for got in cut.feed(data):
                    self.frames.put_nowait(got)
        writer.close()


class Feeding:
    def __init__(self, path: Path) -> None:
        self.recorder = Recorder(path)
        self.keyframes: list[int] = []
        self.changes: list[bool] = []
        self.changed = asyncio.Event()
        self.feed = TapFeed(path, "m0", "e1", lambda track, _: self.keyframes.append(track.handle), self._change)

    def _change(self) -> None:
        self.changes.append(self.feed.connected)
        self.changed.set()

    async def until(self, connected: bool) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.feed.connected != connected:
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
async def feeding(tmp_path: Path) -> AsyncIterator[Feeding]:
    made = Feeding(tmp_path / "tap.sock")
    await made.recorder.start()
    running = asyncio.create_task(made.feed.run())
    await made.until(connected=True)
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await made.recorder.die()


async def test_a_track_its_packets_and_its_end_arrive_in_order(feeding: Feeding) -> None:
    handle = feeding.feed.begin(CAMERA)
    feeding.feed.packet(handle, 1, 77, memoryview(b"rtp"))
    feeding.feed.end(TapEnd(handle, 80, "unpublished"))
    assert msgspec.json.decode((await feeding.recorder.next(Kind.HELLO))[1], type=Hello).epoch == "e1"
    track = msgspec.json.decode((await feeding.recorder.next(Kind.TRACK))[1], type=TapTrack)
    assert track == msgspec.structs.replace(CAMERA, handle=handle)
    _, body = await feeding.recorder.next(Kind.PACKETS)
    assert [(p.handle, p.flags, p.arrival_us, bytes(p.data)) for p in packets(memoryview(body))] == [
        (handle, 1, 77, b"rtp")
    ]
    assert msgspec.json.decode((await feeding.recorder.next(Kind.END))[1], type=TapEnd).at_us == 80


async def test_a_batch_leaves_by_itself(feeding: Feeding) -> None:
    handle = feeding.feed.begin(CAMERA)
    feeding.feed.packet(handle, 0, 1, memoryview(b"x"))
    assert (await feeding.recorder.next(Kind.PACKETS))[0] == 2


async def test_a_dead_recorder_gets_again_what_it_had_not_acknowledged(feeding: Feeding) -> None:
    camera, microphone = feeding.feed.begin(CAMERA), feeding.feed.begin(MICROPHONE)
    for _ in range(3):
        feeding.feed.packet(camera, 0, 1, memoryview(b"x"))
        feeding.feed.flush()
    assert [(await feeding.recorder.next(Kind.PACKETS))[0] for _ in range(3)] == [3, 4, 5]
    feeding.recorder.say(Kind.ACK, 3)
    feeding.recorder.say(Kind.KEYFRAME, 0, msgspec.json.encode(TapKeyframe(camera)))
    await feeding.recorder.die()
    await feeding.until(connected=False)
    feeding.feed.packet(microphone, 0, 2, memoryview(b"y"))
    feeding.feed.end(TapEnd(microphone, 9, "unpublished"))
    feeding.recorder.frames = asyncio.Queue()
    await feeding.recorder.start()
    await feeding.until(connected=True)
    await feeding.recorder.next(Kind.HELLO)
    repeated = [await feeding.recorder.next(Kind.TRACK) for _ in range(2)]
    assert [seq for seq, _ in repeated] == [0, 0]
    assert [msgspec.json.decode(body, type=TapTrack).handle for _, body in repeated] == [camera, microphone]
    assert [(await feeding.recorder.next(Kind.PACKETS))[0] for _ in range(3)] == [4, 5, 6]
    assert set(feeding.keyframes) == {camera}
    assert len(feeding.keyframes) >= 2
    assert feeding.feed.lost_packets == 0


async def test_the_recorder_may_ask_for_a_keyframe(feeding: Feeding) -> None:
    handle = feeding.feed.begin(CAMERA)
    await feeding.recorder.next(Kind.TRACK)
    feeding.recorder.say(Kind.KEYFRAME, 0, msgspec.json.encode(TapKeyframe(handle)))
    feeding.recorder.say(Kind.ACK, 1)
    await feeding.feed.drain(5)
    assert feeding.keyframes == [handle]
    assert feeding.feed.buffered_bytes == 0


async def test_a_recorder_that_does_not_read_costs_no_more_than_the_bound(feeding: Feeding) -> None:
    handle = feeding.feed.begin(CAMERA)
    data = memoryview(bytes(1200))
    for _ in range(30_000):
        feeding.feed.packet(handle, 0, 1, data)
    assert feeding.feed.buffered_bytes <= (24 << 20) + (64 << 10)
    assert feeding.feed.lost_packets > 5_000


async def test_a_recorder_that_talks_nonsense_is_hung_up_on(feeding: Feeding) -> None:
    await feeding.recorder.next(Kind.HELLO)
    feeding.recorder.say(Kind.HELLO, 0)
    await feeding.until(connected=False)
    await feeding.until(connected=True)
