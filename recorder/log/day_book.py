"""Which visits were open on a day: kept as they open and close, made a manifest once the day is over (FORMAT.md §8).

```
DATA/log/days/<day>.jsonl       what happened that day, a line each
DATA/log/days/<day>.manifest    its manifest, from the moment it is made until its proof is stored
DATA/log/days/last              SHA-256 of the newest manifest, and every day that has one, in the order they were made
```
DAY-1  A line is durable before anybody is told that the visit is open, or closed.
DAY-2  A manifest is made once: from then on it is these bytes, whatever happens meanwhile. Of a day that has one no other is
       made, wherever the clock is set.
DAY-3  A visit that is still open goes over into the next day's manifest.
DAY-4  The day of a line is that of the record it tells of, however late it is told; where that day has its manifest, the next
       day that has none.
"""

from __future__ import annotations

import hashlib
import os
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from config.clock import UtcClock, iso, utc_now
from recorder.evidence.manifest import Entry, Receipt, make_manifest, visit_hash
from recorder.log.site_log import replace

GRACE = timedelta(seconds=60)
"""After midnight: what was under way is in."""


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    visit: str
    open: str
    close: str | None = None
    records: int | None = None
    anchor: Receipt | None = None


class Day(NamedTuple):
    """A manifest that waits for its proof. `leaf`: its name in the log, which no visit can have."""

    name: str
    content: bytes

    @property
    def leaf(self) -> str:
        """For `SiteLog`."""
        return f"manifest {self.name}"


class DayBook:
    """May be called from several threads; every call blocks."""

    def __init__(self, folder: Path, clock: UtcClock = utc_now) -> None:
        """Raises `OSError`."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._days: dict[str, dict[str, Entry]] = {}
        for path in sorted(folder.glob("*.jsonl")):
            self._days[path.stem] = self._read(path)
        last = folder / "last"
        self._newest, *self._made = last.read_text().split() if last.exists() else [""]

    def opened(self, visit: str, first: str, at: str) -> None:
        """A visit began; `first`, `at`: hash and time of its first record. To repeat it changes nothing. Raises `OSError`."""
        with self._lock:
            self._tell(_Line(visit_hash(visit), first), at)

    def closed(self, visit: str, first: str, last: str, records: int, at: str) -> None:
        """It ended; `last`, `at`: of the record `close`. Telling it again changes nothing. Raises `OSError`."""
        with self._lock:
            self._tell(_Line(visit_hash(visit), first, last, records), at)

    def anchored(self, visit: str, service: str, reference: str) -> None:
        """An evidence service was given the hash of its `close`. Raises `OSError`."""
        with self._lock:
            day = self._day_of(visit_hash(visit))
            if day is not None:
                entry = self._days[day][visit_hash(visit)]
                self._write(
                    day, _Line(entry.visit, entry.open, entry.close, entry.records, Receipt(service, reference))
                )

    def unproven(self) -> list[str]:
        """The names in the log of manifests that wait for their proof."""
        return [Day(path.stem, b"").leaf for path in sorted(self._folder.glob("*.manifest"))]

    def finish(self, log: str) -> list[Day]:
        """Make the manifest of every day that is over; those that wait for their proof, oldest first. Raises `OSError`."""
        now = self._clock()
        today = f"{now - GRACE:%Y-%m-%d}"
        with self._lock:
            for day in sorted(day for day in self._days if day < today):
                self._finish(day, log, now, today)
        return [Day(path.stem, path.read_bytes()) for path in sorted(self._folder.glob("*.manifest"))]

    def proven(self, day: Day) -> None:
        """The manifest and its proof are stored."""
        (self._folder / f"{day.name}.manifest").unlink(missing_ok=True)

    # ---- inside

    def _finish(self, day: str, log: str, now: datetime, today: str) -> None:
        if day not in self._made:  # else it was made, and perhaps its proof stored, before the day's lines went
            made = self._folder / f"{day}.manifest"
            if not made.exists():  # DAY-2
                entries = self._days[day].values()
                replace(made, make_manifest(log, day, iso(now), self._newest or None, entries).encoded)
            self._remember(hashlib.sha256(made.read_bytes()).hexdigest(), day)
        following = min((other for other in self._days if other > day), default=today)
        for entry in self._days[day].values():  # DAY-3
            if entry.close is None and self._day_of(entry.visit) == day:
                self._write(following, _Line(entry.visit, entry.open))
        (self._folder / f"{day}.jsonl").unlink(missing_ok=True)
        del self._days[day]

    def _remember(self, newest: str, day: str) -> None:
        replace(self._folder / "last", " ".join([newest, *self._made, day]).encode())
        self._newest = newest
        self._made.append(day)

    def _tell(self, line: _Line, at: str) -> None:
        known = self._day_of(line.visit)
        if known is None and line.close is not None:  # it ended on a day whose manifest has it
            return
        if known is not None and (line.close is None or self._days[known][line.visit].close is not None):
            return
        self._write(self._without(max(at[:10], known or "")), line)

    def _without(self, day: str) -> str:
        """The first day from this one on that has no manifest (DAY-4)."""
        while day in self._made:
            day = f"{datetime.fromisoformat(day) + timedelta(days=1):%Y-%m-%d}"
        return day

    def _day_of(self, visit: str) -> str | None:
        """The newest day that has it."""
        return next((day for day in sorted(self._days, reverse=True) if visit in self._days[day]), None)

    def _write(self, day: str, line: _Line) -> None:
        path = self._folder / f"{day}.jsonl"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            content = b"\n" + msgspec.json.encode(line) + b"\n"  # a torn line before it takes nothing with it
            if os.write(file, content) != len(content):
                raise OSError("the disk took only a part")
            os.fdatasync(file)
        finally:
            os.close(file)
        _take(self._days.setdefault(day, {}), line)

    def _read(self, path: Path) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        decoder = msgspec.json.Decoder(_Line)
        for text in path.read_bytes().split(b"\n"):
            try:
                _take(found, decoder.decode(text))
            except msgspec.DecodeError:  # a torn end, or what a torn end was followed by
                continue
        return found


def _take(day: dict[str, Entry], line: _Line) -> None:
    known = day.get(line.visit)
    anchors = [*(known.anchors if known is not None else []), *([line.anchor] if line.anchor is not None else [])]
    day[line.visit] = Entry(line.visit, line.open, line.close, line.records, anchors)
