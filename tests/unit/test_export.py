"""From the store to a directory that anyone can judge, and the trust list that remembers whose key it was."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from recorder.bundle.directory import NotABundle, exit_code, verify_directory
from recorder.bundle.export import ExportRefused, NothingRecordedYet, RecordingMisplaced, VisitUnknown, export_visit
from recorder.bundle.trusted_keys import load_trust, pin, readers_trust, trust_path
from recorder.evidence.checkpoint import NoteKey, cosign
from recorder.evidence.layout import MANIFEST, MANIFEST_PROOF
from recorder.evidence.proof import LogProof, parse_proof
from recorder.evidence.trust import Trust, TrustListInvalid
from recorder.plain_folder import DirectoryReader
from recorder.store.folder import FolderStore
from tests.authority import make_authority
from tests.bundles import ORIGIN, RECORDER, THIEF, honest_visit, shelve, write_bundle
from tests.estate import ALONE
from tests.stamps import stamped_visit


@pytest.fixture
async def store(tmp_path: Path) -> FolderStore:
    opened = FolderStore(tmp_path / "store")
    await shelve(opened, "v1", honest_visit(Random(1), "v1"))
    return opened


async def test_an_export_verifies_offline_and_pins_the_key(store: FolderStore, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    done = await export_visit(store, "v1", tmp_path / "out", lambda *at: told.append(at), tmp_path / "cfg" / "trusted")
    assert (done.origin, done.key, done.closed, done.pinned, done.trusted) == (
        ORIGIN,
        RECORDER.fingerprint,
        True,
        True,
        True,
    )
    assert told[-1] == (done.bytes, done.bytes)
    verdict = verify_directory(tmp_path / "out", load_trust(tmp_path / "cfg" / "trusted"))
    assert (verdict.broken, verdict.trusted, exit_code(verdict)) == ([], True, 0)
    for name in ("README.zh.md", "README.en.md"):
        assert RECORDER.fingerprint in (tmp_path / "out" / name).read_text("utf-8")


async def test_a_witness_of_the_day_that_a_visit_does_not_name_breaks_nothing_in_its_bundle(tmp_path: Path) -> None:
    visit = stamped_visit(make_authority(tmp_path / "authority"), stamps=0, end=False)
    later = NoteKey("later.example", THIEF.public_keys[0], "cosignature")
    visit.manifest("another")
    proof = parse_proof(visit.objects[MANIFEST_PROOF])
    cosigned = cosign(proof.note.text, later, 1_780_000_000, lambda message: THIEF.sign(message)[0].sig)
    whole = LogProof(proof.index, proof.path, proof.note.with_signature(cosigned)).encoded
    store, trusted = FolderStore(tmp_path / "store"), tmp_path / "trusted"
    data = visit.objects.pop(MANIFEST)
    del visit.objects[MANIFEST_PROOF]
    await shelve(store, visit.visit, visit.objects)
    for name, content in (("jsonl", data), ("tlog-proof", whole)):
        await store.put(
            f"manifests/{ALONE.fingerprint[:16]}/{visit.at[:10]}.{name}", content, hashlib.sha256(content).hexdigest()
        )
    await export_visit(store, visit.visit, tmp_path / "out", trust_file=trusted)
    verdict = verify_directory(tmp_path / "out")
    assert (verdict.broken, verdict.manifest) == ([], visit.at[:10])
    (tmp_path / "out" / MANIFEST_PROOF).write_bytes(whole)
    assert [one.rule for one in verify_directory(tmp_path / "out").broken] == ["MANIFEST-1"]


async def test_a_second_origin_key_is_not_pinned_over_the_first(store: FolderStore, tmp_path: Path) -> None:
    trusted = tmp_path / "trusted"
    await shelve(store, "v2", honest_visit(Random(2), "v2", THIEF))
    await export_visit(store, "v1", tmp_path / "one", trust_file=trusted)
    forged = await export_visit(store, "v2", tmp_path / "two", trust_file=trusted)
    assert (forged.pinned, forged.trusted) == (False, False)
    verdict = verify_directory(tmp_path / "two", load_trust(trusted))
    assert [one.rule for one in verdict.broken] == ["KEY-2"]
    assert exit_code(verdict) == 1


async def test_an_export_hides_nothing_that_was_added_to_the_store(store: FolderStore, tmp_path: Path) -> None:
    await shelve(store, "v1", {"streams/patient/part-001/seg-000999.webm": b"slipped in"})
    await export_visit(store, "v1", tmp_path / "out", trust_file=tmp_path / "trusted")
    verdict = verify_directory(tmp_path / "out")
    assert verdict.broken == [("LAYOUT-1", "streams/patient/part-001/seg-000999.webm")]


async def test_an_export_needs_an_empty_folder_and_a_visit(store: FolderStore, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_bytes(b"")
    with pytest.raises(ExportRefused, match="not empty"):
        await export_visit(store, "v1", tmp_path / "full", trust_file=tmp_path / "trusted")
    for visit in ("v9", "../v1", ""):
        with pytest.raises(VisitUnknown):
            await export_visit(store, visit, tmp_path / "out", trust_file=tmp_path / "trusted")
        assert not (tmp_path / "out").exists()


async def test_an_export_before_the_first_record_is_whole_is_refused_and_leaves_nothing(
    store: FolderStore, tmp_path: Path
) -> None:
    await shelve(store, "v2", {name: data for name, data in honest_visit(Random(2), "v2").items() if "keys/" in name})
    with pytest.raises(NothingRecordedYet) as refused:
        await export_visit(store, "v2", tmp_path / "out", trust_file=tmp_path / "trusted")
    assert refused.value.code == "nothing_recorded_yet"
    assert not (tmp_path / "out").exists()


async def test_a_recording_of_another_visit_under_its_name_is_refused(store: FolderStore, tmp_path: Path) -> None:
    await shelve(store, "v-7", honest_visit(Random(1), "v-8"))
    with pytest.raises(RecordingMisplaced) as refused:
        await export_visit(store, "v-7", tmp_path / "out", trust_file=tmp_path / "trusted_keys")
    assert refused.value.code == "recording_misplaced"
    assert not (tmp_path / "out").exists()


def test_what_is_no_bundle_is_told_from_a_broken_one(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing", tmp_path / "file"):
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(NotABundle):
            verify_directory(path)
    (tmp_path / "bundle.json").write_bytes(b"{}")
    verdict = verify_directory(tmp_path)
    assert exit_code(verdict) == 1
    assert verdict.broken[0].rule in {"LAYOUT-1", "CHAIN-1"}


def test_links_pipes_and_strange_names_are_named_and_never_opened(tmp_path: Path) -> None:
    bundle = write_bundle(honest_visit(Random(3)), tmp_path / "out")
    outside = tmp_path / "outside"
    segment = next(p for p in (bundle / "streams").rglob("seg-*"))
    segment.rename(outside)
    segment.symlink_to(outside)
    assert [one.rule for one in verify_directory(bundle).broken] == ["SEG-1"]
    segment.unlink()
    os.mkfifo(segment)
    assert [one.rule for one in verify_directory(bundle).broken] == ["SEG-1"]
    segment.unlink()
    outside.rename(segment)
    (bundle / "more").symlink_to(tmp_path, target_is_directory=True)
    (bundle / os.fsdecode(b"\xff\xfe")).write_bytes(b"")
    verdict = verify_directory(bundle)
    assert {one.rule for one in verdict.broken} <= {"LAYOUT-1", "LAYOUT-4"}
    assert len(verdict.broken) == 3
    for one in verdict.broken:
        one.where.encode("utf-8")


@pytest.mark.parametrize("name", ["README.en.md", "bundle.json", "verify.sh", ".DS_Store"])
def test_what_a_bundle_may_add_is_a_file_and_nothing_else(tmp_path: Path, name: str) -> None:
    bundle = write_bundle(honest_visit(Random(3)), tmp_path / "out")
    (bundle / name).unlink(missing_ok=True)
    (bundle / name).symlink_to(tmp_path)
    assert verify_directory(bundle).broken == [("LAYOUT-1", name)]
    (bundle / name).unlink()
    os.mkfifo(bundle / name)
    assert verify_directory(bundle).broken == [("LAYOUT-1", name)]
    (bundle / name).unlink()
    (bundle / name).mkdir()
    assert verify_directory(bundle).broken == [("LAYOUT-1", name)]


def test_directories_deeper_than_a_path_may_be_long_are_named_once(tmp_path: Path) -> None:
    bundle = write_bundle(honest_visit(Random(3)), tmp_path / "out")
    at = os.open(bundle, os.O_RDONLY)
    for _ in range(30):
        os.mkdir("a" * 200, dir_fd=at)
        at, outer = os.open("a" * 200, os.O_RDONLY, dir_fd=at), at
        os.close(outer)
    os.close(at)
    assert verify_directory(bundle).broken == [("LAYOUT-1", "a" * 200)]
    subprocess.run(["rm", "-r", str(bundle)], check=True)


def test_a_streams_folder_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    bundle = write_bundle(honest_visit(Random(3)), tmp_path / "out")
    (bundle / "streams").rename(tmp_path / "elsewhere")
    (bundle / "streams").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert {"LAYOUT-1", "SEG-1", "PART-2"} <= {one.rule for one in verify_directory(bundle).broken}


def test_what_file_managers_leave_is_passed_over(tmp_path: Path) -> None:
    bundle = write_bundle(honest_visit(Random(3)), tmp_path / "out")
    (bundle / "streams" / ".DS_Store").write_bytes(b"x")
    assert verify_directory(bundle).complete
    assert ".DS_Store" not in {name.rpartition("/")[2] for name in DirectoryReader(bundle).names()}


def test_a_trust_file_is_found_kept_and_never_overwritten(tmp_path: Path) -> None:
    assert trust_path({"TELECONSULT_TRUST": str(tmp_path / "t")}) == tmp_path / "t"
    assert trust_path({"XDG_CONFIG_HOME": str(tmp_path)}) == tmp_path / "teleconsult" / "trusted_keys"
    assert trust_path({}).name == "trusted_keys"
    path = tmp_path / "t"
    assert load_trust(path) == Trust()
    path.write_text("# ours", "utf-8")
    assert pin(path, ORIGIN, "a" * 64)
    assert not pin(path, ORIGIN, "b" * 64)
    assert path.read_text("utf-8") == f"# ours\n{ORIGIN} {'a' * 64}\n"
    assert load_trust(path).allows(ORIGIN, "b" * 64) is False


def test_a_trust_file_that_somebody_named_is_there_and_is_a_text(tmp_path: Path) -> None:
    absent, noise, folder = tmp_path / "absent", tmp_path / "noise", tmp_path
    noise.write_bytes(bytes(range(256)))
    for named in (absent, noise):
        with pytest.raises(TrustListInvalid):
            readers_trust(named, {})
        with pytest.raises(TrustListInvalid):
            readers_trust(None, {"TELECONSULT_TRUST": str(named)})
    with pytest.raises(IsADirectoryError):
        readers_trust(folder, {})
    assert readers_trust(None, {"XDG_CONFIG_HOME": str(tmp_path)}) == Trust()


@pytest.mark.parametrize(
    ("origin", "somebody"),
    [
        ("hospital.example/teleconsult", True),
        ("hospital.example:8443/teleconsult", True),
        ("[2606:4700::1]:443/teleconsult", True),
        ("127.0.0.1:8080/teleconsult", False),
        ("localhost:8080/teleconsult", False),
        ("localhost", False),
        ("0.0.0.0:8080/teleconsult", False),
        ("192.168.1.2:8443/teleconsult", False),
        ("[::1]:8080/teleconsult", False),
        ("ward.local/teleconsult", False),
    ],
)
def test_only_an_origin_that_names_somebody_is_pinned(tmp_path: Path, origin: str, somebody: bool) -> None:
    assert pin(tmp_path / "t", origin, "a" * 64) is somebody
    assert pin(tmp_path / "u", f"{origin}/{'b' * 16}", "b" * 64)


def test_the_verifier_needs_no_server_library() -> None:
    servers = {"aiohttp", "av", "boto3", "sqlalchemy", "socketio", "aiortc"}
    code = f"import sys, recorder.bundle; print(sorted({servers} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
