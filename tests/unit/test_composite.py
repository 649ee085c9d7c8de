"""A derived copy, decoded again: both sides are where they belong, and what was redacted is not in it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from signaling.recordings import glyphs
from signaling.recordings.composite import BANNER, DOT, HALF_WIDTH, HEIGHT, LINE, RATE, WHAT, Job, Redaction, compose
from tests.unit.test_muxer import jittered

END_MS = 5000


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("part") / "part.webm"
    path.write_bytes(jittered("VP8"))
    return path


def read(path: Path) -> tuple[list[VideoFrame], list[AudioFrame]]:
    with av.open(str(path)) as source:
        frames = [frame for packet in source.demux() for frame in packet.decode()]
    return [f for f in frames if isinstance(f, VideoFrame)], [f for f in frames if isinstance(f, AudioFrame)]


def brightness(frame: VideoFrame, side: int) -> float:
    plane = frame.reformat(format="yuv420p").planes[0]
    rows = [bytes(plane)[row * plane.line_size :][: plane.width] for row in range(0, HEIGHT, 8)]
    half = b"".join(row[side * HALF_WIDTH : (side + 1) * HALF_WIDTH] for row in rows)
    return sum(half) / len(half)


def loudest(frames: list[AudioFrame], from_s: float, to_s: float, side: slice = slice(None)) -> float:
    return max(
        (abs(float(v)) for f in frames if from_s <= float(f.time or 0) < to_s for v in f.to_ndarray()[side].ravel()),
        default=0.0,
    )


LEFT, RIGHT = slice(0, 1), slice(1, 2)


def test_a_redaction_takes_picture_or_sound_of_one_side_alone(part: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy.webm"
    redact = (Redaction(0, "picture", 1000, 2000), Redaction(1, "sound", 1000, 2000))
    compose(Job(((part,), (part,)), out, 3000, 60, redact=redact))
    pictures, sounds = read(out)
    at = {round(float(frame.time or 0) * 10): frame for frame in pictures}
    assert brightness(at[15], 0) == pytest.approx(16, abs=3)
    assert brightness(at[15], 1) > 25
    assert min(brightness(at[25], 0), brightness(at[25], 1)) > 25
    assert loudest(sounds, 1.1, 1.9, RIGHT) < 0.01 < loudest(sounds, 1.1, 1.9, LEFT)
    assert loudest(sounds, 2.1, 2.9, RIGHT) > 0.01


def test_both_sides_are_seen_and_a_redacted_span_is_dark_and_silent(part: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy.webm"
    compose(Job(((part,), ()), out, END_MS, 60, mute=((2000, 3000),), black=((3000, 4000),)))
    pictures, sounds = read(out)
    assert (pictures[0].width, pictures[0].height) == (HALF_WIDTH * 2, HEIGHT + BANNER)
    assert len(pictures) == END_MS // 100
    assert sum(frame.samples for frame in sounds) == pytest.approx(RATE * END_MS / 1000, abs=RATE // 10)
    at = {round(float(frame.time or 0) * 10): frame for frame in pictures}
    assert brightness(at[25], 0) > brightness(at[25], 1) + 5  # there is a first stream, and no second
    assert brightness(at[25], 1) == pytest.approx(16, abs=3)
    assert brightness(at[35], 0) == pytest.approx(16, abs=3)
    assert brightness(at[45], 0) > 25
    assert loudest(sounds, 2.1, 2.9) < 0.01 < loudest(sounds, 3.2, 4.8)


def sparse(path: Path) -> Path:
    """A stream that shows white from 0 on, black at 1 s, white at 1.95 s, and nothing more until 4 s."""
    with av.open(str(path), "w", format="webm") as out:
        stream = out.add_stream("libvpx", rate=20)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for at_ms, shade in ((0, 16), (500, 16), (1000, 16), (1500, 16), (1950, 235), (4000, 16)):
            frame = VideoFrame(160, 120, "yuv420p")
            for plane, value in zip(frame.planes, (shade, 128, 128), strict=True):
                plane.update(bytes([value]) * plane.buffer_size)
            frame.pts, frame.time_base = at_ms, Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("redact", ["one side", "both"])
def test_the_last_picture_of_a_span_that_was_taken_out_does_not_stand_on_after_it(tmp_path: Path, redact: str) -> None:
    part, out = sparse(tmp_path / "part.webm"), tmp_path / "copy.webm"
    one: dict[str, Any] = (
        {"redact": (Redaction(0, "picture", 1000, 2000),)} if redact == "one side" else {"black": ((1000, 2000),)}
    )
    compose(Job(((part,), ()), out, 4500, 60, **one))
    pictures, _ = read(out)
    assert max(brightness(frame, 0) for frame in pictures) < 30  # the only bright picture lies in the span
    open_copy = tmp_path / "open.webm"
    compose(Job(((part,), ()), open_copy, 4500, 60))
    assert max(brightness(frame, 0) for frame in read(open_copy)[0]) > 150


def test_a_copy_says_in_its_pictures_and_in_its_tags_what_it_is(part: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy.webm"
    compose(Job(((part,), ()), out, 500, 60, asked="2026-05-04T09:12:00.123Z", about="c1-Xy_ auditor-ab23"))
    with av.open(str(out)) as source:
        assert source.metadata["title"] == WHAT
        assert source.metadata["COMMENT"] == "c1-Xy_ auditor-ab23 2026-05-04T09:12:00.123Z"
        assert {stream.type for stream in source.streams} == {"video", "audio"}
    frame = read(out)[0][-1].reformat(format="gray")
    plane = frame.planes[0]
    written = [bytes(plane)[row * plane.line_size :][: plane.width] for row in range(HEIGHT, HEIGHT + BANNER)]
    for number, text in enumerate((f"{WHAT} 2026-05-04T09:12:00.123Z", "c1-Xy_ auditor-ab23")):
        for at, row in enumerate(glyphs.dots(text)):
            seen = written[number * LINE + DOT * at + DOT]
            read_back = [seen[DOT * column] > 100 for column in range(len(row))]
            assert sum(a != b for a, b in zip(row, read_back, strict=True)) <= len(row) // 50
