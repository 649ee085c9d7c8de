"""Every input in every phase of a visit, by a Hypothesis state machine: the laws hold after each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from signaling.law.asked import (
    Admitted,
    Advised,
    DevicesTold,
    EndAsked,
    Entered,
    Held,
    LinksRevoked,
    NotesWritten,
    Offered,
    PhoneBackAsked,
    RebookAsked,
    ReconnectAsked,
    SeatJoined,
    SeatLeft,
    SentBack,
    Withdrew,
    Writing,
)
from signaling.law.errors import EventRefused
from signaling.law.inputs import Input
from signaling.law.messages import Message
from signaling.law.outputs import CloseLog, Note, OpenRoom, Output, Push, SetTap, StartRecording
from signaling.law.reported import (
    FeedChanged,
    GapDeclared,
    LogClosed,
    MediaClosed,
    MessageKept,
    MessagesFound,
    Negotiated,
    Noted,
    QualityTold,
    QueueMoved,
    RecorderCame,
    RecorderLost,
    RecorderRefused,
    RecordingStarted,
    RoomFound,
    RoomOpened,
    StreamsAlive,
    TapSet,
    TimePassed,
    TracksChanged,
    TransportChanged,
    WorkerLost,
)
from signaling.law.standing import iso, seconds, wanted
from signaling.law.terms import Gap, Track
from signaling.law.visit import Visit
from tests.signaling_parts import LIMITS, facts
from tests.visit_play import T0, WAITING, decided

SEATS = st.sampled_from(["doctor", "patient"])
DEVICE = st.sampled_from(["on", "off", "failed"])
PCS = st.sampled_from(["p1", "p2"])
TRACKS = st.sampled_from([(), (Track("patient.camera", "patient", "camera", "video", "VP8"),)])
INPUTS = st.one_of(
    st.builds(SeatJoined, SEATS),
    st.builds(SeatLeft, SEATS),
    st.builds(Entered, SEATS),
    st.builds(decided, SEATS, st.sampled_from(["agreed", "agreed", "refused"])),
    st.builds(Withdrew, SEATS),
    st.builds(Admitted, SEATS, st.booleans()),
    st.builds(Offered, SEATS),
    st.builds(DevicesTold, SEATS, DEVICE, DEVICE, DEVICE),
    st.builds(QueueMoved, st.integers(0, 3)),
    st.builds(Held, SEATS, st.booleans()),
    st.builds(SentBack, SEATS),
    st.builds(Advised, SEATS, st.sampled_from(["", "rest"])),
    st.builds(NotesWritten, SEATS, st.sampled_from(["", "pale"])),
    st.builds(ReconnectAsked, SEATS, st.booleans()),
    st.builds(PhoneBackAsked, SEATS),
    st.builds(RebookAsked, SEATS),
    st.builds(Writing, SEATS),
    st.builds(lambda seq: MessageKept(Message("V1", seq, "m", "patient", iso(T0), "00", "x")), st.integers(1, 9)),
    st.just(MessagesFound(3, ())),
    st.builds(LinksRevoked, st.integers(0, 3)),
    st.builds(Negotiated, SEATS, PCS),
    st.builds(RoomOpened, st.sampled_from(["m-1", "m-2"])),
    st.builds(RoomFound, st.just("m-1"), TRACKS, st.just({"doctor": ("p1", "connected")})),
    st.just(WorkerLost()),
    st.builds(TracksChanged, TRACKS),
    st.builds(TransportChanged, SEATS, PCS, st.sampled_from(["none", "connecting", "connected", "silent"])),
    st.builds(FeedChanged, st.booleans()),
    st.builds(TapSet, SEATS, st.booleans()),
    st.just(RecorderCame()),
    st.just(RecorderCame()),
    st.just(RecorderLost()),
    st.just(RecordingStarted()),
    st.builds(RecorderRefused, st.sampled_from(["visit_unknown", "visit_closed", "consent_missing"])),
    st.just(StreamsAlive(())),
    st.builds(QualityTold, SEATS, st.just({"rtt_ms": 3})),
    st.just(GapDeclared(Gap("patient", 0, 1, "network"))),
)


class AnyVisit(RuleBasedStateMachine):
    """Everything may happen at any time; the promises hold all the same."""

    def __init__(self) -> None:
        super().__init__()
        self.now = T0
        self.visit = Visit(facts(expires=iso(T0 + 4000)), T0, LIMITS)
        self.keys: list[str] = []
        self.durable: set[str] = set()
        self.started = False
        self.asked_closed = False
        self.seq = 0
        self.was_ended = False

    def give(self, given: Input) -> None:
        self.now += 0.25
        before = self.visit.facts, self.visit.life, self.visit.seq
        try:
            said = self.visit.handle(given, self.now)
        except EventRefused:
            assert (self.visit.facts, self.visit.life, self.visit.seq) == before
            return
        if isinstance(given, RecordingStarted) and self.visit.life.asked:
            self.started = True
        if isinstance(given, ReconnectAsked) and before[0].phase == "ended":
            assert before[0].ended is not None
            assert before[0].ended.reason in ("completed", "left")
            assert self.now <= seconds(before[0].ended_at or "") + 60
            self.was_ended = False
        for output in said:
            self.check(output)
        if before[:2] != (self.visit.facts, replace(self.visit.life, unnoted=before[1].unnoted)):
            assert any(isinstance(output, Push) for output in said)
        if replace(self.visit.life) == before[1] and self.visit.facts is before[0]:
            assert self.visit.seq == before[2]

    def check(self, output: Output) -> None:
        match output:
            case Note(key=key):
                self.keys.append(key)
                assert self.visit.facts.log_open or self.visit.facts.phase == "ended"
            case StartRecording():
                assert self.visit.facts.phase == "live"
                for seat in ("doctor", "patient"):
                    consent = self.visit.facts.consents[seat]
                    assert consent.state == "agreed"
                    assert f"consent:{seat}:{consent.at}" in self.durable
            case SetTap(on=True):
                assert self.started
                assert self.visit.facts.phase == "live"
                assert wanted(self.visit.facts)
            case OpenRoom():
                assert self.visit.facts.phase == "live"
            case CloseLog():
                assert self.visit.life.room_closed or self.visit.life.stopped
            case _:
                pass

    @rule(given=INPUTS)
    def happens(self, given: Input) -> None:
        self.give(given)

    @rule()
    def both_get_ready(self) -> None:
        for given in WAITING:
            self.give(given)

    @rule()
    def the_doctor_admits(self) -> None:
        self.give(Admitted("doctor", media_ready=True))

    @rule()
    def the_recorder_answers(self) -> None:
        for key in self.keys:
            self.durable.add(key)
            self.give(Noted(key))
        self.keys.clear()
        if self.visit.life.asked and not self.visit.life.started:
            self.give(RecordingStarted())

    @rule()
    def the_lanes_finish_an_ended_visit(self) -> None:
        if self.visit.facts.phase == "ended" and not self.visit.life.room_closed:
            self.give(MediaClosed())
        if self.visit.life.sealing:
            self.give(LogClosed())

    @rule(by=SEATS)
    def somebody_ends_it(self, by: Any) -> None:
        self.give(EndAsked(by, "left"))

    @rule(wait_s=st.sampled_from([1.0, 300.0, 600.0]))
    def time_passes(self, wait_s: float) -> None:
        self.now += wait_s
        self.give(TimePassed())

    @rule()
    def the_process_restarts(self) -> None:
        stored = self.visit.facts
        self.visit = Visit(stored, self.now, LIMITS)
        self.started = False
        self.keys.clear()
        assert self.visit.seq >= self.seq
        for output in self.visit.resume():
            self.check(output)

    @invariant()
    def seq_never_goes_back(self) -> None:
        assert self.visit.seq >= self.seq
        self.seq = self.visit.seq

    @invariant()
    def nothing_leaves_ended(self) -> None:
        ended = self.visit.facts.phase == "ended"
        assert ended or not self.was_ended
        self.was_ended = ended
        assert ended == (self.visit.facts.ended is not None)

    @invariant()
    def no_media_before_live_nor_after(self) -> None:
        if self.visit.facts.phase == "ended":
            assert self.visit.life.tracks == ()
        if self.visit.recording == "on":
            assert self.visit.facts.phase == "live"
            assert wanted(self.visit.facts)
            assert self.visit.life.started


AnyVisit.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestAnyVisit = AnyVisit.TestCase
