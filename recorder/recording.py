"""One visit being recorded: its log, its streams, and what must be durable before anyone is told.

Everything about a visit happens under one lock, so its chain has one writer and never forks. What happened is first said in
memory (records, bytes), then committed to the spool in one piece, then answered.

REC-1, REC-2, REC-3, REC-4: `recorder.control`.
RECORDING-1  A commit that fails leaves what it held in hand for the next try; until then no packet is taken (cause
             `recorder`).
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from config.clock import iso
from media.tap import TapTrack
from recorder import control
from recorder.account import Account
from recorder.evidence import layout, records
from recorder.evidence.errors import LogClosed
from recorder.evidence.log import Entry, VisitLog
from recorder.evidence.sign import Signer
from recorder.objects import Stored
from recorder.output import Output, Said, Write
from recorder.spool import Life, Line, Open, VisitSpool
from recorder.stream import Stream
from recorder.timeline import SenderClock
from recorder.track import Track
from recorder.upload import Upload

BATCH_US = 10_000_000
BATCH_RECORDS = 2000
HEARTBEAT_US = 10_000_000
QUIET_US = 250_000
LATE_US = 500_000
FULL = {errno.ENOSPC, errno.EDQUOT}
STORED_AT_ONCE = 100
"""Objects in one record `stored`: far below the size a record may have."""
CLOSE_WAIT_US = 1_000_000
RESUME_US = 3_000_000

TrackKey = tuple[str, int]
"""(worker's epoch, handle)."""

log = logging.getLogger(__name__)


class RecordingError(Exception):
    """A request that cannot be carried out; `code` is what the asker is told."""

    code = "recording_error"


class VisitClosed(RecordingError):
    """The visit's log is complete."""

    code = "visit_closed"


class ConsentMissing(RecordingError):
    """REC-3: the log does not hold the consent of every seat named."""

    code = "consent_missing"


class SpoolFailed(RecordingError):
    """The disk did not take the record."""

    code = "spool_failed"

    def __init__(self, text: str, full: bool = False) -> None:
        """`full`: because there is no space."""
        super().__init__(text)
        self.full = full


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
    ) -> None:
        """`clock`: CLOCK_MONOTONIC, µs. `store` takes finished objects; `tell` takes news for signaling.

        `leaf(seq, lines)` takes records that are durable (TREE-1); `witnesses` are those a new recording names.
        """
        self.visit = visit
        self.spool = spool
        self.routes: dict[TrackKey, Track] = {}
        """Where packets go. A track that may not be kept is not in it (REC-3)."""
        self._signer = signer
        self._life = life
        self._origin = origin
        self._clock = clock
        self._store = store
        self._tell = tell
        self._leaf = leaf
        self.witnesses = tuple(witnesses)
        self._leaves: list[bytes] = []
        self._leaves_told = 0
        self._log = VisitLog(visit, origin, signer)
        self._lock = asyncio.Lock()
        self._streams: dict[str, Stream] = {}
        self._senders: dict[str, SenderClock] = {}
        self._taps: dict[TrackKey, TapTrack] = {}
        self._devices: dict[str, dict[str, str]] = {}
        self._agreed: dict[str, bool] = {}
        self._active: dict[str, int] = {}
        self._started: Entry | None = None
        self._starting: dict[str, int] = {}
        """Seats whose `start` is said and not durable yet, and when it was said (µs)."""
        self._zero_us: int | None = None
        self._keys: dict[str, int] = {}
        self._hashes: list[str] = []
        self._newest_us = 0
        self._resumed_us: int | None = None
        # What the next commit takes.
        self._writes: list[Write] = []
        self._lines: list[str] = []
        self._new_keys: dict[str, int] = {}
        self._news: list[control.FromRecorder] = []
        self._finished: list[Upload] = []
        self._durable: list[Upload] = []
        self._stored: list[records.StoredObject] = []
        self._removable: list[str] = []
        self._due: list[tuple[str, bytes]] = []
        """Whole objects the spool has not taken yet (batches, keys)."""
        self._stuck = False
        self._paused = False
        self._first_line = True
        # Batches of FORMAT.md §2.
        self._batch = 1
        self._batch_lines: list[str] = []
        self._batch_heads: list[str] = []
        self._batch_us = clock()
        self._beat_us = 0

    # ---- signaling asks

    async def open(self, seats: dict[str, str], recorder: str) -> control.Noted:
        """Begin the log; asked again, the answer it had."""
        async with self._lock:
            if not self._log.size:
                body: dict[str, object] = {"seats": seats, "recorder": recorder, "epoch": self._life.epoch}
                if self.witnesses:
                    body["witnesses"] = list(self.witnesses)
                self._append("open", body, self._clock())
                self._due += self._key_objects()
            await self._commit()
            return control.Noted(0, self._hashes[0])

    async def note(self, key: str, kind: str, body: dict[str, Any]) -> control.Noted:
        """Append a record. Raises `RecordInvalid`, `VisitClosed`, `SpoolFailed`."""
        async with self._lock:
            if (known := self._keys.get(key)) is not None:  # REC-2
                if key in self._new_keys:  # REC-1: said before, and not durable yet
                    await self._commit()
                return control.Noted(known, self._hashes[known])
            self._refuse_closed()
            now_us = self._clock()
            entry = self._append(kind, body, now_us)
            self._keys[key] = self._new_keys[key] = entry.seq
            self._learn(kind, body, now_us)
            await self._commit()
            return control.Noted(entry.seq, entry.hash)

    async def start(self, seats: list[str]) -> control.Noted:
        """Keep these seats' streams from now on. Raises `ConsentMissing`, `VisitClosed`, `SpoolFailed`."""
        async with self._lock:
            self._refuse_closed()
            if any(not self._agreed.get(seat, False) for seat in seats):  # REC-3
                raise ConsentMissing("a seat named has not agreed")
            new = [seat for seat in seats if seat not in self._active and seat not in self._starting]
            if not new and self._started is not None:
                await self._commit()  # REC-1: said before, and perhaps not durable yet
                return control.Noted(self._started.seq, self._started.hash)
            now_us = self._clock()
            if self._zero_us is None:
                self._zero_us = now_us
                self._beat_us = now_us
            body = {"seats": new, "from_ms": self._ms(now_us), "zero_mono_us": self._zero_us}
            self._started = entry = self._append("start", body, now_us)
            self._starting |= dict.fromkeys(new, now_us)
            await self._commit()
            return control.Noted(entry.seq, entry.hash)

    async def close(self, reason: str) -> control.Closed:
        """End the recording and the log (REC-4); asked again, the answer it had."""
        if not self._log.closed:
            await self._settle()
        async with self._lock:
            if not self._log.closed:
                self._finish(reason)
            await self._commit()
            return self.closed()

    def closed(self) -> control.Closed:
        """What `close` answers, once it is closed."""
        accounts = [stream.account for stream in self._streams.values()]
        return control.Closed(
            self._log.size - 1,
            self._log.last_hash,
            sum(len(account.segments) for account in accounts),
            sum(account.bytes for account in accounts),
        )

    async def degrade(self, code: str, over: bool) -> None:
        """Put on the record that something behind the recorder fails, or works again."""
        async with self._lock:
            if self._log.size and not self._log.closed:
                self._append("degraded", {"code": code, "over": over}, self._clock())
                await self._commit()

    def stored(self, upload: Upload, how: Stored) -> bool:
        """An object reached the store; whether its local copy stays until the record of that is durable (UPLOAD-1)."""
        if how.version is None or not upload.name.startswith("streams/") or self._log.closed or self._stuck:
            return False
        self._stored.append(records.StoredObject(upload.name, how.version, how.retain_until))
        return True

    async def prove(self, proof: bytes) -> None:
        """The log has the closing record: keep the proof with the recording. Raises `OSError`."""
        async with self._lock:
            path = await asyncio.to_thread(self.spool.put, layout.PROOF, proof)
            self._store(Upload(layout.PROOF, path, hashlib.sha256(proof).hexdigest()))

    @property
    def size(self) -> int:
        """Records so far."""
        return self._log.size

    @property
    def first_hash(self) -> str:
        """Hash of the record `open`."""
        return self._hashes[0] if self._hashes else ""

    @property
    def is_closed(self) -> bool:
        """Whether the log is complete."""
        return self._log.closed

    @property
    def is_over(self) -> bool:
        """Whether the log is complete and all of it durable."""
        return self._log.closed and not (self._lines or self._writes or self._due)

    @property
    def started(self) -> bool:
        """Whether it is recording now."""
        return self._zero_us is not None and not self._log.closed

    def alive(self) -> control.Alive:
        """How far each stream is."""
        now_us = self._clock()
        streams = [
            control.StreamAlive(s.name, s.account.bytes, len(s.account.segments), s.sealed_to_ms, s.recording(now_us))
            for s in self._streams.values()
        ]
        return control.Alive(self.visit, streams)

    # ---- the tap brings

    def track(self, epoch: str, tap: TapTrack) -> None:
        """A track of this visit is tapped. Repeating it changes nothing."""
        key = (epoch, tap.handle)
        if self._taps.get(key) == tap:
            return
        self._taps[key] = tap
        if tap.seat in self._active and not self._log.closed:
            self._begin_track(epoch, tap)

    def end(self, epoch: str, handle: int, reason: str) -> None:
        """A track ended."""
        self._taps.pop((epoch, handle), None)
        track = self.routes.pop((epoch, handle), None)
        if track is not None:
            gone = reason == "transport_gone"
            self._streams[track.stream].end(track, self._ms(self._clock()), gone)

    def worker_lost(self, epoch: str) -> None:
        """This life of a worker is over: nothing follows of its tracks."""
        now_ms = self._ms(self._clock()) if self._zero_us is not None else 0
        for key in [key for key in self._taps if key[0] == epoch]:
            del self._taps[key]
        for key in [key for key in self.routes if key[0] == epoch]:
            track = self.routes.pop(key)
            stream = self._streams[track.stream]
            stream.causes.begin("worker", now_ms)
            stream.end(track, now_ms, transport_gone=True)

    def worker_back(self, epoch: str) -> None:
        """The tap of this life of a worker works again."""
        now_ms = self._ms(self._clock())
        for key, track in self.routes.items():
            if key[0] == epoch:
                self._streams[track.stream].causes.end("worker", now_ms)

    def worker_away(self, epoch: str) -> None:
        """The tap of this life of a worker is broken; it may come back."""
        now_ms = self._ms(self._clock()) if self._zero_us is not None else 0
        for key, track in self.routes.items():
            if key[0] == epoch:
                self._streams[track.stream].causes.begin("worker", now_ms)

    def oldest_tap_seq(self, epoch: str) -> int | None:
        """The smallest frame of this worker's life of which something is not yet durable."""
        known = [s for stream in self._streams.values() if (s := stream.oldest_tap_seq(epoch)) is not None]
        return min(known, default=None)

    def keyframes_wanted(self) -> list[TrackKey]:
        """The tracks that need a keyframe now."""
        now_us = self._clock()
        return [key for key, track in self.routes.items() if track.wants_keyframe(now_us)]

    async def pause(self, paused: bool) -> None:
        """Keep no media, or keep them again (DISK-2). Records go on."""
        async with self._lock:
            if paused == self._paused:
                return
            self._paused = paused
            now_us = self._clock()
            for stream in self._streams.values():
                if paused:
                    stream.away(self._ms(now_us))
                else:
                    stream.back(now_us)

    @property
    def keeps(self) -> bool:
        """Whether packets may be brought."""
        return not (self._stuck or self._paused)

    @property
    def stuck(self) -> bool:
        """Whether the disk does not take what there is: then no packet may be brought (RECORDING-1)."""
        return self._stuck

    async def tick(self) -> None:
        """Write what is due, and make it durable."""
        async with self._lock:
            now_us = self._clock()
            if not self._stuck and not self._log.closed:
                self._advance(now_us)
            if self._lines or self._writes or self._stuck:
                await self._commit()

    # ---- a later life of the recorder

    def recover(self, reason: str) -> None:
        """Take up the visit from its spool. Blocks. Raises `SpoolDamaged` or `EvidenceError`; the folder is left alone."""
        lines = self.spool.load()
        texts = [text for line in lines for text in line.records]
        said = [msgspec.json.decode(text, type=records.Record) for text in texts]
        if said:  # the name under which it was begun, whatever we are called now
            self._origin = str(said[0].body.get("origin"))
            opened = records.body_of("open", said[0].body)
            self.witnesses = tuple(opened.witnesses or ()) if isinstance(opened, records.Open) else ()
        self._leaves = [text.encode() for text in texts]
        self._log = VisitLog.resume(self.visit, self._origin, self._signer, (text.encode() for text in texts))
        self._hashes = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        for line in lines:
            self._keys |= line.keys
            self._batch_lines += line.records
            self._batch_heads += [line.head] if line.head is not None else []
            if line.batch is not None:
                self._put_batch(line.batch)
        if said:
            self._due += self._key_objects()
            self._put_due()
        life = next((line.life for line in reversed(lines) if line.life is not None), self._life)
        held = next((line.open for line in reversed(lines) if line.open is not None), None)
        self._rebuild(said, life)
        if self._log.closed or not said:
            self._restore_uploads(said)
            self._durable += self._finished
            self._finished = []
            self._after_commit()
            return
        now_us = self._clock()
        self._append("recovered", {"epoch": self._life.epoch, "reason": reason, "zero_mono_us": self._zero_us}, now_us)
        self._resume_streams(held, self._shift(life), now_us)
        self._restore_uploads(said)
        self._commit_now(self._line(now_us))
        self._after_commit()

    def _shift(self, life: Life) -> int:
        """What to add to that life's monotonic times: another boot has another zero, then the wall clock decides."""
        if life.boot == self._life.boot:
            return 0
        return (life.wall_us - life.mono_us) - (self._life.wall_us - self._life.mono_us)

    def _rebuild(self, said: list[records.Record], life: Life) -> None:
        """What the records say, learnt again."""
        shift = self._shift(life)
        accounts: dict[str, Account] = {}
        firsts: dict[str, int] = {}
        for record, hashed in zip(said, self._hashes, strict=True):
            body = records.body_of(record.type, record.body)
            match body:
                case records.Consent():
                    self._agreed[body.seat] = body.decision == "agreed"
                    if body.decision != "agreed":
                        self._active.pop(body.seat, None)
                case records.Withdraw():
                    self._agreed[body.seat] = False
                    self._active.pop(body.seat, None)
                case records.Start():
                    self._zero_us = body.zero_mono_us + shift
                    self._started = Entry(record.seq, b"", hashed)
                    for seat in body.seats:
                        self._active[seat] = self._zero_us + body.from_ms * 1000
                        firsts.setdefault(seat, body.from_ms)
                case records.Recovered() if body.zero_mono_us is not None:
                    self._zero_us = body.zero_mono_us + shift
                case records.Event() if isinstance(body.seat, str) and isinstance(body.state, str):
                    self._devices.setdefault(body.seat, {})[body.event] = body.state
                case records.Part() | records.Segment() | records.Gap():
                    accounts.setdefault(body.stream, Account()).take(body)
                case _:
                    pass
        self._newest_us = 0 if shift else max((record.mono_us for record in said), default=0)
        for name in [*firsts, *(name for name in accounts if name not in firsts)]:
            account = accounts.get(name) or Account()
            first = firsts.get(name)
            if first is None:  # a screen: its span begins with what there is of it
                first = min([s[0] for s in account.segments[:1]] + [g[0] for g in account.gaps[:1]], default=0)
            self._add_stream(name, first, account)

    def _resume_streams(self, held: Open | None, shift: int, now_us: int) -> None:
        if self._zero_us is None:
            return
        away_from = self._ms(held.at_us + shift) if held is not None else 0
        now_ms = self._ms(now_us)
        self._resumed_us = now_us
        self._beat_us = now_us
        for name, stream in self._streams.items():
            seat = layout.seat_of(name)
            stream.causes.restore(held.causes.get(name, {}) if held is not None else {})
            if seat in self._active:
                stream.away(min(away_from, now_ms))
                stream.back(now_us)
            else:
                stream.causes.begin("withdrawn", now_ms)
        for state in held.streams if held is not None else ():
            stream = self._streams[state.stream]
            segment = state.segment
            content = b""
            if segment is not None and segment.size:
                content = self.spool.take_up(segment.name, segment.size)
            out: list[Output] = []
            stream.resume(state, self._zero_us, content, out)
            self._perform(out, now_us)

    def _restore_uploads(self, said: list[records.Record]) -> None:
        hashes: dict[str, str] = {}
        for record in said:
            body = records.body_of(record.type, record.body)
            match body:
                case records.Part():
                    hashes[body.init.name] = body.init.sha256
                case records.Segment():
                    hashes[body.name] = body.sha256
                case _:
                    pass
        sealed = {upload.name for upload in self._finished}
        present = set(self.spool.objects())
        old = [Upload(n, self.spool.folder / n, h) for n, h in hashes.items() if n in present and n not in sealed]
        self._finished[:0] = old
        for name in present - set(hashes) - sealed:
            if name.startswith("streams/"):  # nothing speaks of it: it was being begun when the recorder died
                self.spool.remove(name)

    # ---- inside

    def _refuse_closed(self) -> None:
        if self._log.closed:
            raise VisitClosed("the log is complete")

    def _ms(self, at_us: int) -> int:
        return 0 if self._zero_us is None else max(0, (at_us - self._zero_us) // 1000)

    def _append(self, kind: str, body: object, now_us: int) -> Entry:
        now_us = self._newest_us = max(now_us, self._newest_us)  # TIME-1
        wall_us = self._life.wall_us + now_us - self._life.mono_us  # TIME-2: one reading of the wall clock a life
        at = iso(datetime.fromtimestamp(wall_us / 1_000_000, UTC))
        try:
            entry = self._log.append(kind, msgspec.to_builtins(body), at, now_us)
        except LogClosed:
            raise VisitClosed("the log is complete") from None
        self._hashes.append(entry.hash)
        self._lines.append(entry.line.decode())
        return entry

    def _learn(self, kind: str, body: dict[str, Any], now_us: int) -> None:
        """What a record that was asked for changes."""
        if kind == "withdraw" or kind == "consent":
            agreed = kind == "consent" and body["decision"] == "agreed"
            self._agreed[body["seat"]] = agreed
            if not agreed:
                self._deactivate(body["seat"], now_us)
        elif kind == "event" and "seat" in body and "state" in body:
            self._devices.setdefault(body["seat"], {})[body["event"]] = body["state"]
            for stream in self._streams.values():
                if layout.seat_of(stream.name) == body["seat"]:
                    stream.device(body["event"], body["state"], self._ms(now_us))

    def _activate(self, seat: str, now_us: int) -> None:
        self._active[seat] = now_us
        now_ms = self._ms(now_us)
        if seat not in self._streams:
            self._add_stream(seat, now_ms, None)
        for stream in self._streams.values():
            if layout.seat_of(stream.name) == seat:
                stream.causes.end("withdrawn", now_ms)
        for (epoch, _), tap in self._taps.items():
            if tap.seat == seat:
                self._begin_track(epoch, tap)
        if self._clock() - now_us > LATE_US:  # the disk was slow to take `start`: until now nothing could be kept
            for stream in self._streams.values():
                if layout.seat_of(stream.name) == seat:
                    stream.away(now_ms)
                    stream.back(self._clock())

    def _deactivate(self, seat: str, now_us: int) -> None:
        if self._active.pop(seat, None) is None:
            return
        now_ms = self._ms(now_us)
        for stream in self._streams.values():
            if layout.seat_of(stream.name) != seat:
                continue
            out: list[Output] = []
            stream.stop(now_us, out, until_ms=now_ms)  # CONSENT-3
            stream.causes.begin("withdrawn", now_ms)
            self._perform(out, now_us)
        self.routes = {key: track for key, track in self.routes.items() if track.tap.seat != seat}

    def _add_stream(self, name: str, first_ms: int, account: Account | None) -> Stream:
        senders = self._senders.setdefault(layout.seat_of(name), SenderClock())
        stream = self._streams[name] = Stream(name, first_ms, senders, account)
        stream.devices = self._devices.setdefault(layout.seat_of(name), {})
        if self._paused:
            stream.away(first_ms)
        return stream

    def _begin_track(self, epoch: str, tap: TapTrack) -> None:
        assert self._zero_us is not None
        now_ms = self._ms(self._clock())
        name = f"{tap.seat}.screen" if tap.source == "screen" else tap.seat
        stream = self._streams.get(name) or self._add_stream(name, now_ms, None)
        track = stream.adopt(epoch, tap) or Track(epoch, tap, self._zero_us)
        track.from_us = self._active[tap.seat]
        self.routes[(epoch, tap.handle)] = track
        stream.add(track, now_ms)

    def _advance(self, now_us: int) -> None:
        out: list[Output] = []
        for stream in self._streams.values():
            stream.drain(now_us, out)
        self._perform(out, now_us)
        self._say_stored(now_us)
        if self._resumed_us is not None and now_us - self._resumed_us > RESUME_US:
            for stream in self._streams.values():
                stream.causes.end("recorder", self._ms(self._resumed_us + RESUME_US))
                stream.update_off(self._ms(now_us))
            self._resumed_us = None
        if self.started and now_us - self._beat_us >= HEARTBEAT_US:
            self._beat_us = now_us
            beats = {
                s.name: records.Beat(len(s.account.segments), s.account.bytes, s.sealed_to_ms)
                for s in self._streams.values()
            }
            self._append("heartbeat", records.Heartbeat(beats), now_us)

    def _say_stored(self, now_us: int) -> None:
        while self._stored:
            said, self._stored = self._stored[:STORED_AT_ONCE], self._stored[STORED_AT_ONCE:]
            self._append("stored", records.Stored(said), now_us)
            self._removable += [one.name for one in said]

    def _remove_stored(self) -> None:
        for name in self._removable:
            self.spool.remove(name)
        self._removable = []

    def _perform(self, out: list[Output], now_us: int) -> None:
        for output in out:
            match output:
                case Write():
                    self._writes.append(output)
                case Said(kind, body):
                    self._append(kind, body, now_us)
                    self._follow(body)

    def _follow(self, body: object) -> None:
        match body:
            case records.Part():
                self._finished.append(Upload(body.init.name, self.spool.folder / body.init.name, body.init.sha256))
            case records.Segment():
                self._finished.append(Upload(body.name, self.spool.folder / body.name, body.sha256))
            case records.Gap(cause=("network" | "recorder" | "worker") as cause):
                self._news.append(control.Gapped(self.visit, body.stream, body.from_ms, body.to_ms, cause))
            case _:
                pass

    async def _settle(self) -> None:
        """Wait for what is on its way: until every track ended, or nothing came for a while."""
        begun_us = still_us = self._clock()
        before: list[tuple[int | None, int]] = []
        while self._clock() - begun_us < CLOSE_WAIT_US:
            if not self.routes and self._resumed_us is None:  # after a crash a worker dials again first
                return
            now = [track.progress for track in self.routes.values()]
            if now != before:
                before, still_us = now, self._clock()
            elif now and self._clock() - still_us > QUIET_US:
                return
            await asyncio.sleep(0.05)

    def _finish(self, reason: str) -> None:
        now_us = self._clock()
        out: list[Output] = []
        end_ms: int | None = None
        if self._zero_us is not None:
            end_ms = self._ms(now_us)
            for stream in self._streams.values():
                stream.stop(now_us, out, end_ms=end_ms)
            ends = (end for s in self._streams.values() if (end := s.account.covered_to) is not None)
            end_ms = max(end_ms, *ends, 0)
            for stream in self._streams.values():
                if "." not in stream.name:
                    stream.declare_to(end_ms, out)
        self._perform(out, now_us)
        self._say_stored(now_us)
        self.routes.clear()
        streams = {
            s.name: s.account.close(s.first_ms, end_ms if "." not in s.name else s.account.covered_to or s.first_ms)
            for s in self._streams.values()
            if end_ms is not None and ("." not in s.name or s.account.covered_to is not None)
        }
        self._append("close", records.Close(reason, self._log.size + 1, end_ms, streams), now_us)

    # ---- commits

    def _line(self, now_us: int) -> Line:
        """The journal's line of everything in hand."""
        head: str | None = None
        batch: int | None = None
        if self._lines:
            wall_us = self._life.wall_us + now_us - self._life.mono_us
            head = self._log.head(iso(datetime.fromtimestamp(wall_us / 1_000_000, UTC))).decode()
            waiting = len(self._batch_lines) + len(self._lines)
            if self._log.closed or waiting >= BATCH_RECORDS or now_us - self._batch_us >= BATCH_US:
                batch = self._batch
        return Line(
            records=list(self._lines),
            keys=dict(self._new_keys),
            head=head,
            open=self._open(now_us),
            life=self._life if self._first_line else None,
            batch=batch,
        )

    def _open(self, now_us: int) -> Open | None:
        if self._zero_us is None or self._log.closed:
            return None
        states = [state for s in self._streams.values() if (state := s.state()) is not None]
        return Open(now_us, states, {s.name: s.causes.spans(s.covered_to) for s in self._streams.values()})

    async def _commit(self) -> None:
        """Make what is in hand durable. Raises `SpoolFailed`, and keeps it in hand."""
        if not (self._lines or self._writes or self._due):
            return
        line = self._line(self._clock())
        try:
            await asyncio.shield(asyncio.to_thread(self._commit_now, line))
        except OSError as error:
            if not self._stuck:
                log.error("spool failed", extra={"visit": self.visit, "errno": error.errno})
                for stream in self._streams.values():
                    stream.away(self._ms(self._clock()))
            self._stuck = True
            # They are in the store: the space they take may be what is missing, so it does not wait for the record.
            await asyncio.to_thread(self._remove_stored)
            raise SpoolFailed("the disk did not take the record", error.errno in FULL) from None
        if self._stuck:
            self._stuck = False
            for stream in self._streams.values() if not self._paused else ():
                stream.back(self._clock())
        self._after_commit()

    def _commit_now(self, line: Line) -> None:
        self._put_due()
        if not (self._lines or self._writes):
            return
        self.spool.commit(self._writes, line)
        self._remove_stored()
        self._writes = []
        self._lines = []
        self._new_keys = {}
        self._first_line = False
        self._leaves += [text.encode() for text in line.records]
        self._batch_lines += line.records
        self._batch_heads += [line.head] if line.head is not None else []
        finished, self._finished = self._finished, []
        self._durable += finished
        if line.batch is not None:
            self._put_batch(line.batch)

    def _after_commit(self) -> None:
        if self._leaves:
            self._leaf(self._leaves_told, self._leaves)
            self._leaves_told += len(self._leaves)
            self._leaves = []
        starting, self._starting = self._starting, {}
        for seat, since_us in starting.items():
            self._activate(seat, since_us)
            if not self._agreed.get(seat, False):  # withdrawn while the disk did not take `start`
                self._deactivate(seat, self._clock())
        for upload in self._durable:
            self._store(upload)
        self._durable.clear()
        for news in self._news:
            self._tell(news)
        self._news.clear()

    def _put_batch(self, number: int) -> None:
        """This batch is complete: its content is settled now, even if the disk takes it later."""
        for name, lines in (
            (layout.records_name(number), self._batch_lines),
            (layout.heads_name(number), self._batch_heads),
        ):
            self._due.append((name, "".join(f"{line}\n" for line in lines).encode()))
        self._batch = number + 1
        self._batch_lines = []
        self._batch_heads = []
        self._batch_us = self._clock()
        self._put_due()

    def _key_objects(self) -> list[tuple[str, bytes]]:
        return [(layout.key_name(key.fingerprint), key.pem) for key in self._signer.public_keys]

    def _put_due(self) -> None:
        while self._due:
            name, content = self._due[0]
            self._durable.append(Upload(name, self.spool.put(name, content), hashlib.sha256(content).hexdigest()))
            del self._due[0]
