"""The law of a visit: who may do what, when, and what follows. No I/O, and no clock but the time it is handed.

`Visit.handle(given, now)` takes what happened and returns what is to be done; a refused input raises `EventRefused`
and leaves everything as it was (SIG-12). The rules are in PROTOCOL.md, those about recording in `signaling.law.record` and
`signaling.law.course`. Each noun of the law has its module: `presence`, `writing`, `consenting`, `guests`, `course`,
`asides`, `prescribing`, `room`, `record`; here it is decided which of them an input is for.
"""

from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as with_

from signaling.law import (
    asides,
    consenting,
    course,
    guests,
    pictures,
    prescribing,
    presence,
    promise,
    quality,
    record,
    room,
    standing,
    writing,
)
from signaling.law.asked import (
    Admitted,
    Advised,
    Decided,
    DevicesTold,
    EndAsked,
    Entered,
    GuestAdmitted,
    GuestDismissed,
    GuestInvited,
    Held,
    LinksRevoked,
    NotesWritten,
    Offered,
    PhoneBackAsked,
    RebookAsked,
    ReconnectAsked,
    Rescheduled,
    RxClaimed,
    RxConfirmed,
    SeatJoined,
    SeatLeft,
    SeenTold,
    SentBack,
    Transferred,
    Viewed,
    Withdrew,
    Writing,
)
from signaling.law.errors import PhaseWrong, RoleWrong, VisitEnded
from signaling.law.facts import Seat, VisitFacts
from signaling.law.inputs import Input
from signaling.law.life import Life
from signaling.law.outputs import CloseRoom, OpenRoom, Output, Push, Save
from signaling.law.reported import (
    CodecMissed,
    FeedChanged,
    GapDeclared,
    LogClosed,
    MediaClosed,
    MessageKept,
    MessagesFound,
    Negotiated,
    Noted,
    PathTold,
    PictureChanged,
    QualityTold,
    QueueMoved,
    RecorderCame,
    RecorderLost,
    RecorderRefused,
    RecordingStarted,
    RoomFound,
    RoomOpened,
    SizeWished,
    StreamsAlive,
    TapSet,
    TimePassed,
    TracksChanged,
    TransportChanged,
    WorkerLost,
)
from signaling.law.standing import consent_of, iso
from signaling.law.step import Step

QUALITY_EVERY_S = 10.0
RESTART_LEAP = 1 << 20
"""How far `seq` leaps when a visit is taken up from storage: more than was ever shown without being saved."""
UNSAVED_MOST = RESTART_LEAP >> 1


