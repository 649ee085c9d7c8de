"""One actor a visit: it takes what happens, one thing after another, and performs what `visit` says.

ACTOR-1  The inbox holds 512. A request that finds it half full is refused (`internal`); news that finds it full is dropped,
         and room, recorder and presence are asked for the whole truth as soon as there is room again.
ACTOR-2  Nothing here waits for another process except on a lane: the visit answers while recorder or worker think.
ACTOR-3  What is durable is saved before it is shown. A change is shown at once; of a burst the first four, then 20 a second
         and always the last. A change of phase, room or tracks waits for nothing but what lies in the inbox already. A store
         that fails does not stop a visit: the facts are saved again later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from config.link import LinkError, Refusal
from media import control as media
from signaling.law import events, snapshot, standing
from signaling.law.asked import (
    Admitted,
    Advised,
    GuestInvited,
    LinksRevoked,
    NotesWritten,
    Offered,
    ReconnectAsked,
    RxClaimed,
    RxConfirmed,
    SeatJoined,
    SeatLeft,
    Writing,
)
from signaling.law.captions import AT_ONCE, PER_S, Caption
from signaling.law.errors import (
    EventRefused,
    GuestsFull,
    Internal,
    MediaUnavailable,
    OfferRefused,
    PhaseWrong,
    RateLimited,
    StoreUnavailable,
)
from signaling.law.facts import GuestKind, Seat, VisitFacts
from signaling.law.inputs import Input
from signaling.law.messages import Message
from signaling.law.outputs import (
    CloseLog,
    CloseRoom,
    DropSeat,
    MarkNoted,
    Note,
    OpenLog,
    OpenRoom,
    Output,
    Push,
    Save,
    SetTap,
    SetView,
    StartRecording,
    TellMessage,
)
from signaling.law.reported import CodecMissed, Negotiated, RecorderCame, RecorderLost, TimePassed
from signaling.law.terms import ALL_SEATS, GUESTS
from signaling.law.visit import Visit
from signaling.live import translate
from signaling.live.channel import Channel
from signaling.live.doors import Doors, Practice
from signaling.live.lanes import MediaLane, RecorderLane
from signaling.live.mail import MailLane
from signaling.live.workers import Worker
from signaling.rate import Bucket

INBOX = 512
STATES_PER_S = 20.0
STATES_AT_ONCE = 4.0
IDLE_S = 60.0
SAVE_AGAIN_S = 1.0
SAVE_WITHIN_S = 2.0
NEGOTIATE_WITHIN_S = 5.0
LONGEST_WAIT_S = 3600.0

log = logging.getLogger(__name__)

Asked = asyncio.Future[None]


class VisitActor:
    """See the module. `changed` is called after every change, to keep the doctor's desk right."""

    def __init__(
        self, facts: VisitFacts, doors: Doors, practice: Practice, changed: Callable[[VisitActor], None]
    ) -> None:
        clock, pseudonyms = doors.clock, doors.pseudonyms
        self.visit = Visit(facts, clock(), practice.limits)
        self._doors = doors
        self._practice = practice
        self._clock = clock
        self._changed = changed
        self._inbox: asyncio.Queue[tuple[Input, Asked | None]] = asyncio.Queue(INBOX)
        self._channels: dict[Seat, Channel] = {}
        self._stopped = False
        self._missed = False
        self._unsaved = False
        self._due = False
        self._showings = Bucket(STATES_PER_S, STATES_AT_ONCE)
        self._captions = Bucket(PER_S, AT_ONCE)
        self._timer: asyncio.TimerHandle | None = None
        self._used_at = clock()
        self.media = MediaLane(facts.id, doors.media, self.post, resumed=facts.phase in ("live", "ended"))
        people = {"doctor": pseudonyms("doctor", facts.doctor.id), "patient": pseudonyms("patient", facts.patient.id)}
        self.mail = MailLane(facts.id, doors.messages, self.post, clock)
        self.records = RecorderLane(facts.id, people, doors.recorder, self.post)

    @property
    def facts(self) -> VisitFacts:
        """The visit's durable facts, as of now."""
        return self.visit.facts

    # ---- asked by the gateway and the API

    async def ask(self, given: Input) -> None:
        """Have one input taken, and wait until what follows is under way. Raises `EventRefused`."""
        if self._stopped or self._inbox.qsize() > INBOX // 2:  # ACTOR-1
            raise Internal("the visit does not take events now")
        answer: Asked = asyncio.get_running_loop().create_future()
        self._inbox.put_nowait((given, answer))
        await answer

    def post(self, given: Input) -> None:
        """Tell the visit something, without waiting."""
        if self._stopped:
            return
        try:
            self._inbox.put_nowait((given, None))
        except asyncio.QueueFull:
            self._missed = True  # ACTOR-1

    async def join(self, seat: Seat, channel: Channel) -> None:
        """A socket sits down; one that sat there before is sent away (SIG-1)."""
        before, self._channels[seat] = self._channels.get(seat), channel
        if before is not None:
            before.bye("taken_over")
        await self.ask(SeatJoined(seat))
        channel.send("state", self.state(seat))

    def leave(self, seat: Seat, channel: Channel) -> None:
        """A socket is gone. If another has taken the seat over, nobody notices."""
        if self._channels.get(seat) is channel:
            del self._channels[seat]
            self._used_at = self._clock()
            self.post(SeatLeft(seat))

    async def admit(self, seat: Seat) -> None:
        """`admit`. Raises `EventRefused`."""
        await self.ask(Admitted(seat, media_ready=self._doors.media.pick() is not None))

    async def reconnect(self, seat: Seat) -> None:
        """`reconnect`. Raises `EventRefused`."""
        await self.ask(ReconnectAsked(seat, media_ready=self._doors.media.pick() is not None))

    async def offer(self, seat: Seat, offer: events.Offer) -> dict[str, Any]:
        """`offer`: what the acknowledgement carries. Raises `EventRefused`."""
        await self.ask(Offered(seat))
        worker = self.media.worker
        if worker is None or not worker.up:
            raise MediaUnavailable
        asked = media.Negotiate(self.facts.id, seat, offer.pc, offer.sdp, offer.publish, offer.subscribe)
        try:
            answered = await worker.ask(asked, NEGOTIATE_WITHIN_S)
        except Refusal as refusal:
            if refusal.code not in OfferRefused.CODES:
                raise MediaUnavailable from None
            raise OfferRefused(refusal.code, str(refusal)) from None
        except LinkError:
            raise MediaUnavailable from None
        assert isinstance(answered, media.Answered)
        self.post(Negotiated(seat, offer.pc))
        if any(track.id in answered.undecodable and track.source == "camera" for track in self.visit.life.tracks):
            self.post(CodecMissed())
        tracks = [snapshot.track(each) for each in translate.tracks(answered.tracks)]
        return {"sdp": answered.sdp, "epoch": worker.epoch, "tracks": tracks}

    async def write(self, seat: Seat, event: events.WriteMessage) -> Message:
        """`message`: it is durable when this returns. Raises `EventRefused`."""
        await self.ask(Writing(seat))
        return await self.mail.write(seat, event.draft())

    async def keep(self, given: RxClaimed | RxConfirmed | Advised | NotesWritten) -> None:
        """What a client counts on from the acknowledgement on: it is durable when this returns. Raises `EventRefused`."""
        await self.ask(given)
        if self._unsaved:
            raise StoreUnavailable

    def caption(self, said: Caption) -> int:
        """Pass on what is being said (CAPTION-1); to how many. Raises `EventRefused`."""
        inside = standing.inside(self.facts)
        if self.facts.phase != "live" or said.seat not in inside:
            raise PhaseWrong
        if not self._captions.take(self._clock()):
            raise RateLimited
        told = [self._channels[seat] for seat in inside if seat in self._channels]
        for channel in told:
            channel.send("caption", said.event())
        return len(told)

    async def invite(self, kind: GuestKind, said: Seat | None = None) -> Seat:
        """The seat of a guest: the one that was `said`, else the next that is free. Raises `EventRefused`."""
        if said is not None:
            await self.ask(GuestInvited(said, kind, said=True))
            return said
        for seat in GUESTS:
            if seat not in self.facts.guests:
                with contextlib.suppress(GuestsFull):  # somebody else was given it meanwhile
                    await self.ask(GuestInvited(seat, kind))
                    return seat
        raise GuestsFull

    async def revoke(self, links_epoch: int) -> None:
        """Send away who came with a token of a smaller epoch. Raises `EventRefused`."""
        await self.ask(LinksRevoked(links_epoch))
        for channel in list(self._channels.values()):
            if channel.links_epoch < links_epoch:
                channel.bye("token_revoked")

    def state(self, seat: Seat) -> dict[str, Any]:
        """The visit as this seat may see it now."""
        return snapshot.state(self.visit, seat, self._clock(), self._practice.slot, self._practice.camera_codec)

    def touch(self) -> None:
        """Somebody is about to use this actor: not idle."""
        self._used_at = self._clock()

    def send_away(self, code: str) -> None:
        """Say `bye` to everyone."""
        for channel in list(self._channels.values()):
            channel.bye(code)

    # ---- told by the links

    def worker_came(self, worker: Worker) -> None:
        """A media worker greeted us."""
        if self.facts.phase == "live":
            self.media.came(worker)

    def worker_lost(self, worker: Worker) -> None:
        """A link to a media worker ended."""
        self.media.lost(worker)

    # ---- the loop

    async def run(self) -> None:
        """Live until cancelled, or until nobody needs this actor any more."""
        try:
            async with asyncio.TaskGroup() as tasks:
                lanes = [tasks.create_task(self.media.run()), tasks.create_task(self.records.run())]
                before = await self.mail.found()
                lanes.append(tasks.create_task(self.mail.run(before is not None)))
                if before is not None and before.last:
                    await self._take(before, None)
                self._perform_all(self.visit.resume())
                self._changed(self)
                if self._doors.recorder.up:
                    self.post(RecorderCame())
                await self._serve()
                for lane in lanes:
                    lane.cancel()
        finally:
            self._stop()

    def _stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        while not self._inbox.empty():
            _, answer = self._inbox.get_nowait()
            if answer is not None and not answer.done():
                answer.set_exception(Internal("the visit stops"))

    async def _serve(self) -> None:
        while (given := await self._next()) is not None:
            await self._take(*given)
            if self._due and self._inbox.empty():
                self._show_now()
            if self._missed and self._inbox.empty():
                await self._ask_again()

    async def _ask_again(self) -> None:
        """ACTOR-1: some news was dropped."""
        log.warning("inbox overflowed", extra={"visit": self.facts.id})
        self._missed = False
        self._perform_all(self.visit.resume())
        self.post(RecorderCame() if self._doors.recorder.up else RecorderLost())
        if (found := await self.mail.found()) is not None:
            self.post(found)
        for seat in ALL_SEATS:
            self.post(SeatJoined(seat) if seat in self._channels else SeatLeft(seat))

    async def _next(self) -> tuple[Input, Asked | None] | None:
        """The next input, or the passing of time; None when this actor is idle."""
        now = self._clock()
        times = [now + LONGEST_WAIT_S, self.visit.deadline(), now + SAVE_AGAIN_S if self._unsaved else None]
        if self._restful:
            times.append(self._used_at + IDLE_S)
        wait_s = max(0.0, min(at for at in times if at is not None) - now)
        try:
            async with asyncio.timeout(wait_s):
                return await self._inbox.get()
        except TimeoutError:
            pass
        if self._restful and self._clock() >= self._used_at + IDLE_S:
            return None
        return TimePassed(), None

    @property
    def _restful(self) -> bool:
        resting = self.facts.phase in ("scheduled", "ended") and not self.facts.log_open and self.facts.rx_due is None
        return resting and not self._channels and not self._unsaved

    async def _take(self, given: Input, answer: Asked | None) -> None:
        if self._unsaved:
            await self._save()
        try:
            outputs = self.visit.handle(given, self._clock())
        except EventRefused as refusal:
            if answer is not None and not answer.done():
                answer.set_exception(refusal)
            return
        except BaseException:
            if answer is not None and not answer.done():
                answer.set_exception(Internal())
            raise
        if any(isinstance(output, Save) for output in outputs):
            await self._save()
        self._perform_all(outputs)
        if answer is not None and not answer.done():
            answer.set_result(None)

    def _perform_all(self, outputs: list[Output]) -> None:
        errands = [output for output in outputs if isinstance(output, OpenLog | Note | StartRecording | CloseLog)]
        if errands:
            self.records.put(errands)
        for output in outputs:
            match output:
                case Push(urgent):
                    self._show(urgent)
                case TellMessage(message):
                    inside = standing.inside(self.facts)
                    for channel in [self._channels[seat] for seat in inside if seat in self._channels]:
                        channel.send("message", {"v": 1, **snapshot.message(message)})
                case MarkNoted():
                    self.mail.mark(output)
                case OpenRoom() | SetTap() | SetView() | DropSeat() | CloseRoom():
                    self.media.put(output)
                case Save() | OpenLog() | Note() | StartRecording() | CloseLog():
                    pass  # done above

    async def _save(self) -> None:
        try:
            async with asyncio.timeout(SAVE_WITHIN_S):
                await self._doors.store.save(self.facts)
            self._unsaved = False
        except Exception as error:  # noqa: BLE001 - ACTOR-3: whatever is wrong with the store, the visit goes on
            self._unsaved = True
            log.error("visit not saved", extra={"visit": self.facts.id, "error": type(error).__name__})

    # ---- showing

    def _show(self, urgent: bool) -> None:
        loop = asyncio.get_running_loop()
        if urgent or self._showings.take(loop.time()):
            self._due = True
        elif self._timer is None:
            self._timer = loop.call_later(1 / STATES_PER_S, self._show_now)

    def _show_now(self) -> None:
        self._due = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for seat, channel in list(self._channels.items()):
            channel.send("state", self.state(seat))
        self._changed(self)
