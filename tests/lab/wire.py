"""A bad link between two network namespaces: two TUN devices, joined by `Link`s in a process of its own.

`python -m tests.lab.wire NEAR FAR` makes two TUN devices, says `open`, and reads JSON lines on standard input:
`{"seed": 1, "up": [[0, {…Weather}], …], "down": …}`; up is from NEAR to FAR. Each line is the forecast from now on, and is
answered by the tallies of the one before (of an idle link, at first), with a `series` of what was offered and delivered every
100 ms; at the end of input come the last ones. Whoever started it may move the devices into namespaces: they stay joined.

TUN-1  What is on its way when the forecast changes arrives when it would have.
TUN-2  A device that does not take a packet (its namespace is gone, it is not up) loses it, and nothing else happens.
TUN-3  How late the wire itself was (`late_p99_ms`) stands beside the tallies: on a busy machine that is jitter of its own.
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
from typing import Any

from tests.lab.link import Forecast, Link, Tally, Weather

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
EVERY_S = 0.1
LONGEST = 3000
"""Rows of a series; what comes later is tallied only."""
MOST_LATE = 1_000_000
LATEST = 64
"""Packets taken from one device before the other has its turn."""


def open_tun(name: str) -> int:
    """A file descriptor of the TUN device, made if it is not there. Raises `OSError` without CAP_NET_ADMIN."""
    made = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(made, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return made


def forecast(given: list[list[Any]]) -> Forecast:
    """A forecast from its JSON."""
    return Forecast(tuple((float(begins), Weather(**weather)) for begins, weather in given))


def summary(tally: Tally) -> dict[str, float]:
    """A tally as one row of numbers."""
    waits = sorted(tally.queue_s)
    return {
        "sent": tally.sent,
        "delivered": tally.delivered,
        "lost": tally.lost,
        "overflowed": tally.overflowed,
        "delivered_bytes": tally.delivered_bytes,
        "queue_p95_s": round(waits[len(waits) * 95 // 100], 4) if waits else 0.0,
    }


class Wire:
    """Carries packets both ways until its input ends."""

    def __init__(self, near: int, far: int) -> None:
        calm = Forecast.steady(Weather())
        self._up, self._down = Link(calm, 0), Link(calm, 0)
        self._ways = {near: (self._up, far), far: (self._down, near)}
        self._began = time.monotonic()
        self._turned = self._row_at = 0.0
        self._series: list[list[float]] = []
        self._late: list[float] = []

    def run(self) -> None:
        """Until standard input ends."""
        poll = select.epoll()
        for fd in (*self._ways, 0):
            poll.register(fd, select.EPOLLIN)
        said = b""
        while True:
            for fd, _ in poll.poll(self._wait()):
                if fd != 0:
                    self._take(fd)
                    continue
                heard = os.read(0, 65536)
                *lines, said = (said + heard).split(b"\n")
                for line in lines:
                    self._turn(json.loads(line))
                if not heard:
                    self._tell()
                    return
            self._deliver()
            self._note()

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _turn(self, plan: dict[str, Any]) -> None:
        self._tell()
        self._turned = self._row_at = now = self._now()
        self._series, self._late = [], []
        self._up.turn(forecast(plan["up"]).after(now), int(plan["seed"]))
        self._down.turn(forecast(plan["down"]).after(now), int(plan["seed"]) + 1)

    def _tell(self) -> None:
        late = sorted(self._late)
        told = {
            "up": summary(self._up.tally),
            "down": summary(self._down.tally),
            "series": self._series,
            "late_p99_ms": round(1000 * late[len(late) * 99 // 100], 1) if late else 0.0,
        }
        print(json.dumps(told), flush=True)

    def _note(self) -> None:
        """Second since the turn, then for up and down: bytes offered and delivered since the turn, wait of the queue in s."""
        now = self._now()
        if now < self._row_at or len(self._series) >= LONGEST:
            return
        self._row_at += EVERY_S
        row = [round(now - self._turned, 3)]
        for link in (self._up, self._down):
            row += [link.tally.sent_bytes, link.tally.delivered_bytes, round(link.wait_s(now), 4)]
        self._series.append(row)

    def _wait(self) -> float:
        """Seconds to sleep; epoll counts in milliseconds and rounds up, so the last one is not slept."""
        due = [link.next_at for link, _ in self._ways.values() if link.next_at is not None]
        if not due:
            return EVERY_S
        left = min(due) - self._now()
        return 0.0 if left <= 0 else max(0.001, left - 0.001)

    def _take(self, fd: int) -> None:
        link, _ = self._ways[fd]
        with contextlib.suppress(BlockingIOError):
            for _ in range(LATEST):
                link.push(self._now(), os.read(fd, 65536))

    def _deliver(self) -> None:
        now = self._now()
        for link, out in self._ways.values():
            if link.next_at is not None and link.next_at <= now and len(self._late) < MOST_LATE:
                self._late.append(now - link.next_at)
            for packet in link.pop(now):
                with contextlib.suppress(OSError):  # TUN-2
                    os.write(out, packet)


def main() -> None:
    """Open, say so, carry. A higher priority where that is allowed: a late wire would be a worse link than it says."""
    with contextlib.suppress(OSError):
        os.nice(-10)
    near, far = (open_tun(name) for name in sys.argv[1:3])
    print("open", flush=True)
    Wire(near, far).run()


if __name__ == "__main__":
    main()
