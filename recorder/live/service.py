"""The recorder: every visit of this machine, between the control door, the tap and the way to the store.

SERVICE-1  On start every visit found in the spool is taken up before anyone may ask or bring anything.
SERVICE-2  A visit whose spool cannot be continued is left alone and refused (`visit_damaged`); the others go on.
SERVICE-3  A bug in one visit ends that visit's recording in this life of the process, and is logged; the others go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from config.clock import monotonic_s, monotonic_us, random_name
from config.link import Refused
from config.settings import Settings
from recorder import control
from recorder.evidence import layout
from recorder.evidence.errors import EvidenceError
from recorder.evidence.log import VisitLog
from recorder.evidence.sign import Signer
from recorder.live.control_door import ControlDoor
from recorder.live.intake import Intake
from recorder.live.journal import Journal, Onward
from recorder.live.leaving import Leaving
from recorder.live.recording import Recording
from recorder.live.recording_errors import RecordingError, SpoolFailed
from recorder.live.streams import Streams
from recorder.live.tap_routes import TapRoutes
from recorder.log.anchors import Anchors
from recorder.log.custody import CUSTODY
from recorder.log.day_book import DayBook
from recorder.log.notary import Notary
from recorder.log.stamping import Stamp
from recorder.sealing.mint_settings import mint_for
from recorder.spool.disk_watch import DiskWatch
from recorder.spool.spool import FULL, ClosedVisit, Spool
from recorder.spool.together import Together
from recorder.spool.upload import Upload, Uploader
from recorder.spool.visit import Life, SpoolDamaged
from recorder.store.lanes import Lanes
from recorder.store.objects import ObjectStore, Stored

TICK_S = 0.8
"""A round costs the same however much came: 0.8 s instead of 0.6 saves 1.2 µs a packet, and RPO stays below 1 s."""
REST_S = 0.1
"""Between two rounds, however long the first took."""
ANSWER_S = 1.0
STOP_S = 0.9
"""Together within the 2 s that a process has to stop."""

log = logging.getLogger(__name__)


class Recorder:
    """All visits of this machine."""

    def __init__(
        self,
        settings: Settings,
        signer: Signer,
        store: ObjectStore,
        clock: Callable[[], int] = monotonic_us,
    ) -> None:
        """`clock`: CLOCK_MONOTONIC in µs."""
        self.notary: Notary | None = None
        """Keeps the log of all records, where there is one; set before `recover`."""
        self.days: DayBook | None = None
        """Which visits were open on a day; set before `recover`."""
        self.anchors: Anchors | None = None
        """Evidence services elsewhere; set before `recover`."""
        self._clock = clock
        self._signer = signer
        self._store_name = settings.store
        self.origin = _origin(settings, signer)
        self._spool = Spool(settings.data / "spool")
        self._epoch, self._boot = random_name(9), _boot()
        self._visits: dict[str, Recording] = {}
        self._damaged: set[str] = set()
        self._lanes = Lanes(monotonic_s)
        self._together = Together(self._spool.ahead, self._lanes.write)
        self._leaving: dict[str, Leaving] = {}
        """Closed, and gone from here once everything is stored."""
        limit = None if settings.spool_limit_mb is None else settings.spool_limit_mb << 20
        self._disk = DiskWatch(self._spool, clock, self.degraded, settings.when_disk_full == "pause", limit)
        self._background: set[asyncio.Task[None]] = set()
        self.uploader = Uploader(store, self.degraded, keep=self._stored)
        self.routes = TapRoutes(self._visits)
        self.intake = Intake(self.routes)
        self.door = ControlDoor(self._answer)
        self.mint = mint_for(settings, self.degraded)

    @property
    def fingerprint(self) -> str:
        """Of the key that signs."""
        return self._signer.fingerprint

    # ---- a life

    def recover(self) -> None:
        """Take up every visit of the spool (SERVICE-1). Blocks."""
        if self.notary is not None:
            self.notary.keep_only([*self._spool.visits(), CUSTODY])
        for visit in self._spool.visits():
            try:
                recording = self._taken_up(visit)
            except (SpoolDamaged, EvidenceError, OSError) as error:  # SERVICE-2
                log.error("visit cannot be continued", extra={"visit": visit, "error": str(error)})
                self._damaged.add(visit)
                continue
            log.info("visit recovered", extra={"visit": visit, "closed": recording.journal.is_closed})
            self._visits[visit] = recording
            with contextlib.suppress(OSError):  # an earlier life may have ended before it told
                self._tell_day(recording)
            if recording.journal.is_closed:
                self._forget_when_stored(visit)
            elif recording.journal.size:
                self._follow(recording)

    def _taken_up(self, visit: str) -> Recording:
        recording = self._recording(visit)
        try:
            recording.recover("restarted")
        except OSError as error:
            # DISK-2: a full disk empties only when what lies on it is taken up and stored.
            recording.journal.spool.close()
            if error.errno not in FULL:
                raise
            log.warning("disk full at start", extra={"visit": visit})
            self._disk.gone()
            recording = self._recording(visit)
            recording.recover("restarted")
        return recording

    async def run(self) -> None:
        """Write, acknowledge and tell, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.uploader.run())
            group.create_task(self._tell_alive())
            group.create_task(self.mint.run())
            if self.notary is not None:
                group.create_task(self.notary.run())
            while True:
                due = monotonic_s() + TICK_S
                await self.tick()
                await asyncio.sleep(max(REST_S, due - monotonic_s()))

    async def stop(self) -> None:
        """Answer what was asked (a visit may be closing), let everybody go, make durable what came, give the store what it
        takes in a moment. The rest is in the spool."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                await self.door.answered()
        await self.intake.close()
        await self.door.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self.tick()
                if self.notary is not None:
                    await self.notary.round()
                    await asyncio.gather(*self._background)
                while self.uploader.busy:
                    await self.uploader.progress()

    async def tick(self) -> None:
        """One round: everything that came is made durable, then acknowledged."""
        live = [recording for recording in self._visits.values() if not recording.journal.is_over]
        # What is taken but comes in while we write is not durable yet: acknowledge what was here before.
        taken = self.intake.taken()
        for (epoch, handle), old in (wanted for recording in live for wanted in recording.streams.keyframes_wanted()):
            self.intake.ask_keyframe(epoch, handle, old)
        done = await self._lanes.each(live, Recording.tick)
        for recording, error in zip(live, done, strict=True):
            if isinstance(error, RecordingError):
                self._disk.failed(error.code)
                if isinstance(error, SpoolFailed) and error.full:
                    await asyncio.to_thread(self._disk.gone)
                    await self._pause()
            elif isinstance(error, Exception):  # SERVICE-3
                log.error("recording ended by a fault", extra={"visit": recording.visit}, exc_info=error)
                self._damaged.add(recording.visit)
                self._visits.pop(recording.visit, None)
                self.routes.forget(recording)
        for recording in live:
            if (
                recording.journal.is_over and recording.visit in self._visits
            ):  # whoever closed it was told that the disk is full
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(self._tell_day, recording)
                self._closed(recording)
        if await self._disk.look(self._stuck):
            await self._pause()
        self.intake.acknowledge(lambda epoch: self._oldest(epoch, taken.get(epoch, 0)))

    def _oldest(self, epoch: str, taken: int) -> int:
        if self._stuck():  # INTAKE-4: something taken is not on the disk
            return 0
        known = [s for r in self._visits.values() if (s := r.streams.oldest_tap_seq(epoch)) is not None]
        return min([taken + 1, *known])

    # ---- signaling

    async def _answer(self, message: control.ToRecorder) -> control.FromRecorder | Refused:
        match message:
            case control.Greet():
                return control.Greeted("recorder", self._epoch, self._signer.fingerprint, self._store_name)
            case control.Open(visit, seats):
                return await self._open(visit, seats)
            case control.Note(visit, key, kind, body):
                recording = self._visits.get(visit)
                return await recording.note(key, kind, body) if recording is not None else self._unknown(visit)
            case control.Start(visit, seats):
                recording = self._visits.get(visit)
                return await recording.start(seats) if recording is not None else self._unknown(visit)
            case control.Close(visit, reason):
                return await self._close(visit, reason)

    async def _open(self, visit: str, seats: dict[str, str]) -> control.FromRecorder | Refused:
        if (over := await asyncio.to_thread(self._spool.closed, visit)) is not None:
            return control.Noted(0, over.first_hash)
        if visit in self._damaged or not layout.is_visit(visit):
            return self._unknown(visit)
        recording = self._visits.get(visit)
        new = recording is None
        if recording is None:
            recording = self._visits[visit] = self._recording(visit)
            self.routes.opened(visit)
        noted = await recording.open(seats, "recorder")
        await asyncio.to_thread(self._tell_day, recording)
        if new and self.anchors is not None:
            self._later(self._anchor_start(self.anchors, recording))
        self._follow(recording)
        return noted

    async def _close(self, visit: str, reason: str) -> control.FromRecorder | Refused:
        recording = self._visits.get(visit)
        if recording is None:
            over = await asyncio.to_thread(self._spool.closed, visit) if layout.is_visit(visit) else None
            return control.Closed(over.seq, over.hash, over.segments, over.bytes) if over else self._unknown(visit)
        was_over = recording.journal.is_closed
        answer = await recording.close(reason)
        if not was_over:
            self.door.tell(recording.alive())  # how far each stream came in the end
        await asyncio.to_thread(self._tell_day, recording)
        self._closed(recording)
        return answer

    def _tell_day(self, recording: Recording) -> None:
        """Put in the book of days that it is open, or closed (DAY-1); to repeat it changes nothing. Blocks; `OSError`."""
        visit, journal = recording.visit, recording.journal
        if self.days is None or not journal.size:
            return
        if journal.is_closed:
            self.days.closed(visit, journal.first_hash, journal.last_hash, journal.size, journal.newest_at)
        else:
            self.days.opened(visit, journal.first_hash, journal.began_at)

    def _closed(self, recording: Recording) -> None:
        """The log is complete and durable: nothing more is brought, and once all is stored it may be forgotten."""
        if recording.visit in self._leaving:
            return
        self.routes.forget(recording)
        log.info("visit closed", extra={"visit": recording.visit})
        self._forget_when_stored(recording.visit)

    def _unknown(self, visit: str) -> Refused:
        if visit in self._damaged:
            return Refused("visit_damaged", "the visit's spool cannot be continued")
        if layout.is_visit(visit) and self._spool.closed(visit) is not None:
            return Refused("visit_closed", "the log is complete")
        return Refused("visit_unknown", "no such visit")

    async def _tell_alive(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            for recording in list(self._visits.values()):
                if recording.is_recording:
                    self.door.tell(recording.alive())

    def _stuck(self) -> bool:
        return any(recording.journal.stuck for recording in self._visits.values())

    async def _pause(self) -> None:
        """Let media pause, or go on (DISK-2)."""
        paused = self._disk.pauses
        for recording in list(self._visits.values()):
            if not recording.journal.is_closed:
                await recording.pause(paused)

    def _stored(self, visit: str, upload: Upload, how: Stored) -> bool:
        recording = self._visits.get(visit)
        return recording is not None and recording.journal.stored(upload, how)

    def degraded(self, code: str, over: bool) -> None:
        """Tell everybody, and put it on every live record."""
        log.warning("degraded", extra={"code": code, "over": over})
        self.door.tell(control.Degraded(code, over))
        for recording in self._visits.values():
            if recording.is_recording:
                self._later(self._degrade(recording, code, over))

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _degrade(self, recording: Recording, code: str, over: bool) -> None:
        with contextlib.suppress(RecordingError):
            await recording.say("degraded", {"code": code, "over": over})

    # ---- inside

    def _recording(self, visit: str) -> Recording:
        spool, keys = self._spool.visit(visit), self.mint.visit(visit)
        journal = Journal(
            VisitLog(visit, self.origin, self._signer),
            spool,
            Life(self._epoch, self._boot, time.time_ns() // 1000, self._clock()),
            self._clock,
            self._together,
            Onward(
                store=lambda upload: self.uploader.add(visit, upload),
                leaf=partial(self.notary.take, visit) if self.notary is not None else _untold,
            ),
            first=keys.commit,
        )
        witnesses = self.notary.witness_keys if self.notary is not None else ()
        return Recording(journal, Streams(self._clock, keys), self._clock, self.door.tell, witnesses)

    # ---- what others say

    def _follow(self, recording: Recording) -> None:
        if self.notary is not None and not recording.journal.is_closed:
            self.notary.follow(recording.visit, lambda stamp: self._later(self._stamp(recording, stamp)))

    async def _stamp(self, recording: Recording, stamp: Stamp) -> None:
        with contextlib.suppress(RecordingError):  # the disk did not take it: that is said where it is noticed
            await recording.stamp(stamp)

    async def _anchor_start(self, anchors: Anchors, recording: Recording) -> None:
        first_hash = recording.journal.first_hash
        for service, reference in await anchors.deposit(first_hash):
            body = {"service": service, "seq": 0, "hash": first_hash, "reference": reference}
            with contextlib.suppress(RecordingError):
                await recording.say("anchor", body)

    def _forget_when_stored(self, visit: str) -> None:
        self.mint.closed(visit)
        gone = partial(self._forget_once_uploaded, visit)
        leaving = Leaving(self._visits[visit], self.notary, self.anchors, self.days, self._later, gone)
        self._leaving[visit] = leaving
        leaving.begin()

    def _forget_once_uploaded(self, visit: str) -> None:
        def forget() -> None:
            self._leaving.pop(visit, None)
            recording = self._visits.pop(visit, None)
            if recording is not None:
                recording.journal.spool.close()
                answer = recording.closed()
                over = ClosedVisit(recording.journal.first_hash, answer.seq, answer.hash, answer.segments, answer.bytes)
                self._spool.forget(visit, over, refused=visit in self.uploader.refused)
                self.uploader.refused.discard(visit)
                log.info("visit stored", extra={"visit": visit})

        self.uploader.when_stored(visit, forget)


def _untold(_seq: int, _lines: list[bytes]) -> None:
    """There is no log of all records."""


def _origin(settings: Settings, signer: Signer) -> str:
    """Who records (FORMAT.md §4). Without a public name every machine's is the same: then the key tells them apart."""
    origin = f"{urlsplit(settings.base_url).netloc or 'localhost'}/teleconsult"
    return origin if settings.public_url else f"{origin}/{signer.fingerprint[:16]}"


def _boot() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else "unknown"
