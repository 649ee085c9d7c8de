"""The recorder process: the control door, the tap, every visit's recording, and the way to the store.

SERVICE-1  On start every visit found in the spool is taken up before anyone may ask or bring anything.
SERVICE-2  A visit whose spool cannot be continued is left alone and refused (`visit_damaged`); the others go on.
SERVICE-3  A bug in one visit ends that visit's recording in this life of the process, and is logged; the others go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from config import logs
from config.clock import monotonic_us, random_name
from config.link import Link, LinkClosed, Refused
from config.settings import Settings
from media.tap import Hello, TapEnd, TapTrack, packets
from recorder import control
from recorder.audit import audit_door, make_audit_app
from recorder.disk import DiskMarks
from recorder.evidence import layout
from recorder.evidence.errors import EvidenceError, RecordInvalid
from recorder.evidence.sign import Signer
from recorder.holdings import SpoolFolder
from recorder.intake import Intake
from recorder.keys import load_or_create
from recorder.notary import Notary
from recorder.notary_settings import notary_for
from recorder.objects import ObjectStore, Stored, StoreRefused, StoreUnavailable
from recorder.recording import Recording
from recorder.recording_errors import RecordingError, SpoolFailed
from recorder.spool import FULL, ClosedVisit, Life, Spool, SpoolDamaged
from recorder.store import open_store
from recorder.track import Track
from recorder.upload import Upload, Uploader

TICK_S = 0.6
DISK_EVERY_US = 1_000_000
ANSWER_S = 1.0
STOP_S = 0.9
"""Together within the 2 s that a process has to stop."""
MAX_EARLY = 4096

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
        self._clock = clock
        self._signer = signer
        self._store_name = settings.store
        self.origin = _origin(settings, signer)
        self._spool = Spool(settings.data / "spool")
        self._epoch, self._boot = random_name(9), _boot()
        self._visits: dict[str, Recording] = {}
        self._damaged: set[str] = set()
        self._handles: dict[tuple[str, int], Recording] = {}
        self._over: set[tuple[str, int]] = set()
        self._early: dict[tuple[str, int], TapTrack] = {}
        """Tracks of visits that are not open yet; past the bound a track is not recorded until it is repeated."""
        self._links: set[Link[control.ToRecorder, control.FromRecorder]] = set()
        self._epochs: dict[str, str] = {}
        self._disk = DiskMarks()
        self._disk_due_us = 0
        self._no_space = False
        self._leaving: set[str] = set()
        """Closed, and gone from here once everything is stored."""
        self._pauses_when_full = settings.when_disk_full == "pause"
        self._spool_limit = None if settings.spool_limit_mb is None else settings.spool_limit_mb << 20
        self._failing: set[str] = set()
        self._background: set[asyncio.Task[None]] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._asking = 0
        self._answered = asyncio.Event()
        self._answered.set()
        self.uploader = Uploader(store, self.degraded, keep=self._stored)
        self.intake = Intake(self)

    # ---- a life

    def recover(self) -> None:
        """Take up every visit of the spool (SERVICE-1). Blocks."""
        if self.notary is not None:
            self.notary.keep_only(self._spool.visits())
        for visit in self._spool.visits():
            try:
                recording = self._taken_up(visit)
            except (SpoolDamaged, EvidenceError, OSError) as error:  # SERVICE-2
                log.error("visit cannot be continued", extra={"visit": visit, "error": str(error)})
                self._damaged.add(visit)
                continue
            log.info("visit recovered", extra={"visit": visit, "closed": recording.is_closed})
            self._visits[visit] = recording
            if recording.is_closed:
                self._forget_when_stored(visit)

    def _taken_up(self, visit: str) -> Recording:
        recording = self._recording(visit)
        try:
            recording.recover("restarted")
        except OSError as error:
            # DISK-2: a full disk empties only when what lies on it is taken up and stored.
            recording.spool.close()
            if error.errno not in FULL:
                raise
            log.warning("disk full at start", extra={"visit": visit})
            self._no_space = True
            self._spool.release()
            recording = self._recording(visit)
            recording.recover("restarted")
        return recording

    async def run(self) -> None:
        """Write, acknowledge and tell, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.uploader.run())
            group.create_task(self._tell_alive())
            if self.notary is not None:
                group.create_task(self.notary.run())
            while True:
                await asyncio.sleep(TICK_S)
                await self.tick()

    async def stop(self) -> None:
        """Answer what was asked (a visit may be closing), let everybody go, make durable what came, give the store what it
        takes in a moment. The rest is in the spool."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                await self._answered.wait()
        await self.intake.close()
        for link in list(self._links):
            link.close()
        await asyncio.gather(*self._serving, return_exceptions=True)
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
        live = [recording for recording in self._visits.values() if not recording.is_over]
        # What is taken but comes in while we write is not durable yet: acknowledge what was here before.
        taken = self.intake.taken()
        for epoch, handle in (key for recording in live for key in recording.keyframes_wanted()):
            self.intake.ask_keyframe(epoch, handle)
        done = await asyncio.gather(*(recording.tick() for recording in live), return_exceptions=True)
        for recording, error in zip(live, done, strict=True):
            if isinstance(error, RecordingError):
                self._fail(error.code)
                if isinstance(error, SpoolFailed) and error.full:
                    await self._out_of_space()
            elif isinstance(error, Exception):  # SERVICE-3
                log.error("recording ended by a fault", extra={"visit": recording.visit}, exc_info=error)
                self._damaged.add(recording.visit)
                self._visits.pop(recording.visit, None)
                self._handles = {key: r for key, r in self._handles.items() if r is not recording}
        for recording in live:
            if (
                recording.is_over and recording.visit in self._visits
            ):  # whoever closed it was told that the disk is full
                self._closed(recording)
        await self._watch_disk()
        self.intake.acknowledge(lambda epoch: self._oldest(epoch, taken.get(epoch, 0)))

    def _oldest(self, epoch: str, taken: int) -> int:
        if any(recording.stuck for recording in self._visits.values()):  # INTAKE-4: something taken is not on the disk
            return 0
        known = [s for r in self._visits.values() if (s := r.oldest_tap_seq(epoch)) is not None]
        return min([taken + 1, *known])

    # ---- signaling

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One control connection."""
        link: Link[control.ToRecorder, control.FromRecorder] = Link(reader, writer, control.ToRecorder, self._asked)
        self._links.add(link)
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        try:
            await link.run()
        except* (msgspec.DecodeError, ConnectionError) as group:
            log.error("control link refused", extra={"error": str(group.exceptions[0])})
        finally:
            self._links.discard(link)
            self._serving.discard(serving)

    async def _asked(self, message: control.ToRecorder) -> control.FromRecorder | Refused:
        self._asking += 1
        self._answered.clear()
        try:
            return await self._answer(message)
        except RecordInvalid as error:
            return Refused("record_invalid", str(error))
        except RecordingError as error:
            return Refused(error.code, str(error))
        except OSError as error:  # one visit's folder; the link carries all the others
            log.error("spool failed", extra={"errno": error.errno})
            return Refused(SpoolFailed.code, "the disk did not take it")
        finally:
            self._asking -= 1
            if not self._asking:
                self._answered.set()

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
        if recording is None:
            recording = self._visits[visit] = self._recording(visit)
            for key in [key for key, track in self._early.items() if track.visit == visit]:
                self.track(key[0], self._early.pop(key))
        return await recording.open(seats, "recorder")

    async def _close(self, visit: str, reason: str) -> control.FromRecorder | Refused:
        recording = self._visits.get(visit)
        if recording is None:
            over = await asyncio.to_thread(self._spool.closed, visit) if layout.is_visit(visit) else None
            return control.Closed(over.seq, over.hash, over.segments, over.bytes) if over else self._unknown(visit)
        answer = await recording.close(reason)
        self._closed(recording)
        return answer

    def _closed(self, recording: Recording) -> None:
        """The log is complete and durable: nothing more is brought, and once all is stored it may be forgotten."""
        if recording.visit in self._leaving:
            return
        self._handles = {key: r for key, r in self._handles.items() if r is not recording}
        log.info("visit closed", extra={"visit": recording.visit})
        self._forget_when_stored(recording.visit)

    def _unknown(self, visit: str) -> Refused:
        if visit in self._damaged:
            return Refused("visit_damaged", "the visit's spool cannot be continued")
        if layout.is_visit(visit) and self._spool.closed(visit) is not None:
            return Refused("visit_closed", "the log is complete")
        return Refused("visit_unknown", "no such visit")

    def _tell(self, news: control.FromRecorder) -> None:
        for link in list(self._links):
            with contextlib.suppress(LinkClosed):
                link.tell(news)

    async def _tell_alive(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            for recording in list(self._visits.values()):
                if recording.started:
                    self._tell(recording.alive())

    async def _watch_disk(self) -> None:
        """Say how full the disk is, and let media pause and go on by it (DISK-1, DISK-2)."""
        now_us = self._clock()
        if now_us < self._disk_due_us:
            return
        self._disk_due_us = now_us + DISK_EVERY_US
        usage = await asyncio.to_thread(self._spool.usage, self._spool_limit)
        for code, over in self._disk.measured(usage):
            self.degraded(code, over)
        held = await asyncio.to_thread(self._spool.reserve, usage)
        stuck = any(recording.stuck for recording in self._visits.values())
        if self._no_space and held and not stuck:
            self._no_space = False
        if "spool_failed" in self._failing and not stuck:
            self._failing.discard("spool_failed")
            self.degraded("spool_failed", True)
        await self._pause()

    async def _out_of_space(self) -> None:
        """The last byte is gone: the reserve is for the records that say so."""
        if not self._no_space:
            self._no_space = True
            await asyncio.to_thread(self._spool.release)
            await self._pause()

    async def _pause(self) -> None:
        paused = self._no_space or (self._disk.full and self._pauses_when_full)
        for recording in list(self._visits.values()):
            if not recording.is_closed:
                await recording.pause(paused)

    def _stored(self, visit: str, upload: Upload, how: Stored) -> bool:
        recording = self._visits.get(visit)
        return recording is not None and recording.stored(upload, how)

    def _fail(self, code: str) -> None:
        if code not in self._failing:
            self._failing.add(code)
            self.degraded(code, False)

    def degraded(self, code: str, over: bool) -> None:
        """Tell everybody, and put it on every live record."""
        log.warning("degraded", extra={"code": code, "over": over})
        self._tell(control.Degraded(code, over))
        for recording in self._visits.values():
            if recording.started:
                self._later(self._degrade(recording, code, over))

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _degrade(self, recording: Recording, code: str, over: bool) -> None:
        with contextlib.suppress(RecordingError):
            await recording.say("degraded", {"code": code, "over": over})

    # ---- workers (recorder.intake.TapSink)

    def hello(self, hello: Hello, known: bool) -> None:
        """A worker connected."""
        old = self._epochs.get(hello.worker)
        self._epochs[hello.worker] = hello.epoch
        log.info("worker connected", extra={"worker": hello.worker, "epoch": hello.epoch, "dropped": hello.dropped})
        if known:
            for recording in self._visits.values():
                recording.worker_back(hello.epoch)
        elif old is not None and old != hello.epoch:
            for recording in self._visits.values():
                recording.worker_lost(old)
            self._handles = {key: r for key, r in self._handles.items() if key[0] != old}
            self._over = {key for key in self._over if key[0] != old}
            self._early = {key: track for key, track in self._early.items() if key[0] != old}

    def track(self, epoch: str, track: TapTrack) -> None:
        """A track begins, or is repeated."""
        key = (epoch, track.handle)
        if key in self._over:
            return
        recording = self._visits.get(track.visit)
        if recording is None:
            if len(self._early) < MAX_EARLY:
                self._early[key] = track
            return
        if recording.is_closed:
            return
        self._handles[key] = recording
        recording.track(epoch, track)

    def packets(self, epoch: str, seq: int, body: bytes) -> None:
        """A batch of packets."""
        tracks: dict[int, Track | None] = {}
        for handle, flags, arrival_us, content in packets(memoryview(body)):
            try:
                track = tracks[handle]
            except KeyError:
                recording = self._handles.get((epoch, handle))
                kept = recording is not None and recording.keeps
                track = tracks[handle] = recording.routes.get((epoch, handle)) if recording and kept else None
            if track is not None:
                track.push(flags, arrival_us, content, seq)

    def end(self, epoch: str, end: TapEnd) -> None:
        """A track ended."""
        key = (epoch, end.handle)
        self._over.add(key)
        self._early.pop(key, None)
        recording = self._handles.pop(key, None)
        if recording is not None:
            recording.end(epoch, end.handle, end.reason)

    def away(self, epoch: str) -> None:
        """A worker's connection ended."""
        log.warning("worker away", extra={"epoch": epoch})
        for recording in self._visits.values():
            recording.worker_away(epoch)

    # ---- inside

    def _recording(self, visit: str) -> Recording:
        return Recording(
            visit,
            self._spool.visit(visit),
            self._signer,
            Life(self._epoch, self._boot, time.time_ns() // 1000, self._clock()),
            self.origin,
            self._clock,
            lambda upload: self.uploader.add(visit, upload),
            self._tell,
            *((partial(self.notary.take, visit), self.notary.witness_keys) if self.notary is not None else ()),
        )

    def _forget_when_stored(self, visit: str) -> None:
        self._leaving.add(visit)
        recording = self._visits[visit]
        if self.notary is None:
            self._forget_once_uploaded(visit)
        else:  # NOTARY-2
            self.notary.prove(visit, recording.size, recording.witnesses, partial(self._proven, recording))

    def _proven(self, recording: Recording, proof: bytes) -> None:
        self._later(self._keep_proof(recording, proof))

    async def _keep_proof(self, recording: Recording, proof: bytes) -> None:
        try:
            await recording.keep(layout.PROOF, proof)
        except OSError as error:  # the recording is whole without it, and must not fill the disk for ever
            log.error("proof not kept", extra={"visit": recording.visit, "errno": error.errno})
        self._forget_once_uploaded(recording.visit)

    def _forget_once_uploaded(self, visit: str) -> None:
        def forget() -> None:
            self._leaving.discard(visit)
            recording = self._visits.pop(visit, None)
            if recording is not None:
                recording.spool.close()
                answer = recording.closed()
                over = ClosedVisit(recording.first_hash, answer.seq, answer.hash, answer.segments, answer.bytes)
                self._spool.forget(visit, over)
                log.info("visit stored", extra={"visit": visit})

        self.uploader.when_stored(visit, forget)


def run(settings: Settings) -> None:
    """The process: until SIGTERM, SIGINT, or the supervisor is gone."""
    logs.setup("recorder", settings.log_level, settings.log_json)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(settings))


async def _main(settings: Settings) -> None:
    assert settings.run is not None, "run is set by the front door"
    store = await proven(settings)
    signer = load_or_create(settings.keys / "recorder-ed25519.pem")
    recorder = Recorder(settings, signer, store)
    async with notary_for(settings, recorder.origin, signer, store, recorder.degraded) as recorder.notary:
        recorder.recover()
        await _until_stopped(settings, store, recorder)
    await store.close()


async def _until_stopped(settings: Settings, store: ObjectStore, recorder: Recorder) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if os.environ.get("TELECONSULT_SUPERVISED") == "1":
        loop.add_reader(sys.stdin.fileno(), _stop_at_eof, stop)
    await recorder.intake.listen(settings.socket("tap"))
    door = settings.socket("recorder")
    await asyncio.to_thread(door.unlink, missing_ok=True)
    server = await asyncio.start_unix_server(recorder.serve, door)
    await asyncio.to_thread(door.chmod, 0o600)
    running = asyncio.create_task(recorder.run())
    stopping = asyncio.create_task(stop.wait())
    audit = make_audit_app(store, SpoolFolder(settings.data / "spool"))
    async with audit_door(audit, settings.socket("audit")):
        log.info("recorder ready")
        await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
    server.close()
    if running.done():
        running.result()
    await recorder.stop()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def proven(settings: Settings) -> ObjectStore:
    """The store; one that does not keep its promises ends the process before anything is kept."""
    try:
        store = open_store(settings)
        log.info("store", extra={"store": settings.store, "limits": store.limits})
        await store.prove()
    except StoreRefused as error:
        raise SystemExit(f"the store is refused: {error}") from None
    except StoreUnavailable as error:
        # It proves itself before the first object goes there; until then everything waits in the spool.
        log.warning("store away at start", extra={"code": error.code})
    return store


def _origin(settings: Settings, signer: Signer) -> str:
    """Who records (FORMAT.md §4). Without a public name every machine's is the same: then the key tells them apart."""
    origin = f"{urlsplit(settings.base_url).netloc or 'localhost'}/teleconsult"
    return origin if settings.public_url else f"{origin}/{signer.fingerprint[:16]}"


def _stop_at_eof(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        stop.set()
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())


def _boot() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else "unknown"
