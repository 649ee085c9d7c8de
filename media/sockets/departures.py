"""Packets to one address that leave together: the kernel takes a run of equal datagrams in one call (UDP GSO).

A frame of video is a handful of packets of one size to one address. One `sendmsg` with `UDP_SEGMENT` costs 2.5 µs for each of
five, a `sendto` for each 7.1 (over a veth pair; `python -m tests.bench.plane_micro --steps`): the way down the stack is gone
once.

TRAIN-1  Packets are gathered by path within one look at the sockets, and for the last of a frame no longer: nothing waits.
         A packet that goes alone goes after those that stand ready on its path.
TRAIN-2  In a train all are of one size, the last one may be shorter; what is longer begins another.
TRAIN-3  Where a train is refused its packets go one by one, and so does everything on that path from then on.
"""

from __future__ import annotations

import socket
from collections import defaultdict
from struct import Struct

from media.transports.srtp import TRAILER, Cell
from media.transports.transport import Path

LONGEST = 16
CELLS = 64
"""Packets gathered at most, of all paths."""
_SOL_UDP, _UDP_SEGMENT = socket.IPPROTO_UDP, 103
_SIZE = Struct("=H")


class Departures:
    """The trains that stand ready. `cell` is where the next packet is to be written."""

    def __init__(self, drops: defaultdict[str, int]) -> None:
        """`drops` counts what the kernel did not take."""
        self._drops = drops
        self._cells = [Cell(2048 + TRAILER) for _ in range(CELLS)]
        self._used = 0
        self._open: list[Path] = []
        """Paths on which a train may stand ready (`Path.train`)."""
        self._equal: dict[int, list[tuple[int, int, bytes]]] = {}
        """What tells the kernel the size of a train's packets, by size."""
        self.cell = self._cells[0]

    def add(self, path: Path, length: int, last: bool) -> None:
        """The packet in the cell is ready; `last` of its frame."""
        packet = self.cell.view[:length]
        train = path.train
        if train is None or length > len(train[0]):  # TRAIN-2
            if train is None:
                self._open.append(path)
            else:
                self._leave(path, train)
            train = path.train = [packet]
        else:
            train.append(packet)
        if last or length < len(train[0]) or len(train) == LONGEST:
            path.train = None
            self._leave(path, train)
        self._used += 1
        if self._used == CELLS:
            self.leave()
        self.cell = self._cells[self._used]

    def let_pass(self, path: Path) -> None:
        """What stands ready on this path goes first: its packets keep the order of their numbers (TRAIN-1)."""
        train = path.train
        if train is not None:
            path.train = None
            self._leave(path, train)

    def leave(self) -> None:
        """Everything that stands ready goes."""
        if self._used:
            for path in self._open:
                self.let_pass(path)
            self._open.clear()
            self._used = 0
            self.cell = self._cells[0]

    def _leave(self, path: Path, train: list[memoryview]) -> None:
        if len(train) == 1 or path.sendmsg is None:
            for packet in train:
                self._send(path, packet)
            return
        try:
            size = len(train[0])
            equal = self._equal.get(size)
            if equal is None:
                equal = self._equal[size] = [(_SOL_UDP, _UDP_SEGMENT, _SIZE.pack(size))]
            path.sendmsg(train, equal, 0, path.address)
        except BlockingIOError:
            self._drops["send_full"] += len(train)
        except OSError:  # TRAIN-3: another kernel, a path of small datagrams, a device without checksums
            path.sendmsg = None
            self._leave(path, train)
        else:
            transport = path.transport
            transport.packets_out += len(train)
            transport.bytes_out += size * (len(train) - 1) + len(train[-1])

    def _send(self, path: Path, packet: memoryview) -> None:
        try:
            path.sendto(packet, path.address)
        except BlockingIOError:
            self._drops["send_full"] += 1
        except OSError:
            self._drops["send_error"] += 1
        else:
            path.transport.packets_out += 1
            path.transport.bytes_out += len(packet)
