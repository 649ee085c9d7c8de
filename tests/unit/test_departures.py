"""Trains of datagrams, on real sockets."""

from __future__ import annotations

import errno
import socket
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from media.plane import IceCredentials, TransportSpec
from media.sockets.departures import CELLS, LONGEST, Departures
from media.transports.transport import Door, Path, Transport


class Wire:
    """A door, somebody behind it, and what the door was asked."""

    def __init__(self) -> None:
        self.near, self.far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for sock in (self.near, self.far):
            sock.bind(("127.0.0.1", 0))
            sock.setblocking(False)
        known = IceCredentials("u" * 4, "p" * 22)
        spec = TransportSpec("t", known, known, (("sha-256", "00"),))
        self.transport = Transport(spec, 1, 0.0, 0)
        self.path = Path(self.transport, Door(self.near, "127.0.0.1"), self.far.getsockname())
        self.calls: list[int] = []
        real = self.path.sendmsg
        assert real is not None

        def counted(buffers: Any, *rest: Any) -> int:
            self.calls.append(len(buffers))
            return real(buffers, *rest)

        self.path.sendmsg = counted
        self.drops: defaultdict[str, int] = defaultdict(int)
        self.departures = Departures(self.drops)

    def add(self, text: bytes, last: bool = False) -> None:
        self.departures.cell.view[: len(text)] = text
        self.departures.add(self.path, len(text), last)

    def heard(self) -> list[bytes]:
        out = []
        while True:
            try:
                out.append(self.far.recv(4096))
            except BlockingIOError:
                return out


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.near.close()
    made.far.close()


def test_equal_packets_leave_in_one_call_and_arrive_one_by_one(wire: Wire) -> None:
    sent = [bytes([n]) * 900 for n in range(4)]
    for packet in sent:
        wire.add(packet)
    assert wire.heard() == []
    wire.departures.leave()
    assert wire.heard() == sent
    assert wire.calls == [4]
    assert (wire.transport.packets_out, wire.transport.bytes_out) == (4, 3600)


def test_the_last_of_a_frame_leaves_at_once_with_those_before_it(wire: Wire) -> None:
    wire.add(b"a" * 500)
    wire.add(b"b" * 300, last=True)
    assert wire.heard() == [b"a" * 500, b"b" * 300]
    assert wire.calls == [2]


def test_a_shorter_packet_ends_a_train_and_a_longer_one_begins_another(wire: Wire) -> None:
    sent = [b"a" * 500, b"b" * 400, b"c" * 400, b"d" * 600, b"e" * 600]
    for packet in sent:
        wire.add(packet)
    wire.departures.leave()
    assert wire.heard() == sent
    assert wire.calls == [2, 2]


def test_more_than_a_train_or_all_cells_hold_goes_in_several(wire: Wire) -> None:
    sent = [n.to_bytes(2, "big") * 50 for n in range(CELLS + 3)]
    for packet in sent:
        wire.add(packet)
    wire.departures.leave()
    assert wire.heard() == sent
    assert max(wire.calls) == LONGEST


def test_where_trains_are_refused_packets_go_one_by_one(wire: Wire) -> None:
    def refuse(*_: Any) -> int:
        raise OSError(errno.EIO, "no checksums")

    wire.path.sendmsg = refuse
    for _ in range(2):
        wire.add(b"a" * 100)
        wire.add(b"b" * 100, last=True)
    assert wire.heard() == [b"a" * 100, b"b" * 100] * 2
    assert wire.path.sendmsg is None
    assert not wire.drops


def test_what_a_full_socket_does_not_take_is_dropped_and_counted(wire: Wire) -> None:
    def full(*_: Any) -> int:
        raise BlockingIOError

    wire.path.sendmsg = full
    wire.add(b"a" * 100)
    wire.add(b"b" * 100, last=True)
    assert wire.drops == {"send_full": 2}
    assert wire.transport.packets_out == 0


def test_a_packet_that_goes_alone_lets_those_before_it_go_first(wire: Wire) -> None:
    wire.add(b"a" * 100)
    wire.add(b"b" * 100)
    wire.departures.let_pass(wire.path)
    assert wire.heard() == [b"a" * 100, b"b" * 100]
    wire.departures.let_pass(wire.path)
    wire.departures.leave()
    assert wire.heard() == []
