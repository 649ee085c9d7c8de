"""A visit's errands at the media worker and at the recorder, each carried out one after another and in order.

LANE-1  What the recorder has not answered stays at the head and is asked again once the recorder is back; keys make it safe.
LANE-2  At most 512 errands wait for the recorder. Past that the oldest event note is given up; consents, withdrawals, joins,
        leaves, start and close never are.
LANE-3  A room whose worker stays away for three seconds is opened on another one, if there is another.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from config.link import LinkError, LinkTimeout, Refusal
from media import control as media
from recorder import control as recorder
from signaling.law.facts import Seat
from signaling.law.inputs import Input
from signaling.law.outputs import (
    CloseLog,
    CloseRoom,
    DropSeat,
    Errand,
    Note,
    OpenLog,
    OpenRoom,
    RoomErrand,
    SetTap,
    SetView,
    StartRecording,
)
from signaling.law.reported import (
    FeedChanged,
    LogClosed,
    MediaClosed,
    Noted,
    RecorderRefused,
    RecordingStarted,
    RoomOpened,
    TapSet,
    WorkerLost,
)
from signaling.law.terms import SEATS
from signaling.live import translate
from signaling.live.workers import MediaWorkers, RecorderLink, Worker

WAITING_MOST = 512
MOVE_AFTER_S = 3.0
CLOSE_WITHIN_S = 20.0

log = logging.getLogger(__name__)

Tell = Callable[[Input], None]


class RecorderLane:
    """What one visit has to tell the recorder."""

    def __init__(self, visit: str, seats: dict[str, str], door: RecorderLink, tell: Tell) -> None:
        """`seats`: seat → keyed pseudonym."""
        self._visit = visit
        self._seats = seats
        self._door = door
        self._tell = tell
        self._waiting: deque[Errand] = deque()
        self._work = asyncio.Event()
        self._held = False

    def put(self, errands: Sequence[Errand]) -> None:
        """Add errands. A batch with `OpenLog` goes before all that waits; an errand that waits already is not doubled."""
        if any(isinstance(errand, OpenLog) for errand in errands):
            self._held = False
            kept = [errand for errand in self._waiting if errand not in errands]
            self._waiting = deque([*errands, *kept])
        else:
            self._waiting.extend(errand for errand in errands if errand not in self._waiting)
        # After `Close` nothing is added (REC-4).
        self._waiting = deque(sorted(self._waiting, key=lambda errand: isinstance(errand, CloseLog)))
        self._shed()
        self._work.set()

    async def run(self) -> None:
        """Carry out what waits, until cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            while self._waiting and self._door.up and not self._held:
                await self._carry_out(self._waiting[0])

    async def _carry_out(self, errand: Errand) -> None:
        try:
            await self._door.ask(self._message(errand), CLOSE_WITHIN_S if isinstance(errand, CloseLog) else 5.0)
        except Refusal as refusal:
            self._refused(errand, refusal.code)
            return
        except LinkTimeout:
            log.warning("recorder slow", extra={"visit": self._visit})
            return
        except LinkError:
            return  # LANE-1
        self._done(errand)
        match errand:
            case Note(key):
                self._tell(Noted(key))
            case StartRecording(seats):
                self._tell(RecordingStarted(seats))
            case CloseLog():
                self._tell(LogClosed())

    def _refused(self, errand: Errand, code: str) -> None:
        log.error("recorder refused", extra={"visit": self._visit, "code": code, "errand": type(errand).__name__})
        if code == "visit_unknown":
            self._held = True  # until the log is open again
        else:
            self._done(errand)
        if code != "record_invalid":
            self._tell(RecorderRefused(code))

    def _done(self, errand: Errand) -> None:
        if errand in self._waiting:
            self._waiting.remove(errand)

    def _shed(self) -> None:
        while len(self._waiting) > WAITING_MOST:  # LANE-2
            oldest = next((each for each in self._waiting if isinstance(each, Note) and each.kind == "event"), None)
            if oldest is None:
                return
            self._waiting.remove(oldest)
            log.warning("event note given up", extra={"visit": self._visit})

    def _message(self, errand: Errand) -> recorder.ToRecorder:
        match errand:
            case OpenLog():
                return recorder.Open(self._visit, self._seats)
            case Note(key, kind, body):
                return recorder.Note(self._visit, key, kind, dict(body))
            case StartRecording():
                return recorder.Start(self._visit, list(errand.seats))
            case CloseLog(reason):
                return recorder.Close(self._visit, reason)


