"""What people wait for, and what a recording misses: real Chromium, the whole system, on loopback.

`join`: milliseconds from the doctor's click to the first remote frame on each side, and the loudness received (median of
`--runs`). `long`: one visit of `--seconds` with the screen shared for a third of it: what ffmpeg says of the recordings, how
long they are beside the visit, how far sound and picture are apart, and the verdict. `faults`: recorder, media worker and
page ended in mid-visit: how long until pictures move again, and what the record declares missing. `prescribing`: long tasks
of the desk, `first`: the first screen on a slow line and processor (`tests.bench.smoothness`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bench.smoothness import first_screen, prescribing
from tests.browser.pages import Visit, act, moving, picture, rms_dbfs, screen
from tests.browser.remote import Browser, Driver, driver
from tests.recordings import complaints, lip_sync_ms, parts, records, span_s
from tests.system import System, running, teleconsult

FLASH = (Path(__file__).resolve().parents[1] / "browser" / "flash.js").read_text()


async def _judged(system: System, visit: str, into: Path) -> tuple[Path, dict[str, Any]]:
    bundle = into / visit
    await teleconsult("export", visit, "-o", str(bundle), "--data", str(system.data))
    trust = os.devnull  # nobody's list
    _, said, _ = await teleconsult("verify", str(bundle), "--json", TELECONSULT_TRUST=trust)
    return bundle, json.loads(said)


def _seconds(began: str, ended: str) -> float:
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


async def join(system: System, doctors: Browser, patients: Browser, runs: int) -> dict[str, Any]:
    """First remote frame on both sides after the click, and how loud each side is."""
    first: list[float] = []
    loud: list[float] = []
    for _ in range(runs):
        visit = await Visit.waiting(system, doctors, patients)
        began = time.monotonic()
        await act(visit.doctor, "admit")
        await asyncio.gather(picture(visit.doctor, "patient"), picture(visit.patient, "doctor"))
        first.append((time.monotonic() - began) * 1000)
        loud += await asyncio.gather(rms_dbfs(visit.doctor), rms_dbfs(visit.patient))
        await visit.end()
        await asyncio.gather(visit.doctor.close(), visit.patient.close())
    return {
        "first_frame_both_ms": {"median": statistics.median(first), "all": first},
        "rms_dbfs": {"least": min(loud), "median": statistics.median(loud)},
    }


async def long(system: System, doctors: Browser, patients: Browser, seconds: float, scratch: Path) -> dict[str, Any]:
    """One visit with a shared screen in the middle third."""
    visit = await Visit.waiting(system, doctors, patients, before_load=FLASH)
    await visit.admit()
    await asyncio.sleep(seconds / 3)
    await act(visit.doctor, "share")
    await picture(visit.patient, "screen")
    await asyncio.sleep(seconds / 3)
    await act(visit.doctor, "share")
    await asyncio.sleep(seconds / 3)
    await visit.end()
    facts = await system.until(visit.id, "ended")
    bundle, verdict = await _judged(system, visit.id, scratch)
    files = parts(bundle, scratch)
    lasted = _seconds(facts["live"], facts["ended_at"])
    whole = {stream: [file for file in files if file.stream == stream] for stream in ("doctor", "patient")}
    return {
        "visit_s": lasted,
        "verdict": {name: verdict[name] for name in ("intact", "complete", "broken")},
        "ffmpeg": {file.path.name: complaints(file.path) for file in files},
        "recorded_to_s": {stream: max(span_s(file.path)[1] for file in found) for stream, found in whole.items()},
        "recorded_from_s": {stream: min(span_s(file.path)[0] for file in found) for stream, found in whole.items()},
        "lip_sync_ms": {
            stream: _spread([ms for file in found for ms in lip_sync_ms(file.path)]) for stream, found in whole.items()
        },
    }


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "least": min(values), "most": max(values)} if values else {}


async def faults(system: System, doctors: Browser, patients: Browser, scratch: Path) -> dict[str, Any]:
    """Each part ended once, in visits of their own."""
    out: dict[str, Any] = {}
    for part in ("recorder", "media", "page"):
        visit = await Visit.live(system, doctors, patients)
        await asyncio.sleep(4)
        began = time.monotonic()
        if part == "page":
            await visit.patient.reload()
            await screen(visit.patient, "live")
            await picture(visit.patient, "doctor")
        else:
            system.kill("recorder" if part == "recorder" else "media")
            if part == "media":
                await asyncio.sleep(0.3)
        await asyncio.gather(moving(visit.doctor), moving(visit.patient))
        back = time.monotonic() - began
        await asyncio.sleep(4)
        await visit.end()
        bundle, verdict = await _judged(system, visit.id, scratch)
        gaps = [record["body"] for record in records(bundle) if record["type"] == "gap"]
        out[part] = {
            "moving_again_s": back,
            "verdict": {name: verdict[name] for name in ("intact", "complete", "broken")},
            "missing_ms": {
                f"{gap['stream']} {gap['cause']} from {gap['from_ms']}": gap["to_ms"] - gap["from_ms"] for gap in gaps
            },
        }
    return out


async def measure(only: str | None, runs: int, seconds: float) -> dict[str, Any]:
    """All of them, or one."""
    out: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="tcv-") as folder:
        scratch = Path(folder)
        if only in (None, "prescribing"):
            out["prescribing"] = await prescribing(scratch / "demo", seconds)
        if only in (None, "first"):
            async with driver() as held:
                out["first"] = await first_screen(held, scratch / "first", runs)
        if only in ("prescribing", "first"):
            return out
        async with driver() as held, running(scratch / "data") as system:
            doctors, patients = await _browsers(held)
            if only in (None, "join"):
                out["join"] = await join(system, doctors, patients, runs)
            if only in (None, "long"):
                out["long"] = await long(system, doctors, patients, seconds, scratch)
            if only in (None, "faults"):
                out["faults"] = await faults(system, doctors, patients, scratch)
    return out


async def _browsers(held: Driver) -> tuple[Browser, Browser]:
    return await held.browser("chromium"), await held.browser("chromium")


def arguments(given: argparse.ArgumentParser) -> None:
    """What the command line may say."""
    given.add_argument("--only", choices=("join", "long", "faults", "prescribing", "first"))
    given.add_argument("--runs", type=int, default=5)
    given.add_argument("--seconds", type=float, default=60)
    given.add_argument("--json", type=Path)


def main(args: argparse.Namespace) -> int:
    """Run and print."""
    result = asyncio.run(measure(args.only, args.runs, args.seconds))
    print(json.dumps(result, indent=2, ensure_ascii=False))
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + "\n")
    return 0
