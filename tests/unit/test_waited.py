"""What the kernel says of a datagram's wait."""

from __future__ import annotations

import socket
import time

import pytest

from media.transports.waited import Waited


@pytest.mark.parametrize(("family", "ip"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_each_datagrams_wait_is_its_own(family: socket.AddressFamily, ip: str) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as there, socket.socket(family, socket.SOCK_DGRAM) as here:
        here.bind((ip, 0))
        waited = Waited(here)
        assert waited.seconds() == 0.0, "nothing has come"
        began = time.monotonic()
        there.sendto(b"first", here.getsockname())
        between_s = 0.03
        while time.monotonic() - began < between_s:
            pass
        there.sendto(b"second", here.getsockname())
        here.recv(10)
        first_s = waited.seconds()
        assert between_s * 0.99 <= first_s <= time.monotonic() - began + 0.001
        here.recv(10)
        assert waited.seconds() <= time.monotonic() - began - between_s + 0.001
