"""Runs of frames into one playable file, payloads unchanged, every run ending at a cluster."""

from __future__ import annotations

import io
from pathlib import Path

import av
import pytest

from recorder.tape.codecs import depacketizer
from recorder.tape.muxer import Muxer, TrackShape, avc_configuration
from recorder.tape.order import RtpPacket
from tests.recordings import complaints, span_s
from tests.tapping import clip

OPUS, VP8 = TrackShape("opus"), TrackShape("VP8", width=320, height=240)


def read(content: bytes) -> list[tuple[str, int, bytes]]:
    with av.open(io.BytesIO(content)) as file:
        return [(p.stream.type, p.pts, bytes(p)) for p in file.demux() if p.pts is not None]


def test_runs_follow_each_other_in_one_file_on_absolute_time() -> None:
    muxer = Muxer([OPUS, VP8])
    audio, video = clip().frames["microphone"], [b"\x10\x00\x00\x9d\x01\x2a\x40\x01\xf0\x00", b"\x11abc"]
    first = muxer.clusters([(0, 61_000, True, audio[0]), (1, 61_005, True, video[0])])
    second = muxer.clusters([(0, 61_020, True, audio[1]), (1, 61_040, False, video[1])])
    assert first[:4] == second[:4] == b"\x1f\x43\xb6\x75"
    assert sorted(read(muxer.init + first + second)) == [
        ("audio", 61_000, audio[0]),
        ("audio", 61_020, audio[1]),
        ("video", 61_005, video[0]),
        ("video", 61_040, video[1]),
    ]
    assert read(muxer.init + second) == read(muxer.init + first + second)[2:]


def test_a_later_life_writes_the_same_head_and_goes_on() -> None:
    muxer = Muxer([OPUS])
    muxer.clusters([(0, 500, True, b"\xfcabc")])
    again = Muxer([OPUS], muxer.last_ms)
    assert again.init == muxer.init
    assert [at for _, at, _ in read(again.init + again.clusters([(0, 480, True, b"\xfcx")]))] == [501]


def test_times_that_do_not_rise_are_moved_by_a_millisecond() -> None:
    muxer = Muxer([OPUS])
    frames = [(0, at, True, b"\xfc" + bytes([at])) for at in (5, 5, 3, 9)]
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


def jittered(codec: str) -> bytes:
    """Five seconds of a camera of about 15 frames a second whose frames come when they like, some 8 ms after another."""
    what = clip(codec)
    taken, pictures = depacketizer(codec), []
    for number, sent in enumerate(sent for sent in what.packets if sent.source == "camera"):
        marker = bool(sent.packet[1] & 0x80)
        packet = RtpPacket(100 + number, sent.at_ms * 90, marker, sent.packet[12:], 0, 0, False)
        if (frame := taken.push(packet)) is not None:
            pictures.append(frame)
    parameters = pictures[0].parameters
    private = avc_configuration(*parameters) if parameters else b""
    muxer = Muxer([OPUS, TrackShape(codec, width=320, height=240, private=private)])  # type: ignore[arg-type]
    frames = [(0, 1000 + n * 20, True, voice) for n, voice in enumerate(what.frames["microphone"])]
    for number, frame in enumerate(pictures):
        moved = -59 if number % 20 == 7 else number * 7 % 5
        frames.append((1, 1000 + frame.timestamp // 90 + moved, frame.keyframe, frame.payload))
    frames.sort(key=lambda frame: frame[1])
    return muxer.init + b"".join(muxer.clusters(frames[n : n + 25]) for n in range(0, len(frames), 25))


@pytest.mark.parametrize(("codec", "extension"), [("VP8", "webm"), ("VP9", "webm"), ("H264", "mkv")])
def test_ffmpeg_plays_frames_a_few_milliseconds_apart_without_a_word(
    codec: str, extension: str, tmp_path: Path
) -> None:
    path = tmp_path / f"jittered.{extension}"
    path.write_bytes(jittered(codec))
    assert complaints(path) == ""
    begins, ends = span_s(path)
    assert begins == 1.0
    assert 5.9 < ends < 6.0
