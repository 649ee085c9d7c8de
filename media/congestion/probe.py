"""Asks the path for more: short clusters sent faster than the estimate, when the estimate is young or the sender idles.

A cluster is at least 5 packets over at least 15 ms. What it proves is the smaller of the rate it was sent at and the rate it
arrived at; if it arrived clearly slower, the path is full and the proof is discounted. What else was sent while it lasted
counts as well: it took its part of the path.

PROBING-1  Where a radio loses, a cluster is longer by what it will lose, twice over: enough of it has to come.
PROBING-2  A cluster that found no room is sent again: after `SOON_S`, then after twice as long and so on, up to what is
         usual. It may have been lost, or have met a receiver that was held up; who shows nothing climbs by probes alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LEAST_PACKETS = 5
LEAST_BYTES = LEAST_PACKETS * 1200
SMALL_BELOW_BPS, SMALL_BYTES, SMALLEST_BYTES, SMALL_LASTS_S = 800_000.0, 3000, 1600, 0.06
"""A slow probe is of few bytes, in small packets: on a path of 250 kbit/s 6 000 bytes are a queue of 190 ms."""
LASTS_S = 0.015
WAITS_S = 1.0
FULL_BELOW = 0.9
DISCOUNT = 0.95
BUNCHED = 1.3
"""What arrives by so much faster than it was sent had waited for the receiver: it tells nothing."""
FIRST_FACTORS = (3.0,)
"""One at first: two at once were 380 ms of queue on a path of 250 kbit/s. What it proves is asked for twice as much."""
GROW_FACTOR = 2.0
FURTHER_OVER = 0.7
IDLE_EVERY_S, SOON_S, FOUND = 3.0, 1.0, 1.1
"""Between probes nobody waits for; sooner after one that found room, but not where one is 0.1 s of the path."""
WIDE_BPS, WIDE_EVERY_S = 700_000.0, 1.5
"""Where a probe is a short queue, it is sent more often."""
MOST_LOSS = 0.3
FALLEN_S = 0.4
"""After a fall, by which it may be known whether it was one of the path."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Send so many bytes at this rate, marking each packet with the number."""

    number: int
    bps: float
    size: int


@dataclass(slots=True)
class _Seen:
    bps: float
    size: int
    began: float
    sent: list[tuple[float, int]] = field(default_factory=list)
    arrived: list[tuple[float, int]] = field(default_factory=list)
    probes: int = 0
    """How many of its own packets arrived,"""
    bytes: int = 0
    """and how much of it is known to have been sent."""

    def hear(self, sent_at: float, arrived_at: float | None, size: int) -> None:
        """One packet, in sending order."""
        self.sent.append((sent_at, size))
        if arrived_at is not None:
            self.arrived.append((arrived_at, size))


