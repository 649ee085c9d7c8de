"""Calls of real browsers over bad links: through our server, through Janus VideoRoom, and directly, one after the other.

WEAK-1  Within a run every way meets the same link with the same seed; medians and ranges are over runs.
WEAK-2  A call that does not come up, or dies, is not left out: no frames, frozen throughout.
WEAK-3  What the wire itself counted stands beside what the browsers say, and how busy the machine was beside both. A run in
        which a page's own camera made few frames is one of a browser that had no core: it says so.
WEAK-4  All links are gone through once before any is gone through again, and every run is written as soon as it is made: what
        was stopped is a whole table of fewer runs, and `--resume` goes on with it (`tests.bench.weak_results`).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from tests.bench import weak_plot, weak_results, weak_table
from tests.bench.hosts import NoNamespaces
from tests.bench.weak_results import WAYS, Result, Unjoinable
from tests.browser.pages import act, picture
from tests.browser.remote import BrowserError
from tests.lab import calls, janus, sight, stories
from tests.lab.calls import Call, Table, now_ms
from tests.lab.links import LINKS, Named
from tests.lab.place import CLEAN, Plan, place
from tests.lab.server import Door, worker_door

SETTLE_S = 5.0
"""Between the first pictures and the measurement."""
PATIENCE_S = 12.0
"""For the first pictures, on the worst link: whoever has none by then is measured as it is."""
AROUND_S, CALL_S = 60.0, SETTLE_S + 2 * PATIENCE_S + 15.0
"""Around all calls, and around each, at the most."""
USUAL_S = 9.0
STARVED_FPS = 22.0
KEPT = Path("build/weak_network.json")


@dataclass
class Lab:
    """Everything that stays up between runs."""

    table: Table
    ways: dict[str, Callable[[], AbstractAsyncContextManager[Call]]]
    door: Door | None


@contextlib.asynccontextmanager
async def lab(ways: tuple[str, ...], lines: int, one_link: bool = False) -> AsyncIterator[Lab]:
    """Servers, browsers and wires. Raises `NoNamespaces`."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lab")))
        where = await stack.enter_async_context(place())
        seats = await stack.enter_async_context(calls.table(where, lines))
        made = Lab(seats, {}, None)
        url = await stack.enter_async_context(calls.plain_pages(where))
        if "ours" in ways:
            system = await stack.enter_async_context(calls.our_server(where, folder / "data", folder))
            made.door = await stack.enter_async_context(worker_door(folder))
            made.ways["ours"] = lambda: calls.ours(seats, system, one_link)
        if "janus" in ways and shutil.which("janus"):
            rooms = await stack.enter_async_context(janus.video_room(where, folder))
            made.ways["janus"] = lambda: janus.call(seats, url, rooms)
        if "direct" in ways:
            made.ways["direct"] = lambda: calls.direct(seats, url)
        yield made


@dataclass(frozen=True)
class Asked:
    """What is to be measured, and who hears of it."""

    links: tuple[str, ...]
    ways: tuple[str, ...] = WAYS
    runs: int = 5
    seconds: float = 12.0
    seed: int = 1
    lines: int = 480
    one_link: bool = False
    say: Callable[[str], None] = print
    keep: Callable[[Result], None] = lambda _: None
    """Given the results so far after every run."""


async def compare(asked: Asked, held: Result | None = None) -> Result:
    """All links, all runs, all ways; what is `held` already is not made again."""
    result = weak_results.empty(asked.lines, os.cpu_count()) if held is None else held
    ours = asyncio.current_task()
    assert ours is not None
    # Told to stop, it takes the laboratory down first.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ours.cancel)
    commit = _commit()
    async with lab(asked.ways, asked.lines, asked.one_link) as made:
        for turn, (link, way, seed) in enumerate(missing(result, asked, tuple(made.ways)), 1):
            at = datetime.now(UTC).isoformat(timespec="seconds")
            found = await one(made, link, way, asked.seconds, seed)
            run = {"seed": seed, "seconds": asked.seconds, "at": at, "commit": commit, **found}
            weak_results.add(result, link.name, _about(link), way, run)
            asked.say(f"{turn}. {link.name}, seed {seed}, {way}: {_short(found)}")
            asked.keep(result)
    return weak_results.ordered(result, tuple(LINKS))


