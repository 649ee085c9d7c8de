"""One load process: some visits of two publishers each, against our worker or Janus. Started by `forwarding`.

It says `ready` on standard output when every peer is connected, begins at a line on standard input, and ends with one
line of JSON: packets sent, packets received, delays, and its own CPU share (over 70 % makes the run void).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import time
from array import array
from typing import Protocol

from tests.bench.peer import Certificate, Peer
from tests.bench.sdp import Remote
from tests.bench.source import VIDEO_FPS, Source, stamp_of

PHASE_S = 0.035
"""Each seat's frames begin so much after those of the seat before, modulo a frame."""
WARM_UP_S = 3.0


class Server(Protocol):
    """What differs between servers: how two publishers of a room meet."""

    async def join(self, room: int, client: Client, seats: tuple[Seat, Seat]) -> None:
        """Negotiate both seats' publishing and subscribing, and start their peers."""
        ...


class Seat:
    """One publisher: what it sends, and the peers it needs (Janus wants one for each direction)."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.audio_ssrc, self.video_ssrc = 10_000 + 2 * number, 10_001 + 2 * number
        self.source: Source | None = None
        self.sender: Peer | None = None


class Client:
    """All peers of this process, and what they measured."""

    def __init__(self, local_ip: str) -> None:
        self.local_ip = local_ip
        self.certificate = Certificate()
        self.peers: list[Peer] = []
        self.counting = False
        self.received = 0
        self.delays = array("Q")

    def peer(self) -> Peer:
        """A new peer that counts what it receives."""
        made = Peer(self.certificate, self.local_ip, self._hear)
        self.peers.append(made)
        return made

    def _hear(self, packet: bytes, came_ns: int) -> None:
        sent_ns = stamp_of(packet)
        if sent_ns is not None and sent_ns >= self.counting_from_ns:
            self.received += 1
            self.delays.append(came_ns - sent_ns)

    counting_from_ns = 1 << 63


def begin(peer: Peer, remote: Remote, *, controlling: bool, answered: bool) -> None:
    """Start a peer towards what the answer or offer named."""
    dtls_client = remote.setup == "passive" if answered else True
    peer.start(remote.address, remote.ufrag, remote.pwd, controlling=controlling, dtls_client=dtls_client)


async def run(server: Server, client: Client, rooms: range, seconds: float, tick_s: float) -> dict[str, object]:
    """Connect, wait for the word, warm up, measure. What is due is sent every `tick_s`."""
    seats = []
    for room in rooms:
        pair = (Seat(2 * room), Seat(2 * room + 1))
        await server.join(room, client, pair)
        seats += pair
    async with asyncio.timeout(60):
        await asyncio.gather(*(peer.connected for peer in client.peers))
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    gc.collect()
    gc.freeze()
    began = time.monotonic()
    sent = full = 0
    cpu_from = 0.0
    measuring = False
    spread = {seat.number: seat.number * PHASE_S % (1 / VIDEO_FPS) for seat in seats}
    while (now := time.monotonic() - began) < WARM_UP_S + seconds:
        if not measuring and now >= WARM_UP_S:
            measuring, cpu_from = True, time.process_time()
            client.counting_from_ns = time.monotonic_ns()
            print("measuring", flush=True)
        for seat in seats:
            assert seat.source is not None
            assert seat.sender is not None
            for packet in seat.source.due(now - spread[seat.number]):
                accepted = seat.sender.send(packet)
                full += not accepted
                sent += measuring
        await asyncio.sleep(tick_s)
    cpu = time.process_time() - cpu_from
    print("measured", flush=True)
    await asyncio.sleep(0.5)
    delays = sorted(client.delays)
    return {
        "sent": sent,
        "received": client.received,
        "socket_full": full,
        "cpu_share": cpu / seconds,
        "delays_us": [delay // 1000 for delay in delays[:: max(1, len(delays) // 20_000)]],
    }


async def main() -> None:
    """Parse what `forwarding` passed and run."""
    from tests.bench import janus, ours

    given = argparse.ArgumentParser()
    given.add_argument("--server", choices=("ours", "janus"), required=True)
    given.add_argument("--socket", required=True)
    given.add_argument("--ip", required=True)
    given.add_argument("--prefix", required=True)
    given.add_argument("--first", type=int, required=True)
    given.add_argument("--visits", type=int, required=True)
    given.add_argument("--seconds", type=float, required=True)
    given.add_argument("--tick", type=float, required=True)
    given.add_argument("--record", action="store_true")
    args = given.parse_args()
    client = Client(args.ip)
    rooms = range(args.first, args.first + args.visits)
    if args.server == "ours":
        async with ours.Rooms(args.socket, args.prefix) as server:
            result = await run(server, client, rooms, args.seconds, args.tick)
    else:
        async with janus.Rooms(args.socket, args.prefix, args.record) as server:
            result = await run(server, client, rooms, args.seconds, args.tick)
    print(json.dumps(result), flush=True)
    for peer in client.peers:
        peer.close()


if __name__ == "__main__":
    asyncio.run(main())
