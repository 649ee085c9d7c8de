"""Runs of frames into one playable file, payloads unchanged, every run ending at a cluster."""

from __future__ import annotations

import io

import av
import pytest

from recorder.muxer import Muxer, TimedFrame, TrackShape, avc_configuration
from tests.tapping import clip

OPUS, VP8 = TrackShape("opus"), TrackShape("VP8", width=320, height=240)


def read(content: bytes) -> list[tuple[str, int, bytes]]:
    with av.open(io.BytesIO(content)) as file:
        return [(p.stream.type, p.pts, bytes(p)) for p in file.demux() if p.pts is not None]


def test_runs_follow_each_other_in_one_file_on_absolute_time() -> None:
    muxer = Muxer([OPUS, VP8])
    audio, video = clip().frames["microphone"], [b"\x10\x00\x00\x9d\x01\x2a\x40\x01\xf0\x00", b"\x11abc"]
    first = muxer.clusters([TimedFrame(0, 61_000, True, audio[0], 20), TimedFrame(1, 61_005, True, video[0])])
    second = muxer.clusters([TimedFrame(0, 61_020, True, audio[1], 20), TimedFrame(1, 61_040, False, video[1])])
    assert first[:4] == second[:4] == b"\x1f\x43\xb6\x75"
    assert sorted(read(muxer.init + first + second)) == [
        ("audio", 61_000, audio[0]),
        ("audio", 61_020, audio[1]),
        ("video", 61_005, video[0]),
        ("video", 61_040, video[1]),
    ]
    assert read(muxer.init + second) == read(muxer.init + first + second)[2:]
    muxer.close()


def test_a_later_life_writes_the_same_head_and_goes_on() -> None:
    muxer = Muxer([OPUS])
    muxer.clusters([TimedFrame(0, 500, True, b"\xfcabc", 20)])
    again = Muxer([OPUS], muxer.last_ms)
    assert again.init == muxer.init
    assert [at for _, at, _ in read(again.init + again.clusters([TimedFrame(0, 480, True, b"\xfcx", 20)]))] == [501]


def test_times_that_do_not_rise_are_moved_by_a_millisecond() -> None:
    muxer = Muxer([OPUS])
    frames = [TimedFrame(0, at, True, b"\xfc" + bytes([at]), 20) for at in (5, 5, 3, 9)]
    assert [at for _, at, _ in read(muxer.init + muxer.clusters(frames))] == [5, 6, 7, 9]


@pytest.mark.parametrize(
    ("tracks", "container"),
    [
        ([OPUS], "webm"),
        ([VP8], "webm"),
        (
            [TrackShape("H264", width=16, height=16, private=avc_configuration(b"\x67\x42\xe0\x1f\x8c", b"\x68\xce"))],
            "matroska",
        ),
    ],
)
def test_h264_makes_it_matroska(tracks: list[TrackShape], container: str) -> None:
    assert Muxer(tracks).container == container


def test_nothing_to_write_writes_nothing() -> None:
    assert Muxer([OPUS]).clusters([]) == b""
