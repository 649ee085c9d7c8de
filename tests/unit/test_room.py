"""One room over a plane that writes down what it is told."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path

import msgspec
import pytest

from media.control import Answered, Negotiate, Quality, Source, TracksChanged, TransportChanged
from media.plane import DataPlane, IceCredentials, TransportMoved
from media.rooms.room import Room, SourceTaken, TrackUnknown
from media.rooms.surroundings import News, Surroundings, Traffic
from media.sdp import SdpInvalid
from media.tap import TapEnd, TapTrack
from tests.unit.recording_plane import RecordingPlane

OFFERS = Path(__file__).parent.parent / "fixtures" / "sdp"
AV: dict[str, Source] = {"0": "microphone", "1": "camera"}
SEEN = {"2": "doctor.microphone", "3": "doctor.camera"}


class WrittenTap:
    def __init__(self) -> None:
        self.said: list[TapTrack | TapEnd] = []
        self.handles = count(1)

    def begin(self, track: TapTrack) -> int:
        self.said.append(msgspec.structs.replace(track, handle=next(self.handles)))
        return self.said[-1].handle

    def end(self, end: TapEnd) -> None:
        self.said.append(end)


class Played:
    """A room, and everything it said to plane, tap and signaling."""

    def __init__(self) -> None:
        self.plane, self.tap, self.news = RecordingPlane(), WrittenTap(), list[News]()
        numbers = count(1000)
        given = Surroundings(
            plane=(plane := self.plane),
            tap=self.tap,
            tell=self.news.append,
            new_ssrc=lambda: next(numbers),
            new_credentials=lambda: IceCredentials(f"u{next(numbers)}", "p" * 24),
            now_us=lambda: 42,
        )
        _: DataPlane = plane
        self.room = Room("r", given)

    def offer(
        self,
        seat: str,
        scenario: str = "chromium_visit_balanced",
        publish: dict[str, Source] | None = None,
        subscribe: dict[str, str] | None = None,
        pc: str = "a",
    ) -> Answered:
        sdp = (OFFERS / f"{scenario}.sdp").read_bytes().decode()
        return self.room.negotiate(Negotiate("r", seat, pc, sdp, AV if publish is None else publish, subscribe or {}))

    def both(self) -> None:
        self.offer("doctor")
        self.offer("patient", subscribe=SEEN)

    def start(self, track: str, ssrc: int = 7) -> None:
        self.room.started(self.plane.start(f"r/{track}", ssrc))


@pytest.fixture
def play() -> Played:
    return Played()


def tracks_told(play: Played) -> list[str]:
    return [track.id for track in [n for n in play.news if isinstance(n, TracksChanged)][-1].tracks]


def test_a_seat_publishes_and_the_other_subscribes(play: Played) -> None:
    play.both()
    assert [t.id for t in play.room.tracks] == [
        "doctor.microphone",
        "doctor.camera",
        "patient.microphone",
        "patient.camera",
    ]
    assert {spec.track for _, spec in play.plane.consumers.values()} == {"r/doctor.microphone", "r/doctor.camera"}
    assert tracks_told(play) == [t.id for t in play.room.tracks]
    ssrcs = [n for _, spec in play.plane.consumers.values() for n in (spec.ssrc, spec.rtx_ssrc) if n is not None]
    assert len(set(ssrcs)) == len(ssrcs)


def test_a_refused_offer_changes_nothing(play: Played) -> None:
    play.both()
    before, _ = list(play.plane.producers), play.plane.log.clear()
    with pytest.raises(TrackUnknown):
        play.offer("patient", subscribe={"2": "doctor.screen"})
    with pytest.raises(TrackUnknown):
        play.offer("patient", publish={}, subscribe={"3": "patient.camera"})
    with pytest.raises(SourceTaken):
        play.offer("patient", publish={"0": "microphone", "1": "microphone"})
    with pytest.raises(SdpInvalid):
        play.offer("patient", publish={"7": "camera"}, pc="b")
    assert play.plane.log == []
    assert list(play.plane.producers) == before


def test_the_same_offer_again_touches_nothing_but_the_answers_version(play: Played) -> None:
    play.both()
    play.plane.log.clear()
    first = play.offer("patient", subscribe=SEEN)
    again = play.offer("patient", subscribe=SEEN)
    assert play.plane.log == []
    assert re.sub(r"o=- 1 \d+", "", first.sdp) == re.sub(r"o=- 1 \d+", "", again.sdp)
    assert first.sdp != again.sdp


def test_a_screen_comes_and_goes_by_renegotiation(play: Played) -> None:
    play.both()
    play.offer("doctor", "chromium_visit_screen_on", {**AV, "4": "screen"})
    assert "doctor.screen" in tracks_told(play)
    play.offer("doctor", "chromium_visit_screen_off", AV)
    assert "doctor.screen" not in tracks_told(play)
    assert "r/doctor.screen" not in play.plane.producers
    assert play.plane.calls("open") == [("open", "r/doctor/1"), ("open", "r/patient/2")]


def test_an_ice_restart_keeps_the_transport_and_changes_our_credentials(play: Played) -> None:
    first = play.offer("doctor")
    said = play.offer("doctor", "chromium_visit_ice_restart", {"0": "microphone"})
    assert play.plane.calls("restart", "open") == [("open", "r/doctor/1"), ("restart", "r/doctor/1")]
    assert re.findall("a=ice-ufrag:(.*)\r", first.sdp)[0] not in re.findall("a=ice-ufrag:(.*)\r", said.sdp)
    before, after = ([int(p) for p in re.findall(r"a=candidate:\S+ 1 \S+ (\d+) ", told.sdp)] for told in (first, said))
    assert min(after) > max(before), "the ways of the restart are preferred to those before"


def test_a_new_pc_takes_the_tracks_over_and_watchers_go_on(play: Played) -> None:
    play.both()
    watching = dict(play.plane.consumers)
    play.plane.log.clear()
    play.offer("doctor", pc="b")
    assert play.plane.log == [
        ("open", "r/doctor/3"),
        ("publish", "r/doctor/3", "r/doctor.microphone"),
        ("publish", "r/doctor/3", "r/doctor.camera"),
        ("close", "r/doctor/1"),
    ]
    assert play.plane.consumers == watching
    assert "gone" not in [n.state for n in play.news if isinstance(n, TransportChanged)]


def test_what_the_new_pc_does_not_publish_has_ended(play: Played) -> None:
    play.both()
    play.offer("doctor", publish={"0": "microphone"}, pc="b")
    assert tracks_told(play) == ["doctor.microphone", "patient.microphone", "patient.camera"]
    assert [spec.track for _, spec in play.plane.consumers.values()] == ["r/doctor.microphone"]


def test_a_subscription_that_is_left_out_ends(play: Played) -> None:
    play.both()
    play.offer("patient", subscribe={"2": "doctor.microphone"})
    assert [spec.track for _, spec in play.plane.consumers.values()] == ["r/doctor.microphone"]


def test_a_track_that_returns_goes_on_under_the_ssrc_that_was_answered(play: Played) -> None:
    play.both()
    watching = dict(play.plane.consumers)
    play.room.drop("doctor")
    assert not play.plane.consumers
    play.offer("doctor", pc="b")
    assert play.plane.consumers == watching
    play.plane.log.clear()
    play.offer("patient", subscribe=SEEN)
    assert play.plane.log == []


def test_a_transport_that_is_gone_takes_its_tracks_along(play: Played) -> None:
    play.both()
    play.room.record("doctor", on=True)
    play.start("doctor.camera")
    play.plane.close_transport("r/doctor/1")  # as the plane does by itself after 30 s
    play.room.moved(TransportMoved("r/doctor/1", "gone"))
    assert tracks_told(play) == ["patient.microphone", "patient.camera"]
    assert play.news[-1] == TransportChanged("r", "doctor", "a", "gone")
    assert play.tap.said[-1] == TapEnd(1, 42, "transport_gone")
    play.offer("doctor", pc="b")


def test_news_of_a_replaced_transport_is_ignored(play: Played) -> None:
    play.both()
    play.offer("doctor", pc="b")
    play.news.clear()
    play.room.moved(TransportMoved("r/doctor/1", "gone"))
    assert play.news == []
    assert len(play.room.tracks) == 4


def test_nothing_is_tapped_until_record_and_until_the_first_packet(play: Played) -> None:
    play.both()
    play.start("doctor.microphone")
    assert play.plane.recorded == {}
    play.room.record("doctor", on=True)
    assert play.plane.recorded == {"r/doctor.microphone": 1}
    play.start("doctor.camera", 8)
    play.start("patient.camera", 9)
    assert play.plane.recorded == {"r/doctor.microphone": 1, "r/doctor.camera": 2}
    assert play.tap.said[1] == TapTrack(2, "r", "doctor", "camera", "VP8", 90000, 96, 8)
    microphone = play.tap.said[0]
    assert isinstance(microphone, TapTrack)
    assert (microphone.codec, microphone.channels, microphone.clock_rate) == ("opus", 2, 48000)


def test_the_track_is_said_before_its_packets_and_the_keyframe_is_asked_for(play: Played) -> None:
    play.both()
    play.room.record("doctor", on=True)
    play.plane.log.clear()
    play.start("doctor.camera")
    assert play.plane.log == [("record", "r/doctor.camera", 1), ("keyframe", "r/doctor.camera")]


def test_after_record_off_nothing_of_the_seat_is_tapped(play: Played) -> None:
    play.both()
    play.room.record("doctor", on=True)
    play.start("doctor.camera")
    play.room.record("doctor", on=False)
    assert play.plane.recorded == {}
    assert play.tap.said[-1] == TapEnd(1, 42, "not_recorded")
    play.start("doctor.microphone")
    assert play.plane.recorded == {}
    play.room.record("doctor", on=True)
    assert play.plane.recorded == {"r/doctor.microphone": 2, "r/doctor.camera": 3}


def test_a_publisher_that_comes_back_begins_a_new_handle(play: Played) -> None:
    play.both()
    play.room.record("doctor", on=True)
    play.start("doctor.camera", 8)
    play.offer("doctor", pc="b")
    assert play.tap.said[-1] == TapEnd(1, 42, "unpublished")
    assert play.plane.recorded == {}
    play.start("doctor.camera", 9)
    assert play.plane.recorded == {"r/doctor.camera": 2}


def test_a_changed_ssrc_begins_a_new_handle_and_the_same_does_not(play: Played) -> None:
    play.both()
    play.room.record("doctor", on=True)
    for ssrc in (8, 8, 9):
        play.start("doctor.camera", ssrc)
    assert [type(said) for said in play.tap.said] == [TapTrack, TapEnd, TapTrack]


def test_an_undecodable_track_is_answered_inactive_and_not_subscribed(play: Played) -> None:
    sdp = (OFFERS / "chromium_publish.sdp").read_bytes().decode()
    first = re.search(r"m=video 9 UDP/TLS/RTP/SAVPF (.*)\r", sdp)
    h264 = re.findall(r"a=rtpmap:(\d+) H264/90000", sdp)
    assert first is not None
    sdp = sdp.replace(first[1], " ".join(h264))
    play.room.negotiate(Negotiate("r", "doctor", "a", sdp, AV, {}))
    assert [t.codec for t in play.room.tracks] == ["opus", "H264"]
    said = play.offer("patient", "firefox_subscribe", publish={}, subscribe={"1": "doctor.camera"})
    assert "a=inactive" in said.sdp
    assert not play.plane.consumers


def test_a_closed_room_leaves_nothing(play: Played) -> None:
    play.both()
    play.room.record("doctor", on=True)
    play.start("doctor.camera")
    play.room.close()
    assert (play.plane.transports, play.plane.producers, play.plane.consumers) == ({}, {}, {})
    assert play.tap.said[-1] == TapEnd(1, 42, "room_closed")
    assert play.room.traffic == Traffic(20, 40, 2000, 4000)


def test_quality_tells_the_rate_since_it_was_last_told(play: Played) -> None:
    play.both()
    play.room.tell_quality()
    assert not [n for n in play.news if isinstance(n, Quality)]
    play.room.moved(TransportMoved("r/doctor/1", "connected"))
    play.room.tell_quality()
    assert play.news[-1] == Quality("r", "doctor", 0.5, 0.25, 12.0, 0, 0)
    assert play.room.state.seats["doctor"].state == "connected"
