"""A room under any order of offers, drops, gates and packets, hostile ones too: what must hold after each of them."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from media.control import Negotiate, Source, TracksChanged
from media.plane import IceCredentials, ProducerStarted, TransportMoved
from media.rooms.room import Room, RoomError
from media.rooms.surroundings import News, Surroundings
from media.sdp import SdpError
from media.tap import TapEnd, TapTrack
from tests.unit.recording_plane import RecordingPlane

FOLDER = Path(__file__).parent.parent / "fixtures" / "sdp"
OFFERS = [path.read_bytes().decode() for path in sorted(FOLDER.glob("*.sdp"))]
VISIT = (FOLDER / "chromium_visit_balanced.sdp").read_bytes().decode()
SEATS = ["doctor", "patient"]
SOURCES: list[Source] = ["microphone", "camera", "screen"]

seats = st.sampled_from(SEATS)
tracks = st.sampled_from([f"{seat}.{source}" for seat in SEATS for source in SOURCES])


class Handles:
    """A tap that insists on the order TRACK, END, and on nobody using a handle twice."""

    def __init__(self) -> None:
        self.live: dict[int, TapTrack] = {}
        self._numbers = count(1)

    def begin(self, track: TapTrack) -> int:
        handle = next(self._numbers)
        self.live[handle] = msgspec.structs.replace(track, handle=handle)
        return handle

    def end(self, end: TapEnd) -> None:
        del self.live[end.handle]


class RoomMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.plane, self.tap, self.news = RecordingPlane(), Handles(), list[News]()
        self.recorded: set[str] = set()
        numbers = count(1)
        given = Surroundings(
            self.plane,
            self.tap,
            self.news.append,
            lambda: next(numbers),
            lambda: IceCredentials(f"u{next(numbers)}", "p" * 24),
            lambda: 0,
        )
        self.room = Room("r", given)

    @rule(
        seat=seats,
        pc=st.sampled_from("ab"),
        sdp=st.sampled_from(OFFERS),
        publish=st.dictionaries(st.sampled_from("0145"), st.sampled_from(SOURCES), max_size=3),
        subscribe=st.dictionaries(st.sampled_from("0123"), tracks, max_size=3),
    )
    def offer(self, seat: str, pc: str, sdp: str, publish: dict[str, Source], subscribe: dict[str, str]) -> None:
        before = self.room.tracks
        try:
            said = self.room.negotiate(Negotiate("r", seat, pc, sdp, publish, subscribe))
        except (SdpError, RoomError):
            assert self.room.tracks == before
        else:
            assert {track.id for track in said.tracks} == {f"{seat}.{source}" for source in publish.values()}

    @rule(seat=seats)
    def meet(self, seat: str) -> None:
        """An offer that is always good, so that most runs have something to lose."""
        others = [track for track in self.room.tracks if track.seat != seat]
        mids = {"audio": "2", "video": "3"}
        subscribe = {mids[track.kind]: track.id for track in others}
        self.room.negotiate(Negotiate("r", seat, "a", VISIT, {"0": "microphone", "1": "camera"}, subscribe))

    @rule(seat=seats)
    def drop(self, seat: str) -> None:
        self.room.drop(seat)

    @rule(seat=seats, on=st.booleans())
    def record(self, seat: str, on: bool) -> None:
        self.room.record(seat, on)
        self.recorded = self.recorded | {seat} if on else self.recorded - {seat}

    @rule(track=tracks, ssrc=st.integers(1, 3))
    def first_packet(self, track: str, ssrc: int) -> None:
        name = f"r/{track}"
        known = name in self.plane.producers
        self.room.started(self.plane.start(name, ssrc) if known else ProducerStarted(name, ssrc, 96, "VP8"))

    @rule(seat=seats)
    def silence(self, seat: str) -> None:
        for key in [key for key in self.plane.transports if key.startswith(f"r/{seat}/")]:
            self.plane.close_transport(key)
            self.room.moved(TransportMoved(key, "gone"))

    @invariant()
    def the_plane_holds_what_the_room_says(self) -> None:
        assert set(self.plane.producers) == {f"r/{track.id}" for track in self.room.tracks}
        assert len(self.plane.transports) == self.room.transports
        assert all(spec.track in self.plane.producers for _, spec in self.plane.consumers.values())
        ssrcs = [spec.ssrc for _, spec in self.plane.consumers.values()]
        assert len(set(ssrcs)) == len(ssrcs)

    @invariant()
    def only_seats_with_an_open_gate_are_tapped(self) -> None:
        assert self.plane.recorded == {f"r/{t.seat}.{t.source}": handle for handle, t in self.tap.live.items()}
        assert {track.seat for track in self.tap.live.values()} <= self.recorded

    @invariant()
    def signaling_was_told_the_tracks_there_are(self) -> None:
        told = [news.tracks for news in self.news if isinstance(news, TracksChanged)]
        assert (told[-1] if told else []) == self.room.tracks

    def teardown(self) -> None:
        self.room.close()
        assert (self.plane.transports, self.plane.producers, self.tap.live) == ({}, {}, {})


TestRoom = RoomMachine.TestCase
TestRoom.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
