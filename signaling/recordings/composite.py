"""A derived copy: two streams side by side in one file, with spans muted or blacked out. Run as a process of its own.

`python -P -m signaling.recordings.composite JOB.json`: reads the files the job names, writes one WebM, and ends. It decodes
and encodes, which nothing in the path of a live visit ever does; its processor time and memory are bounded before it reads a
byte.

COPY-1  Both pictures keep their shape in half the width each; where a stream has nothing for 1.5 s its half is black.
COPY-2  The first stream is heard on the left, the second on the right, at their own times; silence where there is none.
COPY-3  In a blacked span both pictures are black, in a muted one both sides are silent; a redaction takes the picture or the
        sound of one side. Each reaches to the step (0.1 s) around it, and no picture of such a span stands on after it.
COPY-8  Under the pictures, and in the file's tags, stands what the file is: a derived copy, no evidence, which one, for whom.
"""

from __future__ import annotations

import os
import resource
import sys
from array import array
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import msgspec
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from signaling.recordings import glyphs

STEP_MS = 100
RATE = 48_000
SAMPLES = RATE * STEP_MS // 1000
HALF_WIDTH, HEIGHT = 480, 360
STALE_MS = 1500
DOT, LINE = 2, 20
"""Of the writing under the pictures: pixels a dot, and a line."""
BANNER = 2 * LINE
MOST_LETTERS = 2 * HALF_WIDTH // (DOT * glyphs.WIDTH)
WHAT = "DERIVED COPY, NO EVIDENCE"
MEMORY = 2 << 30
Span = tuple[int, int]


class Redaction(msgspec.Struct, frozen=True):
    """What of one side is not in the copy. `side`: as in `Job.streams`."""

    side: int
    what: Literal["picture", "sound"]
    from_ms: int
    to_ms: int


class Job(msgspec.Struct, frozen=True):
    """What to make. `streams`: for each side the files of its parts, in order; `cpu_s`: the most processor time; `asked`,
    `about`: when, and which copy for whom (COPY-8)."""

    streams: tuple[tuple[Path, ...], tuple[Path, ...]]
    output: Path
    end_ms: int
    cpu_s: int
    mute: tuple[Span, ...] = ()
    black: tuple[Span, ...] = ()
    redact: tuple[Redaction, ...] = ()
    asked: str = ""
    about: str = ""

    def without(self, side: int, what: Literal["picture", "sound"], ms: int) -> bool:
        """Whether this is taken out at this step (COPY-3)."""
        own = [(one.from_ms, one.to_ms) for one in self.redact if (one.side, one.what) == (side, what)]
        both = self.mute if what == "sound" else self.black
        return any(begin < ms + STEP_MS and ms < end for begin, end in (*both, *own))


class _Side:
    """One stream, decoded as far as it is needed. Times in ms of stream time."""

    def __init__(self, parts: tuple[Path, ...]) -> None:
        self._frames = _decoded(parts)
        self._ahead: VideoFrame | AudioFrame | None = next(self._frames, None)
        self._picture: tuple[float, VideoFrame] | None = None
        self._sound: deque[tuple[int, array[int]]] = deque()
        self._resampler = AudioResampler(format="s16", layout="mono", rate=RATE)

    def read_to(self, ms: int) -> None:
        """Decode everything that begins before this time."""
        while self._ahead is not None and _ms(self._ahead) < ms:
            if isinstance(self._ahead, VideoFrame):
                self._picture = (_ms(self._ahead), self._ahead)
            else:
                at = round(_ms(self._ahead) * RATE / 1000)
                self._ahead.pts = None
                for frame in self._resampler.resample(self._ahead):
                    self._sound.append((at, array("h", bytes(frame.planes[0])[: frame.samples * 2])))
                    at += frame.samples
            self._ahead = next(self._frames, None)

    def picture(self, ms: int) -> tuple[float, VideoFrame] | None:
        """What stands at this time, and since when; or nothing (COPY-1)."""
        return None if self._picture is None or ms - self._picture[0] > STALE_MS else self._picture

    def sound(self, first: int) -> array[int]:
        """`SAMPLES` from this one on (COPY-2)."""
        out = array("h", bytes(SAMPLES * 2))
        while self._sound and self._sound[0][0] + len(self._sound[0][1]) <= first:
            self._sound.popleft()
        for at, samples in self._sound:
            begin, end = max(at, first), min(at + len(samples), first + SAMPLES)
            if begin < end:
                out[begin - first : end - first] = samples[begin - at : end - at]
        return out


