"""Export: copy a recording from the store into a bundle, and remember whose key signed it.

EXPORT-1  Objects are copied as they are, what does not belong too: an export never mends, hides or judges. Only of a
          recording that still grows, what its newest whole state does not name yet is left out (LAYOUT-3).
EXPORT-2  The key is pinned when its origin is seen for the first time; a known origin's entry is never changed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from recorder.bundle import exit_code, verify_directory
from recorder.bundle_texts import readme_en, readme_zh
from recorder.evidence.chain import Chain
from recorder.evidence.findings import Findings
from recorder.evidence.layout import batch_of, heads_name, is_safe, is_visit, prefix, records_name
from recorder.evidence.ledger import Ledger
from recorder.objects import ObjectEntry, ObjectStore
from recorder.trusted_keys import load_trust, pin, trust_path

__all__ = ["ExportRefused", "Exported", "VisitUnknown", "exit_code", "export_visit", "verify_directory"]

Progress = Callable[[int, int], None]
"""Bytes done, bytes in all."""


class ExportRefused(Exception):
    """The bundle cannot be written there. The text says why and what would do."""

    code = "export_refused"


class VisitUnknown(Exception):
    """The store has no recording of this visit."""

    code = "visit_unknown"


class Exported(msgspec.Struct, frozen=True):
    """A bundle was written. `pinned`: the key is new in the trust list; `trusted`: the list allows it (None: unknown)."""

    path: Path
    visit: str
    origin: str | None
    key: str | None
    objects: int
    bytes: int
    closed: bool
    pinned: bool
    trusted: bool | None


async def export_visit(
    store: ObjectStore,
    visit: str,
    out: Path,
    progress: Progress | None = None,
    trust_file: Path | None = None,
) -> Exported:
    """Write the bundle of a visit into `out`, which must be empty or absent.

    `trust_file`: None means the user's own (`recorder.trusted_keys.trust_path`). Raises `VisitUnknown`, `ExportRefused`,
    `StoreError`, `TrustListInvalid`.
    """
    if not is_visit(visit):
        raise VisitUnknown("no recording of this visit")
    _make_room(out)
    root = prefix(visit)
    entries = [entry async for entry in store.list(root)]
    if not entries:
        raise VisitUnknown("no recording of this visit")
    here = [ObjectEntry(entry.name.removeprefix(root), entry.size) for entry in entries]
    ledger, batches = await _read_chain(store, visit, {entry.name for entry in here})
    wanted = [entry for entry in here if ledger.closed is not None or _of_whole_state(entry.name, ledger, batches)]
    await _copy(store, root, wanted, out, progress)
    copied = sum(entry.size for entry in wanted)
    origin, key = _signer(ledger)
    _write_texts(out, visit, origin, key)
    pinned, trusted = _pin(trust_file or trust_path(), origin, key)
    return Exported(out, visit, origin, key, len(wanted), copied, ledger.closed is not None, pinned, trusted)


def _make_room(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise ExportRefused(f"{out} is not empty: name a new folder")
    except OSError as error:
        raise ExportRefused(f"{out} cannot be written: {error.strerror}") from None


async def _read_chain(store: ObjectStore, visit: str, names: set[str]) -> tuple[Ledger, int]:
    """What the chain says, and its newest batch that has records and heads."""
    findings = Findings()
    chain, ledger = Chain(visit, findings), Ledger(findings)
    number = 0
    while {records_name(number + 1), heads_name(number + 1)} <= names:
        number += 1
        for line in (await store.get(prefix(visit) + records_name(number))).split(b"\n")[:-1]:
            read = chain.feed(line, "")
            if read is not None:
                ledger.feed(*read, "")
    return ledger, number


def _of_whole_state(name: str, ledger: Ledger, batches: int) -> bool:
    batch = batch_of(name)
    if batch is not None:
        return batch[1] <= batches
    return not name.startswith("streams/") or name in ledger.expected


async def _copy(
    store: ObjectStore, root: str, entries: list[ObjectEntry], out: Path, progress: Progress | None
) -> None:
    total, done = sum(entry.size for entry in entries), 0
    for entry in entries:
        if not is_safe(entry.name):
            raise ExportRefused("the store holds a name that is not safe to write")
        path = out / entry.name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                async for piece in store.stream(root + entry.name):
                    file.write(piece)
                    done += len(piece)
                    if progress is not None:
                        progress(done, total)
        except OSError as error:
            raise ExportRefused(f"{path} cannot be written: {error.strerror}") from None


def _signer(ledger: Ledger) -> tuple[str | None, str | None]:
    if ledger.opened is None:
        return None, None
    keys = [named.key for named in ledger.opened.keys if named.alg == "ed25519"]
    return ledger.opened.origin, keys[0] if keys else None


def _write_texts(out: Path, visit: str, origin: str | None, key: str | None) -> None:
    about = {"bundle": "teleconsult-bundle/1", "visit": visit, "origin": origin, "key": key}
    try:
        (out / "bundle.json").write_bytes(msgspec.json.format(msgspec.json.encode(about)) + b"\n")
        (out / "README.en.md").write_text(readme_en(visit, origin, key), "utf-8")
        (out / "README.zh.md").write_text(readme_zh(visit, origin, key), "utf-8")
    except OSError as error:
        raise ExportRefused(f"{out} cannot be written: {error.strerror}") from None


def _pin(path: Path, origin: str | None, key: str | None) -> tuple[bool, bool | None]:
    # EXPORT-2
    if origin is None or key is None:
        return False, None
    try:
        pinned = pin(path, origin, key)
        return pinned, load_trust(path).allows(origin, key)
    except OSError as error:
        raise ExportRefused(f"{path} cannot be written: {error.strerror}") from None
