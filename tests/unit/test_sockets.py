"""Sockets: one an address, one port for all."""

from __future__ import annotations

import socket

import pytest

from config.addresses import Announced
from media.sockets.bound import PortUnavailable, bind_all


def test_all_addresses_share_a_port() -> None:
    bound = bind_all([Announced.parse("127.0.0.1"), Announced.parse("127.0.0.2"), Announced.parse("::1")], 0, tcp=True)
    sockets = bound.datagrams + bound.listening
    try:
        assert [len(bound.datagrams), len(bound.listening)] == [3, 3]
        assert {made.type for made in bound.listening} == {socket.SOCK_STREAM}
        assert {made.getsockname()[1] for made in sockets} == {bound.port}
        assert all(not made.getblocking() for made in sockets)
    finally:
        for made in sockets:
            made.close()


def test_a_taken_port_is_one_clear_error() -> None:
    for kind, name in ((socket.SOCK_DGRAM, "UDP"), (socket.SOCK_STREAM, "TCP")):
        with socket.socket(socket.AF_INET, kind) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            if kind == socket.SOCK_STREAM:
                taken.listen()
            with pytest.raises(PortUnavailable, match=f"{name} 127.0.0.1 port {port}"):
                bind_all([Announced.parse("127.0.0.1")], port, tcp=True)
