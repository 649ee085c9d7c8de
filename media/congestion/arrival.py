"""Packets sent in one burst are one sample: how much later did this burst arrive than the one before, beyond the sending gap.

draft-ietf-rmcat-gcc-02 §5.2: bursts of 5 ms; packets that arrive faster than they were sent belong to the burst before
(they waited together somewhere).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from media.congestion.feedback import Report

BURST_S = 0.005


class Delta(NamedTuple):
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

    def hear(self, reports: Sequence[Report]) -> Iterator[Delta]:
        """One message's packets."""
        now = self._now
        for sent_at, _, arrived_at, _ in reports:
            if arrived_at is None:
                continue
            if now is None:
                now = self._now = _Burst(sent_at, sent_at, arrived_at)
                continue
            since = sent_at - now.first_sent
            if since < 0:
                continue
            if since <= BURST_S or self._caught_up(now, sent_at, arrived_at):
                now.last_sent = sent_at
                if arrived_at > now.last_arrived:
                    now.last_arrived = arrived_at
                continue
            before, self._before = self._before, now
            over, now = now, _Burst(sent_at, sent_at, arrived_at)
            self._now = now
            if before is not None:
                last_at = over.last_arrived
                yield Delta(over.last_sent - before.last_sent, last_at - before.last_arrived, last_at)

    @staticmethod
    def _caught_up(burst: _Burst, sent_at: float, arrived_at: float) -> bool:
        arrival_gap = arrived_at - burst.last_arrived
        return arrival_gap <= BURST_S and arrival_gap < sent_at - burst.last_sent