def missing(result: Result, asked: Asked, ways: Sequence[str]) -> list[tuple[Named, str, int]]:
    """Link, way and seed of the runs to be made, in their order (WEAK-4)."""
    return [
        (LINKS[name], way, seed)
        for seed in range(asked.seed, asked.seed + asked.runs)
        for name in asked.links
        for way in ways
        if _met(LINKS[name], way) and not weak_results.has(result, name, way, seed)
    ]


def _about(link: Named) -> Result:
    return {"words": link.words, "goal": asdict(link.goal), "uplink_too": link.uplink_too}


def _commit() -> str | None:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


async def one(made: Lab, link: Named, way: str, seconds: float, seed: int) -> Result:
    """One call over one link."""
    where = made.table.place
    await where.turn(Plan(), CLEAN, seed)
    async with made.ways[way]() as call:
        if link.steady and not link.shares:
            await where.turn(link.plan, CLEAN, seed)
        began = now_ms()
        died = None
        try:
            await call.begin()
            await call.seen(PATIENCE_S)
            if link.shares:
                await act(call.doctor, "share")
                await picture(call.patient, "screen", PATIENCE_S)
                await where.turn(link.plan, CLEAN, seed)
        except (BrowserError, AssertionError, TimeoutError) as error:
            died = str(error)[:200]
        found = await _measured(made, call, link, began, max(seconds, link.seconds), seed, through=way != "direct")
        return {**found, "died": died}


async def _measured(
    made: Lab, call: Call, link: Named, began: float, seconds: float, seed: int, *, through: bool
) -> Result:
    where = made.table.place
    await asyncio.sleep(SETTLE_S)
    before = await made.door.stats() if made.door else {}
    if made.door:
        made.door.news()
    psutil.cpu_percent()
    await where.turn(link.plan, CLEAN, seed)
    begin = now_ms()
    moved = await _moved(made, link, begin)
    await asyncio.sleep(seconds - (now_ms() - begin) / 1000)
    end = now_ms()
    legs = await where.turn(Plan(), CLEAN, seed)
    tallies = legs["patient"]
    busy = psutil.cpu_percent()
    patient, doctor = await call.taken()
    down, up = sight.received(patient, doctor, begin, end), sight.received(doctor, patient, begin, end)
    for here, figures in ((patient, down), (doctor, up)):
        figures["first_s"] = sight.first_after([frame[0] for frame in here.faces()], began)
        figures |= stories.told(link, here, begin, end, moved)
    for way, figures in (("down", down), ("up", up)):
        # Two browsers alone have one encoding, which follows the link: there is no telling what it could have been.
        source = legs["doctor"]["series"] if through and way == "down" else None
        figures |= stories.rates(link, tallies["series"], way, source)
        figures["queue_p95_ms"] = round(1000 * tallies[way]["queue_p95_s"])
    return {
        "down": down,
        "up": up,
        "wire": tallies,
        "machine": {"cpu": busy / 100, "load1": os.getloadavg()[0]},
        "server": {"before": before, "after": await made.door.stats(), "news": made.door.news()} if made.door else {},
        "moved": moved,
        "states": {"patient": patient.states, "doctor": doctor.states},
        "sent": {"patient": sight.encodings(patient, begin, end), "doctor": sight.encodings(doctor, begin, end)},
    }


async def _moved(made: Lab, link: Named, begin: float) -> float | None:
    """Move the patient to another address when the story says so; returns when, in ms."""
    if not link.moves:
        return None
    await asyncio.sleep(stories.MOVE_AT_S - (now_ms() - begin) / 1000)
    made.table.place.patient.move()
    return now_ms()


def _short(found: Result) -> str:
    parts = []
    for way in ("down", "up"):
        figures = found[way]
        concealed = "-" if figures["concealed"] is None else f"{100 * figures['concealed']:.1f}"
        parts.append(f"{way} {figures['fps']} fps, frozen {100 * figures['freeze']:.1f} %, concealed {concealed} %")
    camera = min(found[way]["camera_fps"] for way in ("down", "up"))
    machine = f"cpu {found['machine']['cpu']:.0%}" + (f", a camera made {camera} fps" if camera < STARVED_FPS else "")
    return "; ".join(parts) + (f" DIED {found['died']}" if found["died"] else "") + f" ({machine})"


