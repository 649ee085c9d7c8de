"""Spreads what is to be sent over time, so that a keyframe does not become the queue it then suffers from.

A budget in bytes refills at 1.5 times the estimate (a burst of at most 40 ms). Audio and retransmissions never wait; video
waits in order, and what has waited longer than the bound is let go at once: a late frame is worth more than a lost one.

PACE-1  What would take longer than `LONGEST_QUEUE_S` to send is not taken (`full`): a path that has shrunk is not flooded
        with what was encoded for the old one.
PACE-2  While it is `held` (nothing is heard from the path any more) nothing leaves but what is urgent.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

FACTOR = 1.5
BURST_S = 0.040
LONGEST_WAIT_S = 0.250
LONGEST_QUEUE_S, LEAST_QUEUE = 0.5, 6000
"""A keyframe of a small picture is always taken (bytes)."""

Item = TypeVar("Item")


class Pacer(Generic[Item]):
    """`put` what wants to go, `due` what may."""

    def __init__(self, bps: float) -> None:
        self._bps = bps
        self._budget = bps * BURST_S / 8
        self._filled_at: float | None = None
        self._waiting: deque[tuple[float, int, Item]] = deque()
        self._bytes = 0
        self.held = False

    @property
    def full(self) -> bool:
        """PACE-1."""
        return self._bytes > max(self._bps * FACTOR * LONGEST_QUEUE_S / 8, LEAST_QUEUE)

    @property
    def waiting_bytes(self) -> int:
        """Bytes not yet sent."""
        return self._bytes

    def set_rate(self, bps: float) -> None:
        """A new estimate."""
        self._bps = bps

    def may_go(self, now: float, size: int) -> bool:
        """Whether a packet may leave at once, unkept: nothing waits and there is budget; then it is paid for."""
        if self._waiting or self.held:
            return False
        if now != self._filled_at:
            self._refill(now)
        if self._budget <= 0:
            return False
        self._budget -= size
        return True

    def urgent(self, size: int) -> None:
        """Something went out without asking (audio, a repair): it is paid for all the same."""
        self._budget -= size

    def put(self, now: float, size: int, item: Item) -> None:
        """Something may wait."""
        self._waiting.append((now, size, item))
        self._bytes += size

    def due(self, now: float) -> list[Item]:
        """What may leave now, in order."""
        self._refill(now)
        out: list[Item] = []
        if self.held:
            return out
        while self._waiting:
            since, size, item = self._waiting[0]
            if self._budget <= 0 and now - since < LONGEST_WAIT_S:
                break
            self._waiting.popleft()
            self._bytes -= size
            self._budget -= size
            out.append(item)
        return out

    def clear(self) -> None:
        """What waits is of no use any more."""
        self._waiting.clear()
        self._bytes = 0

    def next_at(self, now: float) -> float | None:
        """When to come again, None if nothing waits."""
        if not self._waiting:
            return None
        if self._budget > 0:
            return now
        return now + min(-self._budget * 8 / (self._bps * FACTOR) + 0.0005, LONGEST_WAIT_S)

    def _refill(self, now: float) -> None:
        if self._filled_at is not None:
            rate = self._bps * FACTOR / 8
            self._budget = min(self._budget + (now - self._filled_at) * rate, rate * BURST_S)
        self._filled_at = now
