"""What seats are shown of each other: told to everyone, on the record, and asked for again of a new room."""

from __future__ import annotations

from dataclasses import replace

from signaling.law import snapshot
from signaling.law.asked import Viewed
from signaling.law.outputs import Note, SetView
from signaling.law.reported import (
    CodecMissed,
    Negotiated,
    PictureChanged,
    RoomOpened,
    SizeWished,
    TracksChanged,
    TransportChanged,
)
from signaling.law.terms import Picture, Track
from tests.visit_play import AGREED, LIVE, Play, refused

CAMERA = Track("doctor.camera", "doctor", "camera", "video", "VP8")
SMALL = Picture("patient", "doctor.camera", True, 180, "network")
NONE = Picture("patient", "doctor.camera", False, None, "network")
BEST = Picture("patient", "doctor.camera", True, 720, "")


def live() -> Play:
    play = Play()
    play(*LIVE, RoomOpened("m-1"), TracksChanged((CAMERA,)))
    return play


def notes(play: Play, *pictures: Picture) -> list[tuple[object, object]]:
    said = play(*(PictureChanged(each) for each in pictures))
    return [(o.body["state"], o.body["detail"]) for o in said if isinstance(o, Note) and o.body["event"] == "picture"]


def test_a_lesser_picture_is_shown_to_both_and_on_the_record_and_so_is_its_return() -> None:
    play = live()
    assert notes(play, SMALL) == [("small", {"track": "doctor.camera", "lines": 180, "why": "network"})]
    assert notes(play, NONE) == [("none", {"track": "doctor.camera", "lines": None, "why": "network"})]
    for seat in ("doctor", "patient"):
        assert snapshot.state(play.visit, seat, play.now)["pictures"] == [
            {"seat": "patient", "track": "doctor.camera", "shown": False, "lines": None, "why": "network"}
        ]
    assert notes(play, BEST) == [("full", {"track": "doctor.camera", "lines": 720, "why": ""})]
    assert snapshot.state(play.visit, "doctor", play.now)["pictures"] == []


def test_cameras_are_sent_as_everybody_in_the_visit_can_decode_them() -> None:
    play = live()
    assert snapshot.state(play.visit, "doctor", play.now, None, "VP9")["media"]["camera"] == "VP9"
    play(CodecMissed())
    for seat in ("doctor", "patient"):
        assert snapshot.state(play.visit, seat, play.now, None, "VP9")["media"]["camera"] == "VP8"


def test_the_same_again_and_what_is_as_good_as_it_can_be_is_no_news() -> None:
    play = live()
    assert notes(play, BEST) == []
    assert len(notes(play, SMALL, SMALL)) == 1


def test_what_was_said_of_a_transport_or_a_track_that_is_gone_is_forgotten() -> None:
    play = live()
    play(PictureChanged(SMALL), Negotiated("patient", "p2"))
    assert play.visit.life.pictures == ()
    play(PictureChanged(SMALL), SizeWished("doctor", "camera", 300_000), TracksChanged(()))
    assert play.visit.life.pictures == ()
    assert not play.visit.life.wishes["doctor"]
    assert notes(play, SMALL) == []


def test_nothing_is_left_of_what_a_page_wanted_that_closed_its_transport_and_came_back() -> None:
    play = live()
    play(
        Negotiated("patient", "p1"),
        PictureChanged(replace(NONE, why="asked")),
        TransportChanged("patient", "p1", "none"),
    )
    assert play.visit.life.pictures == ()
    play(TransportChanged("patient", "p2", "connecting"), PictureChanged(SMALL), Negotiated("patient", "p2"))
    assert play.visit.life.pictures == (SMALL,)


def test_only_its_sender_is_told_how_big_a_small_picture_should_be() -> None:
    play = live()
    play(SizeWished("doctor", "camera", 300_000))
    assert snapshot.state(play.visit, "doctor", play.now)["you"]["send"] == {"camera": 300_000}
    assert snapshot.state(play.visit, "patient", play.now)["you"]["send"] == {}
    play(SizeWished("doctor", "camera", None))
    assert snapshot.state(play.visit, "doctor", play.now)["you"]["send"] == {}


def test_a_seat_may_ask_for_less_and_a_new_room_hears_it_again() -> None:
    play = Play()
    play(*AGREED)
    assert refused(play, Viewed("doctor", "small", "best")) == "phase_wrong"
    play = live()
    asked = SetView("doctor", "none", "best")
    assert play(Viewed("doctor", "none", "best")) == [asked]
    assert play(Viewed("doctor", "none", "best")) == []
    assert asked in play(RoomOpened("m-2"))
    assert snapshot.state(play.visit, "doctor", play.now)["you"]["view"] == {"camera": "none", "screen": "best"}
