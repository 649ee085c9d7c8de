"""Whether a part goes on with a frame, or another begins with it: each reason by itself."""

from __future__ import annotations

from media.tap import TapTrack
from recorder.tape.depacketize import MediaFrame
from recorder.tape.muxer import TrackShape
from recorder.tape.part import OpenPart
from recorder.tape.parting import NEWCOMER_WAIT_US, PAUSE_MS, Parting, is_lost, lost_before
from recorder.tape.track import Frozen, PlacedFrame, Track

SETS = b"sps", b"pps"
END_MS = 100
"""Where the part's last frame ended."""


def sound(epoch: str = "m", ssrc: int = 1) -> Track:
    return Track(epoch, TapTrack(ssrc, "v", "patient", "microphone", "opus", 48_000, 111, ssrc), 0)


def picture(epoch: str = "m", ssrc: int = 2) -> Track:
    return Track(epoch, TapTrack(ssrc, "v", "patient", "camera", "VP8", 90_000, 96, ssrc), 0)


def part_of(*tracks: Track, resumed: bool = False) -> OpenPart:
    shapes = [TrackShape("opus") if t.kind == "audio" else TrackShape("VP8", width=64, height=48) for t in tracks]
    part = OpenPart(1, list(tracks), shapes, [0] * len(tracks) if resumed else None)
    part.awaiting.clear()
    return part


def frame(
    track: Track,
    at_ms: int = END_MS,
    *,
    keyframe: bool = False,
    jumped: bool = False,
    parameters: tuple[bytes, bytes] | None = None,
) -> PlacedFrame:
    made = MediaFrame(at_ms, keyframe or track.kind == "audio", b"x", at_ms * 1000, 1, 1, parameters=parameters)
    return PlacedFrame(at_ms * 1000, track, made, jumped)


def why(
    part: OpenPart | None, placed: PlacedFrame, parting: Parting | None = None, replace: bool = False
) -> str | None:
    return (parting or Parting("start")).why_new(part, placed, END_MS, replace)


def everything_flows(_: Track) -> bool:
    return True


def nothing_flows(_: Track) -> bool:
    return False


def test_a_frame_of_the_part_goes_on() -> None:
    for track in (mic := sound(), camera := picture()):
        assert why(part_of(mic, camera), frame(track)) is None


def test_where_no_part_is_open_the_reason_is_what_was_remembered() -> None:
    assert why(None, frame(sound()), Parting("recovered")) == "recovered"


def test_a_track_that_the_part_does_not_have_begins_another() -> None:
    camera = picture()
    assert why(part_of(camera), frame(sound())) == "tracks"
    assert why(part_of(camera), frame(picture(ssrc=9))) == "ssrc"
    assert why(part_of(camera, resumed=True), frame(picture(epoch="n"))) == "recovered"
    other = Track("m", TapTrack(9, "v", "patient", "camera", "H264", 90_000, 97, 9), 0)
    assert why(part_of(camera), frame(other)) == "codec"


def test_a_jump_of_timestamps_speaks_for_another_part_until_it_has_begun() -> None:
    camera, parting = picture(), Parting("start")
    part = part_of(camera)
    assert why(part, frame(camera, jumped=True), parting) == "timestamps"
    assert why(part, frame(camera), parting) == "timestamps"
    parting.begun()
    assert why(part, frame(camera), parting) is None


def test_after_a_pause_another_part_begins() -> None:
    mic = sound()
    assert why(part_of(mic), frame(mic, END_MS + PAUSE_MS)) is None
    assert why(part_of(mic), frame(mic, END_MS + PAUSE_MS + 1)) == "pause"


def test_other_parameter_sets_are_another_codec() -> None:
    camera = picture()
    camera.parameters = SETS
    assert why(part_of(camera), frame(camera, keyframe=True, parameters=SETS)) is None
    assert why(part_of(camera), frame(camera, keyframe=True, parameters=(b"sps", b"other"))) == "codec"


def test_tracks_to_be_placed_anew_are_so_at_the_pictures_keyframe() -> None:  # PARTING-2
    mic, camera = sound(), picture()
    part = part_of(mic, camera)
    assert why(part, frame(camera), replace=True) is None
    assert why(part, frame(mic), replace=True) is None
    assert why(part, frame(camera, keyframe=True), replace=True) == "timestamps"
    assert why(part_of(mic), frame(mic), replace=True) == "timestamps"


def test_a_sound_that_joins_waits_for_the_keyframe_it_asks_for() -> None:  # PARTING-3
    mic, camera, parting = sound(), picture(), Parting("start")
    part = part_of(camera)
    joining = [frame(mic, at_ms) for at_ms in (100, 120, 140)]
    assert all(parting.wait(part, one, everything_flows) for one in joining)
    assert list(parting) == joining
    assert why(part, frame(camera, 130), parting) is None
    assert why(part, frame(camera, 130, keyframe=True), parting) == "tracks"
    assert parting.readmitted(130_000) == [joining[2]]
    assert mic.frozen == [Frozen("microphone", 100, 130)]
    assert list(parting) == []


def test_a_sound_waits_for_no_picture_that_does_not_come_and_not_for_ever() -> None:
    mic, camera, parting = sound(), picture(), Parting("start")
    part = part_of(camera)
    assert not parting.wait(part, frame(mic), nothing_flows)
    assert not parting.wait(None, frame(mic), everything_flows)
    assert parting.wait(part, frame(mic), everything_flows)
    assert not parting.wait(part, frame(mic, END_MS + NEWCOMER_WAIT_US // 1000 + 1), everything_flows)
    parting.ended(0)
    assert list(parting) == []


def test_what_follows_a_lost_worker_or_transport_is_another_part() -> None:  # PARTING-1
    old, new = picture(), picture(epoch="n")
    assert not lost_before(part_of(old), picture(ssrc=9))
    assert lost_before(part_of(old), new)
    part = part_of(old)
    assert not is_lost(part, [new]), "the old one may still come"
    old.ended = old.transport_gone = True
    assert lost_before(part, picture(ssrc=9))
    assert not is_lost(part, [new]), "nothing came of the new one"
    new.last_arrival_us = 1
    assert is_lost(part, [new])
    assert not is_lost(part, [old, new]), "something of the old one still waits"


def test_nothing_is_calm_while_another_part_is_wanted_or_a_keyframe_awaited() -> None:
    camera, mic, parting = picture(), sound(), Parting("start")
    part = part_of(camera)
    assert parting.calm(part, False)
    assert not parting.calm(part, True)
    assert parting.wait(part, frame(mic), everything_flows)
    assert not parting.calm(part, False), "a sound waits to join"
    parting.ended(0)
    part.awaiting.add(0)
    assert not parting.calm(part, False)
    part.awaiting.clear()
    assert why(part, frame(camera, jumped=True), parting) == "timestamps"
    assert not parting.calm(part, False)
