"""One visit being recorded: its journal, its streams, and what must be durable before anyone is told.

Everything about a visit happens under one lock, so its chain has one writer and never forks. What happened is first said in
memory (records, bytes), then committed to the spool in one piece, then answered.

REC-1, REC-2, REC-3, REC-4: `recorder.control`.
RECORDING-1  While the disk does not take what is in hand (JOURNAL-1) no packet is taken (cause `recorder`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from media.tap import TapTrack
from recorder import control
from recorder.evidence import layout, records
from recorder.evidence.digest import Digest
from recorder.evidence.log import Entry
from recorder.evidence.sign import Signer
from recorder.live.call_quality import CallQuality
from recorder.live.journal import Journal
from recorder.live.recording_errors import ConsentMissing, SpoolFailed, VisitClosed
from recorder.live.remembered import Remembered
from recorder.live.streams import Streams, TrackKey
from recorder.log.stamping import Stamp
from recorder.sealing.mint import VisitKeys
from recorder.spool.spool import FULL
from recorder.spool.together import Together
from recorder.spool.upload import Upload
from recorder.spool.visit import Life, Open, VisitSpool
from recorder.store.objects import Stored
from recorder.tape.output import Output, Said, Write
from recorder.tape.track import Track

HEARTBEAT_US = 10_000_000
QUIET_US = 250_000
CLOSE_WAIT_US = 1_000_000


class Recording:
    """One visit. Methods that append records are coroutines and take the lock; the tap's are plain and quick."""

    def __init__(
        self,
        visit: str,
        spool: VisitSpool,
        signer: Signer,
        life: Life,
        origin: str,
        clock: Callable[[], int],
        store: Callable[[Upload], None],
        tell: Callable[[control.FromRecorder], None],
        leaf: Callable[[int, list[bytes]], None] = lambda *_: None,
        witnesses: Sequence[str] = (),
        keys: VisitKeys | None = None,
        in_thread: Callable[[Callable[[], None]], Awaitable[None]] = asyncio.to_thread,
        together: Together | None = None,
    ) -> None:
        """`clock`: CLOCK_MONOTONIC, µs. `store` takes finished objects; `tell` takes news for signaling.

        `leaf(seq, lines)` takes records that are durable (TREE-1); `witnesses` are those a new recording names.
        `keys`: where its streams are sealed. `in_thread` does what blocks (`recorder.store.lanes`);
        `together`: with whom it commits, if not alone.
        """
        self.visit = visit
        self.spool = spool
        self.witnesses = tuple(witnesses)
        self._clock = clock
        self._tell = tell
        first = keys.commit if keys is not None else _nothing
        self._journal = Journal(visit, spool, signer, life, origin, clock, store, leaf, first, in_thread, together)
        self._streams = Streams(clock, keys)
        self._lock = asyncio.Lock()
        self._agreed: dict[str, bool] = {}
        self._started: Entry | None = None
        self._starting: dict[str, int] = {}
        """Seats whose `start` is said and not durable yet, and when it was said (µs)."""
        self._news: list[control.FromRecorder] = []
        self._stamps = 0
        self._quality = CallQuality()
        self._paused = False
        self._beat_us = 0

    # ---- signaling asks

    async def open(self, seats: dict[str, str], recorder: str) -> control.Noted:
        """Begin the log; asked again, the answer it had."""
        async with self._lock:
            if not self._journal.size:
                body: dict[str, object] = {"seats": seats, "recorder": recorder, "epoch": self._journal.life.epoch}
                if self.witnesses:
                    body["witnesses"] = list(self.witnesses)
                self._journal.append("open", body, self._clock())
                self._journal.keep_keys()
            await self._commit()
            return control.Noted(0, self._journal.hashes[0])

    async def note(self, key: str, kind: str, body: dict[str, Any]) -> control.Noted:
        """Append a record. Raises `RecordInvalid`, `VisitClosed`, `SpoolFailed`."""
        async with self._lock:
            if (known := self._journal.key_of(key)) is not None:  # REC-2
                if self._journal.undone(key):  # REC-1: said before, and not durable yet
                    await self._commit()
                return control.Noted(known, self._journal.hashes[known])
            self._refuse_closed()
            now_us = self._clock()
            entry = self._journal.append(kind, body, now_us)
            self._journal.remember(key, entry)
            self._learn(kind, body, now_us)
            await self._commit()
            return control.Noted(entry.seq, entry.hash)

    async def start(self, seats: list[str]) -> control.Noted:
        """Keep these seats' streams from now on. Raises `ConsentMissing`, `VisitClosed`, `SpoolFailed`."""
        async with self._lock:
            self._refuse_closed()
            if any(not self._agreed.get(seat, False) for seat in seats):  # REC-3
                raise ConsentMissing("a seat named has not agreed")
            new = [seat for seat in seats if not self._streams.is_active(seat) and seat not in self._starting]
            if not new and self._started is not None:
                await self._commit()  # REC-1: said before, and perhaps not durable yet
                return control.Noted(self._started.seq, self._started.hash)
            now_us = self._clock()
            if self._streams.zero_us is None:
                self._streams.zero_us = self._beat_us = now_us
            body = {"seats": new, "from_ms": self._streams.ms(now_us), "zero_mono_us": self._streams.zero_us}
            self._started = entry = self._journal.append("start", body, now_us)
            self._starting |= dict.fromkeys(new, now_us)
            await self._commit()
            return control.Noted(entry.seq, entry.hash)

    async def close(self, reason: str) -> control.Closed:
        """End the recording and the log (REC-4); asked again, the answer it had."""
        if not self.is_closed:
            await self._settle()
        async with self._lock:
            if not self.is_closed:
                self._finish(reason)
            await self._commit()
            return self.closed()

    def closed(self) -> control.Closed:
        """What `close` answers, once it is closed."""
        journal, streams = self._journal, self._streams
        return control.Closed(journal.size - 1, journal.last_hash, streams.segments, streams.sealed_bytes)

    # ---- the recorder itself says

    async def say(self, kind: str, body: Mapping[str, object]) -> None:
        """Put a record of the recorder's own on the log, while that is open. Raises `RecordInvalid`, `SpoolFailed`."""
        async with self._lock:
            if self._journal.size and not self.is_closed:
                self._journal.append(kind, body, self._clock())
                await self._commit()

    async def stamp(self, stamp: Stamp) -> None:
        """A third party said what time it is: put it on record, while the log is open (STAMP-1). Raises `SpoolFailed`."""
        async with self._lock:
            if self.is_closed:
                return
            name = layout.stamp_name(self._stamps + 1)
            digest = Digest(stamp.content)
            try:
                await asyncio.to_thread(self.spool.put, name, stamp.content)
            except OSError as error:
                raise SpoolFailed("the disk did not take a stamp", error.errno in FULL) from None
            self._stamps += 1
            named = {"name": name, "bytes": digest.size, "sha256": digest.sha256, "sm3": digest.sm3}
            body = {"n": self._stamps, "records": stamp.records, "at": stamp.at, "authority": stamp.authority}
            self._journal.append("stamp", {**body, "object": named}, self._clock())
            self._journal.finish(name, digest.sha256)
            await self._commit()

    def stored(self, upload: Upload, how: Stored) -> bool:
        """An object reached the store; whether its local copy is removed here, by a commit (JOURNAL-3, UPLOAD-1)."""
        return self._journal.stored(upload, how)

    async def keep(self, name: str, content: bytes) -> None:
        """Let an object go with the recording that no record speaks of: a proof. Raises `OSError`.

        Kept once, it is these bytes: a later life finds them again (`kept`).
        """
        async with self._lock:
            await self._journal.keep(name, content)

    def kept(self, name: str) -> bytes | None:
        """What `keep` was given in this life or an earlier one. Blocks."""
        return self._journal.kept(name)

    @property
    def last_hash(self) -> str:
        """Hash of the newest record."""
        return self._journal.last_hash

    @property
    def began_at(self) -> str:
        """The time in the record `open`."""
        return self._journal.began_at

    @property
    def newest_at(self) -> str:
        """The time in the newest record."""
        return self._journal.newest_at

    @property
    def size(self) -> int:
        """Records so far."""
        return self._journal.size

    @property
    def first_hash(self) -> str:
        """Hash of the record `open`."""
        return self._journal.hashes[0] if self._journal.hashes else ""

    @property
    def is_closed(self) -> bool:
        """Whether the log is complete."""
        return self._journal.closed

    @property
    def is_over(self) -> bool:
        """Whether the log is complete and all of it durable."""
        return self.is_closed and not self._journal.pending

    @property
    def started(self) -> bool:
        """Whether it is recording now."""
        return self._streams.zero_us is not None and not self.is_closed

    def alive(self) -> control.Alive:
        """How far each stream is."""
        return control.Alive(self.visit, self._streams.alive(self._clock()))

    # ---- the tap brings

    @property
    def routes(self) -> Mapping[TrackKey, Track]:
        """Where packets go. A track that may not be kept is not in it (REC-3)."""
        return self._streams.routes

    def track(self, epoch: str, tap: TapTrack) -> None:
        """A track of this visit is tapped. Repeating it changes nothing."""
        if not self.is_closed:
            self._streams.track(epoch, tap)

    def end(self, epoch: str, handle: int, reason: str) -> None:
        """A track ended."""
        self._streams.end(epoch, handle, reason)

    def worker_lost(self, epoch: str) -> None:
        """This life of a worker is over: nothing follows of its tracks."""
        self._streams.worker_lost(epoch)

    def worker_back(self, epoch: str) -> None:
        """The tap of this life of a worker works again."""
        self._streams.worker_back(epoch)

    def worker_away(self, epoch: str) -> None:
        """The tap of this life of a worker is broken; it may come back."""
        self._streams.worker_away(epoch)

    def oldest_tap_seq(self, epoch: str) -> int | None:
        """The smallest frame of this worker's life of which something is not yet durable."""
        return self._streams.oldest_tap_seq(epoch)

    def keyframes_wanted(self) -> list[tuple[TrackKey, bool]]:
        """The tracks that ask for a keyframe now, and whether their last one is good, and only old."""
        return self._streams.keyframes_wanted()

    async def pause(self, paused: bool) -> None:
        """Keep no media, or keep them again (DISK-2). Records go on."""
        async with self._lock:
            if paused != self._paused:
                self._paused = paused
                self._streams.pause(paused)

    @property
    def keeps(self) -> bool:
        """Whether packets may be brought."""
        return not (self.stuck or self._paused)

    @property
    def stuck(self) -> bool:
        """Whether the disk does not take what there is: then no packet may be brought (RECORDING-1)."""
        return self._journal.stuck

    async def tick(self) -> None:
        """Write what is due, and make it durable. Raises `SpoolFailed`."""
        async with self._lock:
            if not self.stuck and not self.is_closed:
                self._advance(self._clock())
            await self._commit()

    # ---- a later life of the recorder

    def recover(self, reason: str) -> None:
        """Take up the visit from its spool. Blocks. Raises `SpoolDamaged` or `EvidenceError`; the folder is left alone."""
        journal = self._journal
        told = journal.recover()
        shift = _shift(told.life, journal.life)
        before = Remembered(told.records, journal.hashes, shift)
        journal.goes_on_from(before.newest_us)
        if told.records:
            self.witnesses = before.witnesses
        self._agreed = before.agreed
        self._started = before.started
        self._stamps = before.stamps
        self._quality = before.quality
        self._streams.remember(before)
        if told.records and not self.is_closed:
            now_us = self._beat_us = self._clock()
            body = {"epoch": journal.life.epoch, "reason": reason, "zero_mono_us": self._streams.zero_us}
            journal.append("recovered", body, now_us)
            out: list[Output] = []
            self._streams.resume(told.held, shift, now_us, self.spool.take_up, out)
            self._perform(out, now_us)
        journal.restore_uploads(before.objects)
        journal.recovered(self._held())
        self._after_commit()

    # ---- inside

    def _refuse_closed(self) -> None:
        if self.is_closed:
            raise VisitClosed("the log is complete")

    def _learn(self, kind: str, body: dict[str, Any], now_us: int) -> None:
        """What a record that was asked for changes."""
        if kind == "event":
            self._quality.take(records.body_of(kind, body))
        if kind == "withdraw" or kind == "consent":
            agreed = kind == "consent" and body["decision"] == "agreed"
            self._agreed[body["seat"]] = agreed
            if not agreed:
                self._deactivate(body["seat"], now_us)
        elif kind == "event" and "seat" in body and "state" in body:
            self._streams.device(body["seat"], body["event"], body["state"], now_us)

    def _deactivate(self, seat: str, now_us: int) -> None:
        out: list[Output] = []
        self._streams.deactivate(seat, now_us, out)
        self._perform(out, now_us)

    def _advance(self, now_us: int) -> None:
        out: list[Output] = []
        self._streams.drain(now_us, out)
        self._perform(out, now_us)
        self._journal.say_stored(now_us)
        self._streams.settle(now_us)
        if self.started and now_us - self._beat_us >= HEARTBEAT_US:
            self._beat_us = now_us
            self._journal.append("heartbeat", records.Heartbeat(self._streams.beats()), now_us)

    def _perform(self, out: list[Output], now_us: int) -> None:
        for output in out:
            match output:
                case Write():
                    self._journal.write(output)
                case Said(kind, body):
                    self._journal.append(kind, body, now_us)
                    self._quality.take(body)
                    self._follow(body)

    def _follow(self, body: object) -> None:
        match body:
            case records.Part():
                self._journal.finish(body.init.name, body.init.sha256)
            case records.Segment():
                self._journal.finish(body.name, body.sha256)
            case records.Gap(cause=("network" | "recorder" | "worker") as cause):
                self._news.append(control.Gapped(self.visit, body.stream, body.from_ms, body.to_ms, cause))
            case _:
                pass

    async def _settle(self) -> None:
        """Wait for what is on its way: until every track ended, or nothing came for a while."""
        begun_us = still_us = self._clock()
        before: list[tuple[int | None, int]] = []
        while self._clock() - begun_us < CLOSE_WAIT_US:
            if not self.routes and not self._streams.resuming:  # after a crash a worker dials again first
                return
            now = self._streams.progress()
            if now != before:
                before, still_us = now, self._clock()
            elif now and self._clock() - still_us > QUIET_US:
                return
            await asyncio.sleep(0.05)

    def _finish(self, reason: str) -> None:
        now_us = self._clock()
        out: list[Output] = []
        end_ms = self._streams.finish(now_us, out)
        self._perform(out, now_us)
        self._journal.say_stored(now_us)
        if (certificate := self._quality.body) is not None:
            self._journal.append("certificate", certificate, now_us)
        body = records.Close(reason, self._journal.size + 1, end_ms, self._streams.closes(end_ms))
        self._journal.append("close", body, now_us)

    # ---- commits

    def _held(self) -> Open | None:
        return None if self.is_closed else self._streams.held(self._clock())

    async def _commit(self) -> None:
        """Make what is in hand durable. Raises `SpoolFailed`, and keeps it in hand."""
        journal, was_stuck = self._journal, self._journal.stuck
        if not journal.pending:
            return
        try:
            await journal.commit(self._held())
        except SpoolFailed:
            if not was_stuck:
                self._streams.away()
            await journal.make_space()
            raise
        if was_stuck:
            self._streams.back()
        self._after_commit()

    def _after_commit(self) -> None:
        starting, self._starting = self._starting, {}
        for seat, since_us in starting.items():
            self._streams.activate(seat, since_us)
            if not self._agreed.get(seat, False):  # withdrawn while the disk did not take `start`
                self._deactivate(seat, self._clock())
        self._journal.after_commit()
        for news in self._news:
            self._tell(news)
        self._news.clear()


def _nothing() -> None:
    """There is nothing to make durable before a record."""


def _shift(old: Life, new: Life) -> int:
    """What to add to that life's monotonic times: another boot has another zero, then the wall clock decides."""
    return 0 if old.boot == new.boot else (old.wall_us - old.mono_us) - (new.wall_us - new.mono_us)
