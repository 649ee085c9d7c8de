"""What of a stream is there, and why the rest is not."""

from __future__ import annotations

from media.tap import TapTrack
from recorder.evidence import records
from recorder.tape.covering import Covering
from recorder.tape.depacketize import MediaFrame
from recorder.tape.output import Output, Said
from recorder.tape.track import Track


def camera() -> Track:
    return Track("m", TapTrack(1, "v", "patient", "camera", "VP8", 90_000, 96, 1), 0)


def segment(from_ms: int, to_ms: int) -> records.Segment:
    return records.Segment(
        stream="patient",
        part=1,
        n=1,
        name="streams/patient/part-001/seg-000001.webm",
        bytes=1,
        sha256="0" * 64,
        sm3="0" * 64,
        from_ms=from_ms,
        to_ms=to_ms,
        keyframe=True,
        forced=False,
        enc="none",
        tracks=[],
    )


def gaps(covering: Covering, to_ms: int, tracks: list[Track]) -> list[tuple[int, int, str]]:
    out: list[Output] = []
    covering.declare_to(to_ms, tracks, out)
    bodies = [said.body for said in out if isinstance(said, Said) and isinstance(said.body, records.Gap)]
    return [(gap.from_ms, gap.to_ms, gap.cause) for gap in bodies]


def test_nothing_is_said_twice_and_nothing_left_out() -> None:
    covering, track = Covering("patient", 1000), camera()
    covering.begun([track], 1000)
    assert covering.to_ms == 1000
    assert gaps(covering, 3000, [track]) == [(1000, 3000, "network")]
    assert gaps(covering, 3000, [track]) == []
    covering.say("segment", segment(3000, 5000), [])
    assert (covering.to_ms, covering.sealed_to_ms) == (5000, 5000)


def test_a_device_that_is_off_is_why_nothing_comes() -> None:  # COVERING-1
    covering, track = Covering("patient", 0), camera()
    covering.begun([track], 0)
    covering.say("segment", segment(0, 2000), [])
    covering.devices["camera"] = "off"
    covering.publishing([track], 2000)
    covering.devices["camera"] = "on"
    covering.publishing([track], 5000)
    assert gaps(covering, 8000, [track]) == [(2000, 5000, "off"), (5000, 8000, "network")]


def test_a_transport_that_went_is_no_device_that_is_off() -> None:
    covering, track = Covering("patient", 0), camera()
    covering.begun([track], 0)
    covering.say("segment", segment(0, 2000), [])
    track.ended = True
    covering.ended([track], 2000, transport_gone=True)
    assert gaps(covering, 4000, [track]) == [(2000, 4000, "network")]
    covering.ended([track], 4000, transport_gone=False)
    assert gaps(covering, 6000, [track]) == [(4000, 6000, "off")]


def test_until_its_first_frame_a_source_is_off_for_a_moment_and_lost_after_that() -> None:  # COVERING-2
    for to_ms, cause in ((999, "off"), (1000, "network")):
        covering, track = Covering("patient", 0), camera()
        covering.begun([track], 0)
        assert gaps(covering, to_ms, [track]) == [(0, to_ms, cause)]


def test_what_the_recorder_could_not_keep_lasts_until_a_frame_that_came_after_it_kept_again() -> None:  # COVERING-3
    covering, track = Covering("patient", 0), camera()
    covering.begun([track], 0)
    covering.say("segment", segment(0, 2000), [])
    covering.away(2000)
    covering.back(3_000_000)
    assert covering.awaiting
    covering.kept(MediaFrame(0, True, b"x", 2_900_000, 1, 1), 2900)
    assert covering.awaiting, "it came before"
    covering.kept(MediaFrame(0, True, b"x", 3_100_000, 1, 2), 3100)
    assert not covering.awaiting
    assert gaps(covering, 5000, [track]) == [(2000, 3100, "recorder"), (3100, 5000, "network")]
