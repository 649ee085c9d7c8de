"""`python -m tests.lab.echo serve IP` answers every datagram.

`… ask IP COUNT [FROM]` sends COUNT of them, 5 ms apart, and prints what came back as JSON.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import time

PORT = 7
SIZE = 200
EVERY_S, PATIENCE_S = 0.005, 0.5


def serve(ip: str) -> None:
    """Until killed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind((ip, PORT))
        print("open", flush=True)
        while True:
            datagram, sender = door.recvfrom(2048)
            door.sendto(datagram, sender)


def ask(ip: str, count: int, own: str = "0.0.0.0") -> dict[str, float | str]:
    """How many came back, and the median time there and back in ms."""
    trips: list[float] = []

    def hear() -> None:
        with contextlib.suppress(BlockingIOError):
            while datagram := door.recv(2048):
                trips.append(time.monotonic() - float(datagram.rstrip(b"\0").decode()))

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind((own, 0))
        door.setblocking(False)
        for _ in range(count):
            try:
                door.sendto(repr(time.monotonic()).encode().ljust(SIZE, b"\0"), (ip, PORT))
            except OSError as error:
                return {"refused": str(error.strerror)}
            time.sleep(EVERY_S)
            hear()
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            time.sleep(0.001)
            hear()
    trips.sort()
    return {"back": len(trips), "median_ms": 1000 * trips[len(trips) // 2] if trips else 0.0}


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    print(json.dumps(ask(sys.argv[2], int(sys.argv[3]), *sys.argv[4:5])))
