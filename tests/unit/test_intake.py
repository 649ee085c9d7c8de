"""The tap's receiving end: every frame once, acknowledged when durable, and no bad frame harms anyone else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from media.tap import Frames, Hello, Kind, TapEnd, TapTrack, frame, packets
from recorder.live.intake import Intake
from tests.patience import PATIENCE_S

TRACK = TapTrack(1, "v", "patient", "camera", "VP8", 90_000, 96, 7)


class Heard:
    """Writes down what comes."""

    def __init__(self) -> None:
        self.said: list[tuple[object, ...]] = []

    def hello(self, hello: Hello, known: bool) -> None:
        self.said.append(("hello", hello.epoch, known))

    def track(self, epoch: str, track: TapTrack) -> None:
        self.said.append(("track", epoch, track.handle))

    def reading(self) -> None:
        """Nothing is kept from one packet to the next."""

    def packets(self, epoch: str, seq: int, body: bytes) -> None:
        self.said.append(("packets", epoch, seq, len(list(packets(memoryview(body))))))

    def end(self, epoch: str, end: TapEnd) -> None:
        self.said.append(("end", epoch, end.handle))

    def away(self, epoch: str) -> None:
        self.said.append(("away", epoch))


@asynccontextmanager
async def intake(tmp_path: Path) -> AsyncIterator[tuple[Intake, Heard]]:
    heard = Heard()
    one = Intake(heard)
    await one.listen(tmp_path / "tap.sock")
    try:
        yield one, heard
    finally:
        await one.close()
        for writer in PEERS:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        PEERS.clear()


class Peer:
    """A worker that says what it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def hello(self, epoch: str = "m-1") -> None:
        self.writer.write(frame(Kind.HELLO, 0, msgspec.json.encode(Hello("media-0", epoch, 0))))

    def say(self, kind: Kind, seq: int, body: bytes = b"") -> None:
        self.writer.write(frame(kind, seq, body))

    async def next(self) -> tuple[Kind, int, bytes]:
        frames = Frames()
        async with asyncio.timeout(PATIENCE_S):
            while not (got := frames.feed(await self.reader.read(65_536))):
                pass
        return got[-1]


PEERS: list[asyncio.StreamWriter] = []


async def peer(tmp_path: Path) -> Peer:
    made = Peer(*await asyncio.open_unix_connection(tmp_path / "tap.sock"))
    PEERS.append(made.writer)
    return made


async def until(heard: Heard, *wanted: object) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while tuple(wanted) not in heard.said:
            await asyncio.sleep(0.005)


async def test_a_frame_is_taken_once_however_often_it_comes(tmp_path: Path) -> None:
    async with intake(tmp_path) as (_, heard):
        first = await peer(tmp_path)
        first.hello()
        first.say(Kind.TRACK, 1, msgspec.json.encode(TRACK))
        first.say(Kind.PACKETS, 2)
        await until(heard, "packets", "m-1", 2, 0)
        first.writer.close()
        await until(heard, "away", "m-1")
        again = await peer(tmp_path)
        again.hello()
        again.say(Kind.TRACK, 0, msgspec.json.encode(TRACK))
        again.say(Kind.PACKETS, 2)
        again.say(Kind.PACKETS, 3)
        again.say(Kind.END, 4, msgspec.json.encode(TapEnd(1, 0, "unpublished")))
        await until(heard, "end", "m-1", 1)
        again.writer.close()
    assert ("hello", "m-1", True) in heard.said
    assert heard.said.count(("packets", "m-1", 2, 0)) == 1
    assert heard.said.count(("packets", "m-1", 3, 0)) == 1


async def test_what_is_acknowledged_is_what_is_durable(tmp_path: Path) -> None:
    async with intake(tmp_path) as (one, heard):
        worker = await peer(tmp_path)
        worker.hello()
        for seq in range(1, 6):
            worker.say(Kind.PACKETS, seq)
        await until(heard, "packets", "m-1", 5, 0)
        one.acknowledge(lambda epoch: 4)
        assert (await worker.next())[:2] == (Kind.ACK, 3)
        one.acknowledge(lambda epoch: None)
        assert (await worker.next())[:2] == (Kind.ACK, 5)
        worker.writer.close()


async def test_a_keyframe_is_asked_of_the_worker_that_has_the_track(tmp_path: Path) -> None:
    async with intake(tmp_path) as (one, heard):
        worker = await peer(tmp_path)
        worker.hello("m-9")
        await until(heard, "hello", "m-9", False)
        one.ask_keyframe("m-9", 33)
        kind, _, body = await worker.next()
        assert (kind, msgspec.json.decode(body)) == (Kind.KEYFRAME, {"handle": 33, "old": False})
        worker.writer.close()


@pytest.mark.parametrize(
    "bad",
    [
        b"\xff\xff\xff\xff" + bytes(20),
        frame(Kind.PACKETS, 9, b"\0\0"),
        frame(Kind.TRACK, 9, b"{}"),
        frame(Kind.TRACK, 9, b"not json"),
        frame(Kind.ACK, 9),
        bytes(64),
    ],
)
async def test_a_bad_frame_ends_its_connection_and_no_other(tmp_path: Path, bad: bytes) -> None:
    async with intake(tmp_path) as (_, heard):
        good, evil = await peer(tmp_path), await peer(tmp_path)
        good.hello("m-1")
        evil.writer.write(frame(Kind.HELLO, 0, msgspec.json.encode(Hello("media-1", "m-2", 0))))
        await until(heard, "hello", "m-2", False)
        evil.writer.write(bad)
        async with asyncio.timeout(PATIENCE_S):
            assert await evil.reader.read() == b""
        await until(heard, "away", "m-2")
        good.say(Kind.PACKETS, 1)
        await until(heard, "packets", "m-1", 1, 0)
        good.writer.close()
        evil.writer.close()


async def test_who_does_not_say_hello_first_is_shown_out(tmp_path: Path) -> None:
    async with intake(tmp_path) as (_, heard):
        stranger = await peer(tmp_path)
        stranger.say(Kind.PACKETS, 1)
        async with asyncio.timeout(PATIENCE_S):
            assert await stranger.reader.read() == b""
        stranger.writer.close()
    assert heard.said == []
