"""What forwarding costs: our worker and recorder beside Janus VideoRoom, the same clients, in one run.

Figures: server CPU per forwarded packet (µs; with recording ours is worker + recorder), added delay p50 and p99 (ms,
one way, sender's call to receiver's socket), delivered, memory a visit. A run is void where a client process used more
than 70 % of its core or a client socket was full: then the client was measured and not the server.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import psutil

from config.link import Link
from media import control as media_control
from recorder import control as recorder_control
from tests.bench import janus, ours
from tests.bench.hosts import Host, NoNamespaces, host

CLIENT_CPU_LIMIT = 0.70
JANUS_TRIES = 4
TICK_S = 0.005
COLUMNS = ("us_per_packet", "us_per_packet_media", "us_per_packet_recorder", "delay_ms_p50", "delay_ms_p99")
MORE = ("delivered", "mb_per_visit", "packets_per_s", "client_cpu")
Which = Literal["ours", "janus"]


@dataclass(frozen=True)
class Load:
    """What is asked of a server."""

    visits: int
    seconds: float
    record: bool
    clients: int = 2
    workers: int = 1
    tick_s: float = TICK_S
    floor: bool = False
    """The barest of forwarders instead of the worker (`tests.bench.forwarding_floor`)."""


@dataclass
class Figures:
    """One server under one load."""

    us_per_packet: float = 0.0
    us_per_packet_media: float = 0.0
    us_per_packet_recorder: float = 0.0
    delay_ms_p50: float = 0.0
    delay_ms_p99: float = 0.0
    delivered: float = 0.0
    mb_per_visit: float = 0.0
    packets_per_s: float = 0.0
    client_cpu: float = 0.0
    void: list[str] = field(default_factory=list)


@dataclass
class Servers:
    """The processes under test, by what they do, and the load processes' way in."""

    media: list[psutil.Process]
    recorder: psutil.Process | None
    sockets: list[str]

    def cpu_s(self) -> tuple[float, float]:
        """CPU seconds so far: media, recorder."""
        return sum(map(_cpu, self.media)), _cpu(self.recorder) if self.recorder else 0.0

    def rss(self) -> int:
        """Resident bytes of the media processes."""
        return sum(int(process.memory_info().rss) for process in self.media)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def measure(which: Which, load: Load) -> Figures:
    """Start the server in a namespace of its own, load it, and end it."""
    with host() as place, tempfile.TemporaryDirectory(prefix="tcb-") as scratch:
        start = _ours if which == "ours" else _janus
        async with start(place, Path(scratch), load) as servers:
            return await _load(which, servers, place, load)


async def _load(which: Which, servers: Servers, place: Host, load: Load) -> Figures:
    idle = servers.rss()
    clients = [await _client(which, servers, place, load, number) for number in range(load.clients)]
    for client in clients:
        await _expect(client, "ready")
    for client in clients:
        assert client.stdin is not None
        client.stdin.write(b"go\n")
    for client in clients:
        await _expect(client, "measuring")
    media_from, recorder_from = servers.cpu_s()
    began = time.monotonic()
    for client in clients:
        await _expect(client, "measured")
    lasted = time.monotonic() - began
    media_to, recorder_to = servers.cpu_s()
    rss = servers.rss()
    results = [json.loads(await _line(client)) for client in clients]
    for client in clients:
        await client.wait()
    return _figures(load, results, media_to - media_from, recorder_to - recorder_from, rss - idle, lasted)


