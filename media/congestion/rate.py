"""Climbs while the path is calm and steps back when its queue grows (draft-ietf-rmcat-gcc-02 §5.5).

Far from the last known capacity the climb is by 8 % a second; near it, by about one packet a round trip. A step back goes
to 85 % of what really arrived. The climb never passes 1.5 times what arrived: a sender with little to say learns nothing.
"""

from __future__ import annotations

from typing import Literal

from media.congestion.trendline import Usage

BACK_OFF = 0.85
CLIMB_PER_S = 1.08
AHEAD = 1.5
AHEAD_BPS = 10_000
PACKET_BITS = 1200 * 8
NEAR_DEVIATIONS = 3.0
IDLE_BELOW = 0.85
IDLE_STEP, IDLE_EVERY_S = 0.7, 0.3
"""A sender that sends less than it may learns little from a growing queue: it steps back by so much, this often, no further
than one that sent all it may. Measured on a busy machine: a picture of 150 kbit/s on a path of 600 was paused for noise."""


class Rate:
    """The delay-based bitrate."""

    def __init__(self, start_bps: float, least_bps: float, most_bps: float) -> None:
        self.bps = start_bps
        self._least, self._most = least_bps, most_bps
        self._state: Literal["hold", "climb"] = "climb"
        self._updated_at: float | None = None
        self._backed_at = float("-inf")
        self._capacity: _Capacity = _Capacity()

    def hear(
        self, usage: Usage, acked_bps: float | None, rtt_s: float, now: float, sent_bps: float | None = None
    ) -> float:
        """One verdict of the trendline; returns the new bitrate. `sent_bps`: what was sent of what might have been."""
        elapsed = min(now - self._updated_at, 1.0) if self._updated_at is not None else 0.0
        self._updated_at = now
        if usage == "over":
            self._back_off(acked_bps, sent_bps, now)
        elif usage == "under":
            self._state = "hold"
        elif self._state == "hold":
            self._state = "climb"
        else:
            self._climb(acked_bps, rtt_s, elapsed)
        self.bps = min(max(self.bps, self._least), self._most)
        return self.bps

    def jump(self, bps: float) -> None:
        """A probe proved that this much gets through."""
        self.bps = min(max(bps, self._least), self._most)

    def _back_off(self, acked_bps: float | None, sent_bps: float | None, now: float) -> None:
        self._state = "hold"
        if acked_bps is not None and sent_bps is not None and sent_bps < IDLE_BELOW * self.bps:
            if now - self._backed_at >= IDLE_EVERY_S:
                self._backed_at = now
                self.bps = min(self.bps, max(BACK_OFF * acked_bps, IDLE_STEP * self.bps))
            return
        if acked_bps is None:
            self.bps *= BACK_OFF
            return
        if self._capacity.surprised_by(acked_bps):
            self._capacity = _Capacity()
        self._capacity.hear(acked_bps)
        self.bps = min(self.bps, BACK_OFF * acked_bps)

    def _climb(self, acked_bps: float | None, rtt_s: float, elapsed: float) -> None:
        if acked_bps is not None and self._capacity.below(acked_bps):
            self._capacity = _Capacity()
        near = acked_bps is not None and self._capacity.mean is not None
        climbed = self.bps + PACKET_BITS / (rtt_s + 0.1) * elapsed if near else self.bps * CLIMB_PER_S**elapsed
        if acked_bps is not None:
            climbed = min(climbed, AHEAD * acked_bps + AHEAD_BPS)
        self.bps = max(self.bps, climbed)


class _Capacity:
    """Where the link's capacity seems to be: mean and spread of what arrived at each step back, in kbit/s."""

    def __init__(self) -> None:
        self.mean: float | None = None
        self._variance = 0.4

    def hear(self, bps: float) -> None:
        kbps = bps / 1000
        self.mean = kbps if self.mean is None else 0.95 * self.mean + 0.05 * kbps
        norm = max(self.mean, 1.0)
        self._variance = 0.95 * self._variance + 0.05 * (self.mean - kbps) ** 2 / norm
        self._variance = min(max(self._variance, 0.4), 2.5)

    def _spread(self) -> float:
        assert self.mean is not None
        return float(NEAR_DEVIATIONS * (self._variance * self.mean) ** 0.5)

    def surprised_by(self, bps: float) -> bool:
        """Whether this is far under what was known."""
        return self.mean is not None and bps / 1000 < self.mean - self._spread()

    def below(self, bps: float) -> bool:
        """Whether this is far over what was known."""
        return self.mean is not None and bps / 1000 > self.mean + self._spread()
