"""The law of a visit, as tables and as a Hypothesis state machine over every input in every phase."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from signaling.asked import (
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
from signaling.errors import EventRefused
from signaling.inputs import Input
from signaling.messages import Message
from signaling.outputs import CloseLog, CloseRoom, Note, OpenLog, OpenRoom, Output, Push, Save, SetTap, StartRecording
from signaling.reported import (
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
from signaling.standing import iso, seconds, wanted
from signaling.terms import Gap, Track
from signaling.visit import RESTART_LEAP, Visit
from tests.signaling_parts import facts
from tests.visit_play import AGREED, ARRIVED, LIVE, T0, TAPS_ON, WAITING, Play, decided, refused


@pytest.fixture
def play() -> Play:
    return Play()


@pytest.mark.parametrize(
    ("before", "given", "code"),
    [
        (ARRIVED, Entered("doctor"), "role_wrong"),
        (WAITING, Admitted("patient", media_ready=True), "role_wrong"),
        ([*ARRIVED, *AGREED], Admitted("doctor", media_ready=True), "phase_wrong"),
        ([*WAITING, SeatLeft("patient")], Admitted("doctor", media_ready=True), "patient_absent"),
        ([*ARRIVED, AGREED[0], Entered("patient")], Admitted("doctor", media_ready=True), "consent_missing"),
        ([*WAITING, decided("patient", "refused")], Admitted("doctor", media_ready=True), "consent_refused"),
        ([*WAITING, Withdrew("patient")], Admitted("doctor", media_ready=True), "consent_refused"),
        ([*WAITING, RecorderLost()], Admitted("doctor", media_ready=True), "recorder_unavailable"),
        ([*WAITING, RecorderRefused("visit_closed")], Admitted("doctor", media_ready=True), "recorder_unavailable"),
        (WAITING, Admitted("doctor", media_ready=False), "media_unavailable"),
        (WAITING, Offered("patient"), "phase_wrong"),
        (LIVE, decided("patient", "refused"), "phase_wrong"),
        *[
            ([*LIVE, EndAsked("doctor", "completed")], given, "visit_ended")
            for given in (
                Entered("patient"),
                AGREED[0],
                Withdrew("patient"),
                Admitted("doctor", media_ready=True),
                Offered("doctor"),
                DevicesTold("doctor", "on", "on", "off"),
            )
        ],
    ],
)
def test_what_is_refused_has_a_code_and_changes_nothing(
    play: Play, before: list[Input], given: Input, code: str
) -> None:
    play(*before)
    assert refused(play, given) == code


@pytest.mark.parametrize("given", [Entered("patient"), AGREED[0], Admitted("doctor", True), EndAsked("doctor", "left")])
def test_an_event_repeated_after_a_lost_acknowledgement_changes_nothing(play: Play, given: Input) -> None:
    play(*LIVE)
    if isinstance(given, EndAsked):
        play(given)
    seq = play.visit.seq
    assert play(given) == []
    assert play.visit.seq == seq


def test_the_recording_starts_only_after_both_consents_are_durable() -> None:
    play = Play(noting=False)
    said = play(*LIVE, RoomOpened("m-1"))
    assert not any(isinstance(output, StartRecording | SetTap) for output in said)
    doctor, patient = (output for output in said if isinstance(output, Note) and output.kind == "consent")
    assert play(Noted(doctor.key)) == []
    assert play(Noted(patient.key)) == [StartRecording()]
    assert play.visit.recording == "starting"
    assert play(RecordingStarted()) == TAPS_ON
    play(TapSet("doctor", on=True), TapSet("patient", on=True))
    assert play.visit.recording == "on"
    assert play.visit.life.since == iso(play.now)


def test_a_consent_given_anew_must_be_durable_anew() -> None:
    play = Play(noting=False)
    said = play(*ARRIVED, *AGREED)
    play(*(Noted(output.key) for output in said if isinstance(output, Note)))
    again = play(decided("patient", "refused"), at=play.now + 1) + play(decided("patient"), at=play.now + 2)
    assert StartRecording() not in play(Entered("patient"), Admitted("doctor", media_ready=True))
    notes = [output for output in again if isinstance(output, Note)]
    assert [note.body["decision"] for note in notes] == ["refused", "agreed"]
    assert play(Noted(notes[1].key)) == [StartRecording()]


def test_decisions_within_one_millisecond_are_different_records(play: Play) -> None:
    play(*ARRIVED)
    said = play(decided("patient"), decided("patient", "refused"), decided("patient"), Withdrew("patient"))
    keys = [output.key for output in said if isinstance(output, Note)]
    assert len(keys) == len(set(keys)) == 4


def test_the_log_is_opened_at_the_first_agreement_and_admit_needs_two_errands_more(play: Play) -> None:
    assert play(*ARRIVED, decided("doctor", "refused")) == []
    assert play.kinds(decided("doctor"), decided("patient")) == ["OpenLog", "consent", "consent"]
    assert play.visit.facts.log_open
    assert play.kinds(Entered("patient"), Admitted("doctor", True)) == ["OpenRoom", "join", "join", "StartRecording"]


def test_media_does_not_wait_for_the_recorder(play: Play) -> None:
    play(*LIVE, RecorderLost(), RoomOpened("m-1"))
    assert play(Offered("patient")) == []
    play(Negotiated("patient", "p1"), TransportChanged("patient", "p1", "connected"))
    assert play.visit.life.patient.media == "connected"
    assert play.visit.recording == "interrupted"


def test_a_recorder_that_comes_back_is_told_everything_again(play: Play) -> None:
    play(*LIVE, RoomOpened("m-1"), RecordingStarted(), TapSet("doctor", True), TapSet("patient", True))
    play(RecorderLost())
    assert play.visit.recording == "interrupted"
    assert play.kinds(RecorderCame()) == ["OpenLog", "consent", "consent", "StartRecording"]
    assert play(RecordingStarted()) == TAPS_ON
    assert play.visit.recording == "on"


def test_a_worker_that_comes_back_empty_is_tapped_again_and_the_loss_is_on_the_record(play: Play) -> None:
    play(*LIVE, RoomOpened("m-1"), RecordingStarted(), TapSet("doctor", True), TapSet("patient", True))
    play(Negotiated("patient", "p1"), TracksChanged((Track("patient.camera", "patient", "camera", "video", "VP8"),)))
    play(WorkerLost())
    assert (play.visit.life.media_available, len(play.visit.life.tracks)) == (False, 1)
    said = play(RoomOpened("m-2"))
    assert [o.body for o in said if isinstance(o, Note)] == [{"event": "worker", "state": "lost"}]
    assert [o for o in said if isinstance(o, SetTap)] == TAPS_ON
    assert (play.visit.life.epoch, play.visit.life.tracks, play.visit.life.patient.pc) == ("m-2", (), None)


def test_a_link_that_blinked_leaves_the_tracks_as_they_are(play: Play) -> None:
    play(*LIVE, RoomOpened("m-1"), Negotiated("patient", "p1"), WorkerLost())
    track = Track("patient.camera", "patient", "camera", "video", "VP8")
    assert play(RoomFound("m-1", (track,), {"patient": ("p1", "connected")})) == []
    assert play.visit.life.tracks == (track,)
    assert (play.visit.life.patient.pc, play.visit.life.patient.media) == ("p1", "connected")


def test_what_ends_is_closed_in_order_taps_room_log(play: Play) -> None:
    play(*LIVE, RoomOpened("m-1"), RecordingStarted())
    assert play.kinds(EndAsked("patient", "left")) == ["leave", "leave", "CloseRoom"]
    assert play(MediaClosed()) == [CloseLog("left")]
    play(LogClosed())
    assert play.visit.facts.log_open is False
    assert play.visit.recording == "closed"


def test_a_visit_that_ends_before_it_was_live_closes_its_log_at_once(play: Play) -> None:
    play(*WAITING)
    assert play(EndAsked("hospital", "cancelled")) == [CloseLog("cancelled")]
    assert play.visit.recording == "off"


def test_withdrawing_ends_a_visit_that_must_be_recorded(play: Play) -> None:
    play(*LIVE, RoomOpened("m-1"), RecordingStarted())
    said = play(Withdrew("patient"))
    assert isinstance(said[0], Note)
    assert said[0].kind == "withdraw"
    assert CloseRoom() in said
    assert play.visit.facts.ended is not None
    assert (play.visit.facts.ended.by, play.visit.facts.ended.reason) == ("patient", "consent_withdrawn")


def test_withdrawing_stops_the_recording_of_an_optional_visit_and_the_visit_goes_on() -> None:
    play = Play(facts(recording="optional"))
    play(*LIVE, RoomOpened("m-1"), RecordingStarted(), TapSet("doctor", True), TapSet("patient", True))
    said = play(Withdrew("patient"))
    assert [o for o in said if isinstance(o, SetTap)] == [SetTap("doctor", on=False), SetTap("patient", on=False)]
    assert play(TapSet("doctor", on=False)) == []
    assert play(TapSet("patient", on=False)) == [CloseLog("consent_withdrawn")]
    assert (play.visit.facts.phase, play.visit.recording) == ("live", "closed")
    play(LogClosed())
    assert play(EndAsked("doctor", "completed")) == [CloseRoom()]
    assert play(MediaClosed()) == []


def test_a_recording_that_a_withdrawal_closed_is_not_begun_again_in_the_same_visit() -> None:
    play = Play(facts(recording="optional"))
    play(*LIVE, RoomOpened("m-1"), RecordingStarted(), TapSet("doctor", True), TapSet("patient", True))
    play(Withdrew("patient"), TapSet("doctor", on=False), TapSet("patient", on=False), LogClosed())
    play(SentBack("doctor"))
    said = play(decided("patient"))
    assert not [each for each in said if isinstance(each, OpenLog | Note | StartRecording)]
    assert (play.visit.facts.log_open, play.visit.facts.consents["patient"].state) == (False, "agreed")


def test_an_optional_visit_in_which_one_refuses_is_not_recorded() -> None:
    play = Play(facts(recording="optional"))
    said = play(*ARRIVED, AGREED[0], decided("patient", "refused"), Entered("patient"), Admitted("doctor", True))
    assert StartRecording() not in said
    assert (play.visit.facts.phase, play.visit.recording) == ("live", "off")


def test_a_live_visit_with_nobody_in_it_ends_after_ten_minutes(play: Play) -> None:
    play(*LIVE, SeatLeft("doctor"))
    assert play.visit.deadline() is None  # a live visit does not expire
    left = play.now + 5
    play(SeatLeft("patient"), at=left)
    assert play.visit.deadline() == left + 600
    assert play(TimePassed(), at=left + 599) == []
    play(TimePassed(), at=left + 600)
    assert play.visit.facts.ended is not None
    assert (play.visit.facts.ended.by, play.visit.facts.ended.reason) == ("system", "abandoned")


def test_one_who_comes_back_keeps_the_visit_alive(play: Play) -> None:
    play(*LIVE, SeatLeft("doctor"), SeatLeft("patient"), SeatJoined("patient"))
    assert play.visit.deadline() is None
    play(TimePassed(), at=play.now + 10_000)
    assert play.visit.facts.phase == "live"


@pytest.mark.parametrize("before", [ARRIVED, WAITING])
def test_a_visit_that_nobody_held_expires(before: list[Input]) -> None:
    play = Play(facts(expires="2026-05-04T10:00:00.000Z"))
    play(*before)
    assert play.visit.deadline() == T0 + 3600
    play(TimePassed(), at=T0 + 3600)
    assert play.visit.facts.ended is not None
    assert play.visit.facts.ended.reason == "expired"


def test_devices_joining_and_leaving_are_noted(play: Play) -> None:
    play(*LIVE, RoomOpened("m-1"))
    said = play(DevicesTold("doctor", "muted", "off", "off"), SeatLeft("patient"), SeatJoined("patient"))
    notes = [(o.kind, dict(o.body)) for o in said if isinstance(o, Note)]
    assert notes == [
        ("event", {"event": "microphone", "seat": "doctor", "state": "muted"}),
        ("leave", {"seat": "patient"}),
        ("join", {"seat": "patient"}),
    ]
    assert play(DevicesTold("doctor", "muted", "off", "off")) == []


def test_the_quality_of_a_line_is_noted_every_ten_seconds_and_changes_nothing(play: Play) -> None:
    play(*LIVE)
    told, seq, at = QualityTold("patient", {"loss_up_permille": 12, "rtt_ms": None}), play.visit.seq, play.now
    (note,) = play(told, at=at + 2)
    assert isinstance(note, Note)
    assert note.body == {"event": "quality", "seat": "patient", "detail": {"loss_up_permille": 12, "rtt_ms": None}}
    assert play(told, at=at + 4) == []
    assert len(play(told, QualityTold("doctor", {}), at=at + 12)) == 2
    assert play.visit.seq == seq


def test_news_of_a_transport_that_was_replaced_is_old_news(play: Play) -> None:
    play(*LIVE, RoomOpened("m-1"), Negotiated("patient", "p1"), Negotiated("patient", "p2"))
    play(TransportChanged("patient", "p1", "none"))
    assert (play.visit.life.patient.pc, play.visit.life.patient.media) == ("p2", "connecting")


def test_a_recorder_that_forgot_the_visit_is_told_again_a_second_later(play: Play) -> None:
    play(*LIVE, RecorderRefused("visit_unknown"))
    assert play.visit.deadline() == play.now + 1
    said = play(TimePassed(), at=play.now + 1)
    assert said[0] == OpenLog()
    assert said[-1] == StartRecording()


def test_a_restart_keeps_phase_and_consents_and_never_shows_a_smaller_seq(play: Play) -> None:
    play(*LIVE, RoomOpened("m-1"), RecordingStarted())
    shown = play.visit.seq
    again = Play(play.visit.facts)
    assert again.visit.resume() == [OpenRoom()]
    assert again.visit.seq > shown
    assert again.visit.seq - shown <= RESTART_LEAP
    assert again.visit.deadline() == T0 + 600
    said = again(RecorderCame(), RoomFound("m-1"))
    assert [type(o).__name__ for o in said] == ["OpenLog", "Note", "Note", "StartRecording"]
    assert again(RecordingStarted()) == TAPS_ON


def test_an_ended_visit_whose_log_is_open_is_closed_after_a_restart(play: Play) -> None:
    play(*LIVE, RoomOpened("m-1"), EndAsked("doctor", "completed"))
    again = Play(play.visit.facts)
    assert again.visit.resume() == [CloseRoom()]
    again(RecorderCame())
    assert again(MediaClosed()) == [CloseLog("completed")]


def test_a_log_that_was_closed_too_soon_is_said_to_be_closed_after_a_restart_too(play: Play) -> None:
    play(*LIVE, RoomOpened("m-1"), RecordingStarted(), TapSet("doctor", True), RecorderRefused("visit_closed"))
    assert play.visit.recording == "closed"
    again = Play(play.visit.facts)
    again(RecorderCame(), RoomFound("m-1"))
    assert again.visit.recording == "closed"
    assert not [output for output in again(SeatJoined("patient")) if isinstance(output, Note)]


def test_every_first_change_of_a_life_is_saved_and_passing_ones_are_not() -> None:
    visit = Visit(facts(phase="live", seq=7), T0)
    assert Save() in visit.handle(SeatJoined("doctor"), T0)
    assert visit.handle(SeatJoined("patient"), T0) == [Push(urgent=False)]
    assert Push(urgent=True) in visit.handle(EndAsked("doctor", "left"), T0)


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
        self.visit = Visit(facts(expires=iso(T0 + 4000)), T0)
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
        self.visit = Visit(stored, self.now)
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
