"""Packets sent in one burst are one sample: how much later did this burst arrive than the one before, beyond the sending gap.

draft-ietf-rmcat-gcc-02 §5.2: bursts of 5 ms; packets that arrive faster than they were sent belong to the burst before
(they waited together somewhere).
"""

from __future__ import annotations

from dataclasses import dataclass

BURST_S = 0.005


@dataclass(frozen=True, slots=True)
class Delta:
    """Between two bursts: the sending gap, the arrival gap, and when the later one arrived (seconds)."""

    sent_s: float
    arrived_s: float
    arrived_at: float

    @property
    def growth_s(self) -> float:
        """How much longer the path has become."""
        return self.arrived_s - self.sent_s


@dataclass(slots=True)
class _Burst:
    first_sent: float
    last_sent: float
    last_arrived: float


class Bursts:
    """Feed packets in sending order; a `Delta` comes out when a burst is over."""

    def __init__(self) -> None:
        self._before: _Burst | None = None
        self._now: _Burst | None = None

    def hear(self, sent_at: float, arrived_at: float) -> Delta | None:
        """One packet that arrived."""
        now = self._now
        if now is None:
            self._now = _Burst(sent_at, sent_at, arrived_at)
            return None
        if sent_at < now.first_sent:
            return None
        if sent_at - now.first_sent <= BURST_S or self._caught_up(now, sent_at, arrived_at):
            if sent_at > now.last_sent:
                now.last_sent = sent_at
            if arrived_at > now.last_arrived:
                now.last_arrived = arrived_at
            return None
        before, self._before = self._before, now
        self._now = _Burst(sent_at, sent_at, arrived_at)
        if before is None:
            return None
        return Delta(now.last_sent - before.last_sent, now.last_arrived - before.last_arrived, now.last_arrived)

    @staticmethod
    def _caught_up(burst: _Burst, sent_at: float, arrived_at: float) -> bool:
        arrival_gap = arrived_at - burst.last_arrived
        caught_up = arrival_gap - (sent_at - burst.last_sent) < 0
        return caught_up and arrival_gap <= BURST_S and arrived_at - burst.last_arrived < 0.1