class MediaLane:
    """One visit's room on a media worker."""

    def __init__(self, room: str, workers: MediaWorkers, tell: Tell, resumed: bool) -> None:
        """`resumed`: the visit was taken up from storage, so its room may exist already."""
        self.worker: Worker | None = None
        self._resumed = resumed
        self._epoch: str | None = None
        self._guests_tapped: set[Seat] = set()
        self._room = room
        self._workers = workers
        self._tell = tell
        self._waiting: deque[RoomErrand] = deque()
        self._work = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def put(self, errand: RoomErrand) -> None:
        """Add an errand; what waits already is not doubled."""
        if isinstance(errand, CloseRoom):
            self._waiting.clear()
        if errand not in self._waiting:
            self._waiting.append(errand)
        self._work.set()

    def came(self, worker: Worker) -> None:
        """A worker is back, or new: look for the room there if it was ours, or if we have waited long enough for ours."""
        given_up = self.worker is not None and not self.worker.up and self._timer is None
        if self.worker is None or self.worker is worker or given_up:
            self._forget_timer()
            self.put(OpenRoom())

    def lost(self, worker: Worker) -> None:
        """A link to a worker ended."""
        if self.worker is not worker:
            return
        self._tell(WorkerLost())
        self._forget_timer()
        self._timer = asyncio.get_running_loop().call_later(MOVE_AFTER_S, self._move)  # LANE-3

    def _move(self) -> None:
        self._timer = None
        self.put(OpenRoom())

    async def run(self) -> None:
        """Carry out what waits, until cancelled."""
        try:
            while True:
                await self._work.wait()
                self._work.clear()
                while self._waiting:
                    await self._carry_out(self._waiting.popleft())
        finally:
            self._forget_timer()
            if self.worker is not None:
                self.worker.rooms.discard(self._room)

    async def _carry_out(self, errand: RoomErrand) -> None:
        try:
            match errand:
                case OpenRoom():
                    await self._open()
                case SetTap(seat, on):
                    await self._set_tap(seat, on)
                case SetView(seat, camera, screen):
                    if self.worker is not None:
                        await self.worker.ask(media.SetView(self._room, seat, camera, screen))
                case DropSeat(seat):
                    await self._drop(seat)
                case CloseRoom():
                    await self._close()
        except LinkError as error:
            # The link tells when the worker is back, and the visit then asks again.
            log.warning("media errand failed", extra={"visit": self._room, "code": error.code})

    async def _open(self) -> None:
        if self._resumed and self.worker is None:
            await self._find()
            return
        worker = self.worker if self.worker is not None and self.worker.up else self._workers.pick()
        if worker is None:
            return  # the next one to come opens it
        if self.worker is not None and self.worker is not worker:
            await self.worker.close_room(self._room)
        await self._open_on(worker)

    async def _open_on(self, worker: Worker) -> None:
        self.worker = worker
        worker.rooms.add(self._room)
        if worker.epoch is not None and worker.epoch == self._epoch:  # only the link was lost
            try:
                state = await worker.ask(media.AskRoom(self._room))
            except Refusal:
                pass
            else:
                assert isinstance(state, media.RoomState)
                self._tell(translate.room(worker.epoch, state))
                return
        epoch = worker.epoch or ""
        await worker.ask(media.OpenRoom(self._room))
        self._epoch = epoch
        self._tell(RoomOpened(epoch))
        self._tell(FeedChanged(worker.fed))

    async def _find(self) -> None:
        """After our own restart: the room may be on any worker, or on none (CTL-3)."""
        found = await self._workers.find(self._room)
        if found is not None:
            self.worker, state = found
            self.worker.rooms.add(self._room)
            self._epoch = self.worker.epoch
            self._tell(translate.room(self.worker.epoch or "", state))
        elif (worker := self._workers.pick()) is not None:
            await self._open_on(worker)

    async def _set_tap(self, seat: Seat, on: bool) -> None:
        if self.worker is not None:
            await self.worker.ask(media.Record(self._room, seat, on))
            self._guests_tapped = (
                {*self._guests_tapped, seat} if on and seat not in SEATS else self._guests_tapped - {seat}
            )
            self._tell(TapSet(seat, on))

    async def _drop(self, seat: Seat) -> None:
        if self.worker is not None:
            await self._set_tap(seat, on=False)
            await self.worker.ask(media.Drop(self._room, seat))

    async def _close(self) -> None:
        """GATE-3: taps, then the room."""
        self._forget_timer()
        if self._resumed and self.worker is None:
            await self._find()
        if self.worker is not None:
            for seat in (*SEATS, *sorted(self._guests_tapped)):
                try:
                    await self._set_tap(seat, on=False)
                except LinkError:
                    break
            await self.worker.close_room(self._room)
        self._tell(MediaClosed())

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
