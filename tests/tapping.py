"""A recorder under test: real clips cut into RTP, a real tap feed and control link, and a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from struct import Struct
from typing import Any, NamedTuple

import numpy as np
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.opus import OpusEncoder
from aiortc.codecs.vpx import Vp8Encoder
from av import AudioFrame, VideoFrame

from config.clock import monotonic_us
from config.settings import Settings
from media.tap import RECOVERED, SENDER_REPORT, TapEnd, TapTrack, packet_head
from media.tap_feed import TapFeed
from recorder import control
from recorder.live.service import Recorder
from recorder.log.anchors import anchors_for
from recorder.log.keys import load_or_create
from recorder.log.notary_settings import day_book_for, notary_for
from recorder.store.named import open_store
from recorder.store.objects import ObjectStore
from tests.patience import PatientLink, until
from tests.vp9 import Vp9Encoder

_RTP = Struct("!BBHII")
_ENCODERS = {"VP8": Vp8Encoder, "H264": H264Encoder, "VP9": lambda: Vp9Encoder(320, 240)}
VISIT = "visit-1"
SEATS = {"doctor": "pseudonym-d", "patient": "pseudonym-p"}
MIC_SSRC, CAMERA_SSRC = 0x11111111, 0x22222222


def pack_packet(into: bytearray, handle: int, flags: int, arrival_us: int, data: bytes | memoryview) -> None:
    """Append one packet to a PACKETS body."""
    into += packet_head(handle, flags, arrival_us, len(data))
    into += data


class Sent(NamedTuple):
    """One RTP packet of a clip, due at `at_ms` of the clip."""

    at_ms: int
    source: str
    packet: bytes


@dataclass(frozen=True)
class Clip:
    """A moving picture and a voice-like sound, encoded once; `frames` are the encoder's own, in order."""

    codec: str
    packets: tuple[Sent, ...]
    frames: dict[str, tuple[bytes, ...]] = field(hash=False)


@functools.cache
def clip(
    codec: str = "VP8", seconds: int = 5, keyframe_every_ms: int = 2000, video: bool = True, audio: bool = True
) -> Clip:
    """Encode a clip: 320×240 at 15 frames a second, and 50 Opus packets a second."""
    packets: list[Sent] = []
    frames: dict[str, tuple[bytes, ...]] = {}
    if video:
        packets += _video(codec, seconds, keyframe_every_ms, frames)
    if audio:
        packets += _audio(seconds, frames)
    return Clip(codec, tuple(sorted(packets, key=lambda sent: sent.at_ms)), frames)


def _video(codec: str, seconds: int, keyframe_every_ms: int, frames: dict[str, tuple[bytes, ...]]) -> Iterator[Sent]:
    encoder = _ENCODERS[codec]()
    seq, whole = 65_500, []
    out: list[Sent] = []
    for number in range(seconds * 15):
        at_ms = number * 1000 // 15
        picture = np.zeros((360, 320), np.uint8)
        picture[:240] = (np.arange(320)[None, :] + np.arange(240)[:, None] + number * 7) % 256
        picture[240:] = 128
        frame = VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = at_ms * 90, Fraction(1, 90_000)
        keyframe = at_ms // keyframe_every_ms != (at_ms - 66) // keyframe_every_ms
        if isinstance(encoder, Vp9Encoder):
            payloads = encoder.encode(frame, keyframe)
            whole.append(encoder.frames[-1])
        else:
            payloads, _ = encoder.encode(frame, keyframe)
            whole.append(b"".join(payloads))
        for index, payload in enumerate(payloads):
            marker = 0x80 if index == len(payloads) - 1 else 0
            head = _RTP.pack(0x80, marker | 96, seq & 0xFFFF, (0xFFFFFF00 + at_ms * 90) & 0xFFFFFFFF, CAMERA_SSRC)
            out.append(Sent(at_ms, "camera", head + payload))
            seq += 1
    frames["camera"] = tuple(whole)
    yield from out


