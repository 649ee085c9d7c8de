"""Sending to one subscriber under its own feedback: numbers, estimate, pacing and probes joined. Pure.

DOWN-1  Audio and repairs never wait; they are paid for all the same. Video waits for the pacer, in order.
DOWN-2  A probe is only sent while the subscriber wants more than the estimate gives it.
DOWN-3  More than a round trip and `SILENCE_S` of the estimate on its way, or something for a round trip and `LATE_S`: the
        path has stopped telling, and video is held.
DOWN-4  Repairs have a share of the estimate, none while a queue stands: what is lost at a full queue is not cured by more.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from media.congestion.controller import Controller
from media.congestion.ledger import Ledger
from media.congestion.pacer import Pacer
from media.congestion.probe import Cluster
from media.congestion.radio import Radio
from media.congestion.twcc import Feedback

OVERHEAD = 44
"""Bytes a datagram costs the path beyond the plain packet: IP, UDP and the SRTP tag."""
STANDING_S = 0.2
LEAST_REPAIR_BPS = 100_000.0
MOST_CLUSTERS = 4
QUEUE_S = 0.08
SILENCE_S, LATE_S, LEAST_FLYING = 0.25, 0.2, 8000
TELLS_S = 5.0
"""Who has fed nothing back for so long may never again: it is not waited for."""
LONG_HELD_S, TRUSTED = 0.15, 0.4
"""When a path that was not heard of for so long is heard again, with a queue, what comes is taken for what the path carries:
while a queue stands it is. Where that is not known, so much is left of the estimate."""
REPAIR_SHARE, REPAIR_BURST_S = 0.5, 0.5
"""Of the estimate, what repairs may take; saved up for so long. At 30 % loss each packet is sent 1.4 times."""


@dataclass(slots=True)
class Burst:
    """A probe cluster on its way out."""

    cluster: Cluster
    left: int
    next_at: float


class Downlink:
    """One transport's sending side. `What waits is the plain packet."""

    __slots__ = (
        "_asked_at",
        "_heard_at",
        "_held_at",
        "_held_bps",
        "_last_feedback",
        "_losses",
        "_opened_at",
        "_repairs",
        "_repairs_at",
        "_rtt_least",
        "_rtt_s",
        "_rtt_turn",
        "begun",
        "controller",
        "ledger",
        "loss",
        "pacer",
        "probes",
        "probing",
        "radio",
        "steady_loss",
    )

    def __init__(self, now: float) -> None:
        self.controller = Controller()
        self.ledger = Ledger()
        self.pacer: Pacer[bytes] = Pacer(self.controller.target_bps)
        self.probes: deque[Burst] = deque(maxlen=MOST_CLUSTERS)
        self.probing: int | None = None
        """The cluster the packet that leaves now belongs to."""
        self.begun = False
        self.loss = 0.0
        """Fraction 0–1 lost over the last second or so of feedback, smoothed; not learned while a queue stands."""
        self.steady_loss = 0.0
        """The same over some ten seconds."""
        self.radio = Radio()
        """How much is lost that no queue loses."""
        self._losses = [0, 0]
        self._heard_at: float | None = None
        self._last_feedback = now
        self._opened_at = now
        self._rtt_s = self._rtt_least = 0.1
        self._rtt_turn = now
        self._repairs, self._repairs_at = 0.0, now
        self._held_at, self._held_bps = now, 0.0
        self._asked_at = float("-inf")

    @property
    def estimate_bps(self) -> float:
        """What the path carries."""
        return self.controller.target_bps

    @property
    def queueing(self) -> bool:
        """Whether losses may be the queue's: then sending more is no cure."""
        return self.controller.wait_s > QUEUE_S

    @property
    def settled(self) -> bool:
        """Whether there has been enough feedback for the estimate to be more than a guess."""
        return self._heard_at is not None and self._last_feedback - self._heard_at > 2.0

    def hold(self, now: float) -> bool:
        """DOWN-3; to be asked before video is sent. What goes at one moment is asked for once: it is a frame or two."""
        if now == self._asked_at:
            return self.pacer.held
        self._asked_at = now
        window = self.controller.capacity_bps * (self._rtt_least + SILENCE_S) / 8
        telling = now - self._last_feedback < TELLS_S
        oldest = self.ledger.flying_since
        late = oldest is not None and now - oldest > self._rtt_least + LATE_S
        held = telling and self.settled and self.ledger.flying > (LEAST_FLYING if late else max(window, LEAST_FLYING))
        if held and not self.pacer.held:
            self._held_at, self._held_bps = now, self.controller.capacity_bps
        elif self.pacer.held and not held and self._broken(now):
            self.controller.distrust(TRUSTED * self._held_bps)
            self.pacer.set_rate(self.controller.target_bps)
        self.pacer.held = held
        if held:
            self.controller.holding(now)
        return held

    def _broken(self, now: float) -> bool:
        """Whether a hold has lasted, and not for a browser that was busy."""
        return now - self._held_at > LONG_HELD_S and self.controller.queue_s > QUEUE_S

    def may_repair(self, size: int, now: float) -> bool:
        """DOWN-4; if so, it is paid for."""
        if self.controller.wait_s > STANDING_S:
            return False
        rate = max(self.estimate_bps, LEAST_REPAIR_BPS) * REPAIR_SHARE / 8
        self._repairs = min(self._repairs + (now - self._repairs_at) * rate, rate * REPAIR_BURST_S)
        self._repairs_at = now
        if self._repairs < size:
            return False
        self._repairs -= size
        return True

    def number(self, now: float, size: int) -> int:
        """The transport-wide number of a packet of `size` plain bytes that leaves now."""
        return self.ledger.sent(now, size + OVERHEAD, self.probing)

    def want(self, bps: float) -> None:
        """What the subscriber would be sent on a perfect path."""
        self.controller.want(bps)

    def begin(self, now: float) -> None:
        """Media has begun to flow: ask the path what it can do."""
        self.begun = True
        self._add(self.controller.begin(now), now)

    def hear(self, feedback: Feedback, now: float) -> None:
        """One feedback message."""
        reports = self.ledger.fates(feedback)
        if not reports:
            return
        if self._heard_at is None:
            self._heard_at = now
        self._last_feedback = now
        newest = next((sent_at for sent_at, _, arrived_at, _ in reversed(reports) if arrived_at is not None), None)
        if newest is not None:
            self._rtt_s = now - newest
            if now - self._rtt_turn > 10.0 or self._rtt_s < self._rtt_least:
                self._rtt_least, self._rtt_turn = self._rtt_s, now
        estimate = self.controller.hear(reports, self._rtt_s, now)
        self.radio.hear(estimate.inherent_loss, now)
        if self.pacer.held and self._broken(now):
            self.controller.distrust(TRUSTED * self._held_bps)
        self.pacer.set_rate(self.controller.target_bps)
        self._add(estimate.probes, now)
        self._count(len(reports), [report[2] for report in reports].count(None))

    def _add(self, clusters: tuple[Cluster, ...], now: float) -> None:
        self.probes.extend(Burst(cluster, cluster.size, now) for cluster in clusters)

    def _count(self, told: int, lost: int) -> None:
        seen = self._losses
        seen[0] += told
        seen[1] += lost
        if seen[0] >= 50:
            fraction = seen[1] / seen[0]
            if not self.queueing:
                self.loss = fraction if fraction > self.loss else 0.5 * (self.loss + fraction)
                self.steady_loss += (0.3 if self.loss > self.steady_loss else 0.1) * (self.loss - self.steady_loss)
            seen[0] = seen[1] = 0