def compose(job: Job) -> None:
    """Make the file. Raises `FFmpegError`, `OSError`."""
    sides = [_Side(parts) for parts in job.streams]
    banner = _banner(f"{WHAT} {job.asked}", job.about)
    with av.open(str(job.output), "w", format="webm") as out:
        out.metadata.update({"title": WHAT, "comment": f"{job.about} {job.asked}".strip()})  # COPY-8
        picture, sound = _outputs(out)
        for number, ms in enumerate(range(0, job.end_ms, STEP_MS)):
            for side in sides:
                side.read_to(ms + STEP_MS)
            frame = _beside([_shown(job, n, ms, side.picture(ms + STEP_MS)) for n, side in enumerate(sides)], banner)
            frame.pts, frame.time_base = number, Fraction(STEP_MS, 1000)
            out.mux(picture.encode(frame))
            both = array("h", bytes(SAMPLES * 4))
            for channel, side in enumerate(sides):
                heard = side.sound(number * SAMPLES)
                if not job.without(channel, "sound", ms):
                    both[channel::2] = heard
            out.mux(sound.encode(_sound_frame(both, number * SAMPLES)))
        out.mux(picture.encode(None))
        out.mux(sound.encode(None))


def _shown(job: Job, side: int, ms: int, stands: tuple[float, VideoFrame] | None) -> VideoFrame | None:
    # COPY-3: of a sender that says nothing for a while, the last picture of a span that was taken out would stand after it.
    if stands is None or job.without(side, "picture", ms):
        return None
    at = int(stands[0]) // STEP_MS * STEP_MS
    return None if job.without(side, "picture", at) else stands[1]


def _outputs(out: av.container.OutputContainer) -> tuple[VideoStream, AudioStream]:
    picture = out.add_stream("libvpx", rate=1000 // STEP_MS)
    picture.width, picture.height, picture.pix_fmt = HALF_WIDTH * 2, HEIGHT + BANNER, "yuv420p"
    picture.bit_rate = 800_000
    picture.codec_context.thread_count = 1
    picture.codec_context.options = {"deadline": "realtime", "cpu-used": "8"}
    sound = out.add_stream("libopus", rate=RATE)
    sound.layout = "stereo"
    return picture, sound


def _sound_frame(both: array[int], first: int) -> AudioFrame:
    frame = AudioFrame(format="s16", layout="stereo", samples=SAMPLES)
    frame.planes[0].update(both.tobytes())
    frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
    return frame


def _banner(*lines: str) -> dict[int, bytes]:
    """The rows under the pictures that have dots in them: what of each is written (COPY-8)."""
    rows: dict[int, bytes] = {}
    for number, text in enumerate(lines):
        for at, row in enumerate(glyphs.dots(text[:MOST_LETTERS])):
            bright = b"".join((b"\xc0" if dot else b"\x10") * DOT for dot in row)
            rows.update({HEIGHT + number * LINE + DOT * at + part + DOT: bright for part in range(DOT)})
    return rows


def _beside(pictures: list[VideoFrame | None], banner: dict[int, bytes]) -> VideoFrame:
    """Both halves, each scaled to fit and set on black; planes are copied row by row, for there is no array library here."""
    frame = VideoFrame(HALF_WIDTH * 2, HEIGHT + BANNER, "yuv420p")
    planes = [
        bytearray(bytes([16 if n == 0 else 128]) * (plane.line_size * plane.height))
        for n, plane in enumerate(frame.planes)
    ]
    for side, picture in enumerate(pictures):
        if picture is None:
            continue
        scale = min(HALF_WIDTH / picture.width, HEIGHT / picture.height)
        width, height = (max(2, int(each * scale) & ~1) for each in (picture.width, picture.height))
        small = picture.reformat(width, height, "yuv420p")
        left, top = side * HALF_WIDTH + (HALF_WIDTH - width) // 2 & ~1, (HEIGHT - height) // 2 & ~1
        for number, (plane, target) in enumerate(zip(small.planes, frame.planes, strict=True)):
            shift, raw = 0 if number == 0 else 1, memoryview(plane)
            wide = width >> shift
            for row in range(height >> shift):
                at = ((top >> shift) + row) * target.line_size + (left >> shift)
                planes[number][at : at + wide] = raw[row * plane.line_size : row * plane.line_size + wide]
    for row, bright in banner.items():
        at = row * frame.planes[0].line_size
        planes[0][at : at + len(bright)] = bright
    for plane, data in zip(frame.planes, planes, strict=True):
        plane.update(bytes(data))
    return frame


def _decoded(parts: tuple[Path, ...]) -> Iterator[VideoFrame | AudioFrame]:
    """Frames of all parts, in the order they lie there; a part that breaks off ends where it breaks."""
    for path in parts:
        with av.open(str(path)) as source:
            try:
                for packet in source.demux():
                    for frame in packet.decode():
                        if isinstance(frame, VideoFrame | AudioFrame) and frame.time is not None:
                            yield frame
            except FFmpegError:
                continue


def _ms(frame: VideoFrame | AudioFrame) -> float:
    return float(frame.time or 0.0) * 1000


def main(path: Path) -> None:
    """The process: bound first, then work."""
    job = msgspec.json.decode(path.read_bytes(), type=Job, dec_hook=lambda _, value: Path(value))
    resource.setrlimit(resource.RLIMIT_CPU, (job.cpu_s, job.cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.nice(19)
    compose(job)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
