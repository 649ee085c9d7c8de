"""One subscriber's estimate: what the media plane may send to it, from what its feedback says.

Used by the plane like this: number every packet transport-wide, remember `Report`s, hand over the fates of each feedback
message in sending order, read `target_bps`, and send the probe clusters that come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from media.congestion.arrival import Bursts
from media.congestion.feedback import AckedRate, Report, Standing
from media.congestion.loss import LossModel
from media.congestion.probe import FULL_BELOW, Cluster, Prober
from media.congestion.rate import Rate
from media.congestion.trendline import Trendline, Usage

DRAIN_OVER_S, DRAIN_WITHIN_S, DRAIN_LEAST = 0.060, 0.6, 0.5
"""A queue that stands over 60 ms is emptied: up to half the rate is held back, most when it stands 300 ms. Measured on the
lab's step from 2.5 to 0.6 Mbit/s: back under 60 ms after 1.1 s instead of 2.5 s."""

PROBE_ECHO_S = 0.15
"""After a probe the path's delay is not listened to for so long: the queue it saw was the probe's own."""

QUEUE_LEAST_S, DOUBT_S = 0.04, 0.5
"""A trend is believed while so much of a queue stands (a keyframe's own is 30 ms), or as soon as it does within so long: a
browser that was held up twice a second looked like a full path, and 250 kbit/s were used by 0.38 instead of 0.7
(`tests/unit/test_downlink.py`)."""
HOLD_ECHO_S = 1.0
LOWERS = 0.85
"""A probe that found the path full below the estimate lowers it, by so much at the most, and not below what arrives."""
FELL, CALM_S = 0.8, 0.05
"""A fall by so much is looked into by a probe, once a queue of less than this is left."""

INHERENT_WINDOWS = 40
"""What a radio loses whatever is sent changes slowly, and losses come in bursts: it is told over ten seconds."""

