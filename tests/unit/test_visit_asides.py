"""The law of a visit about hold, the way back to the waiting room, advice, and an end by mistake."""

from __future__ import annotations

import pytest

from signaling.law import snapshot
from signaling.law.asked import (
    Admitted,
    Advised,
    EndAsked,
    Held,
    NotesWritten,
    Offered,
    ReconnectAsked,
    SeatLeft,
    SeenTold,
    SentBack,
    Withdrew,
)
from signaling.law.outputs import CloseLog, CloseRoom, Note, OpenRoom, SetTap, StartRecording
from signaling.law.reported import LogClosed, MediaClosed, RecordingStarted, RoomOpened, TimePassed, TracksChanged
from tests.signaling_parts import facts
from tests.visit_play import LIVE, TAPS_ON, WAITING, Play, refused


@pytest.fixture
def play() -> Play:
    play = Play()
    play(*LIVE, RoomOpened("m-1"), RecordingStarted())
    return play


def shown(play: Play, seat: str = "patient") -> dict[str, object]:
    return snapshot.state(play.visit, seat, play.now)  # type: ignore[arg-type]


def test_hold_is_the_doctors_in_a_live_visit_and_on_the_record_once() -> None:
    play = Play()
    play(*WAITING)
    assert refused(play, Held("doctor", on=True)) == "phase_wrong"
    play(Admitted("doctor", media_ready=True))
    assert refused(play, Held("patient", on=True)) == "role_wrong"
    assert play.kinds(Held("doctor", on=True)) == ["event"]
    assert play.kinds(Held("doctor", on=True)) == []
    assert shown(play)["held"] is True
    assert play.kinds(Held("doctor", on=False)) == ["event"]
    play(Held("doctor", on=True), EndAsked("doctor", "completed"))
    assert shown(play)["held"] is False


def test_back_to_the_waiting_room_closes_the_room_and_keeps_consent_log_and_place(play: Play) -> None:
    assert refused(play, SentBack("patient")) == "role_wrong"
    entered = play.visit.facts.entered
    said = play(SentBack("doctor"))
    assert [type(each) for each in said] == [Note, Note, CloseRoom]
    assert next(each.body for each in said if isinstance(each, Note)) == {"seat": "doctor", "reason": "to_waiting"}
    after = play.visit.facts
    assert (after.phase, after.entered, after.live, after.log_open) == ("waiting", entered, None, True)
    assert play.visit.recording == "off"
    assert refused(play, Offered("patient")) == "phase_wrong"
    assert not any(isinstance(each, SetTap | StartRecording) for each in play(TracksChanged(()), MediaClosed()))


def test_admitted_again_it_is_recorded_again_in_the_same_log(play: Play) -> None:
    play(SentBack("doctor"), MediaClosed())
    said = play(Admitted("doctor", media_ready=True))
    assert OpenRoom() in said
    assert StartRecording() in said
    assert play(RoomOpened("m-1"), RecordingStarted())[-2:] == TAPS_ON
    said = play(EndAsked("doctor", "completed"))
    assert not any(isinstance(each, CloseLog) for each in said)
    assert play(MediaClosed()) == [CloseLog("completed")]


def test_a_visit_sent_back_and_left_by_all_is_not_abandoned(play: Play) -> None:
    play(SentBack("doctor"), SeatLeft("doctor"), SeatLeft("patient"))
    play(TimePassed(), at=play.now + 3600)
    assert play.visit.facts.phase == "waiting"


def test_advice_is_shown_to_the_patient_from_the_end_on(play: Play) -> None:
    play(Advised("doctor", "多喝水,三天后复诊"))
    assert (shown(play)["advice"], shown(play, "doctor")["advice"]) == (None, "多喝水,三天后复诊")
    assert refused(play, Advised("patient", "x")) == "role_wrong"
    play(EndAsked("doctor", "completed"))
    assert shown(play)["advice"] == "多喝水,三天后复诊"
    play(Advised("doctor", "三天后复诊"))
    assert shown(play)["advice"] == "三天后复诊"
    play(TimePassed(), at=play.now + 61)
    assert refused(play, Advised("doctor", "")) == "phase_wrong"


