"""An S3 store with real locks that is away for minutes and then hangs on every PUT, under live visits.

The real recorder's process, a worker's real tap and a real Ceph behind a proxy that is closed (`--minutes`) and, once it is
open again, holds every PUT back for 3 s. The visits speak on all the while; then they are closed and everything drains.
Judged: nothing lost by us (coverage, both verdicts), nothing stored twice (versions in the bucket), nobody held up (packets
given up). What coverage calls `network` is this measure's own player that began or came late.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from config.clock import monotonic_s, monotonic_us
from config.settings import Settings
from recorder import control
from recorder.bundle.directory import verify_directory
from recorder.bundle.export import export_visit
from recorder.store.locked import LockedStore
from recorder.store.retention import Retention
from tests.ceph import server
from tests.debian.packages import unpacked
from tests.fault.store_proxy import HANG_S, StoreProxy, proxied
from tests.fault.test_recorder_killed import connected, play, process
from tests.recordings import complaints, parts, records
from tests.tapping import SEATS, Clip, Worker, clip, consent

BEFORE_S, AFTER_S = 10, 50
BUCKET = "evidence"
DRAIN_S = 600


def arguments(parser: argparse.ArgumentParser) -> None:
    """What may be said on the command line."""
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the store is away")
    parser.add_argument("--visits", type=int, default=3)


def main(args: argparse.Namespace) -> int:
    """Hold the visits, judge them; 0 if nothing was lost or doubled."""
    with (
        tempfile.TemporaryDirectory(prefix="ceph-") as folder,
        server.running(unpacked("ceph", server.PACKAGES), Path(folder)) as ceph,
    ):
        os.environ |= {"AWS_ACCESS_KEY_ID": ceph.access_key, "AWS_SECRET_ACCESS_KEY": ceph.secret_key}
        with tempfile.TemporaryDirectory(prefix="outage-") as root:
            found = asyncio.run(measure(Path(root), ceph.endpoint, args.minutes * 60, args.visits))
    print(json.dumps(found, indent=1))
    good = all(one["intact"] and one["complete"] and not one["lost_ms"] for one in found["visits"])
    return 0 if good and not found["stored_twice"] and not found["packets_given_up"] else 1


async def measure(root: Path, endpoint: str, away_s: float, visits: int) -> dict[str, Any]:
    """All of it; seconds unless a name says otherwise."""
    what = clip("VP8", seconds=int(BEFORE_S + away_s + AFTER_S))
    names = [f"visit-{number}" for number in range(visits)]
    async with proxied(endpoint) as proxy:
        bucket = LockedStore.promised(f"s3://{BUCKET}", endpoint, Retention(1, 1))
        await asyncio.to_thread(bucket._s3.create_bucket, Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        os.environ |= {
            "TELECONSULT_STORE": f"s3://{BUCKET}",
            "TELECONSULT_S3_ENDPOINT": proxy.endpoint,
            "TELECONSULT_STORE_LOCK": "true",
        }
        settings = Settings(data=root / "data", run=root, log_level="error")
        async with process(settings):
            said = await _hold(settings, names, what, proxy, away_s)
        said["objects"] = len(await _keys(bucket))
        said["stored_twice"] = [key for key, times in (await _keys(bucket)).items() if times > 1]
        said["visits"] = [await _judged(root, bucket, name) for name in names]
        await bucket.close()
    return said


async def _hold(settings: Settings, names: list[str], what: Clip, proxy: StoreProxy, away_s: float) -> dict[str, Any]:
    link, linked = await connected(settings)
    workers: list[Worker] = []
    feeding: list[asyncio.Task[None]] = []
    playing: list[asyncio.Task[None]] = []
    for name in names:
        await link.ask(control.Open(name, SEATS))
        await link.ask(control.Note(name, "c", "consent", consent("patient")))
        await link.ask(control.Start(name, ["patient"]))
        workers.append(worker := Worker(settings.socket("tap"), monotonic_us, f"media-{name}", name))
        worker.publish("patient", "microphone", "opus", visit=name)
        worker.publish("patient", "camera", "VP8", visit=name)
        feeding.append(asyncio.create_task(worker.feed.run()))
        playing.append(asyncio.create_task(play(worker, what)))
    await asyncio.sleep(BEFORE_S)
    await proxy.away()
    most_unacknowledged = 0
    until = monotonic_s() + away_s
    while monotonic_s() < until:
        await asyncio.sleep(0.5)
        most_unacknowledged = max(most_unacknowledged, *(worker.feed.buffered_bytes for worker in workers))
    spooled = _size(settings.data / "spool")
    proxy.hang_s = HANG_S
    await proxy.back()
    await asyncio.gather(*playing)
    for name in names:
        await link.ask(control.Close(name, "completed"))
    ended = monotonic_s()
    async with asyncio.timeout(DRAIN_S):
        while any((settings.data / "spool" / name).exists() for name in names):
            await asyncio.sleep(0.1)
    for task in feeding:
        task.cancel()
    await asyncio.gather(*feeding, return_exceptions=True)
    link.close()
    await asyncio.gather(linked, return_exceptions=True)
    return {
        "away_s": away_s,
        "hang_s_on_every_put": HANG_S,
        "spooled_mb_when_back": round(spooled / 1e6, 1),
        "most_unacknowledged_mb": round(most_unacknowledged / 1e6, 2),
        "packets_given_up": sum(worker.feed.lost_packets for worker in workers),
        "drained_s_after_the_end": round(monotonic_s() - ended, 1),
    }


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


async def _keys(store: LockedStore) -> Counter[str]:
    """How many versions there are of each object of a recording."""
    pages = await asyncio.to_thread(lambda: list(store._pages("recordings/", "")))
    return Counter(one["Key"] for page in pages for one in page.get("Versions", ()))


async def _judged(root: Path, store: LockedStore, visit: str) -> dict[str, Any]:
    out = root / "bundles" / visit
    await export_visit(store, visit, out, trust_file=root / "trust")
    verdict, told = verify_directory(out), records(out)
    coverage = told[-1]["body"]["streams"]["patient"]["coverage"]
    return {
        "intact": verdict.intact,
        "complete": verdict.complete,
        "lost_ms": coverage["recorder"] + coverage["worker"],
        "network_ms": coverage["network"],
        "segments": sum(one["type"] == "segment" for one in told),
        "degraded": [(one["body"]["code"], one["body"]["over"]) for one in told if one["type"] == "degraded"],
        "ffmpeg_says": [said for part in parts(out, root, root / "data") if (said := complaints(part.path))],
    }