START_BPS, LEAST_BPS, MOST_BPS = 300_000.0, 30_000.0, 8_000_000.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the path carries (bit/s), what of it is lost whatever is sent (0–1), and probes to send now."""

    target_bps: float
    inherent_loss: float
    probes: tuple[Cluster, ...] = ()


class Controller:
    """Delay and loss together. Times in seconds; any origin, but one for all calls."""

    def __init__(self, start_bps: float = START_BPS, least_bps: float = LEAST_BPS, most_bps: float = MOST_BPS) -> None:
        self._bursts, self._trendline = Bursts(), Trendline()
        self._standing = Standing()
        self._acked, self._loss, self._prober = AckedRate(), LossModel(), Prober()
        self._rate = Rate(start_bps, least_bps, most_bps)
        self._least, self._most = least_bps, most_bps
        self._target = start_bps
        self._wanted = most_bps
        self._rtt_s = 0.2
        self._deaf_from = self._deaf_until = self._holds_until = float("-inf")
        self._inherent, self._windows = 0.0, 0
        self._doubted_at = float("-inf")
        self._highest = start_bps

    @property
    def target_bps(self) -> float:
        """The estimate now."""
        return self._target

    @property
    def capacity_bps(self) -> float:
        """The estimate as it will be once a standing queue is drained: what is worth planning with."""
        bps = self._rate.bps if self._loss.bps is None else min(self._rate.bps, self._loss.bps)
        return max(bps, self._least)

    @property
    def wait_s(self) -> float:
        """How long packets wait in the path's queue."""
        return self._standing.wait_s

    @property
    def queue_s(self) -> float:
        """How long all that came lately has waited: what a busy receiver took late is not in here."""
        return self._standing.queue_s

    @property
    def inherent_loss(self) -> float:
        """What the path loses whatever is sent (0–1), over the last ten seconds or so."""
        return self._inherent

    @property
    def acked_bps(self) -> float | None:
        """What arrived lately."""
        return self._acked.bps

    def want(self, bps: float) -> None:
        """What the subscriber would be sent on a perfect path: there is no use in knowing more."""
        self._wanted = min(max(bps, self._least), self._most)

    def holding(self, now: float) -> None:
        """The sender holds back by itself: for a while what arrives says nothing of what could."""
        self._holds_until = now + HOLD_ECHO_S

    def distrust(self, most_bps: float) -> None:
        """The path was not heard of for a while, and a queue stands: it is another now. Probes tell soon if it is not."""
        acked = self._acked.bps
        self._rate.jump(min(self._rate.bps, most_bps if acked is None else acked))
        self._target = min(self._target, self._rate.bps)

    def begin(self, now: float) -> tuple[Cluster, ...]:
        """The probes that open a connection."""
        return tuple(self._prober.first(self._target, now))

    def hear(self, reports: Sequence[Report], rtt_s: float, now: float) -> Estimate:
        """One feedback message: fates in sending order, and the round trip it took."""
        self._rtt_s = 0.9 * self._rtt_s + 0.1 * rtt_s
        if not reports:
            return Estimate(self._target, self._inherent)
        self._standing.hear(reports)
        self._acked.hear(reports)
        window_over = self._loss.hear(reports)
        echoing = reports[0][0] <= self._deaf_until
        probes = self._read_probes(reports, now) if self._prober.open or echoing else []
        if reports[0][0] <= self._deaf_until:
            deaf_from, deaf_until = self._deaf_from, self._deaf_until
            reports = [report for report in reports if not deaf_from <= report[0] <= deaf_until]
        for delta in self._bursts.hear(reports):
            usage = self._confirmed(self._trendline.hear(delta), now)
            if usage is not None:
                spent_bps = self._spent(now) if usage == "over" else None
                self._rate.hear(usage, self._acked.bps, self._rtt_s, now, spent_bps)
        if window_over:
            self._loss.update(self._rate.bps, self._acked.bps, self._standing.wait_s > DRAIN_OVER_S)
            self._windows += 1
            self._inherent += (self._loss.inherent - self._inherent) / min(self._windows, INHERENT_WINDOWS)
            self._prober.loss = self._inherent
        self._target = self._rate.bps if self._loss.bps is None else min(self._rate.bps, self._loss.bps)
        self._target = max(self._drained(self._target), self._least)
        self._prober.forget(now)
        self._highest = max(self._highest, self._rate.bps)
        if self._rate.bps < FELL * self._highest:
            self._highest = self._rate.bps
            self._prober.soon(now)
        probes += self._prober.idle(self._target, self._wanted, now, self._standing.wait_s > CALM_S)
        return Estimate(self._target, self._inherent, tuple(probes))

    def _drained(self, bps: float) -> float:
        wait = self._standing.wait_s
        return bps * max(1 - wait / DRAIN_WITHIN_S, DRAIN_LEAST) if wait > DRAIN_OVER_S else bps

    def _spent(self, now: float) -> float | None:
        """What was sent of what might have been; None where all of it was, as far as is known."""
        held = now < self._holds_until
        if held and self._standing.queue_s < DRAIN_OVER_S:
            return 0.0  # what arrives says nothing: a hold of 0.4 s had left 61 of 545 kbit/s
        return self._loss.sent_bps if held or self._standing.wait_s < DRAIN_OVER_S else None

    def _confirmed(self, usage: Usage, now: float) -> Usage | None:
        """A growing queue is believed once one stands, and soon enough; None while it is in doubt."""
        stands = self._standing.queue_s > QUEUE_LEAST_S
        if usage == "over":
            self._doubted_at = now
            return usage if stands else None
        if stands and now - self._doubted_at < DOUBT_S:
            self._doubted_at = float("-inf")
            return "over"
        return usage

    def _read_probes(self, reports: Sequence[Report], now: float) -> list[Cluster]:
        further: list[Cluster] = []
        prober, through = self._prober, 1 - self._loss.inherent
        for sent_at, size, arrived_at, probe in reports:
            if probe is None:
                prober.beside(sent_at, arrived_at, size)
                continue
            if arrived_at is not None:
                if sent_at > self._deaf_until:
                    self._deaf_from = sent_at
                self._deaf_until = sent_at + PROBE_ECHO_S
            found = prober.hear(probe, sent_at, arrived_at, size, through)
            if found is not None:
                further += self._believe(*found, now)
        return further

    def _believe(self, proven: float, asked: float, now: float) -> list[Cluster]:
        """What a probe has found; the one to send next."""
        if proven > self._rate.bps:
            self._rate.jump(proven)
        elif proven < FULL_BELOW * asked and self._acked.bps is not None:
            self._rate.jump(max(proven, self._acked.bps, LOWERS * self._rate.bps))
        return self._prober.further(proven, asked, self._wanted, now)
