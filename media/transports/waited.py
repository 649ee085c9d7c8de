"""How long a datagram has waited in its socket, by the kernel's word (Linux, `SIOCGSTAMPNS`: socket(7))."""

from __future__ import annotations

import contextlib
import socket
import time
from fcntl import ioctl
from struct import Struct

_SIOCGSTAMPNS = 0x8907
_TIMESPEC = Struct("@ll")
MOST_S = 2.0
"""More than this is a wall clock that was set."""


class Waited:
    """One socket's. Asking costs 0.5 µs; from the first question on the kernel stamps what comes."""

    __slots__ = ("_fd", "_stamp")

    def __init__(self, sock: socket.socket) -> None:
        """`sock` is to outlive this."""
        self._fd = sock.fileno()
        self._stamp = bytearray(_TIMESPEC.size)
        with contextlib.suppress(OSError):  # nothing has come yet
            ioctl(self._fd, _SIOCGSTAMPNS, self._stamp)

    def seconds(self) -> float:
        """Between the coming of the datagram that was read last and now; 0 where the kernel does not say."""
        try:
            ioctl(self._fd, _SIOCGSTAMPNS, self._stamp)
        except OSError:
            return 0.0
        whole, nanoseconds = _TIMESPEC.unpack(self._stamp)
        waited = time.time() - whole - nanoseconds * 1e-9
        return waited if 0.0 < waited < MOST_S else 0.0
