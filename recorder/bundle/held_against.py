"""Bundles held against what somebody brings from elsewhere: a participant's receipt, the manifest of a day (FORMAT.md §8).

Reads files and nothing else, like `recorder.bundle.directory`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from recorder.bundle.directory import NotABundle, verify_directory
from recorder.evidence.checkpoint import NoteKey
from recorder.evidence.errors import EvidenceError, KeyInvalid
from recorder.evidence.findings import Broken
from recorder.evidence.layout import PROOF, key_name
from recorder.evidence.logged import LogBroken
from recorder.evidence.manifest import MAX_MANIFEST, Entry, Manifest, parse_manifest, visit_hash
from recorder.evidence.manifest import proven_by as manifest_proven_by
from recorder.evidence.proof import of_one_tree, parse_proof
from recorder.evidence.receipt import MAX_RECEIPT, Receipt, ReceiptInvalid, parse_receipt
from recorder.evidence.sign import PublicKey, public_key
from recorder.evidence.third_parties import MAX_PROOF
from recorder.evidence.trust import Trust
from recorder.evidence.verify import Verdict
from recorder.plain_folder import DirectoryReader, read_plain

RECEIPT_2, RECEIPT_3, MANIFEST_1, MANIFEST_3 = "RECEIPT-2", "RECEIPT-3", "MANIFEST-1", "MANIFEST-3"


class NoManifest(Exception):
    """The file, or its proof beside it, is not there or is no manifest."""

    code = "manifest_invalid"


class DayJudged(msgspec.Struct, frozen=True):
    """`whole`: the log has the manifest, and every visit of it is in the folder, intact, and ends as the manifest says.

    `proven`: whether the log is shown to have the manifest; None: no bundle brought the log's key, and nothing is shown.
    `key`: whose log, by fingerprint; `trusted`: whether the reader's list has it, None if it does not know the origin.
    `visits`: in the manifest; `found`: of these in the folder. In `broken`, `where` is the folder, or the hash of a visit
    that has none.
    """

    whole: bool
    day: str
    log: str
    proven: bool | None
    visits: int
    found: int
    broken: list[Broken]
    key: str | None = None
    trusted: bool | None = None


def read_receipt(path: Path) -> Receipt:
    """A receipt, checked by itself. Raises `ReceiptInvalid`, `OSError`."""
    with path.open("rb") as file:
        return parse_receipt(file.read(MAX_RECEIPT + 1))


def with_receipt(verdict: Verdict, receipt: Receipt, bundle: Path) -> Verdict:
    """The verdict, broken by RECEIPT-2 if this bundle does not end with exactly the receipt's record, under its key; by
    RECEIPT-3 if the receipt's log and the bundle's cannot be one."""
    summary = verdict.summary
    ended = (verdict.visit, summary.last, summary.records) == (receipt.visit, receipt.hash, receipt.records)
    by_its_key = receipt.key is None or receipt.key.fingerprint == verdict.key
    if not ended or summary.closed is None or not by_its_key:
        return _broken(verdict, Broken(RECEIPT_2, receipt.visit))
    if receipt.proof is not None and verdict.log is not None:
        own = parse_proof(b"".join(DirectoryReader(bundle).chunks(PROOF)))
        if not of_one_tree(receipt.proof, own):
            return _broken(verdict, Broken(RECEIPT_3, PROOF))
    return verdict


def _broken(verdict: Verdict, one: Broken) -> Verdict:
    broken, total = [*verdict.broken, one], verdict.broken_total + 1
    return msgspec.structs.replace(verdict, intact=False, complete=False, broken=broken, broken_total=total)


def read_manifest(path: Path) -> tuple[Manifest, bytes, bytes]:
    """A manifest, its bytes, and the proof's beside it. Raises `NoManifest`."""
    try:
        data = read_plain(path.parent, path.name, MAX_MANIFEST)
        return parse_manifest(data), data, read_plain(path.parent, path.with_suffix(".tlog-proof").name, MAX_PROOF)
    except (EvidenceError, OSError) as error:
        raise NoManifest(f"{path} is no manifest with its proof beside it: {error}") from None


def judge_day(path: Path, folder: Path, trust: Trust, progress: Callable[[int, int], None] | None = None) -> DayJudged:
    """Hold the bundles in a folder (or the one that it is) against a manifest. Raises `NoManifest`."""
    manifest, data, proof = read_manifest(path)
    left = {entry.visit: entry for entry in manifest.visits}
    broken: list[Broken] = []
    proven: bool | None = None
    signer: Verdict | None = None
    for bundle in _bundles(folder):
        verdict = verify_directory(bundle, trust)
        if progress is not None:
            progress(len(manifest.visits) - len(left), len(manifest.visits))
        key = _log_key(bundle, verdict, manifest.head.log)
        if key is not None and proven is None:
            proven, signer = _is_proven(proof, data, NoteKey(manifest.head.log, key)), verdict
        entry = left.pop(visit_hash(verdict.visit or ""), None)
        if entry is not None and not _as_said(entry, verdict):
            broken.append(Broken(MANIFEST_3, bundle.name))
    found = len(manifest.visits) - len(left)
    if not proven:  # what nobody vouches for anybody can have written, the list of no visits too
        broken.insert(0, Broken(MANIFEST_1, path.name))
    broken += [Broken(MANIFEST_3, visit) for visit in sorted(left)]
    day, log, visits = manifest.head.day, manifest.head.log, len(manifest.visits)
    whose = (None, None) if signer is None else (signer.key, signer.trusted)
    return DayJudged(not broken, day, log, proven, visits, found, broken, *whose)


def _bundles(folder: Path) -> Iterator[Path]:
    for path in (folder, *sorted(one for one in folder.iterdir() if one.is_dir() and not one.is_symlink())):
        if (path / "records").is_dir():
            yield path


def _log_key(bundle: Path, verdict: Verdict, log: str) -> PublicKey | None:
    digits = log.rpartition("/")[2]
    if verdict.key is None or not verdict.intact or not verdict.key.startswith(digits):
        return None
    try:
        return public_key(b"".join(DirectoryReader(bundle).chunks(key_name(verdict.key))))
    except (KeyInvalid, EvidenceError):
        return None


def _is_proven(proof: bytes, data: bytes, log: NoteKey) -> bool:
    try:
        manifest_proven_by(proof, data, log)
    except LogBroken:
        return False
    return True


def _as_said(entry: Entry, verdict: Verdict) -> bool:
    summary = verdict.summary
    if not verdict.intact or summary.first != entry.open:
        return False
    return entry.close is None or (entry.close, entry.records) == (summary.last, summary.records)


__all__ = [
    "DayJudged",
    "NoManifest",
    "NotABundle",
    "Receipt",
    "ReceiptInvalid",
    "judge_day",
    "read_receipt",
    "with_receipt",
]
