"""What reached a locked store is on the record, with its version, before the local copy goes."""

from __future__ import annotations

from pathlib import Path

from recorder.bundle.directory import verify_directory
from recorder.store.folder import FolderStore
from recorder.store.objects import Stored
from tests.recordings import records
from tests.second_verifier import judge
from tests.tapping import VISIT, Studio, clip

UNTIL = "2041-05-04T09:12:00.000Z"


class Versioned(FolderStore):
    """A folder store that says a version of each object, as a locked one does."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.puts: list[str] = []

    async def put(self, name: str, data: bytes | Path, sha256: str) -> Stored:
        self.puts.append(name)
        await super().put(name, data, sha256)
        return Stored(f"v-{sha256[:8]}", UNTIL)


async def test_each_media_object_stored_before_the_close_is_on_the_record(tmp_path: Path) -> None:
    store = Versioned(tmp_path / "data" / "store")
    studio, what = Studio(tmp_path, store), clip("VP8", seconds=8)
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        await studio.play(worker, "patient", what)
        await studio.wait_ms(worker, 1000)
        await studio.end()
    told = records(studio.root)
    digests = {r["body"]["name"]: r["body"]["sha256"] for r in told if r["type"] == "segment"}
    digests |= {r["body"]["init"]["name"]: r["body"]["init"]["sha256"] for r in told if r["type"] == "part"}
    said = [one for r in told if r["type"] == "stored" for one in r["body"]["objects"]]
    assert len(said) >= 3
    assert all(one["version"] == f"v-{digests[one['name']][:8]}" for one in said)
    assert {one["retain_until"] for one in said} == {UNTIL}
    assert told[-1]["type"] == "close"
    assert verify_directory(studio.root).complete
    objects = {p.relative_to(studio.root).as_posix(): p.read_bytes() for p in studio.root.rglob("*") if p.is_file()}
    assert judge(objects) == (True, True)
    assert not (tmp_path / "data" / "spool" / VISIT).exists()


async def test_a_copy_whose_record_was_not_written_yet_is_kept_through_a_crash_and_named_later(tmp_path: Path) -> None:
    store = Versioned(tmp_path / "data" / "store")
    studio, what = Studio(tmp_path, store), clip("VP8", seconds=8)
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        await studio.play(worker, "patient", what, until_ms=3000)
        while studio.recorder.uploader.busy:
            await studio.recorder.uploader.progress()
        # Stored, and the recorder dies before its next round.
    init = "streams/patient/part-001/init.webm"
    assert f"recordings/{VISIT}/{init}" in store.puts
    async with studio.running(), studio.worker() as worker:
        while studio.recorder.uploader.busy:
            await studio.recorder.uploader.progress()
        await studio.wait_ms(worker, 500)
        await studio.end()
    said = [one["name"] for r in records(studio.root) if r["type"] == "stored" for one in r["body"]["objects"]]
    assert init in said
    assert verify_directory(studio.root).intact
