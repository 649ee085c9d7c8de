"""How soon evidence stands, and how long it takes to check: `python -m tests.bench evidence [--only latency|verify]`.

latency  The real recorder with its log, in this process, fed as by a worker: from the end of each segment (the first frame of
         the next) to its record signed and durable, and from there to a checkpoint of the log that covers it.
verify   A visit of 30 minutes, two streams of 1.2 Mbit/s, both signatures, a log, as many timestamps as minutes: by
         `teleconsult verify` and by the bundle's verify.sh.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from config.settings import Settings
from media.tap import Hello
from recorder.bundle.directory import verify_directory
from recorder.bundle.texts import verifiers
from recorder.evidence.layout import CLOSE_STAMP, PROOF
from recorder.live.service import TICK_S, Recorder
from recorder.log.keys import load_or_create
from recorder.log.notary import Notary
from recorder.log.notary_settings import notary_for
from recorder.store.named import open_store
from tests.authority import make_authority
from tests.bench.recorder_micro import begin
from tests.bundles import CLUSTER, RECORDER, write_bundle
from tests.stamps import Witnessed
from tests.tapping import pack_packet

SEGMENT_MS = 2000
BAR_RECORD_S, BAR_CHECKPOINT_S = 2.0, 2.0
BAR_VERIFY_S, BAR_SHELL_S = 5.0, 60.0


class Waits(NamedTuple):
    """Seconds, a segment each."""

    signed: list[float]
    checkpoint: list[float]


class Watch:
    """Listens where records become leaves and where checkpoints are signed."""

    def __init__(self, notary: Notary) -> None:
        self.waits = Waits([], [])
        self._site = notary._site
        self._zero: dict[str, int] = {}
        self._waiting: list[tuple[str, int, float, float]] = []
        take, checkpoint = notary.take, self._site.checkpoint

        def taken(visit: str, seq: int, lines: list[bytes]) -> None:
            self._taken(visit, seq, lines)
            take(visit, seq, lines)

        def signed() -> object:
            note = checkpoint()
            self._signed()
            return note

        notary.take = taken  # type: ignore[method-assign,assignment]
        self._site.checkpoint = signed  # type: ignore[method-assign,assignment]

    def _taken(self, visit: str, seq: int, lines: list[bytes]) -> None:
        now = time.monotonic()
        for number, line in enumerate(lines, seq):
            record = json.loads(line)
            if record["type"] == "start":
                self._zero[visit] = record["body"]["zero_mono_us"]
            elif record["type"] == "segment":
                ended = (self._zero[visit] + record["body"]["to_ms"] * 1000) / 1e6
                self.waits.signed.append(now - ended)
                self._waiting.append((visit, number, ended, now))

    def _signed(self) -> None:
        now, left = time.monotonic(), []
        for visit, number, ended, durable in self._waiting:
            place = self._site._places.get(visit)
            if place is not None and place.records > number:
                self.waits.checkpoint.append(now - durable)
            else:
                left.append((visit, number, ended, durable))
        self._waiting = left


async def latency(visits: int, seconds: int) -> Waits:
    root = Path(tempfile.mkdtemp(prefix="evidence-"))
    try:
        settings = Settings(data=root / "data", run=root)
        signer, store = load_or_create(settings.keys / "recorder-ed25519.pem"), open_store(settings)
        recorder = Recorder(settings, signer, store)
        async with notary_for(settings, recorder.origin, signer, store, recorder.degraded) as notary:
            assert notary is not None
            watch = Watch(notary)
            recorder.notary = notary
            tasks = [asyncio.create_task(one) for one in (recorder.uploader.run(), notary.run(), _ticking(recorder))]
            recorder.routes.hello(Hello("media-0", "m-1", 0), False)
            sources = await begin(recorder, visits)
            begun = time.monotonic()
            for step in range(seconds * 50):
                body, now_us = bytearray(), time.monotonic_ns() // 1000
                for source in sources:
                    source.give(partial(pack_packet, body), step * 20, now_us)
                recorder.routes.packets("m-1", step + 1, bytes(body))
                await asyncio.sleep(max(0.0, begun + (step + 1) * 0.02 - time.monotonic()))
            await asyncio.sleep(2)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            return watch.waits
    finally:
        shutil.rmtree(root)


async def _ticking(recorder: Recorder) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        await recorder.tick()


def long_visit(folder: Path, minutes: int, kbps: int) -> Path:
    """Its bundle. Segments are runs of one random buffer: hashing costs the same whatever the bytes are."""
    scribe = Witnessed(make_authority(folder / "authority"), keys=RECORDER, ahead_s=45 - minutes * 60)
    noise = scribe.rng.randbytes(4 << 20)
    scribe.media = lambda: CLUSTER + noise[(at := scribe.rng.randrange(1 << 20)) : at + kbps * SEGMENT_MS // 8]  # type: ignore[method-assign]
    scribe.open("doctor", "patient")
    for seat in ("doctor", "patient"):
        scribe.consent(seat)
    scribe.start("doctor", "patient")
    for seat in ("doctor", "patient"):
        scribe.part(seat, 0)
    bundle = folder / "bundle"
    for at in range(0, minutes * 60_000, SEGMENT_MS):
        scribe.until(at + SEGMENT_MS)
        for seat in ("doctor", "patient"):
            scribe.segment(seat, at, at + SEGMENT_MS)
        if at % 10_000 == 0:
            scribe.note("heartbeat", {"streams": {}})
        write_bundle(scribe.objects, bundle)
        scribe.objects.clear()
    for _ in range(minutes):  # the story has come to now, where an authority can stamp it
        scribe.stamp()
    scribe.close(minutes * 60_000)
    scribe.objects[CLOSE_STAMP] = scribe.made()[0]
    scribe.objects[PROOF] = scribe.proof(scribe.places[-1]).encoded
    scribe.objects["bundle.json"] = b"{}"
    return write_bundle(scribe.objects, bundle)


def verifying(minutes: int, kbps: int) -> tuple[float, float]:
    """Seconds by `teleconsult verify`'s own code, and by the shell."""
    root = Path(tempfile.mkdtemp(prefix="evidence-"))
    try:
        bundle = long_visit(root, minutes, kbps)
        size = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())
        begun = time.monotonic()
        verdict = verify_directory(bundle)
        ours = time.monotonic() - begun
        assert verdict.complete, verdict.broken
        write_bundle(verifiers(), root)
        begun = time.monotonic()
        done = subprocess.run(["sh", str(root / "verify.sh"), str(bundle)], capture_output=True, text=True, check=False)
        shell = time.monotonic() - begun
        assert done.returncode == 0, done.stdout
        records, stamps = verdict.summary.records, len(verdict.timestamps)
        print(f"  {records} records, {verdict.summary.heads} heads, {stamps} stamps, {size / 1e6:.0f} MB")
        return ours, shell
    finally:
        shutil.rmtree(root)


