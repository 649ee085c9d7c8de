"""The recorder over its real doors, with real encoded media: what goes in as RTP comes out playable, unchanged and proven."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import pytest

from recorder.bundle import verify_directory
from tests.recordings import complaints, parts, records
from tests.tapping import Studio, clip


def packets_of(path: Path, kind: str) -> list[bytes]:
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams if s.type == kind)
        return [bytes(p) for p in container.demux(stream) if p.size]


def bodies(root: Path, kind: str) -> list[dict[str, object]]:
    return [r["body"] for r in records(root) if r["type"] == kind]


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_clip_comes_back_playable_unchanged_and_verified(tmp_path: Path, codec: str) -> None:
    studio, what = Studio(tmp_path), clip(codec)
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", codec)
        await studio.play(worker, "patient", what)
        await studio.end()
    verdict = verify_directory(studio.root)
    assert verdict.broken == []
    assert verdict.complete
    (part,) = parts(studio.root, tmp_path)
    assert complaints(part.path) == ""
    assert packets_of(part.path, "audio") == list(what.frames["microphone"])
    video = packets_of(part.path, "video")
    assert len(video) == len(what.frames["camera"])
    assert [b["tracks"] for b in bodies(studio.root, "segment")]
    subprocess.run(["ffprobe", "-v", "error", str(part.path)], check=True)
