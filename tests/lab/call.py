"""A sender under the congestion controller over a `Link`, in virtual time: seconds of call in milliseconds of test."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field

from media.congestion.controller import Controller
from media.congestion.feedback import Report
from media.congestion.probe import Cluster
from tests.lab.link import Forecast, Link

STEP_S = 0.001
FEEDBACK_S = 0.05
PACKET = 1000


@dataclass
class Trace:
    """What happened, every 100 ms: (second, target, arrived bit/s in that span, queue wait now)."""

    rows: list[tuple[float, float, float, float]] = field(default_factory=list)

    def between(self, begins: float, ends: float) -> list[tuple[float, float, float, float]]:
        """The rows of a span."""
        return [row for row in self.rows if begins <= row[0] < ends]

    def arrived(self, begins: float, ends: float) -> float:
        """Mean arrived bit/s of a span."""
        rows = self.between(begins, ends)
        return sum(row[2] for row in rows) / len(rows)

    def queue_p95(self, begins: float, ends: float) -> float:
        """95th percentile of the queue's wait in a span, seconds."""
        waits = sorted(row[3] for row in self.between(begins, ends))
        return waits[len(waits) * 95 // 100]


@dataclass(slots=True)
class _Burst:
    """A probe cluster being sent: bytes left, and bytes it may send now."""

    cluster: Cluster
    left: float
    allowance: float = 0.0


class Call:
    """One greedy sender (up to `wanted_bps`), its link, and a receiver that reports every 50 ms."""

    def __init__(self, forecast: Forecast, seed: int, wanted_bps: float = 3e6, back_s: float | None = None) -> None:
        self.controller = Controller()
        self.controller.want(wanted_bps)
        self.trace = Trace()
        self.link = Link(forecast, seed)
        self._wanted = wanted_bps
        self._back_s = back_s if back_s is not None else max(forecast.at(0).delay_s, 0.005)
        self._sent: dict[int, tuple[float, int, int | None]] = {}
        self._number = 0
        self._reported_to = 0
        self._clusters: deque[_Burst] = deque()
        self._arrivals: dict[int, float] = {}
        self._feedback: list[tuple[float, int, list[tuple[int, float | None]]]] = []

    def run(self, seconds: float) -> Trace:
        """Play the call."""
        budget, at, next_feedback, bits = 0.0, 0.0, FEEDBACK_S, 0
        for cluster in self.controller.begin(0.0):
            self._clusters.append(_Burst(cluster, cluster.size))
        for step in range(int(seconds / STEP_S)):
            at = step * STEP_S
            budget += min(self.controller.target_bps, self._wanted) * STEP_S / 8
            budget = self._send(at, budget)
            for packet in self.link.pop(at):
                self._arrivals[int.from_bytes(packet[:4], "big")] = at
                bits += len(packet) * 8
            if at >= next_feedback:
                next_feedback += FEEDBACK_S
                self._report(at)
            self._hear(at)
            if step % 100 == 99:
                waits = self.link.tally.queue_s
                self.trace.rows.append((at, self.controller.target_bps, bits / 0.1, waits[-1] if waits else 0.0))
                bits = 0
        return self.trace

    def _send(self, at: float, budget: float) -> float:
        if self._clusters:
            burst = self._clusters[0]
            burst.allowance += burst.cluster.bps * STEP_S / 8
            while burst.allowance >= 0 and burst.left > 0:
                self._emit(at, burst.cluster.number)
                burst.allowance -= PACKET
                burst.left -= PACKET
            if burst.left <= 0:
                self._clusters.popleft()
            return budget
        while budget >= PACKET:
            self._emit(at, None)
            budget -= PACKET
        return budget

    def _emit(self, at: float, probe: int | None) -> None:
        self._sent[self._number] = (at, PACKET, probe)
        self.link.push(at, self._number.to_bytes(4, "big") + bytes(PACKET - 4))
        self._number += 1

    def _report(self, at: float) -> None:
        if not self._arrivals:
            return
        newest = max(self._arrivals)
        fates = [(number, self._arrivals.get(number)) for number in range(self._reported_to, newest + 1)]
        self._reported_to = newest + 1
        self._arrivals = {}
        heapq.heappush(self._feedback, (at + self._back_s, newest, fates))

    def _hear(self, at: float) -> None:
        while self._feedback and self._feedback[0][0] <= at:
            _, newest, fates = heapq.heappop(self._feedback)
            reports: list[Report] = []
            for number, arrived in fates:
                sent_at, size, probe = self._sent.pop(number)
                reports.append((sent_at, size, arrived, probe))
                if number == newest:
                    rtt = at - sent_at
            estimate = self.controller.hear(reports, rtt, at)
            self._clusters.extend(_Burst(cluster, cluster.size) for cluster in estimate.probes)