def test_what_is_advised_is_not_on_the_log_but_that_it_was(play: Play) -> None:
    notes = [each for each in play(Advised("doctor", "secret words")) if isinstance(each, Note)]
    assert [each.body for each in notes] == [{"event": "advice", "seat": "doctor"}]


def test_notes_are_the_doctors_and_leave_no_trace_on_the_log(play: Play) -> None:
    assert [each for each in play(NotesWritten("doctor", "secret words")) if isinstance(each, Note)] == []
    assert play.visit.facts.notes == "secret words"
    assert "secret words" not in str([shown(play, seat) for seat in ("doctor", "patient")])
    assert play(NotesWritten("doctor", "secret words")) == []
    assert refused(play, NotesWritten("patient", "x")) == refused(play, NotesWritten("guest-1", "x")) == "role_wrong"
    play(EndAsked("doctor", "completed"), TimePassed(), at=play.now + 3600)
    play(NotesWritten("doctor", ""))
    assert play.visit.facts.notes is None


def test_an_end_by_mistake_is_mended_within_a_minute_where_the_log_is_still_open(play: Play) -> None:
    play(EndAsked("patient", "left"))
    assert StartRecording() in play(ReconnectAsked("patient", media_ready=True))
    assert play.visit.facts.phase == "live"
    assert play.visit.facts.ended is None
    assert play(RoomOpened("m-1"), RecordingStarted())[-2:] == TAPS_ON
    assert play(ReconnectAsked("doctor", media_ready=True)) == []


def test_a_required_visit_whose_log_is_sealed_does_not_come_back(play: Play) -> None:
    play(EndAsked("patient", "left"), MediaClosed())
    assert refused(play, ReconnectAsked("patient", media_ready=True)) == "recorder_unavailable"
    play(LogClosed())
    assert refused(play, ReconnectAsked("patient", media_ready=True)) == "recorder_unavailable"


def test_an_optional_one_goes_on_unrecorded_and_says_so() -> None:
    play = Play(facts(recording="optional"))
    play(*LIVE, RoomOpened("m-1"), RecordingStarted(), EndAsked("doctor", "completed"), MediaClosed(), LogClosed())
    said = play(ReconnectAsked("doctor", media_ready=True), RoomOpened("m-2"))
    assert not any(isinstance(each, StartRecording) or each in TAPS_ON for each in said)
    assert play.visit.recording == "closed"
    play(EndAsked("doctor", "completed"))
    assert play.visit.facts.phase == "ended"


@pytest.mark.parametrize("after_s", [0.0, 61.0])
def test_other_ends_and_late_ones_are_final(play: Play, after_s: float) -> None:
    play(EndAsked("hospital" if not after_s else "doctor", "completed"))
    play(TimePassed(), at=play.now + after_s)
    assert refused(play, ReconnectAsked("patient", media_ready=True)) == "phase_wrong"


def test_a_withdrawal_is_final(play: Play) -> None:
    play(Withdrew("patient"))
    assert refused(play, ReconnectAsked("patient", media_ready=True)) == "phase_wrong"


def test_without_a_worker_it_stays_ended(play: Play) -> None:
    play(EndAsked("doctor", "completed"))
    assert refused(play, ReconnectAsked("doctor", media_ready=False)) == "media_unavailable"


def test_what_a_browser_saw_is_put_on_the_record_once_as_it_said_last(play: Play) -> None:
    assert play(SeenTold("patient", {"freezes": 1}), SeenTold("patient", {"freezes": 3, "relayed": True})) == []
    said = play(EndAsked("patient", "left"))
    claims = [each.body for each in said if isinstance(each, Note) and each.body.get("event") == "claimed"]
    assert claims == [{"event": "claimed", "seat": "patient", "detail": {"freezes": 3, "relayed": True}}]
    play(SeenTold("patient", {"freezes": 9}))
    assert play.visit.life.seen == {}
