"""The law of a visit, as tables: who may do what, when it is recorded, how it ends."""

from __future__ import annotations

import pytest

from signaling.law.asked import (
    Admitted,
    DevicesTold,
    EndAsked,
    Entered,
    Offered,
    SeatJoined,
    SeatLeft,
    SentBack,
    Withdrew,
)
from signaling.law.inputs import Input
from signaling.law.outputs import CloseLog, CloseRoom, Note, OpenLog, SetTap, StartRecording
from signaling.law.reported import (
    LogClosed,
    MediaClosed,
    Noted,
    QualityTold,
    RecorderLost,
    RecorderRefused,
    RecordingStarted,
    RoomOpened,
    TapSet,
    TimePassed,
)
from signaling.law.standing import iso
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
    facts_then = play.visit.facts
    assert play(Withdrew("patient")) == []  # SIG-13: its acknowledgement may have been lost
    assert play.visit.facts == facts_then
    assert refused(play, Withdrew("doctor")) == "visit_ended"


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