def arguments(given: argparse.ArgumentParser) -> None:
    """What the command takes."""
    given.add_argument(
        "--link", action="append", choices=list(LINKS), default=[], help="again for more; all if not said"
    )
    given.add_argument("--links", type=_links, default=[], metavar="A,B", help="the same, in one word")
    given.add_argument("--way", nargs="+", choices=WAYS, default=list(WAYS))
    given.add_argument("--runs", type=int, default=5)
    given.add_argument(
        "--seconds", type=float, default=12, help="of each run; links with a story last as long as it does"
    )
    given.add_argument("--seed", type=int, default=1)
    given.add_argument(
        "--lines", type=int, choices=list(calls.SIZES), default=480, help="of the cameras; 720 costs more CPU"
    )
    given.add_argument(
        "--one-link", action="store_true", help="the patient's page and signaling take the bad link too (ours only)"
    )
    given.add_argument("--json", type=Path, default=KEPT, help="every run, whole; written anew, or gone on with")
    given.add_argument("--plot", type=Path, help="a PNG; beside the JSON if not said")
    given.add_argument("--resume", action="store_true", help="make only the runs that the JSON does not hold")
    given.add_argument(
        "--merge", type=Path, nargs="+", metavar="JSON", help="make no runs: join these into one table and drawing"
    )


def _links(given: str) -> list[str]:
    names = given.split(",")
    if not set(names) <= set(LINKS):
        raise argparse.ArgumentTypeError(f"links are {', '.join(LINKS)}")
    return names


def longest_s(links: Sequence[str], ways: Sequence[str], runs: int, seconds: float) -> float:
    """How long a bench may take: servers and browsers up and down once, and every call with all its patience spent."""
    return AROUND_S + sum(
        runs * (max(seconds, LINKS[name].seconds) + CALL_S) for name in links for way in ways if _met(LINKS[name], way)
    )


def _met(link: Named, way: str) -> bool:
    """Whether this link is held this way: only our pages share a screen."""
    return way == "ours" or not link.shares


def main(args: argparse.Namespace) -> int:
    """Run or join, print, draw. 3 where the machine does not allow a laboratory, 64 for results that cannot be joined."""
    try:
        result = weak_results.joined([weak_results.read(path) for path in args.merge]) if args.merge else _run(args)
    except NoNamespaces as error:
        print(f"skipped: this bench needs network namespaces and /dev/net/tun ({error})", file=sys.stderr)
        return 3
    except Unjoinable as error:
        print(f"these results cannot be joined: {error}", file=sys.stderr)
        return 64
    except asyncio.CancelledError:
        return 143
    if not result["links"]:
        print("there are no runs", file=sys.stderr)
        return 64
    weak_results.write(result, args.json)
    print(weak_table.text(result))
    plot = args.plot or args.json.with_suffix(".png")
    asyncio.run(weak_plot.draw(result, plot))
    print(f"every run: {args.json}; drawn: {plot}")
    return 0


def _run(args: argparse.Namespace) -> Result:
    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    links, ways = tuple(dict.fromkeys([*args.link, *args.links])) or tuple(LINKS), tuple(args.way)
    asked = Asked(
        *(links, ways, args.runs, args.seconds, args.seed, args.lines, args.one_link, say),
        keep=lambda result: weak_results.write(result, args.json),
    )
    held = weak_results.read(args.json) if args.resume and args.json.exists() else None
    if held is not None and held["lines"] != args.lines:
        raise Unjoinable(f"cameras of {held['lines']} and of {args.lines} lines")
    runs = missing(held or weak_results.empty(args.lines, None), asked, ways)
    about_s = 15 + sum(max(args.seconds, link.seconds) + USUAL_S for link, _, _ in runs)
    most_s = longest_s(links, ways, args.runs, args.seconds)
    say(f"{len(runs)} runs: about {about_s / 60:.0f} minutes, at most {most_s / 60:.0f}")
    return asyncio.run(compare(asked, held))