class Prober:
    """Decides when to probe and reads what came of it."""

    def __init__(self) -> None:
        self._number = 0
        self.open: dict[int, _Seen] = {}
        """Clusters on their way, by number."""
        self.loss = 0.0
        """What the path loses whatever is sent (0–1)."""
        self._in_vain = 0
        self._next_idle = IDLE_EVERY_S
        self._idle_from = 0.0
        self._last_at = float("-inf")

    def first(self, bps: float, now: float) -> list[Cluster]:
        """The clusters that begin a connection."""
        self._last_at = now
        return [self._cluster(bps * factor, now) for factor in FIRST_FACTORS]

    def further(self, proven_bps: float, asked_bps: float, most_bps: float, now: float) -> list[Cluster]:
        """After a probe that got most of what it asked: ask for twice that."""
        if proven_bps < FURTHER_OVER * asked_bps or proven_bps >= most_bps:
            return []
        return [self._cluster(min(GROW_FACTOR * proven_bps, 1.2 * most_bps), now)]

    def soon(self, now: float) -> None:
        """The estimate has fallen: whether the path has is worth knowing soon."""
        self._next_idle = min(self._next_idle, max(now + FALLEN_S, self._last_at + SOON_S))

    def idle(self, bps: float, wanted_bps: float, now: float, queueing: bool = False) -> list[Cluster]:
        """While the application sends less than it could or would send more than it may, and no queue stands."""
        if now < self._next_idle or bps >= wanted_bps or queueing:
            return []
        self._last_at = now
        found = 0 < FOUND * self._idle_from < bps and bps >= SMALL_BELOW_BPS / 2
        self._idle_from = bps
        self._next_idle = now + (SOON_S if found else WIDE_EVERY_S if bps >= WIDE_BPS else IDLE_EVERY_S)
        return [self._cluster(min(GROW_FACTOR * bps, 1.2 * wanted_bps), now)]

    def hear(
        self, number: int, sent_at: float, arrived_at: float | None, size: int, through: float = 1.0
    ) -> tuple[float, float] | None:
        """One packet of a cluster; (proven, asked) in bit/s once enough is known. `through`: the part of packets that the
        path does not lose whatever is sent; what it lost of a probe is not held against the rate."""
        seen = self.open.get(number)
        if seen is None:
            return None
        seen.hear(sent_at, arrived_at, size)
        seen.bytes += size
        seen.probes += arrived_at is not None
        if seen.probes < LEAST_PACKETS or seen.bytes < seen.size * 0.8:
            return None
        del self.open[number]
        proven = _proven(seen, through)
        if proven is None or proven < FURTHER_OVER * seen.bps:
            self._again()
        else:
            self._in_vain = 0
        return None if proven is None else (proven, seen.bps)

    def beside(self, sent_at: float, arrived_at: float | None, size: int) -> None:
        """One packet of something else; it counts for a cluster that has begun and is not over."""
        for seen in self.open.values():
            if seen.sent:
                seen.hear(sent_at, arrived_at, size)

    def forget(self, now: float) -> None:
        """Clusters whose packets never came back."""
        for number in [number for number, seen in self.open.items() if now - seen.began > WAITS_S]:
            del self.open[number]
            self._again()

    def _again(self) -> None:
        """PROBING-2."""
        self._in_vain += 1
        self._next_idle = min(self._next_idle, self._last_at + SOON_S * self._in_vain)

    def _cluster(self, bps: float, now: float) -> Cluster:
        self._number += 1
        kept = 1 - min(self.loss, MOST_LOSS)
        size = int(_bytes_of(bps) / (kept * kept))  # PROBING-1
        self.open[self._number] = _Seen(bps, size, now)
        return Cluster(self._number, bps, size)


def _bytes_of(bps: float) -> int:
    if bps < SMALL_BELOW_BPS:
        return max(SMALLEST_BYTES, min(SMALL_BYTES, int(bps * SMALL_LASTS_S / 8)))
    return max(int(bps * LASTS_S / 8), LEAST_BYTES)


def _proven(seen: _Seen, through: float) -> float | None:
    sent_bps, arrived_bps = _speed(seen.sent), _speed(sorted(seen.arrived), first=1)
    if sent_bps is None or arrived_bps is None or arrived_bps > BUNCHED * sent_bps:
        return None
    arrived_bps = min(arrived_bps / max(through, 0.5), sent_bps)
    proven = min(sent_bps, arrived_bps)
    return proven * DISCOUNT if arrived_bps < FULL_BELOW * sent_bps else proven


def _speed(times: list[tuple[float, int]], first: int = 0) -> float | None:
    """Bit/s of packets in order: everything but one end over the time between, which of those that were sent is the last, and
    of those that arrived the first (draft-ietf-rmcat-gcc says nothing of probes; so do senders today)."""
    lasted = times[-1][0] - times[0][0]
    bits = sum(size for _, size in times[first : len(times) - 1 + first]) * 8
    return bits / lasted if lasted > 0.001 else None
