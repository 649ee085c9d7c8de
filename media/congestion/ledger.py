"""What was sent under which transport-wide number, until the receiver says what became of it. Pure.

LEDGER-1  A number's fate is told once: what a later feedback says of it again is not counted again.
LEDGER-2  The newest `KEPT` numbers are remembered; feedback about older ones is too late to matter.
LEDGER-3  What was sent after the newest number that was told of is on its way (`flying`).
"""

from __future__ import annotations

from media.congestion.feedback import Report
from media.congestion.twcc import REFERENCE_S, Feedback

KEPT = 2048
_SLOT = KEPT - 1
_TURN_S = (1 << 24) * REFERENCE_S


class Ledger:
    """One transport's numbers."""

    __slots__ = ("_epoch", "_last_arrival", "_newest", "_next", "_sent", "_told", "_total")

    def __init__(self) -> None:
        self._next, self._newest = 0, -1
        self._sent: list[tuple[int, float, int, int | None, int] | None] = [None] * KEPT
        self._epoch = 0.0
        self._last_arrival = 0.0
        self._total = self._told = 0

    @property
    def flying(self) -> int:
        """Bytes on their way."""
        return self._total - self._told

    @property
    def flying_since(self) -> float | None:
        """When the oldest packet on its way was sent; None while there is none, or it is forgotten."""
        number = self._newest + 1 & 0xFFFF
        entry = self._sent[number & _SLOT]
        return entry[1] if entry is not None and entry[0] == number else None

    def sent(self, now: float, size: int, probe: int | None = None) -> int:
        """The number (16 bit) of a packet that leaves now; `size` in bytes."""
        number = self._next
        self._next = number + 1 & 0xFFFF
        self._total += size
        self._sent[number & _SLOT] = (number, now, size, probe, self._total)
        return number

    def fates(self, feedback: Feedback) -> list[Report]:
        """What became of the numbers it names, in sending order."""
        told: list[Report] = []
        number = feedback.first
        kept = self._sent
        for arrival in feedback.arrivals:
            entry = kept[number & _SLOT]
            if entry is not None and entry[0] == number:
                kept[number & _SLOT] = None
                _, sent_at, size, probe, total = entry
                if total > self._told:
                    self._told, self._newest = total, number
                arrived_at = None if arrival is None else self._unwrapped(arrival)
                told.append(Report(sent_at, size, arrived_at, probe))
            number = number + 1 & 0xFFFF
        return told

    def _unwrapped(self, arrival: float) -> float:
        """The receiver's clock on the wire turns over every twelve days."""
        at = arrival + self._epoch
        if self._last_arrival - at > _TURN_S / 2:
            self._epoch += _TURN_S
            at += _TURN_S
        self._last_arrival = at
        return at
