"""What store and spool together hold of each visit, read only: for the audit door and for exports.

HELD-1  Of a recording that still grows only its newest whole state is shown (LAYOUT-3): the batches of which both halves are
        there, and what their records name. Of a closed one everything is shown, what does not belong too.
HELD-2  An object moves from the spool to the store, never back: the spool is listed first, and read first.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple, Protocol

from config.clock import MonotonicClock, monotonic_s
from recorder.evidence.chain import Chain
from recorder.evidence.findings import Findings
from recorder.evidence.layout import (
    CLOSE_STAMP,
    PREFIX,
    PROOF,
    batch_of,
    heads_name,
    is_object,
    is_visit,
    prefix,
    records_name,
)
from recorder.evidence.ledger import Ledger
from recorder.store.objects import CHUNK, ObjectEntry, ObjectMissing, ObjectStore

REMEMBERED = 64
YIELD_EVERY = 50
"""Records (about 0.1 ms each) read before others get their turn."""
OPEN_FRESH_S = 1.0
CLOSED_FRESH_S = 10.0


class SpoolReader(Protocol):
    """What is written and not yet in the store. Calls block; they are made in a thread."""

    def visits(self) -> list[str]:
        """Visits that have anything here."""
        ...

    def objects(self, visit: str) -> list[ObjectEntry]:
        """Objects of a visit, whole or still being written, by their names of FORMAT.md §2; empty if there are none."""
        ...

    def path(self, visit: str, name: str) -> Path:
        """Where an object is, if it is here."""
        ...


class SpoolFolder:
    """A spool on disk: `<root>/<visit>/<object name>` (`recorder.spool.spool`)."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def visits(self) -> list[str]:
        """Folders that could be a visit's and hold an object."""
        if not self._root.is_dir():
            return []
        return sorted(p.name for p in self._root.iterdir() if is_visit(p.name) and (p / "records").is_dir())

    def objects(self, visit: str) -> list[ObjectEntry]:
        """Files with an object's name; the journal and drafts have none."""
        folder = self._root / visit
        found: list[ObjectEntry] = []
        # Unlike `rglob`, `walk` passes over a folder that goes away meanwhile, as all do when a visit is stored.
        for path in (Path(below) / file for below, _, files in os.walk(folder) for file in files):
            name = path.relative_to(folder).as_posix()
            try:
                if is_object(name) and path.is_file():
                    found.append(ObjectEntry(name, path.stat().st_size))
            except FileNotFoundError:  # stored and removed just now
                continue
        return found

    def path(self, visit: str, name: str) -> Path:
        """Below the visit's folder."""
        return self._root / visit / name


class Held(NamedTuple):
    """A visit's recording as it is now. `sizes`: object name → bytes, in order of names. `ledger` is what its records say.

    `named`: the visit that its first record names, which is another one where recordings were exchanged; None: no record.
    """

    visit: str
    sizes: dict[str, int]
    records: int
    ledger: Ledger
    named: str | None

    @property
    def closed(self) -> bool:
        """Whether the log has its closing record."""
        return self.ledger.closed is not None


class _Known:
    """What has been read of a visit so far: batches never change, so each is read once."""

    def __init__(self, visit: str) -> None:
        findings = Findings()
        self.chain = Chain(visit, findings)
        self.ledger = Ledger(findings)
        self.named: str | None = None
        self.batches = 0
        self.lock = asyncio.Lock()
        self.held: Held | None = None
        self.until = 0.0

    async def take(self, batch: bytes) -> None:
        """The next batch of records."""
        for number, line in enumerate(batch.split(b"\n")[:-1]):
            read = self.chain.feed(line, "")
            if read is not None:
                self.named = self.named or read[0].visit
                self.ledger.feed(*read, "")
            if number % YIELD_EVERY == YIELD_EVERY - 1:
                await asyncio.sleep(0)  # the recorder's loop has packets to take
        self.batches += 1


class Holdings:
    """All recordings there are. Every method may raise `StoreError`."""

    def __init__(
        self, store: ObjectStore, spool: SpoolReader | None = None, clock: MonotonicClock = monotonic_s
    ) -> None:
        self._store = store
        self._spool = spool
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def visits(self) -> list[str]:
        """Every visit that has a recording, by name."""
        spooled = await asyncio.to_thread(self._spool.visits) if self._spool is not None else []
        return sorted({*spooled, *[name async for name in self._store.folders(PREFIX) if is_visit(name)]})

    async def recording(self, visit: str) -> Held | None:
        """One recording, at most a second old while it grows; None if there is none."""
        if not is_visit(visit):
            return None
        known = self._known.setdefault(visit, _Known(visit))
        self._known.move_to_end(visit)
        async with known.lock:
            if known.held is None or self._clock() >= known.until:
                known.held = await self._look(visit, known)
                known.until = self._clock() + (CLOSED_FRESH_S if known.held and known.held.closed else OPEN_FRESH_S)
        if known.held is None:
            self._known.pop(visit, None)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return known.held

    async def stream(self, visit: str, name: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes of an object that `recording` showed. Raises `ObjectMissing`."""
        if self._spool is not None:
            spooled = await asyncio.to_thread(_read, self._spool.path(visit, name), start, end)
            if spooled is not None:
                for at in range(0, len(spooled), CHUNK):
                    yield spooled[at : at + CHUNK]
                return
        async for piece in self._store.stream(prefix(visit) + name, start, end):
            yield piece

    async def get(self, visit: str, name: str) -> bytes:
        """An object, whole. Raises `ObjectMissing`."""
        return b"".join([piece async for piece in self.stream(visit, name)])

    async def stored(self, name: str) -> bytes:
        """An object of the store that is of no recording. Raises `ObjectMissing`."""
        return b"".join([piece async for piece in self._store.stream(name)])

    async def _look(self, visit: str, known: _Known) -> Held | None:
        sizes = await self._sizes(visit)
        try:
            while {records_name(known.batches + 1), heads_name(known.batches + 1)} <= sizes.keys():
                batch = await self.get(visit, records_name(known.batches + 1))
                await known.take(batch)
        except ObjectMissing:  # taken away between listing and reading: what was read stands
            pass
        shown = {name: size for name, size in sizes.items() if known.ledger.closed or _whole(name, known)}
        return Held(visit, shown, known.chain.size, known.ledger, known.named) if shown else None

    async def _sizes(self, visit: str) -> dict[str, int]:
        found: dict[str, int] = {}
        if self._spool is not None:  # HELD-2
            found.update(await asyncio.to_thread(self._spool.objects, visit))
        root = prefix(visit)
        async for entry in self._store.list(root):
            found[entry.name.removeprefix(root)] = entry.size
        return dict(sorted(found.items()))


def _whole(name: str, known: _Known) -> bool:
    # HELD-1
    batch = batch_of(name)
    if batch is not None:
        return batch[1] <= known.batches
    if name in {CLOSE_STAMP, PROOF}:
        return False
    return not name.startswith(("streams/", "stamps/")) or name in known.ledger.expected


def _read(path: Path, start: int, end: int | None) -> bytes | None:
    # An object of a recording is at most 16 MiB, so it may be read at once, before the spool gives it away.
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(-1 if end is None else max(0, end - start))
    except (FileNotFoundError, NotADirectoryError):
        return None
