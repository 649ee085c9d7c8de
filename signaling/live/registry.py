"""The running visits of this process: one actor each, made when somebody needs it; and the doctors' desks.

REG-1  An actor that fails ends alone: its sockets are sent away with `server_stopping`, come back, and find a new actor made
       from what was stored.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import Literal

from config.clock import random_name
from media import control as media
from recorder import control as recorder
from signaling.law import snapshot
from signaling.law.asked import EndAsked, Rescheduled, RxConfirmed, Transferred
from signaling.law.captions import Caption
from signaling.law.errors import DoctorUnknown, PhaseWrong, StoreUnavailable
from signaling.law.facts import Doctor, GuestKind, Pulse, Seat, VisitFacts
from signaling.law.inputs import Input
from signaling.law.reported import FeedChanged, QueueMoved, RecorderCame, RecorderLost
from signaling.law.standing import iso
from signaling.law.wait_estimate import Estimate
from signaling.live import translate
from signaling.live.actor import VisitActor
from signaling.live.channel import Channel
from signaling.live.desk import Desk
from signaling.live.doors import Doors, Practice
from signaling.live.workers import Worker
from signaling.ports import IdempotencyConflict, StoreAway

log = logging.getLogger(__name__)


class VisitRegistry:
    """Implements `ports.Visits`; `start` and `stop` also start and stop the links to workers and recorder."""

    def __init__(self, doors: Doors, practice: Practice) -> None:
        self._doors = doors
        self._practice = practice
        self.messages = doors.messages
        self.slot = practice.slot
        self._actors: dict[str, VisitActor] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._desks: dict[str, Desk] = {}
        self._stopping = False
        self._something_changed = asyncio.Event()

    @property
    def stopping(self) -> bool:
        """Whether nobody new is let in."""
        return self._stopping

    async def start(self) -> None:
        """Connect, and take up every visit that was open when this process last stopped."""
        self._doors.media.start(self)
        self._doors.recorder.start(self)
        for facts in await self._doors.store.open_visits():
            self._begin(facts)

    async def stop(self) -> None:
        """Tell every socket that the server stops, and end every actor in order. Live visits are not ended."""
        self._stopping = True
        for actor in self._actors.values():
            actor.send_away("server_stopping")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for desk in self._desks.values():
            desk.close()
        await self._doors.media.stop()
        await self._doors.recorder.stop()

    async def end_live(self, within_s: float) -> None:
        """SIG-15: end every live visit, and wait at most `within_s` seconds until every evidence log is closed."""
        actors = list(self._actors.values())
        for actor in actors:
            if actor.facts.phase == "live":
                actor.post(EndAsked("system", "server_stopped"))
        try:
            async with asyncio.timeout(within_s):
                while any(_to_be_closed(actor.facts) for actor in actors):
                    self._something_changed.clear()
                    await self._something_changed.wait()
        except TimeoutError:
            log.warning("logs left open", extra={"visits": sum(_to_be_closed(actor.facts) for actor in actors)})

    async def get(self, visit: str) -> VisitActor | None:
        """The actor of a visit, made from its stored facts if it is not running; None if the visit is unknown."""
        if visit not in self._actors and not self._stopping:
            facts = await self._doors.store.load(visit)
            if facts is not None and visit not in self._actors:
                self._begin(facts)
        actor = self._actors.get(visit)
        if actor is not None:
            actor.touch()
        return actor

    def created(self, facts: VisitFacts) -> None:
        """A visit was created by the HTTP API and is stored. Its actor is made when somebody comes."""
        log.info("visit created", extra={"visit": facts.id})

    async def end(self, visit: str, reason: Literal["completed", "cancelled"]) -> VisitFacts:
        """End a visit for the hospital. Raises `KeyError` if unknown; ending an ended visit returns it unchanged."""
        actor = await self.get(visit)
        if actor is None:
            raise KeyError(visit)
        await actor.ask(EndAsked("hospital", reason))
        return actor.facts

    async def invite(self, visit: str, kind: GuestKind) -> tuple[Seat, VisitFacts]:
        """Give a guest the next free seat. Raises `KeyError`, `EventRefused`."""
        actor = await self.get(visit)
        if actor is None:
            raise KeyError(visit)
        return await actor.invite(kind), actor.facts

    async def doctors(self) -> list[Doctor]:
        """Whom a patient may be given to. Raises `EventRefused`."""
        try:
            return await self._doors.store.doctors()
        except StoreAway:
            raise StoreUnavailable from None

    async def reschedule(self, visit: str, starts: str, expires: str) -> VisitFacts:
        """Its appointment was moved. Raises `KeyError`, `EventRefused`."""
        actor = await self.get(visit)
        if actor is None:
            raise KeyError(visit)
        await actor.ask(Rescheduled(starts, expires))
        return actor.facts

    def here(self) -> frozenset[str]:
        """The doctors who look at their desks now."""
        return frozenset(doctor for doctor, desk in self._desks.items() if desk.watched)

    def pulse(self, visit: str) -> Pulse | None:
        """How the seats of a running visit fare."""
        actor = self._actors.get(visit)
        if actor is None:
            return None
        life = actor.visit.life
        return Pulse(
            life.doctor.present,
            life.patient.present,
            life.doctor.path,
            life.patient.path,
            actor.visit.recording,
        )

    async def transfer(self, visit: str, doctor: str, by: Literal["doctor", "hospital"]) -> VisitFacts:
        """SIG-33: a new visit with the other doctor, at the place of the old one. Repeated, it finds what it made before.
        Raises `KeyError` (no such visit), `EventRefused`."""
        actor = await self.get(visit)
        to = next((each for each in await self.doctors() if each.id == doctor), None)
        if actor is None:
            raise KeyError(visit)
        if to is None or doctor == actor.facts.doctor.id:
            raise DoctorUnknown
        facts = actor.facts
        if facts.phase not in ("waiting", "live") and facts.moved_to is None:
            raise PhaseWrong
        new = VisitFacts(
            id=random_name(16),
            doctor=to,
            patient=facts.patient,
            summary=facts.summary,
            contacts=facts.contacts,
            recording=facts.recording,
            created=iso(self._doors.clock()),
            expires=facts.expires,
            scheduled=facts.scheduled,
            phase="waiting",
            entered=facts.entered or facts.created,
            moved_from=facts.id,
        )
        try:
            made = await self._doors.store.create(new, f"transfer-{facts.id}", doctor)
        except IdempotencyConflict:
            raise PhaseWrong from None
        except StoreAway:
            raise StoreUnavailable from None
        await actor.ask(Transferred(by, made.id))
        if await self.get(made.id) is None:
            raise StoreUnavailable
        return made

    async def confirm(self, visit: str, given: RxConfirmed) -> VisitFacts:
        """What the hospital's server says of a prescription. Raises `KeyError`, `EventRefused`."""
        actor = await self.get(visit)
        if actor is None:
            raise KeyError(visit)
        await actor.keep(given)
        return actor.facts

    async def caption(self, visit: str, said: Caption) -> int:
        """See the port."""
        actor = await self.get(visit)
        if actor is None:
            raise KeyError(visit)
        return actor.caption(said)

    async def links_revoked(self, visit: str, links_epoch: int) -> None:
        """Tokens under a smaller epoch are worthless (stored already): close their sockets with `bye` `token_revoked`."""
        actor = self._actors.get(visit)
        if actor is not None:
            await actor.revoke(links_epoch)

    # ---- desks

    def look(self, doctor: str, channel: Channel) -> None:
        """Show a doctor's queue to this socket until `turn_away`."""
        self._desk(doctor).look(channel)

    def turn_away(self, doctor: str, channel: Channel) -> None:
        """The socket is gone."""
        desk = self._desks.get(doctor)
        if desk is not None:
            desk.turn_away(channel)
            self._tidy(doctor, desk)

    def _desk(self, doctor: str) -> Desk:
        if doctor not in self._desks:
            self._desks[doctor] = Desk(
                self._doors.clock, self._moved, lambda limit: self._doors.store.past_of(doctor, limit)
            )
        return self._desks[doctor]

    def _tidy(self, doctor: str, desk: Desk) -> None:
        if desk.idle:
            desk.close()
            self._desks.pop(doctor, None)

    def _changed(self, actor: VisitActor) -> None:
        self._something_changed.set()
        doctor = actor.facts.doctor.id
        row = snapshot.row(actor.visit)
        if row is None and doctor not in self._desks:
            return
        desk = self._desk(doctor)
        desk.change(actor.facts.id, row)
        self._tidy(doctor, desk)

    def _moved(self, visit: str, ahead: int, estimate: Estimate | None) -> None:
        actor = self._actors.get(visit)
        if actor is not None and (actor.visit.life.ahead, actor.visit.life.estimate) != (ahead, estimate):
            actor.post(QueueMoved(ahead, estimate))

    # ---- actors

    def _begin(self, facts: VisitFacts) -> None:
        actor = VisitActor(facts, self._doors, self._practice, self._changed)
        self._actors[facts.id] = actor
        task = asyncio.create_task(actor.run(), name=f"visit {facts.id}")
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._ended(actor, task))

    def _ended(self, actor: VisitActor, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._actors.get(actor.facts.id) is actor:
            del self._actors[actor.facts.id]
        if task.cancelled() or (error := task.exception()) is None:
            return
        # REG-1. Where it broke, never with which values: those may be about a person.
        where = [line for each in _leaves(error) for line in traceback.format_tb(each.__traceback__)]
        kinds = ",".join(type(each).__name__ for each in _leaves(error))
        log.error("visit actor failed", extra={"visit": actor.facts.id, "error": kinds, "where": "".join(where)})
        actor.send_away("server_stopping")

    # ---- what the links tell

    def worker_came(self, worker: Worker) -> None:
        """Every live visit without a room, or with one there, looks for it."""
        for actor in list(self._actors.values()):
            actor.worker_came(worker)

    def worker_lost(self, worker: Worker) -> None:
        """Every visit on that worker hears of it."""
        for actor in list(self._actors.values()):
            actor.worker_lost(worker)

    def worker_told(self, worker: Worker, news: media.FromWorker) -> None:
        """News of one room, or of the worker's feed to the recorder."""
        if isinstance(news, media.TapChanged):
            worker.fed = news.connected
            for actor in list(self._actors.values()):
                if actor.media.worker is worker:
                    actor.post(FeedChanged(news.connected))
            return
        told = translate.media_news(news)
        if told is not None and (found := self._actors.get(told[0])) is not None and found.media.worker is worker:
            found.post(told[1])

    def recorder_came(self) -> None:
        """Every visit hears of it."""
        self._post_all(RecorderCame())

    def recorder_lost(self) -> None:
        """Every visit hears of it."""
        self._post_all(RecorderLost())

    def recorder_told(self, news: recorder.FromRecorder) -> None:
        """News of one visit."""
        if isinstance(news, recorder.Degraded):
            log.warning("recorder degraded", extra={"code": news.code, "over": news.over})
        told = translate.recorder_news(news)
        if told is not None and (actor := self._actors.get(told[0])) is not None:
            actor.post(told[1])

    def _post_all(self, given: Input) -> None:
        for actor in list(self._actors.values()):
            actor.post(given)


def _to_be_closed(facts: VisitFacts) -> bool:
    return facts.phase == "live" or (facts.phase == "ended" and facts.log_open)


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in _leaves(each)]
    return [error]
