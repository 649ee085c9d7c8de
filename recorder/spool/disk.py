"""How full the disk of the spool is, in three marks, and what changes as it fills and empties.

DISK-1  At 70 % `disk_filling`, at 85 % `disk_low`, at 95 % `disk_full` is said, and over again 2 % below: on the record of
        every live visit, and to signaling.
DISK-2  At `disk_full` the hospital's policy decides: `pause` keeps no more media (a declared gap, cause `recorder`; calls
        and records go on) until there is room; `record` goes on to the last byte. When the last byte is gone media pause
        under either, and a reserve held for this moment is given to the records that say so.
DISK-3  Percentages say nothing about a large disk: while 4 GiB are free it is at most filling.
"""

from __future__ import annotations

from typing import NamedTuple

MARKS = (("disk_filling", 700), ("disk_low", 850), ("disk_full", 950))
RELIEF_PERMILLE = 20
PLENTY = 4 << 30


class Usage(NamedTuple):
    """Bytes used, and bytes that may still be used."""

    used: int
    free: int

    @property
    def permille(self) -> int:
        """How full it is, in thousandths (DISK-3)."""
        whole = self.used + self.free
        full = self.used * 1000 // whole if whole else 1000
        return min(full, MARKS[1][1] - 1) if self.free >= PLENTY else full


class DiskMarks:
    """Which marks are passed."""

    def __init__(self) -> None:
        self._passed: list[str] = []

    @property
    def full(self) -> bool:
        """Whether the last mark is passed."""
        return MARKS[-1][0] in self._passed

    def measured(self, usage: Usage) -> list[tuple[str, bool]]:
        """What to say now: (mark, over)."""
        said: list[tuple[str, bool]] = []
        for mark, at in MARKS:
            if mark not in self._passed and usage.permille >= at:
                self._passed.append(mark)
                said.append((mark, False))
            elif mark in self._passed and usage.permille < at - RELIEF_PERMILLE:
                self._passed.remove(mark)
                said.append((mark, True))
        return said