class Visit:
    """One visit: its durable facts, and its life, which a restart forgets."""

    def __init__(self, facts: VisitFacts, now: float, limits: promise.Limits) -> None:
        """Take a visit up as it was stored, nobody present."""
        self._limits = limits
        # A restart never shows a smaller seq than the process before it did: see decisions/0001.
        self.seq = facts.seq + RESTART_LEAP if facts.seq else 0
        self._saved_seq: int | None = None
        self._facts = facts
        self._life = Life(alone_since=now if facts.phase == "live" else None, stopped=standing.log_was_closed(facts))
        self._quality_at: dict[Seat, float] = {}

    @property
    def facts(self) -> VisitFacts:
        """What survives a restart."""
        return self._facts

    @property
    def life(self) -> Life:
        """What does not."""
        return self._life

    @property
    def recording(self) -> str:
        """`recording.state` of PROTOCOL.md §4."""
        return standing.recording(self._facts, self._life)

    def deadline(self) -> float | None:
        """When `TimePassed` is next of use."""
        facts = self._facts
        times = (
            standing.deadline(facts, self._life),
            promise.deadline(facts, self._limits),
            prescribing.deadline(facts),
        )
        return min((at for at in times if at is not None), default=None)

    def resume(self) -> list[Output]:
        """What a visit taken up from storage needs at once."""
        if self._facts.phase == "live":
            return [OpenRoom()]
        return [CloseRoom()] if self._facts.phase == "ended" and self._facts.log_open else []

    def handle(self, given: Input, now: float) -> list[Output]:
        """Take one input at `now` (seconds since 1970) and say what follows. Raises `EventRefused`."""
        step = Step(self._facts, self._life, now, self.seq)
        self._take(step, given)
        record.follow(step)
        return self._announce(step) + step.out

    # ---- one transition, one case

    def _take(self, step: Step, given: Input) -> None:
        ended = step.facts.phase == "ended"
        match given:
            case SeatJoined(seat):
                presence.join(step, seat)
            case SeatLeft(seat):
                presence.leave(step, seat)
            case EndAsked(by, reason):
                if not ended:  # SIG-8
                    course.end(step, by, reason)
            case TimePassed():
                course.pass_time(step, self._limits)
                prescribing.pass_time(step)
            case Noted() | RecordingStarted() | LogClosed() | RecorderRefused() | RecorderCame() | RecorderLost():
                record.hear(step, given)
            case PictureChanged() | SizeWished() | CodecMissed():
                if step.facts.phase == "live":
                    pictures.hear(step, given)
            case QualityTold():
                self._note_quality(step, given)
            case StreamsAlive() | GapDeclared() | FeedChanged():
                record.hear_stream(step, given)
            case TapSet(seat, on):
                step.set(seat, replace(step.life.seat(seat), tapped=on))
            case MediaClosed():
                step.life = replace(step.life, room_closed=True)
            case RoomOpened() | RoomFound() | WorkerLost() | TracksChanged() | TransportChanged() | Negotiated():
                if step.facts.phase == "live":
                    room.hear(step, given)
            case LinksRevoked(links_epoch):
                if links_epoch > step.facts.links_epoch:
                    step.facts = with_(step.facts, links_epoch=links_epoch)
            case MessageKept() | MessagesFound():
                writing.hear(step, given)
            case QueueMoved(ahead, estimate):
                if step.facts.phase == "waiting":
                    step.life = replace(step.life, ahead=ahead, estimate=estimate)
                    step.facts = promise.given(step.facts, ahead, estimate, step.now, self._limits)
            case Advised():
                asides.advise(step, given)
            case NotesWritten():
                asides.keep_notes(step, given)
            case Rescheduled(starts, expires):
                course.reschedule(step, starts, expires)
            case Transferred(by, to):
                course.transfer(step, by, to)
            case PathTold(seat, path):
                if step.facts.phase != "live":  # then the media speaks
                    step.set(seat, replace(step.life.seat(seat), path=path))
            case RxClaimed():
                prescribing.claim(step, given)
            case RxConfirmed():
                prescribing.confirm(step, given)
            case ReconnectAsked():
                course.reconnect(step, given)
            case GuestInvited() | GuestAdmitted() | GuestDismissed():
                if ended:
                    raise VisitEnded
                guests.take(step, given)
            case Held() | SentBack() | PhoneBackAsked() | RebookAsked():
                if ended:
                    raise VisitEnded
                asides.take(step, given)
            case Viewed():
                if ended:
                    raise VisitEnded
                pictures.view(step, given)
            case SeenTold(seat, detail):
                if not ended:
                    step.life = replace(step.life, seen={**step.life.seen, seat: detail})
            case Withdrew(seat) if ended and consent_of(step.facts, seat).state != "agreed":
                pass  # SIG-13: what ended the visit may be said again
            case Entered() | Decided() | Withdrew() | Admitted() | Offered() | DevicesTold() | Writing():
                if ended:
                    raise VisitEnded
                _take_event(step, given)

    def _note_quality(self, step: Step, told: QualityTold) -> None:
        """On the record every ten seconds a seat; in `state` as one word."""
        path, before = quality.judge(told.detail), step.life.seat(told.seat)
        if path != (before.path or "good"):
            step.set(told.seat, replace(before, path=path))
        if step.now >= self._quality_at.get(told.seat, 0.0) + QUALITY_EVERY_S:
            self._quality_at[told.seat] = step.now
            body = {"event": "quality", "seat": told.seat, "detail": dict(told.detail)}
            step.note("event", body, f"quality:{told.seat}")

    def _announce(self, step: Step) -> list[Output]:
        """Keep what the step made of the visit, count the change, and say who must hear of it."""
        facts, life = self._facts, self._life
        self._facts, self._life = step.facts, step.life
        if step.facts is facts and replace(step.life, unnoted=life.unnoted, seen=life.seen) == life:
            return []
        self.seq += 1
        durable = step.facts is not facts
        said: list[Output] = []
        if durable or self._saved_seq is None or self.seq - self._saved_seq > UNSAVED_MOST:
            self._saved_seq = self.seq
            self._facts = with_(self._facts, seq=self.seq)
            said.append(Save())
        now = step.life
        # What a picture waits for is never held back.
        path = (now.media_available, now.epoch, now.tracks) != (life.media_available, life.epoch, life.tracks)
        return [*said, Push(urgent=path or step.facts.phase != facts.phase)]


def _take_event(step: Step, given: Entered | Decided | Withdrew | Admitted | Offered | DevicesTold | Writing) -> None:
    phase = step.facts.phase
    match given:
        case Entered(seat):
            if seat != "patient":  # SIG-4
                raise RoleWrong
            if phase == "scheduled":
                step.facts = with_(step.facts, phase="waiting", entered=iso(step.now))
        case Decided():
            consenting.decide(step, given)
        case Withdrew(seat):
            consenting.withdraw(step, seat)
        case Admitted():
            course.admit(step, given)
        case Offered(seat):
            if phase != "live" or seat not in standing.inside(step.facts):  # SIG-7, SIG-26
                raise PhaseWrong
        case Writing(seat):
            if phase not in ("waiting", "live") or seat not in standing.inside(step.facts):
                raise PhaseWrong
        case DevicesTold(seat, microphone, camera, screen):
            presence.devices(step, seat, microphone=microphone, camera=camera, screen=screen)
