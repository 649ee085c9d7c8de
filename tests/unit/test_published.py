"""A published track and its recording."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import msgspec
import pytest

from media.plane import IceCredentials, ProducerSpec, ProducerStarted
from media.rooms.published import Published
from media.rooms.surroundings import Surroundings
from media.tap import TapEnd, TapTrack
from tests.unit.recording_plane import RecordingPlane

SPEC = ProducerSpec("r/patient.camera", "video", "1", {96: "VP8"}, 90000, ssrcs=(1,), pli=True)
STARTED = ProducerStarted(SPEC.track, 1, 96, "VP8")


class WrittenTap:
    def __init__(self) -> None:
        self.said: list[TapTrack | TapEnd] = []
        self._handles = count(5)

    def begin(self, track: TapTrack) -> int:
        self.said.append(msgspec.structs.replace(track, handle=next(self._handles)))
        return self.said[-1].handle

    def end(self, end: TapEnd) -> None:
        self.said.append(end)


@pytest.fixture
def tap() -> WrittenTap:
    return WrittenTap()


@pytest.fixture
def given(tap: WrittenTap) -> Surroundings:
    plane = RecordingPlane()
    plane.producers[SPEC.track] = ("r/patient/1", SPEC)
    return Surroundings(plane, tap, lambda _: None, lambda: 1, lambda: IceCredentials("u", "p"), lambda: 42)


def camera() -> Published:
    return Published.negotiated("patient", "camera", SPEC, {"camera": "", "microphone": "minptime=10", "screen": ""})


def test_it_is_recorded_under_one_handle_once_its_first_packet_has_come(given: Surroundings, tap: WrittenTap) -> None:
    published = camera()
    published.open_tap("r", given)
    assert tap.said == []
    published.started = STARTED
    published.open_tap("r", given)
    published.open_tap("r", given)
    assert tap.said == [TapTrack(5, "r", "patient", "camera", "VP8", 90000, 96, 1)]


def test_its_recording_ends_once_and_another_has_another_handle(given: Surroundings, tap: WrittenTap) -> None:
    published = camera()
    published.started = STARTED
    published.open_tap("r", given)
    published.shut_tap(given, "not_recorded")
    published.shut_tap(given, "room_closed")
    published.open_tap("r", given)
    assert tap.said[1] == TapEnd(5, 42, "not_recorded")
    assert [said.handle for said in tap.said] == [5, 5, 6]


def test_it_goes_on_while_codecs_and_streams_are_the_same() -> None:
    published = camera()
    assert published.goes_on_as(replace(SPEC, nack=True, remb=True))
    assert not published.goes_on_as(replace(SPEC, ssrcs=(2,)))
    assert not published.goes_on_as(replace(SPEC, codecs={98: "H264"}))
