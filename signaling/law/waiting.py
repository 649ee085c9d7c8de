"""A doctor's queue: who waits, since when, and how many are before whom. Pure; the desk shows it."""

from __future__ import annotations

from dataclasses import dataclass

from signaling.law.facts import ConsentState, Level

MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One visit in the queue. `since` (ISO 8601) is when the patient entered; `patient` is already masked."""

    visit: str
    phase: str
    since: str
    present: bool
    consent: ConsentState
    patient: dict[str, object]
    late: bool = False
    promised_until: str | None = None
    held: bool = False
    phone_back: bool = False
    rebook: bool = False
    messages: int = 0
    network: Level | None = None
    """How the patient's line is: of a socket while waiting, of the media in the visit."""
    moved: bool = False
    """A colleague sent the patient here."""
    live: str | None = None
    """When a live visit went live."""


class Queue:
    """The visits of one doctor that are waiting or live, longest wait first."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, row: Row) -> bool:
        """Add or replace a visit's row; whether that changed anything."""
        changed = self._rows.get(row.visit) != row
        self._rows[row.visit] = row
        return changed

    def remove(self, visit: str) -> bool:
        """Take a visit out; whether it was in."""
        return self._rows.pop(visit, None) is not None

    def rows(self) -> list[Row]:
        """At most 200, longest wait first; equal times go by the visit's id."""
        return sorted(self._rows.values(), key=lambda row: (row.since, row.visit))[:MOST_ROWS]

    def under_way_since(self) -> str | None:
        """When the visit that has been live longest went live."""
        return min((row.live for row in self._rows.values() if row.live is not None), default=None)

    def ahead(self) -> dict[str, int]:
        """For each waiting visit, the number of waiting visits before it."""
        waiting = [
            row for row in sorted(self._rows.values(), key=lambda row: (row.since, row.visit)) if row.phase == "waiting"
        ]
        return {row.visit: place for place, row in enumerate(waiting)}
