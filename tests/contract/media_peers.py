"""A real media worker process, real aiortc peers, and a recorder that only writes down: parts for tests."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack
from av import VideoFrame

from config.settings import Settings, to_environment
from media.control import Answered, FromWorker, Greet, Greeted, Negotiate, Source, ToWorker, TracksChanged
from tests.patience import PATIENCE_S, PatientLink

START = "import sys; from media.worker import run; from config.settings import load; run(load(), int(sys.argv[1]))"


class WorkerProcess:
    """`async with`: a supervised worker on a free port, and a control link to it. No addresses: all of the machine's."""

    def __init__(self, folder: Path, addresses: tuple[str, ...] = ("127.0.0.1",)) -> None:
        self.settings = Settings(data=folder, run=folder, media_port=0, media_addresses=addresses)
        self.news: list[FromWorker] = []
        self._told = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> WorkerProcess:
        environment = {
            **os.environ,
            "TELECONSULT_SUPERVISED": "1",
            **to_environment(self.settings),
        }
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", START, "0", stdin=asyncio.subprocess.PIPE, env=environment
        )
        async with asyncio.timeout(PATIENCE_S):
            await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.hang_up()
        if self.process.returncode is None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            async with asyncio.timeout(PATIENCE_S):
                await self.process.wait()

    async def connect(self) -> Greeted:
        """A new link; the worker's greeting."""
        path = self.settings.socket("media-0")
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_unix_connection(path)
                break
            assert self.process.returncode is None, "the worker ended"
            await asyncio.sleep(0.02)
        self.link: PatientLink[FromWorker, ToWorker] = PatientLink(reader, writer, FromWorker, self._hear)
        self._running = asyncio.create_task(self.link.run())
        greeted = await self.link.ask(Greet())
        assert isinstance(greeted, Greeted)
        self.greeted = greeted
        return greeted

    async def hang_up(self) -> None:
        """End the link, as a signaling process does that dies."""
        self.link.close()
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running

    async def tracks(self, room: str, wanted: set[str]) -> None:
        """Wait until the room is told to hold exactly these tracks."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(
                isinstance(n, TracksChanged) and n.room == room and {t.id for t in n.tracks} == wanted
                for n in self.news
            ):
                self._told.clear()
                await self._told.wait()

    async def hear(self, kind: type[FromWorker]) -> FromWorker:
        """Wait for news of a kind, the first since the list was last cleared."""
        async with asyncio.timeout(PATIENCE_S):
            while not (heard := [n for n in self.news if isinstance(n, kind)]):
                self._told.clear()
                await self._told.wait()
        return heard[0]

    async def _hear(self, said: FromWorker) -> None:
        self.news.append(said)
        self._told.set()


class Picture(MediaStreamTrack):
    """Small moving noise, at most 15 frames a second, stamped with the time they were taken: real VP8 at little cost."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._began = asyncio.get_running_loop().time()
        self._random = np.random.default_rng(1)

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(1 / 15)
        frame = VideoFrame.from_ndarray(self._random.integers(0, 255, (120, 160, 3), dtype=np.uint8), format="rgb24")
        frame.pts = int((asyncio.get_running_loop().time() - self._began) * 90000)
        frame.time_base = Fraction(1, 90000)
        return frame


class Peer:
    """A participant as aiortc makes one: publishes a microphone and a camera, and receives what it subscribes to."""

    def __init__(self, worker: WorkerProcess, room: str, seat: str, pc: str = "pc1") -> None:
        self.worker, self.room, self.seat, self.name = worker, room, seat, pc
        self.pc = RTCPeerConnection()
        self.received: dict[str, asyncio.Task[object]] = {}
        self._publish: dict[str, Source] = {}
        self._subscribe: dict[str, str] = {}

    async def publish(self) -> Answered:
        """Offer both devices."""
        self.pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
        self.pc.addTransceiver(Picture(), direction="sendonly")
        return await self._offer({0: "microphone", 1: "camera"}, {})

    async def subscribe(self, *tracks: str) -> Answered:
        """Offer again, to receive these."""
        wanted = {}
        for track in tracks:
            self.pc.addTransceiver("audio" if track.endswith("microphone") else "video", direction="recvonly")
            wanted[len(self.pc.getTransceivers()) - 1] = track
        return await self._offer({}, wanted)

    async def frames(self, track: str, count: int) -> list[object]:
        """Decoded frames of a subscribed track."""
        (mid,) = [mid for mid, name in self._subscribe.items() if name == track]
        (transceiver,) = [t for t in self.pc.getTransceivers() if t.mid == mid]
        async with asyncio.timeout(PATIENCE_S):
            return [await transceiver.receiver.track.recv() for _ in range(count)]

    async def close(self) -> None:
        """Hang up."""
        await self.pc.close()

    async def _offer(self, publish: dict[int, Source], subscribe: dict[int, str]) -> Answered:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        mids = [t.mid for t in self.pc.getTransceivers()]
        self._publish |= {mids[at]: source for at, source in publish.items()}
        self._subscribe |= {mids[at]: track for at, track in subscribe.items()}
        answer = await self.worker.link.ask(
            Negotiate(self.room, self.seat, self.name, self.pc.localDescription.sdp, self._publish, self._subscribe)
        )
        assert isinstance(answer, Answered)
        await self.pc.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        return answer


@contextlib.asynccontextmanager
async def in_visit(worker: WorkerProcess, room: str, *seats: str) -> AsyncIterator[list[Peer]]:
    """Peers that publish in a room; hung up at the end."""
    peers = [Peer(worker, room, seat) for seat in seats]
    try:
        for peer in peers:
            await peer.publish()
        yield peers
    finally:
        for peer in peers:
            await peer.close()
