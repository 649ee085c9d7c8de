"""What a tapped packet costs the recorder: `python -m tests.bench.recorder_micro [--visits N] [--seconds S] [--profile]`.

The real recorder in this process, on a scratch folder, fed through its real intake's sink: PACKETS frames as a worker batches
them (a frame each 20 ms for all visits), two seats a visit, VP8 at about 1.2 Mbit/s and Opus, 7 200 packets/s for 15 visits.
Processor time is that of the whole process, threads included; ticks happen as often as in the process itself.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import pstats
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from struct import Struct

from config.settings import Settings
from media.tap import Hello, TapTrack
from recorder import control
from recorder.live.service import TICK_S, Recorder
from recorder.log.keys import load_or_create
from recorder.store.named import open_store
from tests.tapping import pack_packet

_RTP = Struct("!BBHII")
FPS, PACKETS_A_FRAME, VIDEO_BYTES = 25, 7, 900
AUDIO_EVERY_MS, AUDIO_BYTES = 20, 90
KEYFRAME_EVERY = 50
WARM_S = 3
KEYFRAME = b"\x10\x10\x00\x00\x9d\x01\x2a\x80\x02\xe0\x01"
DELTA = b"\x10\x11\x00\x00"
REST = b"\x00"


class Source:
    """The packets of one seat."""

    def __init__(self, handle: int) -> None:
        self.audio, self.video = handle, handle + 1
        self._audio_seq = self._video_seq = self._frames = 0
        self._voice = os.urandom(AUDIO_BYTES)
        self._picture = os.urandom(VIDEO_BYTES)

    def give(self, put: Callable[[int, int, int, memoryview], None], at_ms: int, now_us: int) -> int:
        """Give `put` (as `media.tap_feed.TapFeed.packet`) what is due in these 20 ms; how many packets."""
        head = _RTP.pack(0x80, 0x80 | 111, self._audio_seq & 0xFFFF, at_ms * 48 & 0xFFFFFFFF, self.audio)
        put(self.audio, 0, now_us, memoryview(head + b"\xfc" + self._voice))
        self._audio_seq += 1
        if at_ms % (1000 // FPS):
            return 1
        first = KEYFRAME if self._frames % KEYFRAME_EVERY == 0 else DELTA
        for index in range(PACKETS_A_FRAME):
            marker = 0x80 if index == PACKETS_A_FRAME - 1 else 0
            head = _RTP.pack(0x80, marker | 96, self._video_seq & 0xFFFF, at_ms * 90 & 0xFFFFFFFF, self.video)
            put(self.video, 0, now_us, memoryview(head + (first if index == 0 else REST) + self._picture))
            self._video_seq += 1
        self._frames += 1
        return 1 + PACKETS_A_FRAME


async def run(visits: int, seconds: int, profile: bool) -> None:
    root = Path(tempfile.mkdtemp(prefix="recorder-micro-"))
    try:
        await _measure(Settings(data=root / "data", run=root), visits, seconds, profile)
    finally:
        shutil.rmtree(root)


async def _measure(settings: Settings, visits: int, seconds: int, profile: bool) -> None:
    recorder = Recorder(settings, load_or_create(settings.keys / "recorder-ed25519.pem"), open_store(settings))
    uploading = asyncio.create_task(recorder.uploader.run())
    recorder.routes.hello(Hello("media-0", "m-1", 0), False)
    sources = await begin(recorder, visits)
    before_kb = _resident_kb()
    held = cProfile.Profile() if profile else None
    sent, building = 0, 0.0
    cpu, begun = time.process_time(), time.monotonic()
    since = begun
    if held is not None:
        held.enable()
    for step in range((WARM_S + seconds) * 50):
        if step == WARM_S * 50:  # folders and first parts are made
            sent, building, cpu, since = 0, 0.0, time.process_time(), time.monotonic()
        started = time.process_time()
        body = bytearray()
        now_us = time.monotonic_ns() // 1000
        for source in sources:
            sent += source.give(partial(pack_packet, body), step * 20, now_us)
        building += time.process_time() - started
        recorder.routes.packets("m-1", step + 1, bytes(body))
        if step % int(TICK_S * 50) == 0:
            await recorder.tick()
        if (ahead := begun + (step + 1) * 0.02 - time.monotonic()) > 0:
            await asyncio.sleep(ahead)
    spent = time.process_time() - cpu - building
    if held is not None:
        held.disable()
        pstats.Stats(held).sort_stats("tottime").print_stats(32)
    grown_kb = _resident_kb() - before_kb
    lasted = time.monotonic() - since
    print(
        f"{visits} visits  {sent} packets in {lasted:.1f} s ({sent / lasted:.0f}/s)  {spent / sent * 1e6:.1f} us a packet"
    )
    print(f"resident {before_kb // 1024} MiB + {grown_kb / visits:.0f} KiB a visit")
    uploading.cancel()
    await asyncio.gather(uploading, return_exceptions=True)


async def begin(recorder: Recorder, visits: int) -> list[Source]:
    sources: list[Source] = []
    for number in range(visits):
        visit = f"visit-{number}"
        await recorder.door.asked(control.Open(visit, {"doctor": "d", "patient": "p"}))
        for place, seat in enumerate(("doctor", "patient")):
            agreed = {
                "seat": seat,
                "decision": "agreed",
                "text_version": "1",
                "text_sha256": "0" * 64,
                "language": "zh",
                "method": "tap",
            }
            await recorder.door.asked(control.Note(visit, f"c-{seat}", "consent", agreed))
            source = Source(1 + (number * 2 + place) * 2)
            sources.append(source)
            microphone = TapTrack(source.audio, visit, seat, "microphone", "opus", 48_000, 111, source.audio)
            camera = TapTrack(source.video, visit, seat, "camera", "VP8", 90_000, 96, source.video)
            for track in (microphone, camera):
                recorder.routes.track("m-1", track)
        await recorder.door.asked(control.Start(visit, ["doctor", "patient"]))
    return sources


def _resident_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    ask = argparse.ArgumentParser()
    ask.add_argument("--visits", type=int, default=15)
    ask.add_argument("--seconds", type=int, default=8)
    ask.add_argument("--profile", action="store_true")
    given = ask.parse_args()
    asyncio.run(run(given.visits, given.seconds, given.profile))


if __name__ == "__main__":
    main()
