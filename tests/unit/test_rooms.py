"""All rooms of a worker: requests in, answers out, and one room's bug is its own."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import count

import pytest

from config.link import Refused
from media.control import (
    Answered,
    AskRoom,
    AskStats,
    CloseRoom,
    Done,
    Drop,
    Greet,
    Greeted,
    Negotiate,
    OpenRoom,
    Record,
    RoomState,
    Stats,
)
from media.plane import IceCredentials, ProducerStarted, TransportMoved
from media.rooms.registry import Rooms
from media.rooms.surroundings import News, Surroundings
from tests.unit.recording_plane import RecordingPlane
from tests.unit.test_room import AV, OFFERS, WrittenTap

SDP = (OFFERS / "chromium_publish.sdp").read_bytes().decode()
GREETED = Greeted("media-0", 1, "m-1", ["127.0.0.1:7900"])


class Still:
    def cpu_s(self) -> float:
        return 1.5

    def rss_bytes(self) -> int:
        return 7

    def drops(self) -> Mapping[str, int]:
        return {"size": 3}


class Ruled:
    def __init__(self) -> None:
        self.plane, self.news = RecordingPlane(), list[News]()
        numbers = count(1)
        given = Surroundings(
            self.plane,
            WrittenTap(),
            self.news.append,
            lambda: next(numbers),
            lambda: IceCredentials(f"u{next(numbers)}", "p" * 24),
            lambda: 0,
        )
        self.rooms = Rooms(given, GREETED, Still())

    def offer(self, room: str, seat: str = "doctor", sdp: str = SDP) -> object:
        return self.rooms.answer(Negotiate(room, seat, "a", sdp, AV, {}))


@pytest.fixture
def ruled() -> Ruled:
    made = Ruled()
    for room in ("v1", "v2"):
        assert made.rooms.answer(OpenRoom(room)) == Done()
    return made


def code(answer: object) -> str:
    assert isinstance(answer, Refused)
    return answer.code


def test_a_link_is_greeted_and_another_protocol_is_refused(ruled: Ruled) -> None:
    assert ruled.rooms.answer(Greet()) == GREETED
    assert code(ruled.rooms.answer(Greet(protocol=2))) == "version_unsupported"


def test_opening_twice_changes_nothing_and_closing_the_unknown_is_fine(ruled: Ruled) -> None:
    ruled.offer("v1")
    assert ruled.rooms.answer(OpenRoom("v1")) == Done()
    assert ruled.rooms.answer(CloseRoom("v9")) == Done()
    state = ruled.rooms.answer(AskRoom("v1"))
    assert isinstance(state, RoomState)
    assert [track.id for track in state.tracks] == ["doctor.microphone", "doctor.camera"]


def test_what_cannot_be_done_is_refused_with_a_stable_code(ruled: Ruled) -> None:
    assert code(ruled.offer("v9")) == "room_unknown"
    assert code(ruled.rooms.answer(AskRoom("v9"))) == "room_unknown"
    assert code(ruled.offer("v1", sdp="nonsense")) == "sdp_invalid"
    assert code(ruled.offer("v1", seat="a.b")) == "seat_invalid"
    assert code(ruled.rooms.answer(OpenRoom("a/b"))) == "room_invalid"
    assert code(ruled.rooms.answer(Negotiate("v1", "patient", "a", SDP, {}, {"0": "doctor.screen"}))) == "track_unknown"


def test_two_rooms_publish_under_different_names(ruled: Ruled) -> None:
    assert isinstance(ruled.offer("v1"), Answered)
    assert isinstance(ruled.offer("v2"), Answered)
    assert set(ruled.plane.producers) == {f"v{n}/doctor.{s}" for n in (1, 2) for s in ("microphone", "camera")}


def test_events_find_their_room_and_those_of_closed_rooms_are_ignored(ruled: Ruled) -> None:
    ruled.offer("v1")
    ruled.rooms.answer(Record("v1", "doctor", on=True))
    ruled.rooms.heard(ruled.plane.start("v1/doctor.camera"))
    assert ruled.plane.recorded == {"v1/doctor.camera": 1}
    ruled.rooms.answer(Drop("v1", "doctor"))
    ruled.rooms.answer(CloseRoom("v1"))
    ruled.rooms.heard(TransportMoved("v1/doctor/1", "gone"))
    ruled.rooms.heard(ProducerStarted("v1/doctor.camera", 1, 96, "VP8"))
    assert ruled.plane.transports == {}


def test_a_bug_in_one_room_ends_that_room_only(ruled: Ruled, caplog: pytest.LogCaptureFixture) -> None:
    ruled.offer("v1")
    ruled.offer("v2")
    ruled.plane.fail_on = "open"
    with caplog.at_level(logging.ERROR):
        assert code(ruled.offer("v1", seat="patient")) == "internal"
    ruled.plane.fail_on = None
    assert caplog.messages == ["room failed"]
    assert code(ruled.rooms.answer(AskRoom("v1"))) == "room_unknown"
    assert set(ruled.plane.transports) == {"v2/doctor/1"}
    assert isinstance(ruled.offer("v2", seat="patient"), Answered)


def test_a_bug_while_a_room_closes_is_survived_too(ruled: Ruled, caplog: pytest.LogCaptureFixture) -> None:
    ruled.offer("v1")
    ruled.plane.fail_on = "unpublish"
    with caplog.at_level(logging.ERROR):
        ruled.rooms.answer(CloseRoom("v1"))
    assert caplog.messages == ["room failed while it closed"]
    assert ruled.rooms.answer(OpenRoom("v1")) == Done()


def test_stats_count_what_is_gone_as_well(ruled: Ruled) -> None:
    ruled.offer("v1")
    ruled.offer("v2")
    ruled.rooms.answer(CloseRoom("v1"))
    said = ruled.rooms.answer(AskStats())
    assert said == Stats(1, 1, 20, 40, 2000, 4000, 1.5, 7, {"size": 3})
