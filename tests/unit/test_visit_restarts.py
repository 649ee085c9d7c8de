"""A visit and the parts behind it: recorder, worker and process come back, and nothing is lost, doubled or said wrongly."""

from __future__ import annotations

import pytest

from signaling.law.asked import (
    Admitted,
    EndAsked,
    Entered,
    Offered,
    SeatJoined,
)
from signaling.law.outputs import CloseLog, CloseRoom, Note, OpenLog, OpenRoom, Push, Save, SetTap, StartRecording
from signaling.law.reported import (
    LogClosed,
    MediaClosed,
    Negotiated,
    RecorderCame,
    RecorderLost,
    RecorderRefused,
    RecordingStarted,
    RoomFound,
    RoomOpened,
    TapSet,
    TimePassed,
    TracksChanged,
    TransportChanged,
    WorkerLost,
)
from signaling.law.terms import Track
from signaling.law.visit import RESTART_LEAP, Visit
from tests.signaling_parts import LIMITS, facts
from tests.visit_play import ARRIVED, LIVE, T0, TAPS_ON, Play, decided


@pytest.fixture
def play() -> Play:
    return Play()


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
    visit = Visit(facts(phase="live", seq=7), T0, LIMITS)
    assert Save() in visit.handle(SeatJoined("doctor"), T0)
    assert visit.handle(SeatJoined("patient"), T0) == [Push(urgent=False)]
    assert Push(urgent=True) in visit.handle(EndAsked("doctor", "left"), T0)
