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
        slot, kept, newest = feedback.first, self._sent, self._told
        epoch = self._turned(feedback)
        for arrival in feedback.arrivals:
            entry = kept[slot & _SLOT]
            if entry is not None and entry[0] == slot & 0xFFFF:
                kept[slot & _SLOT] = None
                number, sent_at, size, probe, total = entry
                if total > newest:
                    newest, self._newest = total, number
                told.append((sent_at, size, None if arrival is None else arrival + epoch, probe))
            slot += 1
        self._told = newest
        return told

    def _turned(self, feedback: Feedback) -> float:
        """What is to be added to its times: the clock on the wire turns over every twelve days, between two messages."""
        at = next((arrival for arrival in feedback.arrivals if arrival is not None), None)
        if at is not None:
            if self._last_arrival - at > _TURN_S / 2:
                self._epoch += _TURN_S
            self._last_arrival = at
        return self._epoch
