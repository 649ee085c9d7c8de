"""A bad link between two network namespaces: two TUN devices, joined by `Link`s in a process of its own.

`python -m tests.lab.wire NEAR FAR` takes the names of two TUN devices it may open, and a JSON line on standard input:
`{"seed": 1, "up": [[0, {…Weather}], …], "down": …}`; up is from NEAR to FAR. Each further line replaces both forecasts
from now on. At the end of input it prints both tallies as JSON.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import struct
import sys
import time
from dataclasses import asdict
from typing import Any

from tests.lab.link import Forecast, Link, Weather

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
SLACK_S = 0.0002


def open_tun(name: str) -> int:
    """A file descriptor of the TUN device, made if it is not there. Needs CAP_NET_ADMIN."""
    made = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(made, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return made


def forecast(given: list[list[Any]]) -> Forecast:
    """A forecast from its JSON."""
    return Forecast(tuple((float(begins), Weather(**weather)) for begins, weather in given))


class Wire:
    """Carries packets both ways until its input ends."""

    def __init__(self, near: int, far: int, plan: dict[str, Any]) -> None:
        self._ways: dict[int, tuple[Link, int]] = {}
        self._near, self._far = near, far
        self._turn(plan)

    def _turn(self, plan: dict[str, Any]) -> None:
        self._began = time.monotonic()
        seed = int(plan["seed"])
        self._ways = {
            self._near: (Link(forecast(plan["up"]), seed), self._far),
            self._far: (Link(forecast(plan["down"]), seed + 1), self._near),
        }

    def run(self) -> dict[str, Any]:
        """Until standard input ends; returns the tallies."""
        poll = select.epoll()
        for fd in (*self._ways, 0):
            poll.register(fd, select.EPOLLIN)
        while True:
            for fd, _ in poll.poll(self._wait()):
                if fd == 0:
                    line = sys.stdin.readline()
                    if not line:
                        return self._tallies()
                    self._turn(json.loads(line))
                else:
                    self._take(fd)
            self._deliver()

    def _wait(self) -> float:
        due = [link.next_at for link, _ in self._ways.values() if link.next_at is not None]
        if not due:
            return 0.5
        return max(0.0, min(due) - (time.monotonic() - self._began) - SLACK_S)

    def _take(self, fd: int) -> None:
        link, _ = self._ways[fd]
        with contextlib.suppress(BlockingIOError):
            for _ in range(64):
                link.push(time.monotonic() - self._began, os.read(fd, 65536))

    def _deliver(self) -> None:
        now = time.monotonic() - self._began
        for link, out in self._ways.values():
            for packet in link.pop(now):
                with contextlib.suppress(BlockingIOError):
                    os.write(out, packet)

    def _tallies(self) -> dict[str, Any]:
        out = {}
        for name, fd in (("up", self._near), ("down", self._far)):
            tally = asdict(self._ways[fd][0].tally)
            waits = sorted(tally.pop("queue_s"))
            tally["queue_p95_s"] = waits[len(waits) * 95 // 100] if waits else 0.0
            out[name] = tally
        return out


def main() -> None:
    """Open, say so, carry."""
    near, far = (open_tun(name) for name in sys.argv[1:3])
    print("open", flush=True)
    plan = json.loads(sys.stdin.readline())
    print(json.dumps(Wire(near, far, plan).run()), flush=True)


if __name__ == "__main__":
    main()