def _figures(
    load: Load, results: list[dict[str, Any]], media_s: float, recorder_s: float, grown: int, lasted: float
) -> Figures:
    sent = sum(result["sent"] for result in results)
    received = sum(result["received"] for result in results)
    delays = sorted(delay for result in results for delay in result["delays_us"])
    out = Figures(
        us_per_packet=(media_s + recorder_s) / received * 1e6,
        us_per_packet_media=media_s / received * 1e6,
        us_per_packet_recorder=recorder_s / received * 1e6,
        delay_ms_p50=delays[len(delays) // 2] / 1000,
        delay_ms_p99=delays[len(delays) * 99 // 100] / 1000,
        delivered=received / sent,
        mb_per_visit=grown / load.visits / 1e6,
        packets_per_s=received / lasted,
        client_cpu=max(result["cpu_share"] for result in results),
    )
    if out.client_cpu > CLIENT_CPU_LIMIT:
        out.void.append(f"a client process used {out.client_cpu:.0%} of its core")
    if any(result["socket_full"] for result in results):
        out.void.append("a client socket was full")
    return out


async def _client(which: Which, servers: Servers, place: Host, load: Load, number: int) -> asyncio.subprocess.Process:
    share = [load.visits // load.clients + (place_ < load.visits % load.clients) for place_ in range(load.clients)]
    command = [sys.executable, "-m", "tests.bench.load", "--server", which, "--socket"]
    command += [servers.sockets[number % len(servers.sockets)], "--ip", place.our_ip, "--prefix", place.ip]
    command += ["--first", str(sum(share[:number])), "--visits", str(share[number]), "--seconds", str(load.seconds)]
    command += ["--tick", str(load.tick_s)]
    pipe = asyncio.subprocess.PIPE
    more = ["--record"] if load.record else []
    return await asyncio.create_subprocess_exec(*command, *more, stdin=pipe, stdout=pipe, limit=16 << 20)


async def _line(client: asyncio.subprocess.Process) -> str:
    assert client.stdout is not None
    async with asyncio.timeout(240):
        line = await client.stdout.readline()
    assert line, "a load process ended early"
    return line.decode().strip()


async def _expect(client: asyncio.subprocess.Process, word: str) -> None:
    said = await _line(client)
    assert said == word, said


@contextlib.asynccontextmanager
async def _process(command: list[str], log: Path, environ: dict[str, str]) -> AsyncIterator[psutil.Process]:
    with log.open("wb") as out:
        started = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out, env={**os.environ, **environ}
        )
    try:
        yield psutil.Process(started.pid)
    finally:
        if started.returncode is None:
            started.terminate()
            try:
                async with asyncio.timeout(10):
                    await started.wait()
            except TimeoutError:
                started.kill()
                await started.wait()


async def _until_listening(path: Path, log: Path) -> None:
    for _ in range(200):
        if path.exists():
            return
        await asyncio.sleep(0.05)
    raise RuntimeError(f"no socket at {path.name}:\n{log.read_text()[-2000:]}")


@contextlib.asynccontextmanager
async def _janus(place: Host, scratch: Path, load: Load) -> AsyncIterator[Servers]:
    sock, log = scratch / "janus.sock", scratch / "janus.log"
    command = janus.write_configuration(scratch / "etc", sock, place.ip)
    for room in range(load.visits):
        (scratch / f"rec-{room}").mkdir()
    async with contextlib.AsyncExitStack() as stack:
        for attempt in range(JANUS_TRIES):  # now and then it finds its Unix-socket transport only at the next start
            server = await stack.enter_async_context(_process(place.command(command), log, {}))
            with contextlib.suppress(RuntimeError if attempt < JANUS_TRIES - 1 else ()):
                await _until_listening(sock, log)
                break
        yield Servers([server], None, [str(sock)])


@contextlib.asynccontextmanager
async def _ours(place: Host, scratch: Path, load: Load) -> AsyncIterator[Servers]:
    run = scratch / "run"
    run.mkdir()
    environ = {
        "TELECONSULT_DATA": str(scratch / "data"),
        "TELECONSULT_RUN": str(run),
        "TELECONSULT_MEDIA_ADDRESSES": place.ip,
    }
    async with contextlib.AsyncExitStack() as stack:
        recorder = None
        if load.record:
            command = [sys.executable, "-m", "teleconsult", "recorder"]
            recorder = await stack.enter_async_context(_process(command, scratch / "recorder.log", environ))
            await _until_listening(run / "recorder.sock", scratch / "recorder.log")
        workers = []
        for index in range(load.workers):
            program = "tests.bench.forwarding_floor" if load.floor else "teleconsult"
            command = place.command([sys.executable, "-m", program, "media", "--index", str(index)])
            log = scratch / f"media-{index}.log"
            workers.append(await stack.enter_async_context(_process(command, log, environ)))
            await _until_listening(run / f"media-{index}.sock", log)
        sockets = [str(run / f"media-{index}.sock") for index in range(load.workers)]
        await stack.enter_async_context(_rooms(sockets, run / "recorder.sock", load))
        yield Servers(workers, recorder, sockets)


@contextlib.asynccontextmanager
async def _rooms(sockets: list[str], recorder_sock: Path, load: Load) -> AsyncIterator[None]:
    """Open every room on every worker (each uses its own), recorded with everybody's consent."""
    links = [await ours.dial(sock) for sock in sockets]
    names = [ours.room_name(room) for room in range(load.visits)]
    if load.record:
        await _consent(names, recorder_sock)
    for link, _ in links:
        for name in names:
            await link.ask(media_control.OpenRoom(name))
            for seat in ours.NAMES if load.record else ():
                await link.ask(media_control.Record(name, seat, on=True))
    try:
        yield
    finally:
        for link, task in links:
            link.close()
            task.cancel()


async def _consent(names: list[str], sock: Path) -> None:
    async def hear(_: recorder_control.FromRecorder) -> None:
        return None

    reader, writer = await asyncio.open_unix_connection(str(sock))
    link: Link[recorder_control.FromRecorder, recorder_control.ToRecorder]
    link = Link(reader, writer, recorder_control.FromRecorder, hear)
    task = asyncio.create_task(link.run())
    await link.ask(recorder_control.Greet())
    for name in names:
        await link.ask(recorder_control.Open(name, {seat: f"bench-{seat}" for seat in ours.NAMES}))
        for seat in ours.NAMES:
            body = {
                "seat": seat,
                "decision": "agreed",
                "text_version": "bench",
                "text_sha256": "0" * 64,
                "language": "en",
                "method": "tap",
            }
            await link.ask(recorder_control.Note(name, f"consent-{seat}", "consent", body))
        await link.ask(recorder_control.Start(name, list(ours.NAMES)))
    link.close()
    task.cancel()


async def compare(asked: Load) -> dict[str, Any]:
    """Both servers with recording and without, in turn. Janus is left out, and said so, where it is not installed.

    `asked.floor`: the barest of forwarders as well, without recording.
    """
    out: dict[str, Any] = {**asdict(asked), "void": []}
    for record in (True, False):
        load = replace(asked, record=record, floor=False)
        pair: dict[str, Any] = {"ours": asdict(await measure("ours", load)), "janus": None, "ratio": None}
        if shutil.which("janus"):
            pair["janus"] = asdict(await measure("janus", load))
            pair["ratio"] = pair["ours"]["us_per_packet"] / pair["janus"]["us_per_packet"]
        out["void"] += [
            f"{name}: {why}"
            for name in ("ours", "janus")
            for why in (pair[name] or {"void": ["not installed"]})["void"]
        ]
        if record:
            out |= pair
        else:
            out["without_recording"] = pair
    if asked.floor:
        out["floor"] = asdict(await measure("ours", replace(asked, record=False)))
    out["void"] = out["void"] or False
    return out


def arguments(given: argparse.ArgumentParser) -> None:
    """What the command line may say."""
    given.add_argument("--visits", type=int, default=15)
    given.add_argument("--seconds", type=float, default=10)
    given.add_argument("--workers", type=int, default=1)
    given.add_argument("--clients", type=int, default=2)
    given.add_argument("--tick", type=float, default=TICK_S, help="seconds between a client's looks at what is due")
    given.add_argument("--floor", action="store_true", help="measure the barest forwarder in Python as well")
    given.add_argument("--json", type=Path)


def main(args: argparse.Namespace) -> int:
    """Run and print."""
    load = Load(args.visits, args.seconds, False, args.clients, args.workers, args.tick, args.floor)
    try:
        result = asyncio.run(compare(load))
    except NoNamespaces as error:
        print(f"skipped: this bench needs network namespaces ({error})", file=sys.stderr)
        return 3
    print(_table(result))
    if result["void"]:
        print("VOID: " + "; ".join(result["void"]))
    if args.json:
        args.json.write_text(json.dumps(result, indent=2) + "\n")
    return 0


def _table(result: dict[str, Any]) -> str:
    rows = [("", *COLUMNS, *MORE)]
    for title, pair in (("recording", result), ("no recording", result["without_recording"])):
        rows += [
            (f"{name}, {title}", *(f"{pair[name][column]:.4g}" for column in (*COLUMNS, *MORE)))
            for name in ("ours", "janus")
            if pair[name]
        ]
        if pair["ratio"]:
            rows.append((f"ours / janus, {title}", f"{pair['ratio']:.2f}", *[""] * (len(COLUMNS) + len(MORE) - 1)))
    if result["floor"]:
        rows.append(("floor, no recording", *(f"{result['floor'][column]:.4g}" for column in (*COLUMNS, *MORE))))
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
