"""The recorder that seals: nothing of the media lies in clear, verifying needs no key, and with one a stranger plays it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from recorder.bundle.directory import verify_directory
from recorder.sealing.keyring import Keyring
from recorder.sealing.mint import Mint
from recorder.sealing.opened import open_bundle
from tests import stranger
from tests.recordings import bodies, complaints, secrets
from tests.tapping import VISIT, Clip, Studio, Worker, clip

CLUSTER = bytes.fromhex("1f43b675")
EBML = bytes.fromhex("1a45dfa3")


async def play_all(studio: Studio, worker: Worker, what: Clip, codec: str) -> None:
    await studio.begin("patient")
    worker.publish("patient", "microphone", "opus")
    worker.publish("patient", "camera", codec)
    await studio.play(worker, "patient", what)


def shown(folder: Path, what: Clip) -> list[str]:
    """Files that show something of the media."""
    frames = [frame[:40] for frame in what.frames["microphone"][:9] if len(frame) > 40]
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and any(sign in path.read_bytes() for sign in (CLUSTER, EBML, *frames))
    ]


@pytest.mark.parametrize(("suite", "codec"), [("aes256gcm", "VP8"), ("sm4gcm", "H264")])
async def test_a_sealed_clip_is_verified_without_a_key_and_played_with_it(
    tmp_path: Path, suite: str, codec: str
) -> None:
    studio, what = Studio(tmp_path, encryption=suite), clip(codec)
    async with studio.running(), studio.worker() as worker:
        await play_all(studio, worker, what, codec)
        await studio.recorder.tick()
        assert shown(studio.settings.data, what) == []  # while it is being recorded
        await studio.end()
    assert shown(studio.settings.data, what) == []
    verdict = verify_directory(studio.root)
    assert verdict.broken == []
    assert verdict.complete
    assert {body["enc"] for body in bodies(studio.root, "segment")} == {suite}
    (key,) = bodies(studio.root, "key")
    assert (key["stream"], key["suite"]) == ("patient", suite)
    keys = secrets(studio.settings.data, VISIT)
    assert set(keys) == {key["key"]}
    (written,) = open_bundle(studio.root, keys, tmp_path / "plain")
    assert complaints(written.path) == ""
    (read,) = stranger.play(studio.root, {name: secret.hex() for name, secret in keys.items()}).values()
    assert read == written.path.read_bytes()
    assert all(frame in read for frame in what.frames["microphone"])  # byte for byte what was sent


async def test_a_crash_loses_nothing_of_a_sealed_segment_and_leaves_nothing_in_clear(tmp_path: Path) -> None:
    studio, what = Studio(tmp_path, encryption="aes256gcm"), clip("VP8", seconds=6)
    async with studio.worker() as worker:
        async with studio.running():
            await studio.begin("patient")
            worker.publish("patient", "microphone", "opus")
            worker.publish("patient", "camera", "VP8")
            await studio.play(worker, "patient", what, until_ms=3300)
        held = sum(len(sent.packet) for sent in what.packets if 2500 <= sent.at_ms < 3000)
        assert (studio.settings.data / "spool" / ".ahead").stat().st_size > held, "the segment that was open is there"
        assert shown(studio.settings.data, what) == []
        studio.now_us += 700_000
        async with studio.running():
            await studio.play(worker, "patient", what, from_ms=3300)
            for source in ("microphone", "camera"):
                worker.unpublish("patient", source)
            await studio.settle(worker)
            await studio.end()
    verdict = verify_directory(studio.root)
    assert (verdict.broken, verdict.complete) == ([], True)
    tracks = [track for body in bodies(studio.root, "segment") for track in body["tracks"]]
    assert sum(track["received"] for track in tracks) == len(what.packets)
    assert len(bodies(studio.root, "key")) == 2  # each life of the recorder has its own
    keys = secrets(studio.settings.data, VISIT)
    (written,) = open_bundle(studio.root, keys, tmp_path / "plain")
    assert complaints(written.path) == ""
    assert shown(studio.settings.data, what) == []


async def test_a_draft_that_cannot_be_opened_any_more_is_declared_and_the_recording_goes_on(tmp_path: Path) -> None:
    studio, what = Studio(tmp_path, encryption="aes256gcm"), clip("VP8", seconds=6)
    async with studio.worker() as worker:
        async with studio.running():
            await studio.begin("patient")
            worker.publish("patient", "microphone", "opus")
            worker.publish("patient", "camera", "VP8")
            await studio.play(worker, "patient", what, until_ms=3300)
        Keyring(studio.settings.data / "keyring").shred(VISIT)
        async with studio.running():
            await studio.play(worker, "patient", what, from_ms=3300)
            await studio.settle(worker)
            await studio.end()
    verdict = verify_directory(studio.root)
    assert (verdict.broken, verdict.complete) == ([], True)
    (close,) = bodies(studio.root, "close")
    assert close["streams"]["patient"]["coverage"]["recorder"] > 200


async def test_the_key_store_away_holds_no_recording_and_is_on_the_record(tmp_path: Path) -> None:
    module = tmp_path / "no-module.so"
    studio, what = Studio(tmp_path, encryption="aes256gcm", kms=f"pkcs11:{module}?token=gone"), clip("VP8")
    async with studio.running(), studio.worker() as worker:
        await play_all(studio, worker, what, "VP8")
        await asyncio.sleep(0.1)
        await studio.end()
    assert verify_directory(studio.root).complete
    (held,) = Keyring(studio.settings.data / "keyring").keys(VISIT)
    assert [wrap.kind for wrap in held.wraps] == ["local"]
    assert isinstance(studio.recorder.mint, Mint)
    assert any(getattr(news, "code", "") == "kms_unreachable" for news in studio.news)