def arguments(parser: argparse.ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument("--only", choices=("latency", "verify"))
    parser.add_argument("--visits", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--kbps", type=int, default=1200, help="of each stream")


def main(args: argparse.Namespace) -> int:
    """Measure, print, and end with 1 past a bar."""
    bad = False
    if args.only in (None, "latency"):
        waits = asyncio.run(latency(args.visits, args.seconds))
        kept = len(waits.checkpoint)
        print(f"latency: {args.visits} visits, {args.seconds} s, {len(waits.signed)} segments, {kept} in a checkpoint")
        bad |= _row("segment ended -> record signed", waits.signed, BAR_RECORD_S)
        bad |= _row("record signed -> checkpoint", waits.checkpoint, BAR_CHECKPOINT_S)
    if args.only in (None, "verify"):
        print(f"verify: {args.minutes} minutes, two streams of {args.kbps} kbit/s")
        ours, shell = verifying(args.minutes, args.kbps)
        for name, took, bar in (("teleconsult verify", ours, BAR_VERIFY_S), ("verify.sh", shell, BAR_SHELL_S)):
            print(f"  {name:32} {took:6.2f} s   bar {bar:.0f} s")
            bad |= took > bar
    return int(bad)


def _row(name: str, waits: list[float], bar: float) -> bool:
    ordered = sorted(waits)
    p50, p99 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    print(f"  {name:32} p50 {p50:5.2f} s   p99 {p99:5.2f} s   most {ordered[-1]:5.2f} s   bar p99 {bar:.0f} s")
    return p99 > bar