def _audio(seconds: int, frames: dict[str, tuple[bytes, ...]]) -> Iterator[Sent]:
    encoder, chance, whole = OpusEncoder(), np.random.default_rng(1), []
    out: list[Sent] = []
    for number in range(seconds * 50):
        tone = np.sin(np.arange(960) * (0.01 + 0.004 * (number % 9))) * 6000
        sound = np.repeat((tone + chance.normal(0, 800, 960)).astype(np.int16), 2)[None, :]
        frame = AudioFrame.from_ndarray(sound, format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, number * 960, Fraction(1, 48_000)
        payloads, _ = encoder.encode(frame)
        for payload in payloads:
            stamp = (777 + len(whole) * 960) & 0xFFFFFFFF
            head = _RTP.pack(0x80, 0x80 | 111, (30_000 + len(whole)) & 0xFFFF, stamp, MIC_SSRC)
            out.append(Sent(len(whole) * 20, "microphone", head + payload))
            whole.append(payload)
    frames["microphone"] = tuple(whole)
    yield from out


def sender_report(ssrc: int, ntp_ms: int, stamp: int) -> bytes:
    """An RTCP sender report."""
    seconds, fraction = 3_900_000_000 + ntp_ms // 1000, (ntp_ms % 1000 << 32) // 1000
    head = bytes((0x80, 200, 0, 6)) + ssrc.to_bytes(4, "big")
    return (
        head
        + seconds.to_bytes(4, "big")
        + fraction.to_bytes(4, "big")
        + (stamp & 0xFFFFFFFF).to_bytes(4, "big")
        + bytes(8)
    )


class Worker:
    """A worker as the recorder sees one, on its real sending end."""

    def __init__(self, path: Path, clock: Callable[[], int], name: str = "media-0", epoch: str = "m-1") -> None:
        self.keyframes_asked: list[TapTrack] = []
        self.epoch = epoch
        self._clock = clock
        self.feed = TapFeed(path, name, epoch, lambda track, _: self.keyframes_asked.append(track), lambda: None)
        self.handles: dict[tuple[str, str], int] = {}

    def publish(self, seat: str, source: str, codec: str, ssrc: int | None = None, visit: str = VISIT) -> None:
        """TRACK."""
        ssrc = ssrc or (MIC_SSRC if source == "microphone" else CAMERA_SSRC)
        rate = 48_000 if codec == "opus" else 90_000
        track = TapTrack(0, visit, seat, source, codec, rate, 111 if codec == "opus" else 96, ssrc)  # type: ignore[arg-type]
        self.handles[(seat, source)] = self.feed.begin(track)

    def unpublish(self, seat: str, source: str, reason: str = "unpublished") -> None:
        """END."""
        self.feed.end(TapEnd(self.handles.pop((seat, source)), self._clock(), reason))  # type: ignore[arg-type]

    def send(self, seat: str, source: str, packet: bytes, flags: int = 0) -> None:
        """One packet, arriving now."""
        self.feed.packet(self.handles[(seat, source)], flags, self._clock(), memoryview(packet))


class Studio:
    """The recorder in this process, its doors real."""

    def __init__(self, tmp_path: Path, store: ObjectStore | None = None, log: bool = False, **more: Any) -> None:
        """`log`: with its log, its book of days and whatever third parties the settings (`more`) name."""
        self.has_log = log
        self.settings = Settings(data=tmp_path / "data", run=tmp_path, **more)
        self.store = store or open_store(self.settings)
        self.now_us = monotonic_us()
        self.news: list[control.FromRecorder] = []
        self.recorder: Recorder
        self.link: PatientLink[control.FromRecorder, control.ToRecorder]

    @property
    def root(self) -> Path:
        """Where the folder store has the visit: the layout of a bundle."""
        return self.settings.data / "store" / "recordings" / VISIT

    def clock(self) -> int:
        """The test's: it stands still but for what a test lets pass, however long the machine takes for it."""
        return self.now_us

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Studio]:
        """One life of the recorder. Leaving is a crash: nothing is closed, sealed or said."""
        signer = load_or_create(self.settings.keys / "recorder-ed25519.pem")
        self.recorder = recorder = Recorder(self.settings, signer, self.store, self.clock)
        parties = contextlib.AsyncExitStack()
        if self.has_log:
            recorder.days = day_book_for(self.settings)
            given = (self.settings, recorder.origin, signer, self.store, recorder.degraded, recorder.days)
            recorder.notary = await parties.enter_async_context(notary_for(*given))
            if recorder.notary is not None:
                parties.callback(recorder.notary._site.close)  # a process would, by ending
            services = anchors_for(self.settings.anchors, recorder.degraded)
            recorder.anchors = await parties.enter_async_context(services)
        self.recorder.recover()
        await self.recorder.intake.listen(self.settings.socket("tap"))
        server = await asyncio.start_unix_server(self.recorder.door.serve, self.settings.socket("recorder"))
        reader, writer = await asyncio.open_unix_connection(self.settings.socket("recorder"))
        self.link = PatientLink(reader, writer, control.FromRecorder, self._heard)
        running = [self.recorder.uploader.run(), self.recorder.mint.run(), self.link.run()]
        if recorder.notary is not None:
            running.append(recorder.notary.run())
        tasks = [asyncio.create_task(one) for one in running]
        try:
            yield self
        finally:
            server.close()
            self.link.close()
            await self.recorder.intake.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, self.recorder.door.close(), return_exceptions=True)
            await parties.aclose()

    async def _heard(self, message: control.FromRecorder) -> None:
        self.news.append(message)

    @contextlib.asynccontextmanager
    async def worker(self, epoch: str = "m-1") -> AsyncIterator[Worker]:
        """A worker, connected as long as this lasts."""
        worker = Worker(self.settings.socket("tap"), self.clock, epoch=epoch)
        task = asyncio.create_task(worker.feed.run())
        try:
            yield worker
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def begin(self, *seats: str) -> None:
        """Open, consent, start."""
        await self.link.ask(control.Open(VISIT, SEATS))
        for seat in seats:
            await self.link.ask(control.Note(VISIT, f"consent-{seat}", "consent", consent(seat)))
        await self.link.ask(control.Start(VISIT, list(seats)))

    async def taken(self, worker: Worker) -> None:
        """Everything sent is taken; nothing of it need be written."""
        worker.feed.flush()
        await until(lambda: self.recorder.intake.taken().get(worker.epoch, 0) >= worker.feed._backlog.newest)

    async def left(self, epoch: str) -> None:
        """The recorder has noticed that this life of a worker is gone."""
        await until(lambda: all(connection.epoch != epoch for connection in self.recorder.intake._connections))

    async def said(self, kind: str, times: int = 1) -> None:
        """So many records of a kind are on the disk."""
        journal, text = self.settings.data / "spool" / VISIT / "journal", f'\\"type\\":\\"{kind}\\"'.encode()
        while journal.read_bytes().count(text) < times:
            await self.recorder.tick()
            await asyncio.sleep(0.02)

    async def settle(self, worker: Worker) -> None:
        """Everything sent is taken, written and acknowledged as far as it may be."""
        await self.taken(worker)
        await self.recorder.tick()

    async def play(
        self,
        worker: Worker,
        seat: str,
        what: Clip,
        lost: Callable[[int, Sent], bool] = lambda number, sent: False,
        until_ms: int = 1 << 30,
        from_ms: int = 0,
    ) -> None:
        """Send a clip at its own pace, on the test's clock."""
        begun, tick_ms = self.clock() - from_ms * 1000, from_ms
        for number, sent in enumerate(what.packets):
            if not from_ms <= sent.at_ms < until_ms:
                continue
            while sent.at_ms >= tick_ms:
                self.now_us = max(self.now_us, begun + tick_ms * 1000)
                if tick_ms % 240 == 0:
                    await self.settle(worker)
                tick_ms += 20
            if not lost(number, sent):
                worker.send(seat, sent.source, sent.packet)
        self.now_us += 20_000
        await self.settle(worker)

    async def wait_ms(self, worker: Worker | None, ms: int) -> None:
        """Nothing comes for so long."""
        for _ in range(ms // 250):
            self.now_us += 250_000
            if worker is not None:
                await self.settle(worker)
            else:
                await self.recorder.tick()

    async def close(self, reason: str = "completed") -> control.Closed:
        """The visit is over: all of it is on the disk."""
        async with self.passing():
            closed = await self.link.ask(control.Close(VISIT, reason))
        assert isinstance(closed, control.Closed)
        return closed

    async def end(self, reason: str = "completed") -> control.Closed:
        """Close, and wait until all is in the store."""
        closed = await self.close(reason)
        await until(lambda: not self.recorder.uploader.pending(VISIT))
        return closed

    @contextlib.asynccontextmanager
    async def passing(self) -> AsyncIterator[None]:
        """Time passes by itself, as the recorder's own waits at the end of a visit need it."""

        async def passes() -> None:
            while True:
                await asyncio.sleep(0.02)
                self.now_us += 20_000

        task = asyncio.create_task(passes())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def consent(seat: str, decision: str = "agreed") -> dict[str, Any]:
    """The body of a consent record."""
    text = hashlib.sha256(b"the text shown").hexdigest()
    return {
        "seat": seat,
        "decision": decision,
        "text_version": "2026-05",
        "text_sha256": text,
        "language": "zh",
        "method": "tap",
    }


__all__ = ["RECOVERED", "SENDER_REPORT", "Clip", "Sent", "Studio", "Worker", "clip", "consent", "sender_report"]
