"""A visit's records gathered into the batches of FORMAT.md §2: so many lines, or so long, an object.

Pure: times come in.
"""

from __future__ import annotations

from recorder.evidence import layout
from recorder.spool.visit import Line

BATCH_US = 10_000_000
BATCH_RECORDS = 2000


class Batches:
    """The batch that is being gathered, and its number."""

    def __init__(self, now_us: int) -> None:
        self._number = 1
        self._records: list[str] = []
        self._heads: list[str] = []
        self._since_us = now_us

    def complete_with(self, more: int, last: bool, now_us: int) -> int | None:
        """The number of the batch, if so many `more` records complete it. `last`: nothing follows them."""
        full = len(self._records) + more >= BATCH_RECORDS
        return self._number if last or full or now_us - self._since_us >= BATCH_US else None

    def take(self, line: Line) -> None:
        """These records are durable, and their head."""
        self._records += line.records
        self._heads += [line.head] if line.head is not None else []

    def cut(self, number: int, now_us: int) -> list[tuple[str, bytes]]:
        """End the batch of this number: the names and bytes of its two objects."""
        pair = ((layout.records_name(number), self._records), (layout.heads_name(number), self._heads))
        self._number, self._since_us = number + 1, now_us
        self._records, self._heads = [], []
        return [(name, "".join(f"{line}\n" for line in lines).encode()) for name, lines in pair]
