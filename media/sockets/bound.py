"""The worker's sockets: one for UDP and one for TCP, non-blocking, for each announced address, never the wildcard.

A socket bound to the wildcard answers from whatever address the route prefers; a browser that checked another one
drops the answer (450 checks lost to an announced 127.0.0.1). So each address has its own socket, on one port number.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from config.addresses import Announced

RECEIVE_BUFFER = 4 << 20
"""Bytes asked of the kernel: 3 000 full datagrams ride out a pause of 100 ms at 30 000 packets/s."""
SEND_BUFFER = 2 << 20
_ATTEMPTS = 32


class PortUnavailable(OSError):
    """No port could be bound on every address; the message names the address."""

    code = "media_port_unavailable"


@dataclass(frozen=True, slots=True)
class Bound:
    """What was bound, in the order of the addresses; `listening` is empty where TCP was not wanted."""

    datagrams: list[socket.socket]
    listening: list[socket.socket]
    port: int


def bind_all(addresses: Sequence[Announced], port: int, tcp: bool = False) -> Bound:
    """Sockets for each address, all on one port number; `port` 0 takes any that is free on all. Raises `PortUnavailable`."""
    for attempt in range(_ATTEMPTS):
        made: list[socket.socket] = []
        chosen, kind = port, socket.SOCK_DGRAM
        try:
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM) if tcp else (socket.SOCK_DGRAM,):
                for address in addresses:
                    made.append(_bind(address.bound, chosen, kind))
                    chosen = made[-1].getsockname()[1]
        except OSError as problem:
            for one in made:
                one.close()
            if port or attempt + 1 == _ATTEMPTS or not made:
                name = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
                raise PortUnavailable(
                    problem.errno, f"{name} {address.bound} port {chosen}: {problem.strerror}"
                ) from None
            continue
        return Bound(made[: len(addresses)], made[len(addresses) :], chosen)
    raise AssertionError("unreachable")


def _bind(ip: str, port: int, kind: socket.SocketKind) -> socket.socket:
    v6 = ":" in ip
    made = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, kind | socket.SOCK_NONBLOCK)
    try:
        if kind == socket.SOCK_STREAM:
            # A worker that is started again finds its port still held by connections that are closing.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            for option, size in ((socket.SO_RCVBUF, RECEIVE_BUFFER), (socket.SO_SNDBUF, SEND_BUFFER)):
                with contextlib.suppress(OSError):
                    made.setsockopt(socket.SOL_SOCKET, option, size)
        made.bind(socket.getaddrinfo(ip, port, type=kind, flags=socket.AI_NUMERICHOST)[0][4])
    except OSError:
        made.close()
        raise
    return made
