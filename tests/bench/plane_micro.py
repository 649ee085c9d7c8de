"""What the Python data plane costs a packet: `python -m tests.bench.plane_micro [--visits N] [--seconds S] [--saturate]`.

A plane in a process of its own, N visits of two synthetic publishers each (130 video packets of 1 150 B and 50 audio packets
of 100 B a second, protected beforehand) sent and received by this process, which spins. Prints the plane's CPU per forwarded
packet, the added delay and what was delivered. `--saturate` sends as fast as the plane takes them. `--steps` prints the
cost of the single steps instead.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import resource
import socket
import sys
import time
import timeit
from multiprocessing.connection import Connection
from typing import Any

from media.forwarding.consumer import Consumer, Outgoing
from media.forwarding.reception import Reception
from media.plane import ConsumerSpec, PlaneEvent, ProducerSpec, TransportMoved
from media.python_plane.plane import PythonPlane
from media.rtp import header
from media.transports.srtp import Cell, SrtpSession
from tests.contract.plane_peers import Peer, rtp

VIDEO_HZ, AUDIO_HZ, PACKETS_A_FRAME = 130, 50, 5
VIDEO = b"\x10\x00" + bytes(1136)
AUDIO = bytes(88)


class _NullSink:
    def packet(self, handle: int, flags: int, arrival_us: int, data: bytes) -> None:
        pass


def _serve(pipe: Connection, profile: str | None, record: bool) -> None:
    """The plane's process: carries out calls that come by the pipe."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        events: list[PlaneEvent] = []
        plane = PythonPlane(loop, ["127.0.0.1"], time.monotonic, os.urandom, _NullSink())
        plane.on_event(events.append)
        done = asyncio.Event()

        def called() -> None:
            name, args = pipe.recv()
            if name == "quit":
                done.set()
            elif name == "states":
                pipe.send([e.state for e in events if isinstance(e, TransportMoved) and e.key == args[0]])
            elif name == "cpu":
                usage = resource.getrusage(resource.RUSAGE_SELF)
                pipe.send(
                    (usage.ru_utime + usage.ru_stime, usage.ru_nvcsw, usage.ru_maxrss, plane.drops, usage.ru_stime)
                )
            elif name == "freeze":
                gc.collect()
                gc.freeze()
                pipe.send(None)
            else:
                member = getattr(plane, name)
                pipe.send(member(*args) if callable(member) else member)

        loop.add_reader(pipe.fileno(), called)
        await done.wait()
        plane.close()

    if profile is None:
        asyncio.run(run())
        return
    import cProfile

    profiler = cProfile.Profile()
    profiler.runcall(asyncio.run, run())
    profiler.dump_stats(profile)


