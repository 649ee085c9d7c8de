"""Where datagrams come in: the doors of a plane, drained in batches, sorted by their first byte (PLANE-1, RFC 7983 §7).

What comes over TCP (`media.sockets.streams`) is sorted the same way.

ENTER-1  What waited for us because our machine was busy came when the kernel took it in, and not when we looked: else a
         sender is told of a queue that is none, sees its estimate fall, and its picture is starved.

`add_reader` wakes us, up to `BATCH` datagrams are read into one buffer, and each is given on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import sleep
from typing import Protocol

from config.addresses import Announced
from media.python_plane.forwarder import Forwarder
from media.python_plane.hearing import Hearing
from media.rtp import header
from media.sockets.bound import bind_all
from media.sockets.streams import Stream, Streams
from media.transports.transport import Address, Door, Path, Way

BATCH = 128
"""Datagrams taken from one socket before the loop's other work gets its turn: about 3 ms."""
NAP_S = 0.00005
"""What a busy socket lets gather before it is read (decisions/0007): packets come in bursts, and a wake-up for each
costs more than they do. The kernel adds its timer slack: it lasts 0.11 ms. A fifth of the delay of looking once a millisecond
(`python -m tests.bench.plane_micro`)."""
_BUSY_A_TICK = 60
"""Datagrams a tick, 3 000 a second, from which a socket is busy: below, waking for each is cheaper (107:139 µs at 1 080)."""
_TOGETHER = 15
"""After so many datagrams and one what was forwarded leaves, the look goes on: about 0.5 ms."""
LATE_S = 0.003
"""A look that comes so much after its first datagram asks the kernel when each of them came (0.5 µs)."""
PUMP_S = 0.004
"""How often paced packets are looked at, while there are any."""


class Arrivals(Protocol):
    """Who hears of what comes and is no media. `size`: so many bytes stand in the forwarder's cell."""

    def on_stun(self, door: Way, source: Address, size: int) -> None:
        """A STUN message."""
        ...

    def on_dtls(self, path: Path, size: int) -> None:
        """A DTLS record on a path that is known."""
        ...

    def on_lost(self, path: Path) -> None:
        """A path is gone: its stream ended."""
        ...


class Entrance:
    """Every bound socket. A quiet one is read as soon as something comes; a busy one a nap later."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        addresses: Sequence[str],
        port: int,
        tcp: bool,
        clock: Callable[[], float],
        forwarder: Forwarder,
        hearing: Hearing,
        arrivals: Arrivals,
    ) -> None:
        """Bind and begin to listen; see `media.python_plane.plane`. What is read stands in the forwarder's cell."""
        announced = [Announced.parse(text) for text in addresses]
        bound = bind_all(announced, port, tcp)
        self.port = bound.port
        self.doors = [Door(sock, known.ip) for sock, known in zip(bound.datagrams, announced, strict=True)]
        self._loop = loop
        self._clock = clock
        self._forwarder = forwarder
        self._hearing = hearing
        self._cell = forwarder.cell
        self._arrivals = arrivals
        self._pump: asyncio.TimerHandle | None = None
        self._closed = False
        for door in self.doors:
            loop.add_reader(door.sock.fileno(), self._readable, door)
        self.streams = Streams(loop, bound.listening, clock, forwarder.drops, self._take, self._stream_ended)

    def tick(self) -> None:
        """Every 20 ms: which socket is busy, and whether paced packets wait."""
        for door in self.doors:
            door.busy, door.taken = door.taken >= _BUSY_A_TICK, 0
        self._wake_pump()

    def close(self) -> None:
        """Close the sockets."""
        self._closed = True
        if self._pump is not None:
            self._pump.cancel()
        for door in self.doors:
            self._loop.remove_reader(door.sock.fileno())
            door.sock.close()
        self.streams.close()

    def _readable(self, door: Door) -> None:
        if door.busy and not door.full:
            sleep(NAP_S)
        door.full = self._drain(door) == BATCH

    def _drain(self, door: Door) -> int:
        receive, view, data, paths = door.recvfrom_into, self._cell.view, self._cell.data, door.paths
        forwarder, on_rtp = self._forwarder, self._forwarder.on_rtp
        forwarder.now = forwarder.came = self._clock()
        taken, late, waited = 0, False, door.waited
        while taken < BATCH:
            if taken & _TOGETHER == _TOGETHER:
                forwarder.outlet.leave()
                forwarder.now = forwarder.came = self._clock()
            try:
                size, source = receive(view)
            except BlockingIOError:
                break
            except OSError:
                forwarder.drops["socket_error"] += 1
                break
            if not taken & _TOGETHER:
                late = waited() > LATE_S
            taken += 1
            if late:  # ENTER-1
                forwarder.came = min(forwarder.now, self._clock() - waited())  # a look may be interrupted, too
            # PLANE-1; RFC 7983 §7
            if not 0 < size <= header.MAX_PACKET:
                forwarder.drops["size"] += 1
                continue
            first = data[0]
            path = paths.get(source)
            if 128 <= first < 192 and path is not None:
                if 192 <= data[1] < 224 and size >= 12:  # RFC 5761 §4
                    self._hearing.on_rtcp(path, size)
                else:
                    on_rtp(path, size)
            elif first < 4:
                self._arrivals.on_stun(door, source, size)
            elif path is None:
                forwarder.drops["unvalidated"] += 1
            elif 20 <= first < 64:
                self._arrivals.on_dtls(path, size)
            else:
                forwarder.drops["first_byte"] += 1
        self._drained()
        door.taken += taken
        return taken

    def _take(self, stream: Stream, frame: bytes) -> None:
        self._forwarder.now = self._forwarder.came = self._clock()
        size, data, paths = len(frame), self._cell.data, stream.paths
        self._cell.view[:size] = frame
        path = paths.get(stream.address)
        if data[0] < 4:
            self._arrivals.on_stun(stream, stream.address, size)
        elif path is None:
            self._forwarder.drops["unvalidated"] += 1
        elif 128 <= data[0] < 192:
            rtcp = size >= 12 and 192 <= data[1] < 224  # RFC 5761 §4
            (self._hearing.on_rtcp if rtcp else self._forwarder.on_rtp)(path, size)
        elif 20 <= data[0] < 64:
            self._arrivals.on_dtls(path, size)
        else:
            self._forwarder.drops["first_byte"] += 1
        self._drained()

    def _stream_ended(self, stream: Stream) -> None:
        for path in list(stream.paths.values()):
            self._arrivals.on_lost(path)
        stream.paths.clear()

    def _drained(self) -> None:
        self._forwarder.outlet.leave()
        if self._forwarder.asking.lossy:
            self._forwarder.asking.ask_again(self._clock())
        self._wake_pump()

    def _wake_pump(self) -> None:
        if self._forwarder.outlet.waiting and self._pump is None:
            self._pump = self._loop.call_later(PUMP_S, self._pump_out)

    def _pump_out(self) -> None:
        self._pump = None
        outlet = self._forwarder.outlet
        outlet.pump(self._clock())
        if outlet.waiting and not self._closed:
            self._pump = self._loop.call_later(PUMP_S, self._pump_out)
