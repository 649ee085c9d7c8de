"""Tells radio loss from congestion: the pair (inherent loss, bandwidth) that best explains what was lost at which rate.

Below the bandwidth a packet is lost with the inherent probability; above it, the surplus is lost too. Over the last windows
of 250 ms the likelihood of a few candidate bandwidths is compared, each with the inherent loss that suits it best. A link
that loses 20 % at every rate is explained by loss and keeps its bitrate; one that loses only when pushed is explained by
bandwidth. Wide preference is given to higher bandwidths, so that noise does not creep downwards.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

from media.congestion.feedback import Report

WINDOW_S = 0.25
WINDOWS = 20
FADE = 0.9
CANDIDATES = (1.04, 1.0, 0.95, 0.85)
LEAST_INHERENT, MOST_INHERENT = 0.001, 0.45
MOST_LOSS = 0.9999
HIGH_BANDWIDTH_BIAS = 0.0003
INSTANT_LIMIT_LOSS = 0.5
LEAST_BPS = 10_000.0
PROVEN = 1.5


@dataclass(slots=True)
class _Window:
    packets: int
    lost: int
    bps: float


class LossModel:
    """Feed fates; `bps` is the bandwidth that loss allows, None while loss says nothing against the delay's estimate."""

    def __init__(self) -> None:
        self.bps: float | None = None
        self.inherent = 0.01
        self._windows: deque[_Window] = deque(maxlen=WINDOWS)
        self._began: float | None = None
        self._packets = self._lost = self._bytes = 0

    def hear(self, reports: Sequence[Report]) -> bool:
        """One message's packets, in sending order. True when a window ended and `update` should be called."""
        packets, lost, octets, over = self._packets, self._lost, self._bytes, False
        began = reports[0][0] if self._began is None else self._began
        ends = began + WINDOW_S
        for sent_at, size, arrived_at, _ in reports:
            packets += 1
            octets += size
            if arrived_at is None:
                lost += 1
            if sent_at >= ends and packets >= 10:
                self._windows.append(_Window(packets, lost, octets * 8 / (sent_at - began)))
                packets = lost = octets = 0
                began, ends, over = sent_at, sent_at + WINDOW_S, True
        self._began, self._packets, self._lost, self._bytes = began, packets, lost, octets
        return over

    @property
    def sent_bps(self) -> float | None:
        """What was sent over the last half second that is known of."""
        lately = list(self._windows)[-2:]
        return sum(window.bps for window in lately) / len(lately) if lately else None

    def update(self, delay_bps: float, acked_bps: float | None, queueing: bool = True) -> float:
        """The bitrate that loss and delay together allow, given the delay's estimate, and whether a queue stands."""
        if not any(window.lost for window in self._windows):
            # Nothing was lost at any rate: the likelihood only falls below it. 1 ms four times a second is not spent.
            self.bps, self.inherent = delay_bps, LEAST_INHERENT
            return delay_bps
        now = min(self.bps, delay_bps) if self.bps is not None else delay_bps
        candidates = {now * factor for factor in CANDIDATES} | {delay_bps}
        if acked_bps is not None:
            candidates |= {acked_bps, acked_bps * BACK_OFF_TO_ACKED}
        best, self.inherent, highest = now, self._fit(now)[0], float("-inf")
        for bps in sorted(candidates):
            if bps <= delay_bps:
                inherent, score = self._fit(bps)
                if score > highest:
                    best, self.inherent, highest = bps, inherent, score
        if queueing and self._lately_lost() > INSTANT_LIMIT_LOSS:
            through = self._lately_delivered()  # nothing at all: the path is dark, which says nothing of its width
            limit = through if through > LEAST_BPS else acked_bps
            best = best if limit is None else min(best, max(limit, LEAST_BPS))
        if not queueing and acked_bps is not None:
            # What came without waiting was not too much: else a burst of losses would leave ever less to send.
            best = max(best, min(PROVEN * acked_bps / (1 - self._ever_lost()), delay_bps))
        self.bps = best
        return best

    def _lately_lost(self) -> float:
        lately = list(self._windows)[-2:]
        packets = sum(window.packets for window in lately)
        return sum(window.lost for window in lately) / packets if packets else 0.0

    def _ever_lost(self) -> float:
        packets = sum(window.packets for window in self._windows)
        lost = sum(window.lost for window in self._windows) / packets if packets else 0.0
        return min(lost, MOST_INHERENT)

    def _lately_delivered(self) -> float:
        """What got through of what was sent when so much was lost: later less may, because the sender waits."""
        return max(window.bps * (1 - window.lost / window.packets) for window in list(self._windows)[-3:])

    def _fit(self, bps: float) -> tuple[float, float]:
        """The inherent loss that suits this bandwidth best (by bisection: the likelihood is concave), and how well it does.

        One block; each window's surplus is worked out once, and windows that had none are one: 0.1 ms an update instead of 3.
        """
        rows, weight, total, below_lost, below_kept = [], 1.0, 0.0, 0.0, 0.0
        for window in reversed(self._windows):
            lost, kept = weight * window.lost, weight * (window.packets - window.lost)
            if window.bps <= bps:
                below_lost += lost
                below_kept += kept
            else:
                rows.append((lost, kept, 1 - bps / window.bps))
            total += weight * window.packets
            weight *= FADE
        rows.append((below_lost, below_kept, 0.0))
        low, high = LEAST_INHERENT, MOST_INHERENT
        for _ in range(10):
            middle = (low + high) / 2
            slope = 0.0
            for lost, kept, surplus in rows:
                p = middle + (1 - middle) * surplus
                if p < MOST_LOSS:
                    slope += (1 - surplus) * (lost / p - kept / (1 - p))
            if slope > 0:
                low = middle
            else:
                high = middle
        inherent = (low + high) / 2
        score = HIGH_BANDWIDTH_BIAS * total * log(bps)
        for lost, kept, surplus in rows:
            p = min(inherent + (1 - inherent) * surplus, MOST_LOSS)
            score += lost * log(p) + kept * log(1 - p)
        return inherent, score


BACK_OFF_TO_ACKED = exp(-0.1)
