"""The law of a visit: who may do what, when, and what follows. No I/O, and no clock but the time it is handed.

`Visit.handle(given, now)` takes what happened and returns what is to be done; a refused input raises `EventRefused`
and leaves everything as it was (SIG-12). Rules SIG-4 … SIG-10 are in PROTOCOL.md; here are the ones about recording:

GATE-1  `StartRecording` is asked for only in `live`, and only when the recorder has said that the consent of both seats
        is durable, in this life of the link to it.
GATE-2  A tap is opened only after `StartRecording` was answered; media flows between the seats without waiting for it.
GATE-3  What ends is closed in this order: taps, room, evidence log.
GATE-4  A recorder that comes back is told everything again: the log, the consents, the start. Keys make it harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from msgspec.structs import replace as with_

from signaling import promise, standing
from signaling.errors import (
    ConsentMissing,
    ConsentRefused,
    GuestAbsent,
    MediaUnavailable,
    PatientAbsent,
    PhaseWrong,
    RecorderUnavailable,
    RoleWrong,
    VisitEnded,
)
from signaling.life import Life, SeatLife
from signaling.messages import Message
from signaling.ports import Consent, Ending, Seat, VisitFacts
from signaling.standing import ABANDONED_AFTER_S, consent_note, consent_of, iso, seconds
from signaling.verbs import (
    ALL_SEATS,
    GUESTS,
    SEATS,
    Admitted,
    Advised,
    CloseLog,
    CloseRoom,
    Decided,
    DevicesTold,
    DropSeat,
    EndAsked,
    EndedBy,
    EndReason,
    Entered,
    FeedChanged,
    Gap,
    GapDeclared,
    GuestAdmitted,
    GuestDismissed,
    GuestInvited,
    Held,
    Input,
    LinksRevoked,
    LogClosed,
    MarkNoted,
    MediaClosed,
    MessageKept,
    MessagesFound,
    Negotiated,
    Note,
    Noted,
    Offered,
    OpenLog,
    OpenRoom,
    Output,
    PhoneBackAsked,
    Push,
    QualityTold,
    QueueMoved,
    ReconnectAsked,
    RecorderCame,
    RecorderLost,
    RecorderRefused,
    RecordingStarted,
    RecordKind,
    RoomFound,
    RoomOpened,
    Save,
    SeatJoined,
    SeatLeft,
    SentBack,
    SetTap,
    StartRecording,
    StreamsAlive,
    TapSet,
    TellMessage,
    TimePassed,
    TracksChanged,
    TransportChanged,
    Withdrew,
    WorkerLost,
    Writing,
)

RETRY_S = 1.0
QUALITY_EVERY_S = 10.0
GAPS_KEPT = 20
RESTART_LEAP = 1 << 20
"""How far `seq` leaps when a visit is taken up from storage: more than was ever shown without being saved."""
UNSAVED_MOST = RESTART_LEAP >> 1
DEVICES = ("microphone", "camera", "screen")


class Visit:
    """One visit: its durable facts, and its life, which a restart forgets."""

    def __init__(self, facts: VisitFacts, now: float) -> None:
        """Take a visit up as it was stored, nobody present."""
        # A restart never shows a smaller seq than the process before it did: see decisions/0001.
        self.seq = facts.seq + RESTART_LEAP if facts.seq else 0
        self._saved_seq: int | None = None
        self._facts = facts
        self._life = Life(alone_since=now if facts.phase == "live" else None, stopped=standing.log_was_closed(facts))
        self._now = now
        self._out: list[Output] = []
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
        times = (standing.deadline(self._facts, self._life), promise.deadline(self._facts))
        return min((at for at in times if at is not None), default=None)

    def resume(self) -> list[Output]:
        """What a visit taken up from storage needs at once."""
        if self._facts.phase == "live":
            return [OpenRoom()]
        return [CloseRoom()] if self._facts.phase == "ended" and self._facts.log_open else []

    def handle(self, given: Input, now: float) -> list[Output]:
        """Take one input at `now` (seconds since 1970) and say what follows. Raises `EventRefused`."""
        facts, life = self._facts, self._life
        self._now, self._out = now, []
        try:
            self._take(given)
            self._follow()
        except BaseException:
            self._facts, self._life = facts, life
            raise
        return self._announce(facts, life) + self._out

    # ---- one transition, one case

    def _take(self, given: Input) -> None:
        ended = self._facts.phase == "ended"
        match given:
            case SeatJoined(seat):
                self._join(seat)
            case SeatLeft(seat):
                self._leave(seat)
            case EndAsked(by, reason):
                if not ended:  # SIG-8
                    self._end(by, reason)
            case TimePassed():
                self._pass_time()
            case Noted() | RecordingStarted() | LogClosed() | RecorderRefused() | RecorderCame() | RecorderLost():
                self._hear_recorder(given)
            case QualityTold():
                self._note_quality(given)
            case StreamsAlive() | GapDeclared() | FeedChanged():
                self._hear_stream(given)
            case TapSet(seat, on):
                self._set(seat, replace(self._life.seat(seat), tapped=on))
            case MediaClosed():
                self._life = replace(self._life, room_closed=True)
            case RoomOpened() | RoomFound() | WorkerLost() | TracksChanged() | TransportChanged() | Negotiated():
                if self._facts.phase == "live":
                    self._hear_room(given)
            case LinksRevoked(links_epoch):
                if links_epoch > self._facts.links_epoch:
                    self._facts = with_(self._facts, links_epoch=links_epoch)
            case MessageKept() | MessagesFound():
                self._hear_messages(given)
            case QueueMoved(ahead, estimate):
                if self._facts.phase == "waiting":
                    self._life = replace(self._life, ahead=ahead, estimate=estimate)
                    self._facts = promise.given(self._facts, ahead, estimate, self._now)
            case Advised():
                self._advise(given)
            case ReconnectAsked():
                self._reconnect(given)
            case GuestInvited() | GuestAdmitted() | GuestDismissed():
                if ended:
                    raise VisitEnded
                self._take_guest(given)
            case Held() | SentBack() | PhoneBackAsked():
                if ended:
                    raise VisitEnded
                self._take_aside(given)
            case Entered() | Decided() | Withdrew() | Admitted() | Offered() | DevicesTold() | Writing():
                if ended:
                    raise VisitEnded
                self._take_event(given)

    def _take_event(self, given: Entered | Decided | Withdrew | Admitted | Offered | DevicesTold | Writing) -> None:
        phase = self._facts.phase
        match given:
            case Entered(seat):
                if seat != "patient":  # SIG-4
                    raise RoleWrong
                if phase == "scheduled":
                    self._facts = with_(self._facts, phase="waiting", entered=iso(self._now))
            case Decided():
                self._decide(given)
            case Withdrew(seat):
                self._withdraw(seat)
            case Admitted():
                self._admit(given)
            case Offered(seat):
                if phase != "live" or seat not in standing.inside(self._facts):  # SIG-7, SIG-26
                    raise PhaseWrong
            case Writing(seat):
                if phase not in ("waiting", "live") or seat not in standing.inside(self._facts):
                    raise PhaseWrong
            case DevicesTold(seat, microphone, camera, screen):
                self._devices(seat, microphone=microphone, camera=camera, screen=screen)

    def _take_aside(self, given: Held | SentBack | PhoneBackAsked) -> None:
        match given:
            case Held(seat, on):  # SIG-23
                self._need("doctor", seat, "live")
                if self._facts.held != on:
                    self._facts = with_(self._facts, held=on)
                    self._note("event", {"event": "hold", "seat": seat, "state": "on" if on else "off"}, "hold")
            case SentBack(seat):
                self._need("doctor", seat, "live")
                self._send_back()
            case PhoneBackAsked(seat):
                self._need("patient", seat, "waiting", "live")
                if self._facts.phone_back is None:
                    self._facts = with_(self._facts, phone_back=iso(self._now))
                    self._note("event", {"event": "phone_back", "seat": seat}, "phone_back")

    def _need(self, wanted: Seat, seat: Seat, *phases: str) -> None:
        if seat != wanted:
            raise RoleWrong
        if self._facts.phase not in phases:
            raise PhaseWrong

    # ---- presence

    def _join(self, seat: Seat) -> None:
        if self._life.seat(seat).present:
            return
        self._set(seat, replace(self._life.seat(seat), present=True))
        if seat in SEATS:
            self._life = replace(self._life, alone_since=None)
        if self._facts.phase == "live" and seat in standing.inside(self._facts):
            self._note("join", {"seat": seat}, seat)

    def _leave(self, seat: Seat) -> None:
        if not self._life.seat(seat).present:
            return
        self._set(seat, replace(self._life.seat(seat), present=False))
        if seat in SEATS and not any(self._life.seat(each).present for each in SEATS):
            self._life = replace(self._life, alone_since=self._now)
        if self._facts.phase == "live" and seat in standing.inside(self._facts):
            self._note("leave", {"seat": seat}, seat)

    def _devices(self, seat: Seat, **told: str) -> None:
        before = self._life.seat(seat)
        self._set(seat, replace(before, **told))  # type: ignore[arg-type]
        for device in DEVICES if seat in standing.inside(self._facts) else ():
            if getattr(before, device) != told[device]:
                self._note("event", {"event": device, "seat": seat, "state": told[device]}, f"{device}:{seat}")

    # ---- messages

    def _hear_messages(self, given: MessageKept | MessagesFound) -> None:
        match given:
            case MessageKept(message):
                if message.seq <= self._life.last_message:
                    return  # sent again after a lost acknowledgement
                self._life = replace(self._life, last_message=message.seq, unnoted=(*self._life.unnoted, message))
                self._out.append(TellMessage(message))
                self._note_messages((message,))
            case MessagesFound(last, unnoted):
                self._life = replace(self._life, last_message=max(last, self._life.last_message), unnoted=unnoted)
                self._note_messages(unnoted)

    def _note_messages(self, unnoted: Iterable[Message]) -> None:
        if self._facts.log_open and not self._life.sealing:
            self._out += [standing.message_note(message) for message in unnoted]

    def _noted_message(self, key: str) -> None:
        seq = int(key.removeprefix("message:"))
        left = tuple(each for each in self._life.unnoted if each.seq != seq)
        if len(left) != len(self._life.unnoted):
            self._life = replace(self._life, unnoted=left)
            self._out.append(MarkNoted(seq))

    # ---- consent

    def _decide(self, given: Decided) -> None:
        before = consent_of(self._facts, given.seat)
        after = Consent(
            given.decision, given.text_version, given.text_sha256, given.language, given.method, self._after(before)
        )
        if with_(after, at=before.at) == before:
            return  # repeated after a lost acknowledgement
        if self._facts.phase == "live" and (given.seat in SEATS or given.seat in self._facts.admitted):
            raise PhaseWrong
        self._set_consent(given.seat, after)
        if self._facts.log_open:
            self._out.append(consent_note(self._facts, given.seat))
        elif given.decision == "agreed":
            self._facts = with_(self._facts, log_open=True)
            self._open_log()

    def _withdraw(self, seat: Seat) -> None:
        before = consent_of(self._facts, seat)
        if before.state != "agreed":
            return
        self._set_consent(seat, with_(before, state="withdrawn", at=self._after(before)))
        if self._facts.log_open:
            self._out.append(consent_note(self._facts, seat))
        if self._facts.phase != "live":
            return
        if seat not in SEATS:  # SIG-27
            self._stop_guest(seat)
            return
        # SIG-10
        if self._facts.recording == "required":
            assert seat == "doctor" or seat == "patient"
            self._end(seat, "consent_withdrawn")
        else:
            self._life = replace(self._life, stopped=True)
            self._shut_taps()

    # ---- guests

    def _take_guest(self, given: GuestInvited | GuestAdmitted | GuestDismissed) -> None:
        match given:
            case GuestInvited(seat, kind):
                self._facts = with_(self._facts, guests={**self._facts.guests, seat: kind})
            case GuestAdmitted(seat, guest):
                self._need("doctor", seat, "live")
                if guest not in self._facts.admitted:
                    self._admit_guest(guest)
            case GuestDismissed(seat, guest):
                self._need("doctor", seat, "live")
                if guest in self._facts.admitted:
                    self._dismiss(guest, "dismissed")

    def _admit_guest(self, guest: Seat) -> None:
        """SIG-26, SIG-27."""
        if guest not in self._facts.guests or not self._life.seat(guest).present:
            raise GuestAbsent
        state = consent_of(self._facts, guest).state
        if self._facts.recording == "required" and state in ("refused", "withdrawn"):
            raise ConsentRefused
        if state == "undecided":
            raise ConsentMissing
        self._facts = with_(self._facts, admitted={**self._facts.admitted, guest: self._life.last_message})
        self._note("join", {"seat": guest}, guest)
        self._note("event", {"event": "guest", "seat": guest, "state": self._facts.guests[guest]}, f"guest:{guest}")

    def _dismiss(self, guest: Seat, reason: str) -> None:
        self._note("leave", {"seat": guest, "reason": reason}, guest)
        self._facts = with_(
            self._facts, admitted={seat: seq for seat, seq in self._facts.admitted.items() if seat != guest}
        )
        self._set(guest, replace(self._life.seat(guest), media="none", pc=None, tapped=False))
        self._life = replace(
            self._life,
            guests_asked=self._life.guests_asked - {guest},
            guests_started=self._life.guests_started - {guest},
        )
        self._out.append(DropSeat(guest))

    def _dismiss_all(self, reason: str) -> None:
        """The room is closed anyway: nobody need be dropped."""
        dropped = len(self._out)
        for guest in GUESTS:
            if guest in self._facts.admitted:
                self._dismiss(guest, reason)
        self._out[dropped:] = [each for each in self._out[dropped:] if not isinstance(each, DropSeat)]

    def _stop_guest(self, guest: Seat) -> None:
        if guest in self._facts.admitted and self._facts.recording == "required":
            self._dismiss(guest, "consent_withdrawn")
        elif guest in self._facts.admitted:
            self._life = replace(self._life, guests_started=self._life.guests_started - {guest})
            self._out.append(SetTap(guest, on=False))

    # ---- admit and end

    def _admit(self, given: Admitted) -> None:
        if given.seat != "doctor":
            raise RoleWrong
        if self._facts.phase == "live":
            return
        if self._facts.phase != "waiting":  # SIG-5
            raise PhaseWrong
        if not self._life.patient.present:
            raise PatientAbsent
        self._pass_consent_gate()
        if self._facts.recording == "required" and (self._life.stopped or not self._life.recorder_up):
            raise RecorderUnavailable
        if not given.media_ready:
            raise MediaUnavailable
        self._facts = promise.forgotten(with_(self._facts, phase="live", live=iso(self._now)))
        self._go_live()

    def _go_live(self) -> None:
        self._life = replace(self._life, ahead=None, estimate=None)
        self._out.append(OpenRoom())
        for seat in SEATS:
            if self._life.seat(seat).present:
                self._note("join", {"seat": seat}, seat)

    def _send_back(self) -> None:
        """SIG-24: the room is closed, the log stays open."""
        self._dismiss_all("to_waiting")
        for seat in SEATS:
            if self._life.seat(seat).present:
                self._note("leave", {"seat": seat, "reason": "to_waiting"}, seat)
        self._out.append(CloseRoom())
        self._facts = promise.forgotten(with_(self._facts, phase="waiting", live=None, held=False))
        self._life = replace(
            self._life, tracks=(), media_available=False, epoch=None, asked=False, started=False, alone_since=None
        )
        for seat in SEATS:
            self._set(seat, replace(self._life.seat(seat), media="none", pc=None, tapped=False))

    def _reconnect(self, given: ReconnectAsked) -> None:
        """SIG-25."""
        if self._facts.phase == "live":
            return
        if not standing.in_grace(self._facts, self._now):
            raise PhaseWrong
        on_record = self._facts.log_open and not self._life.sealing
        if self._facts.recording == "required" and not (on_record and self._life.recorder_up):
            raise RecorderUnavailable
        if not given.media_ready:
            raise MediaUnavailable
        was_recorded = standing.wanted(self._facts)
        self._facts = with_(self._facts, phase="live", ended=None, ended_at=None, held=False)
        stopped = self._life.stopped or (was_recorded and not on_record)
        self._life = replace(self._life, asked=False, started=False, stopped=stopped, room_closed=False)
        self._go_live()

    def _advise(self, given: Advised) -> None:
        if given.seat != "doctor":
            raise RoleWrong
        if self._facts.phase != "live" and not standing.in_grace(self._facts, self._now):
            raise PhaseWrong
        if (self._facts.advice or "") != given.text:
            self._facts = with_(self._facts, advice=given.text or None)
            self._note("event", {"event": "advice", "seat": given.seat}, "advice")

    def _pass_consent_gate(self) -> None:
        """SIG-6. Raises `ConsentRefused`, `ConsentMissing`."""
        states = {consent_of(self._facts, seat).state for seat in SEATS}
        if self._facts.recording == "required" and states & {"refused", "withdrawn"}:
            raise ConsentRefused
        if "undecided" in states:
            raise ConsentMissing

    def _end(self, by: EndedBy, reason: EndReason) -> None:
        live = self._facts.phase == "live"
        self._dismiss_all(reason)
        ending = Ending(by, reason)
        self._facts = with_(self._facts, phase="ended", ended_at=iso(self._now), ended=ending, held=False)
        if live:
            for seat in SEATS:
                if self._life.seat(seat).present:
                    self._note("leave", {"seat": seat, "reason": reason}, seat)
            self._out.append(CloseRoom())  # GATE-3
        self._life = replace(
            self._life,
            tracks=(),
            media_available=False,
            ahead=None,
            estimate=None,
            alone_since=None,
            room_closed=not live,
        )
        for seat in SEATS:
            self._set(seat, replace(self._life.seat(seat), media="none", pc=None))

    def _pass_time(self) -> None:
        if self._facts.phase in ("scheduled", "waiting") and self._now >= seconds(self._facts.expires):
            self._end("system", "expired")
        before, self._facts = self._facts, promise.broken(self._facts, self._now)
        if before.late != self._facts.late:
            self._note("event", {"event": "late", "state": self._facts.late}, "late")
        alone = self._life.alone_since
        if self._facts.phase == "live" and alone is not None and self._now >= alone + ABANDONED_AFTER_S:
            self._end("system", "abandoned")  # SIG-9
        if self._life.retry_at is not None and self._now >= self._life.retry_at:
            self._life = replace(self._life, retry_at=None)
            if self._life.recorder_up and self._facts.log_open:
                self._open_log()

    # ---- the room

    def _hear_room(
        self, given: RoomOpened | RoomFound | WorkerLost | TracksChanged | TransportChanged | Negotiated
    ) -> None:
        match given:
            case RoomOpened(epoch):
                if self._life.epoch not in (None, epoch):
                    self._note("event", {"event": "worker", "state": "lost"}, "worker")
                for seat in standing.inside(self._facts):
                    self._set(seat, replace(self._life.seat(seat), tapped=False))
                self._found(RoomFound(epoch))
            case RoomFound():
                self._found(given)
            case WorkerLost():
                self._life = replace(self._life, media_available=False)
            case TracksChanged(tracks):
                self._life = replace(self._life, tracks=tracks)
            case Negotiated(seat, pc):
                before = self._life.seat(seat)
                media = before.media if before.pc == pc and before.media != "none" else "connecting"
                self._set(seat, replace(before, pc=pc, media=media))
            case TransportChanged(seat, pc, state):
                self._move_transport(seat, pc, state)

    def _found(self, room: RoomFound) -> None:
        """Begin again from what a worker holds."""
        self._life = replace(self._life, epoch=room.epoch, media_available=True, tracks=room.tracks)
        for seat in standing.inside(self._facts):
            there = room.seats.get(seat)
            nothing = replace(self._life.seat(seat), pc=None, media="none")
            self._set(seat, nothing if there is None else replace(nothing, pc=there[0], media=there[1]))
        if self._life.stopped:
            self._shut_taps()
        elif self._life.started:
            self._open_taps()

    def _move_transport(self, seat: Seat, pc: str, state: str) -> None:
        before = self._life.seat(seat)
        if before.pc not in (None, pc) or before.media == state:
            return  # of a transport that was replaced
        gone = state == "none"
        self._set(seat, replace(before, media=state, pc=None if gone else pc))  # type: ignore[arg-type]
        self._note(
            "event", {"event": "transport", "seat": seat, "state": "gone" if gone else state}, f"transport:{seat}"
        )

    # ---- the record

    def _hear_recorder(
        self, given: Noted | RecordingStarted | LogClosed | RecorderRefused | RecorderCame | RecorderLost
    ) -> None:
        match given:
            case RecorderCame():  # GATE-4
                self._life = replace(
                    self._life, recorder_up=True, asked=False, started=False, noted=frozenset(), sealing=False
                )
                self._forget_guests_started()
                if self._facts.log_open:
                    self._open_log()
            case RecorderLost():
                self._life = replace(self._life, recorder_up=False, asked=False, started=False, noted=frozenset())
                self._forget_guests_started()
            case Noted(key) if key.startswith("message:"):
                self._noted_message(key)
            case Noted(key):
                seats = {seat for seat in ALL_SEATS if standing.agreed_in(self._facts, seat, key)}
                self._life = replace(self._life, noted=self._life.noted | seats)
            case RecordingStarted(seats) if seats != SEATS:
                started = frozenset(seats) & self._life.guests_asked & frozenset(self._facts.admitted)
                if started and self._facts.phase == "live" and not self._life.stopped:
                    self._life = replace(self._life, guests_started=self._life.guests_started | started)
                    if self._life.media_available:
                        self._out += [SetTap(seat, on=True) for seat in sorted(started)]
            case RecordingStarted():
                if self._life.asked and self._facts.phase == "live" and not self._life.stopped:
                    self._life = replace(self._life, started=True, begun=True)
                    self._open_taps()
            case LogClosed():
                self._facts = with_(self._facts, log_open=False)
            case RecorderRefused("visit_closed"):
                self._facts = with_(self._facts, log_open=False)
                self._life = replace(self._life, stopped=True)
                self._shut_taps()
            case RecorderRefused():
                self._life = replace(
                    self._life, asked=False, noted=frozenset(), sealing=False, retry_at=self._now + RETRY_S
                )

    def _forget_guests_started(self) -> None:
        self._life = replace(self._life, guests_asked=frozenset(), guests_started=frozenset())

    def _hear_stream(self, given: StreamsAlive | GapDeclared | FeedChanged) -> None:
        match given:
            case StreamsAlive(streams):
                self._life = replace(self._life, streams=streams)
            case GapDeclared(gap):
                gaps: tuple[Gap, ...] = (*self._life.gaps, gap)
                self._life = replace(self._life, gaps=gaps[-GAPS_KEPT:])
            case FeedChanged(fed):
                self._life = replace(self._life, fed=fed)

    def _follow(self) -> None:
        """What holds whenever its conditions do, whichever came last."""
        if standing.may_start(self._facts, self._life):
            self._life = replace(self._life, asked=True)
            self._out.append(StartRecording())
        if guests := standing.guests_to_start(self._facts, self._life):
            self._life = replace(self._life, guests_asked=self._life.guests_asked | frozenset(guests))
            self._out.append(StartRecording(guests))
        if standing.may_seal(self._facts, self._life):
            self._note_messages(self._life.unnoted)  # what a full lane gave up
            self._life = replace(self._life, sealing=True)
            self._out.append(CloseLog(self._facts.ended.reason if self._facts.ended else "consent_withdrawn"))
        on = self.recording == "on"
        if on != (self._life.since is not None) and self._facts.phase != "ended":
            self._life = replace(self._life, since=iso(self._now) if on else None)

    def _open_log(self) -> None:
        self._out.append(OpenLog())
        decided = [seat for seat in ALL_SEATS if consent_of(self._facts, seat).state != "undecided"]
        self._out += [consent_note(self._facts, seat) for seat in decided]
        self._note_messages(self._life.unnoted)

    def _open_taps(self) -> None:
        if self._life.media_available and self._life.begun:  # GATE-2
            self._out += [SetTap(seat, on=True) for seat in (*SEATS, *sorted(self._life.guests_started))]

    def _shut_taps(self) -> None:
        if self._life.media_available:
            self._out += [SetTap(seat, on=False) for seat in standing.inside(self._facts)]

    def _note_quality(self, told: QualityTold) -> None:
        """On the record every ten seconds a seat; not in `state`, so not a change of the visit."""
        if self._now >= self._quality_at.get(told.seat, 0.0) + QUALITY_EVERY_S:
            self._quality_at[told.seat] = self._now
            body = {"event": "quality", "seat": told.seat, "detail": dict(told.detail)}
            self._note("event", body, f"quality:{told.seat}")

    def _note(self, kind: RecordKind, body: Mapping[str, object], what: str) -> None:
        if self._facts.log_open and not self._life.sealing:
            self._out.append(Note(f"{kind}:{what}:{iso(self._now)}:{self.seq}", kind, body))

    # ---- small parts

    def _after(self, before: Consent) -> str:
        """Now, but later than the seat's last decision: the time is part of the key of the record."""
        return iso(self._now if before.at is None else max(self._now, seconds(before.at) + 0.0015))

    def _set_consent(self, seat: Seat, consent: Consent) -> None:
        self._facts = with_(self._facts, consents={**self._facts.consents, seat: consent})
        self._life = replace(self._life, noted=self._life.noted - {seat})

    def _set(self, seat: Seat, life: SeatLife) -> None:
        self._life = self._life.with_seat(seat, life)

    def _announce(self, facts: VisitFacts, life: Life) -> list[Output]:
        """Count the change, and say who must hear of it."""
        if self._facts is facts and replace(self._life, unnoted=life.unnoted) == life:
            return []
        self.seq += 1
        durable = self._facts is not facts
        said: list[Output] = []
        if durable or self._saved_seq is None or self.seq - self._saved_seq > UNSAVED_MOST:
            self._saved_seq = self.seq
            self._facts = with_(self._facts, seq=self.seq)
            said.append(Save())
        now = self._life
        # What a picture waits for is never held back.
        path = (now.media_available, now.epoch, now.tracks) != (life.media_available, life.epoch, life.tracks)
        return [*said, Push(urgent=path or self._facts.phase != facts.phase)]