class _Remote:
    """The plane's calls, over the pipe; enough of `Bench` for a `Peer`."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.peers: list[Peer] = []
        self.plane: Any = self

    def call(self, name: str, *args: Any) -> Any:
        self._pipe.send((name, args))
        return self._pipe.recv() if name != "quit" else None

    def __getattr__(self, name: str) -> Any:
        if name in ("addresses", "fingerprint"):
            return self.call(name)
        return lambda *args: self.call(name, *args)

    def states(self, key: str) -> list[str]:
        return list(self.call("states", key))


async def _visits(remote: _Remote, count: int, record: bool) -> list[Peer]:
    peers = []
    for n in range(count):
        pair = [await Peer(remote, f"{n}{side}").connect() for side in "pd"]  # type: ignore[arg-type]
        for peer in pair:
            video = ProducerSpec(f"{peer.key}.v", "video", "1", {96: "VP8"}, 90000, ssrcs=(1,), nack=True, pli=True)
            remote.call("publish", peer.key, video)
            remote.call(
                "publish", peer.key, ProducerSpec(f"{peer.key}.a", "audio", "0", {111: "opus"}, 48000, ssrcs=(2,))
            )
            if record:
                remote.call("record", f"{peer.key}.v", n * 4 + 1)
                remote.call("record", f"{peer.key}.a", n * 4 + 2)
        for viewer, shown in (pair, pair[::-1]):
            remote.call("subscribe", viewer.key, ConsumerSpec("v", f"{shown.key}.v", 11, {"VP8": 100}))
            remote.call("subscribe", viewer.key, ConsumerSpec("a", f"{shown.key}.a", 12, {"opus": 109}))
        peers += pair
    return peers


def _schedule(peers: list[Peer], seconds: float) -> list[tuple[float, int, int, bytes]]:
    """(due, peer, stream, protected packet), by time; the publishers are spread over the frame."""
    plan = []
    for number, peer in enumerate(peers):
        session = peer._dtls._tx_srtp
        for stream, hz, payload, pt, clock in ((1, VIDEO_HZ, VIDEO, 96, 90000), (2, AUDIO_HZ, AUDIO, 111, 48000)):
            for n in range(int(seconds * hz)):
                place = n % PACKETS_A_FRAME if stream == 1 else 0
                together = n - place  # the packets of a frame are sent at once, as browsers do
                due = (together + (number * 0.37 + stream * 0.21) % 1.0 * (PACKETS_A_FRAME if stream == 1 else 1)) / hz
                last = stream == 1 and place == PACKETS_A_FRAME - 1
                data = rtp(n + 1, payload, pt=pt, ssrc=stream, ts=together * clock // hz, mid="1", marker=last)
                plan.append((due, number, stream, session.protect(data)))
    return sorted(plan, key=lambda item: item[0])


def _drive(peers: list[Peer], plan: list[tuple[float, int, int, bytes]], saturate: bool) -> tuple[int, list[float]]:
    sent: dict[tuple[int, int], list[float]] = {}
    seen: dict[tuple[int, int], int] = {}
    delays: list[float] = []
    socks, server = [peer.sock for peer in peers], peers[0].server
    buffer = bytearray(2048)
    received = position = 0
    start = time.monotonic()
    last = start
    clock = time.monotonic
    while position < len(plan) or clock() - last < 0.3:
        now = clock()
        while position < len(plan) and (plan[position][0] <= now - start if not saturate else position - received < 64):
            _, number, stream, data = plan[position]
            sent.setdefault((number, stream), []).append(clock())
            socks[number].sendto(data, server)
            position += 1
            last = now
        for number, sock in enumerate(socks):
            try:
                while True:
                    size = sock.recv_into(buffer)
                    if buffer[0] == 0x80 and size > 50 and buffer[1] & 0x7F in (100, 109):
                        key = (number ^ 1, buffer[11] - 10)
                        order = seen.get(key, 0)
                        seen[key] = order + 1
                        delays.append(clock() - sent[key][order])
                        received += 1
                        last = clock()
            except BlockingIOError:
                pass
        if saturate and clock() - last > 1.0:
            break
    return received, sorted(delays)


async def _forwarding(options: argparse.Namespace) -> dict[str, Any]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(theirs, options.profile, options.record))
    process.start()
    remote = _Remote(ours)
    peers = await _visits(remote, options.visits, options.record)
    plan = _schedule(peers, options.seconds)
    remote.call("freeze")
    for peer in peers:
        asyncio.get_running_loop().remove_reader(peer.sock.fileno())
    before = remote.call("cpu")
    start = time.monotonic()
    own = time.process_time()
    received, delays = _drive(peers, plan, options.saturate)
    elapsed = time.monotonic() - start - 0.3
    after = remote.call("cpu")
    remote.call("quit")
    process.join(5)
    for peer in peers:
        peer.sock.close()
    return {
        "us_per_packet": round((after[0] - before[0]) / max(1, received) * 1e6, 1),
        "of_that_kernel_us": round((after[4] - before[4]) / max(1, received) * 1e6, 1),
        "packets_per_s": round(received / elapsed),
        "delivered": round(received / len(plan), 4),
        "delay_ms_p50": round(delays[len(delays) // 2] * 1000, 2) if delays else None,
        "delay_ms_p99": round(delays[len(delays) * 99 // 100] * 1000, 2) if delays else None,
        "wakeups_per_packet": round((after[1] - before[1]) / max(1, received), 2),
        "rss_mb": after[2] / 1024,
        "client_cpu": round((time.process_time() - own) / elapsed, 2),
        "drops": after[3],
    }


def _steps() -> dict[str, float]:
    """Microseconds a call, best of five."""
    plain, cell, out, rounds = rtp(1, VIDEO, pt=96, ssrc=1, mid="1"), Cell(), Cell(4096), 20000
    keys = os.urandom(28)
    sender, receiver = (SrtpSession(b"SRTP_AEAD_AES_128_GCM", keys, inbound) for inbound in (False, True))
    counter = iter(range(1, 1 << 30))

    def protect() -> None:
        cell.view[: len(plain)] = plain
        header.FIXED.pack_into(cell.data, 0, 0x90, 96, next(counter) & 0xFFFF, 0, 1)
        sender.protect(cell, len(plain))

    def both() -> None:
        protect()
        receiver.unprotect(cell, len(plain) + 16)

    consumer = Consumer(ConsumerSpec("c", "t", 5, {"VP8": 100}), Outgoing(1, 1, 1), {96: "VP8"})
    consumer.begin(65537, 0, 0.0, 90000)
    cell.view[: len(plain)] = plain
    reception = Reception(90000, repairable=True)
    numbers = iter(range(1, 1 << 30))

    def accept() -> None:
        n = next(numbers)
        reception.keep(reception.accept(n & 0xFFFF, n * 3000, n / 30, False), bytes(cell.view[: len(plain)]))

    def cost(call: Any) -> float:
        return round(min(timeit.repeat(call, number=rounds, repeat=5)) / rounds * 1e6, 2)

    near, far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    far.bind(("127.0.0.1", 0))
    train, there = [memoryview(bytearray(1166))] * PACKETS_A_FRAME, far.getsockname()
    equal = [(socket.IPPROTO_UDP, 103, (1166).to_bytes(2, sys.byteorder))]

    def one_by_one() -> None:
        for packet in train:
            near.sendto(packet, there)

    protected = cost(protect)
    return {
        "protect, in place": protected,
        "unprotect, in place": round(cost(both) - protected, 2),
        "consumer.write": cost(lambda: consumer.write(out.data, out.view, cell.view, 20, len(plain), 65537, 0.0)),
        "reception.accept and keep": cost(accept),
        "sendto": round(cost(one_by_one) / PACKETS_A_FRAME, 2),
        "sendmsg of five at once": round(cost(lambda: near.sendmsg(train, equal, 0, there)) / PACKETS_A_FRAME, 2),
    }


def main() -> None:
    """Run and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=14)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--saturate", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--steps", action="store_true")
    parser.add_argument("--profile", metavar="FILE")
    options = parser.parse_args()
    print(json.dumps(_steps() if options.steps else asyncio.run(_forwarding(options)), indent=1))


if __name__ == "__main__":
    main()
