"""A visit's log and its objects on their way to the disk: what is said, what is durable, and what the store may have.

Records and bytes are first in hand; `commit` makes all of it durable in one piece (SPOOL-1), and only then are objects given
to the store and records to the log of all visits.

JOURNAL-1  A commit that fails leaves what it held in hand for the next try; until one succeeds the journal is `stuck`.
JOURNAL-2  A batch of records (`recorder.live.batches`) is complete with the commit that says so, even if the disk takes the
           object later.
JOURNAL-4  A commit that was begun is over before anything else is said or written, even if who asked for it is gone.
JOURNAL-3  The local copy of an object that the store locks goes when the record `stored` of it is durable; that of any other
           media of a live visit with the next commit, which is in a thread already.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

import msgspec

from config.clock import iso
from recorder.evidence import layout, records
from recorder.evidence.errors import LogClosed
from recorder.evidence.log import Entry, VisitLog
from recorder.live.batches import Batches
from recorder.live.recording_errors import SpoolFailed, VisitClosed
from recorder.spool.ahead import Commit
from recorder.spool.spool import FULL
from recorder.spool.together import Together
from recorder.spool.upload import Upload
from recorder.spool.visit import Life, Line, Open, VisitSpool
from recorder.store.objects import Stored
from recorder.tape.output import Write

STORED_AT_ONCE = 100
"""Objects in one record `stored`: far below the size a record may have."""

KEPT = "kept"
"""Folder of copies of what no record speaks of, until the visit is forgotten: made once, it must stay these bytes."""

log = logging.getLogger(__name__)


class Onward(NamedTuple):
    """Who hears of what is durable: `store(upload)` of an object, `leaf(seq, lines)` of records (TREE-1)."""

    store: Callable[[Upload], None]
    leaf: Callable[[int, list[bytes]], None]


class Told(NamedTuple):
    """What an earlier life of the recorder left: its records, its clocks, and what it was in the middle of."""

    records: list[records.Record]
    life: Life
    held: Open | None


class Journal:
    """One visit's. One caller at a time."""

    def __init__(
        self,
        log: VisitLog,
        spool: VisitSpool,
        life: Life,
        clock: Callable[[], int],
        together: Together,
        onward: Onward,
        first: Callable[[], None] = lambda: None,
    ) -> None:
        """`log`: with no record yet. `clock`: CLOCK_MONOTONIC, µs. `together`: with whom it commits.

        `first` makes durable what everything else depends on: keys (RING-1). It blocks, and raises `OSError`.
        """
        self._log = log
        self._together = together
        self._onward = onward
        self._first = first
        self.visit = log.visit
        self.spool = spool
        self.life = life
        self.stuck = False
        """The disk does not take what is in hand (JOURNAL-1)."""
        self.hashes: list[str] = []
        """Of every record, by its number."""
        self.began_at = self.newest_at = ""
        """What the first record and the newest say that the time was."""
        self._clock = clock
        self._leaves: list[bytes] = []
        self._leaves_told = 0
        self._newest_us = 0
        self._keys: dict[str, int] = {}
        # What the next commit takes.
        self._writes: list[Write] = []
        self._lines: list[str] = []
        self._new_keys: dict[str, int] = {}
        self._finished: list[Upload] = []
        self._durable: list[Upload] = []
        self._stored: list[records.StoredObject] = []
        self._removable: deque[str] = deque()
        """Objects whose local copies go; added to by one thread while another removes."""
        self._due: list[tuple[str, bytes]] = []
        """Whole objects the spool has not taken yet (batches, keys)."""
        self._first_line = True
        self._batches = Batches(clock())

    # ---- the log

    @property
    def size(self) -> int:
        """Records so far."""
        return self._log.size

    @property
    def last_hash(self) -> str:
        """Hash of the newest record."""
        return self._log.last_hash

    @property
    def first_hash(self) -> str:
        """Hash of the record `open`; empty before it."""
        return self.hashes[0] if self.hashes else ""

    @property
    def is_closed(self) -> bool:
        """Whether the log is complete."""
        return self._log.closed

    @property
    def is_over(self) -> bool:
        """Whether the log is complete and all of it durable."""
        return self.is_closed and not self.pending

    @property
    def pending(self) -> bool:
        """Whether something is not durable yet."""
        return bool(self._lines or self._writes or self._due)

    def append(self, kind: str, body: object, now_us: int) -> Entry:
        """Say a record. Raises `RecordInvalid`, `VisitClosed`."""
        now_us = self._newest_us = max(now_us, self._newest_us)  # TIME-1
        try:
            entry = self._log.append(kind, msgspec.to_builtins(body), self._wall(now_us), now_us)
        except LogClosed:
            raise VisitClosed("the log is complete") from None
        self.hashes.append(entry.hash)
        self.newest_at = self._wall(now_us)
        self.began_at = self.began_at or self.newest_at
        self._lines.append(entry.line.decode())
        return entry

    def key_of(self, key: str) -> int | None:
        """The record that was said under this idempotency key (REC-2)."""
        return self._keys.get(key)

    def undone(self, key: str) -> bool:
        """Whether the record of the key is not durable yet."""
        return key in self._new_keys

    def remember(self, key: str, entry: Entry) -> None:
        """This record was said under this key."""
        self._keys[key] = self._new_keys[key] = entry.seq

    # ---- objects

    def write(self, write: Write) -> None:
        """Append bytes to an object."""
        self._writes.append(write)

    def finish(self, name: str, sha256: str) -> None:
        """An object is complete: the store may have it once it is durable."""
        self._finished.append(Upload(name, self.spool.folder / name, sha256))

    def keep_keys(self) -> None:
        """Let the signer's public keys go with the recording."""
        self._due += [(layout.key_name(key.fingerprint), key.pem) for key in self._log.signer.public_keys]

    async def keep(self, name: str, content: bytes) -> None:
        """Let a small object go with the recording. Raises `OSError`."""
        await asyncio.to_thread(self.spool.put, f"{KEPT}/{name}", content)
        path = await asyncio.to_thread(self.spool.put, name, content)
        self._onward.store(Upload(name, path, hashlib.sha256(content).hexdigest()))

    def kept(self, name: str) -> bytes | None:
        """What `keep` was given for this name, in any life. Blocks."""
        path = self.spool.folder / KEPT / name
        return path.read_bytes() if path.is_file() else None

    def stored(self, upload: Upload, how: Stored) -> bool:
        """An object reached the store; whether its local copy is removed here (JOURNAL-3, UPLOAD-1)."""
        if not upload.name.startswith("streams/") or self.is_closed or self.stuck:
            return False
        if how.version is None:
            self._removable.append(upload.name)
            return True
        self._stored.append(records.StoredObject(upload.name, how.version, how.retain_until))
        return True

    def say_stored(self, now_us: int) -> None:
        """Say what reached the store (JOURNAL-3)."""
        while self._stored:
            said, self._stored = self._stored[:STORED_AT_ONCE], self._stored[STORED_AT_ONCE:]
            self.append("stored", records.Stored(said), now_us)
            self._removable += [one.name for one in said]

    # ---- commits

    async def commit(self, held: Open | None) -> None:
        """Make what is in hand durable. Raises `SpoolFailed`, and keeps it in hand (JOURNAL-1).

        `held`: what the streams are in the middle of. What follows a commit is done by `after_commit`.
        """
        line = self._line(self._clock(), held)
        try:
            await self._to_its_end(self._make_durable(line))
        except OSError as error:
            if not self.stuck:
                log.error("spool failed", extra={"visit": self.visit, "errno": error.errno})
            self.stuck = True
            raise SpoolFailed("the disk did not take the record", error.errno in FULL) from None
        self.stuck = False

    async def _make_durable(self, line: Line) -> None:
        prepared: list[Commit] = []
        await self._together.in_thread(lambda: prepared.extend(self._prepare(line)))
        for commit in prepared:
            await self._together.commit(commit, partial(self._settle, line, commit))

    async def _to_its_end(self, work: Coroutine[None, None, None]) -> None:
        """Do it. Who is cancelled waits all the same: what is in hand is the thread's until then (JOURNAL-4)."""
        doing = asyncio.ensure_future(work)
        cancelled: asyncio.CancelledError | None = None
        while not doing.done():
            try:
                await asyncio.shield(doing)
            except asyncio.CancelledError as error:
                cancelled = error
            except OSError:
                pass
        if cancelled is not None:
            doing.exception()
            raise cancelled
        doing.result()

    async def make_space(self) -> None:
        """Remove what is in the store: its space may be what is missing, so it does not wait for the record."""
        await asyncio.to_thread(self._remove_stored)

    def after_commit(self) -> None:
        """Give on what is durable: records, then objects."""
        if self._leaves:
            self._onward.leaf(self._leaves_told, self._leaves)
            self._leaves_told += len(self._leaves)
            self._leaves = []
        for upload in self._durable:
            self._onward.store(upload)
        self._durable.clear()

    def _wall(self, now_us: int) -> str:
        wall_us = self.life.wall_us + now_us - self.life.mono_us  # TIME-2: one reading of the wall clock a life
        return iso(datetime.fromtimestamp(wall_us / 1_000_000, UTC))

    def _line(self, now_us: int, held: Open | None) -> Line:
        head: str | None = None
        batch: int | None = None
        if self._lines:
            head = self._log.head(self._wall(now_us)).decode()
            batch = self._batches.complete_with(len(self._lines), self._log.closed, now_us)
        return Line(
            records=list(self._lines),
            keys=dict(self._new_keys),
            head=head,
            open=held,
            life=self.life if self._first_line else None,
            batch=batch,
        )

    def _commit_now(self, line: Line) -> None:
        for commit in self._prepare(line):
            self.spool.ahead.write([commit])
            self._settle(line, commit)

    def _prepare(self, line: Line) -> list[Commit]:
        """What is still to be made durable, and then put in its place by `_settle`: one commit, or nothing."""
        self._put_due()
        if not (self._lines or self._writes):
            return []
        self._first()
        return [self.spool.prepare(self._writes, line)]

    def _settle(self, line: Line, commit: Commit) -> None:
        self.spool.settle(self._writes, commit)
        self._remove_stored()
        self._writes = []
        self._lines = []
        self._new_keys = {}
        self._first_line = False
        self._leaves += [text.encode() for text in line.records]
        self._batches.take(line)
        finished, self._finished = self._finished, []
        self._durable += finished
        if line.batch is not None:
            self._put_batch(line.batch)

    def _remove_stored(self) -> None:
        while self._removable:
            self.spool.remove(self._removable.popleft())

    def _put_batch(self, number: int) -> None:
        self._due += self._batches.cut(number, self._clock())
        self._put_due()

    def _put_due(self) -> None:
        while self._due:
            name, content = self._due[0]
            self._durable.append(Upload(name, self.spool.put(name, content), hashlib.sha256(content).hexdigest()))
            del self._due[0]

    # ---- a later life of the recorder

    def recover(self) -> Told:
        """Take up the log from the spool. Blocks. Raises `SpoolDamaged` or `EvidenceError`; the folder is left alone."""
        lines = self.spool.load()
        texts = [text for line in lines for text in line.records]
        said = [msgspec.json.decode(text, type=records.Record) for text in texts]
        origin = self._log.origin
        if said:  # the name under which it was begun, whatever we are called now
            origin = str(said[0].body.get("origin"))
            self.began_at, self.newest_at = said[0].at, said[-1].at
        self._leaves = [text.encode() for text in texts]
        self._log = VisitLog.resume(self.visit, origin, self._log.signer, (text.encode() for text in texts))
        self.hashes = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        for line in lines:
            self._keys |= line.keys
            self._batches.take(line)
            if line.batch is not None:
                self._put_batch(line.batch)
        if said:
            self.keep_keys()
            self._put_due()
        life = next((line.life for line in reversed(lines) if line.life is not None), self.life)
        held = next((line.open for line in reversed(lines) if line.open is not None), None)
        return Told(said, life, held)

    def goes_on_from(self, newest_us: int) -> None:
        """No record is older than this, whatever this life's clock says (TIME-1)."""
        self._newest_us = newest_us

    def restore_uploads(self, hashes: dict[str, str]) -> None:
        """Give on what an earlier life finished (`hashes`: object name → SHA-256), and remove what nothing speaks of."""
        sealed = {upload.name for upload in self._finished}
        present = set(self.spool.objects())
        old = [
            Upload(name, self.spool.folder / name, sha256)
            for name, sha256 in hashes.items()
            if name in present and name not in sealed
        ]
        self._finished[:0] = old
        for name in present - set(hashes) - sealed:
            if name.startswith(("streams/", "stamps/")) and name != layout.CLOSE_STAMP:  # it was being begun
                self.spool.remove(name)

    def recovered(self, held: Open | None) -> None:
        """Make durable what recovery said. Blocks. Raises `OSError`. Of a log that is over nothing was said."""
        if self._log.closed or not self._log.size:
            self._durable += self._finished
            self._finished = []
        else:
            self._commit_now(self._line(self._clock(), held))
            self.spool.forget_drafts()
        self.after_commit()
