"""A long visit whose patient loses packets on the way up: does the recording play to its end, with a keyframe in time?

Real Chromium over the laboratory's link (`--loss` at random each way, 80 ms round trip). Judged is what was stored of the
patient: the longest time without a keyframe, what ffmpeg complains of, how far it plays in ffmpeg and in Chromium. A part
without a picture to its end is one without a keyframe to its end.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import av

from tests.browser.remote import Page, driver
from tests.lab import calls
from tests.lab.place import BASE, CLEAN, Plan, place
from tests.recordings import Part, complaints, parts, records
from tests.system import teleconsult

CHROMIUM_PLAYS = """
    const bytes = Uint8Array.from(atob(window.__file), (sign) => sign.charCodeAt(0));
    const video = document.createElement('video');
    video.muted = true;
    video.src = URL.createObjectURL(new Blob([bytes]));
    document.body.append(video);
    await new Promise((done, failed) => { video.oncanplay = done; video.onerror = failed; });
    video.playbackRate = 16;
    await video.play();
    await new Promise((done) => { video.onended = done; video.onerror = done; });
    return {at: video.currentTime, error: video.error?.message ?? null};
"""


END_S = 1.0
"""A recording ends with its sound; a camera without a processor has made its last picture a while before."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What may be said on the command line."""
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--loss", type=float, default=0.05, help="of packets, each way")
    parser.add_argument("--seed", type=int, default=1)


def main(args: argparse.Namespace) -> int:
    """Hold the visit, judge the recording; 0 if it plays and no keyframe gap is over 4 s."""
    found = asyncio.run(measure(args.seconds, args.loss, args.seed))
    print(json.dumps(found, indent=1))
    whole = found["intact"] and found["complete"] and not found["ffmpeg_says"] and found["chromium"]["error"] is None
    ends = min(found["ffmpeg_plays_to_s"], found["chromium"]["plays_to_s"])
    good = whole and found["longest_keyframe_gap_s"] <= 4.0 and ends > found["lasts_to_s"] - END_S
    return 0 if good else 1


async def measure(seconds: float, loss: float, seed: int) -> dict[str, Any]:
    """One visit in the laboratory."""
    with tempfile.TemporaryDirectory(prefix="lossy") as folder:
        root = Path(folder)
        async with (
            place() as where,
            calls.table(where) as table,
            calls.our_server(where, root / "data", root) as system,
        ):
            await where.turn(Plan(), CLEAN, seed)
            async with calls.ours(table, system) as call:
                await call.begin()
                await call.seen(20.0)
                await where.turn(Plan.both(replace(BASE, loss=loss)), CLEAN, seed)
                await asyncio.sleep(seconds)
            (visit,) = [path.name for path in (root / "data" / "store" / "recordings").iterdir()]
            await asyncio.sleep(3.0)
            bundle = root / "bundle"
            await teleconsult(
                "export", visit, "-o", str(bundle), "--data", str(system.data), TELECONSULT_TRUST=os.devnull
            )
        _, said, _ = await teleconsult("verify", str(bundle), "--json", TELECONSULT_TRUST=os.devnull)
        verdict = json.loads(said)
        files = [part for part in parts(bundle, root, root / "data") if part.stream == "patient"]
        async with driver() as held:
            page = await (await held.browser("chromium")).open("data:text/html,<title>player</title>")
            played = [await _in_chromium(page, part.path) for part in files]
        counted = records(bundle)[-1]["body"]["streams"]["patient"]
        return {
            "intact": verdict["intact"],
            "complete": verdict["complete"],
            "parts": len(files),
            "coverage_ms": counted["coverage"],
            "longest_keyframe_gap_s": max(map(_keyframe_gap_s, files)),
            "ffmpeg_says": "\n".join(complaints(part.path) for part in files).strip(),
            "lasts_to_s": max(part.to_ms for part in files) / 1000,
            "ffmpeg_plays_to_s": round(max(_end_s(part.path) for part in files), 2),
            "chromium": {
                "plays_to_s": round(max(one["at"] for one in played), 2),
                "error": next((one["error"] for one in played if one["error"]), None),
            },
        }


def _keyframe_gap_s(part: Part) -> float:
    with av.open(str(part.path)) as file:
        video = file.streams.video[0]
        at = [
            float(packet.pts * video.time_base)
            for packet in file.demux(video)
            if packet.pts is not None and packet.is_keyframe
        ]
    bounds = [part.from_ms / 1000, *at, part.to_ms / 1000]
    return round(max(later - earlier for earlier, later in itertools.pairwise(bounds)), 3)


def _end_s(path: Path) -> float:
    with av.open(str(path)) as file:
        return max(float(frame.pts * frame.time_base) for frame in file.decode(video=0))


async def _in_chromium(page: Page, path: Path) -> dict[str, Any]:
    import base64

    await page.eval("window.__file = ''; return 1")
    content = base64.b64encode(path.read_bytes()).decode()
    for at in range(0, len(content), 1 << 20):
        await page.eval(f"window.__file += '{content[at : at + (1 << 20)]}'; return 1")
    found: dict[str, Any] = await page.eval(CHROMIUM_PLAYS)
    return found
