"""One visit being recorded: who may ask for what, in which order, and what must be durable before anyone is told.

Everything about a visit happens under one lock, so its chain has one writer and never forks. What happened is first said in
memory (records, bytes), then committed to the spool in one piece, then answered. What is on the record is asked of its
`journal`, what arrives is brought to its `streams`.

REC-1, REC-2, REC-3, REC-4: `recorder.control`.
RECORDING-1  While the disk does not take what is in hand (JOURNAL-1) no packet is taken (cause `recorder`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from recorder import control
from recorder.evidence import layout
from recorder.evidence.digest import Digest
from recorder.evidence.log import Entry
from recorder.live.journal import Journal
from recorder.live.recording_errors import ConsentMissing, SpoolFailed, VisitClosed
from recorder.live.remembered import Remembered
from recorder.live.scribe import Scribe
from recorder.live.streams import Streams
from recorder.log.stamping import Stamp
from recorder.spool.spool import FULL
from recorder.spool.visit import Life, Open

QUIET_US = 250_000
CLOSE_WAIT_US = 1_000_000


class Recording:
    """One visit. Methods that append records are coroutines and take the lock."""

    def __init__(
        self,
        journal: Journal,
        streams: Streams,
        clock: Callable[[], int],
        tell: Callable[[control.FromRecorder], None],
        witnesses: Sequence[str] = (),
    ) -> None:
        """`clock`: CLOCK_MONOTONIC, µs. `tell` takes news for signaling; `witnesses` are those a new recording names."""
        self.visit = journal.visit
        self.journal = journal
        self.streams = streams
        self.witnesses = tuple(witnesses)
        self._clock = clock
        self._tell = tell
        self._scribe = Scribe(journal, streams)
        self._lock = asyncio.Lock()
        self._started: Entry | None = None
        self._starting: dict[str, int] = {}
        """Seats whose `start` is said and not durable yet, and when it was said (µs)."""
        self._stamps = 0
        self._paused = False

    @property
    def is_recording(self) -> bool:
        """Whether streams are kept now, or will be again in this visit."""
        return self.streams.zero_us is not None and not self.journal.is_closed

    @property
    def keeps(self) -> bool:
        """Whether packets may be brought (RECORDING-1, DISK-2)."""
        return not (self.journal.stuck or self._paused)

    def alive(self) -> control.Alive:
        """How far each stream is."""
        return control.Alive(self.visit, self.streams.alive(self._clock()))

    def closed(self) -> control.Closed:
        """What `close` answers, once it is closed."""
        journal, streams = self.journal, self.streams
        return control.Closed(journal.size - 1, journal.last_hash, streams.segments, streams.sealed_bytes)

    # ---- signaling asks

    async def open(self, seats: dict[str, str], recorder: str) -> control.Noted:
        """Begin the log; asked again, the answer it had."""
        async with self._lock:
            if not self.journal.size:
                body: dict[str, object] = {"seats": seats, "recorder": recorder, "epoch": self.journal.life.epoch}
                if self.witnesses:
                    body["witnesses"] = list(self.witnesses)
                self.journal.append("open", body, self._clock())
                self.journal.keep_keys()
            await self._commit()
            return control.Noted(0, self.journal.hashes[0])

    async def note(self, key: str, kind: str, body: dict[str, Any]) -> control.Noted:
        """Append a record. Raises `RecordInvalid`, `VisitClosed`, `SpoolFailed`."""
        async with self._lock:
            if (known := self.journal.key_of(key)) is not None:  # REC-2
                if self.journal.undone(key):  # REC-1: said before, and not durable yet
                    await self._commit()
                return control.Noted(known, self.journal.hashes[known])
            self._refuse_closed()
            now_us = self._clock()
            entry = self.journal.append(kind, body, now_us)
            self.journal.remember(key, entry)
            self._scribe.learn(kind, body, now_us)
            await self._commit()
            return control.Noted(entry.seq, entry.hash)

    async def start(self, seats: list[str]) -> control.Noted:
        """Keep these seats' streams from now on. Raises `ConsentMissing`, `VisitClosed`, `SpoolFailed`."""
        async with self._lock:
            self._refuse_closed()
            if any(not self._scribe.agreed.get(seat, False) for seat in seats):  # REC-3
                raise ConsentMissing("a seat named has not agreed")
            new = [seat for seat in seats if not self.streams.is_active(seat) and seat not in self._starting]
            if not new and self._started is not None:
                await self._commit()  # REC-1: said before, and perhaps not durable yet
                return control.Noted(self._started.seq, self._started.hash)
            now_us = self._clock()
            self._scribe.begin(now_us)
            body = {"seats": new, "from_ms": self.streams.ms(now_us), "zero_mono_us": self.streams.zero_us}
            self._started = entry = self.journal.append("start", body, now_us)
            self._starting |= dict.fromkeys(new, now_us)
            await self._commit()
            return control.Noted(entry.seq, entry.hash)

    async def close(self, reason: str) -> control.Closed:
        """End the recording and the log (REC-4); asked again, the answer it had."""
        if not self.journal.is_closed:
            await self._settle()
        async with self._lock:
            if not self.journal.is_closed:
                self._scribe.finish(reason, self._clock())
            await self._commit()
            return self.closed()

    # ---- the recorder itself says

    async def say(self, kind: str, body: Mapping[str, object]) -> None:
        """Put a record of the recorder's own on the log, while that is open. Raises `RecordInvalid`, `SpoolFailed`."""
        async with self._lock:
            if self.journal.size and not self.journal.is_closed:
                self.journal.append(kind, body, self._clock())
                await self._commit()

    async def stamp(self, stamp: Stamp) -> None:
        """A third party said what time it is: put it on record, while the log is open (STAMP-1). Raises `SpoolFailed`."""
        async with self._lock:
            if self.journal.is_closed:
                return
            name = layout.stamp_name(self._stamps + 1)
            digest = Digest(stamp.content)
            try:
                await asyncio.to_thread(self.journal.spool.put, name, stamp.content)
            except OSError as error:
                raise SpoolFailed("the disk did not take a stamp", error.errno in FULL) from None
            self._stamps += 1
            named = {"name": name, "bytes": digest.size, "sha256": digest.sha256, "sm3": digest.sm3}
            body = {"n": self._stamps, "records": stamp.records, "at": stamp.at, "authority": stamp.authority}
            self.journal.append("stamp", {**body, "object": named}, self._clock())
            self.journal.finish(name, digest.sha256)
            await self._commit()

    async def keep(self, name: str, content: bytes) -> None:
        """Let an object go with the recording that no record speaks of: a proof. Raises `OSError`.

        Kept once, it is these bytes: a later life finds them again (`Journal.kept`).
        """
        async with self._lock:
            await self.journal.keep(name, content)

    # ---- time goes on

    async def tick(self) -> None:
        """Write what is due, and make it durable. Raises `SpoolFailed`."""
        async with self._lock:
            if not self.journal.stuck and not self.journal.is_closed:
                self._scribe.advance(self._clock())
            await self._commit()

    async def pause(self, paused: bool) -> None:
        """Keep no media, or keep them again (DISK-2). Records go on."""
        async with self._lock:
            if paused != self._paused:
                self._paused = paused
                self.streams.pause(paused)

    # ---- a later life of the recorder

    def recover(self, reason: str) -> None:
        """Take up the visit from its spool. Blocks. Raises `SpoolDamaged` or `EvidenceError`; the folder is left alone."""
        journal = self.journal
        told = journal.recover()
        shift = _shift(told.life, journal.life)
        before = Remembered(told.records, journal.hashes, shift)
        journal.goes_on_from(before.newest_us)
        if told.records:
            self.witnesses = before.witnesses
        self._started = before.started
        self._stamps = before.stamps
        self._scribe.remember(before)
        if told.records and not journal.is_closed:
            now_us = self._clock()
            body = {"epoch": journal.life.epoch, "reason": reason, "zero_mono_us": self.streams.zero_us}
            journal.append("recovered", body, now_us)
            self._scribe.resume(told.held, shift, now_us)
        journal.restore_uploads(before.objects)
        journal.recovered(self._held())
        self._after_commit()

    # ---- inside

    def _refuse_closed(self) -> None:
        if self.journal.is_closed:
            raise VisitClosed("the log is complete")

    async def _settle(self) -> None:
        """Wait for what is on its way: until every track ended, or nothing came for a while."""
        begun_us = still_us = self._clock()
        before: list[tuple[int | None, int]] = []
        while self._clock() - begun_us < CLOSE_WAIT_US:
            if not self.streams.routes and not self.streams.resuming:  # after a crash a worker dials again first
                return
            now = self.streams.progress()
            if now != before:
                before, still_us = now, self._clock()
            elif now and self._clock() - still_us > QUIET_US:
                return
            await asyncio.sleep(0.05)

    # ---- commits

    def _held(self) -> Open | None:
        return None if self.journal.is_closed else self.streams.held(self._clock())

    async def _commit(self) -> None:
        """Make what is in hand durable. Raises `SpoolFailed`, and keeps it in hand."""
        journal, was_stuck = self.journal, self.journal.stuck
        if not journal.pending:
            return
        try:
            await journal.commit(self._held())
        except SpoolFailed:
            if not was_stuck:
                self.streams.away()
            await journal.make_space()
            raise
        if was_stuck:
            self.streams.back()
        self._after_commit()

    def _after_commit(self) -> None:
        starting, self._starting = self._starting, {}
        for seat, since_us in starting.items():
            self.streams.activate(seat, since_us)
            if not self._scribe.agreed.get(seat, False):  # withdrawn while the disk did not take `start`
                self._scribe.withdraw(seat, self._clock())
        self.journal.after_commit()
        for news in self._scribe.news():
            self._tell(news)


def _shift(old: Life, new: Life) -> int:
    """What to add to that life's monotonic times: another boot has another zero, then the wall clock decides."""
    return 0 if old.boot == new.boot else (old.wall_us - old.mono_us) - (new.wall_us - new.mono_us)
