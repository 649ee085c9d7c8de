"""Export: copy a recording from the store into a bundle, and remember whose key signed it.

EXPORT-1  Objects are copied as they are, what does not belong too: an export never mends, hides or judges. Only of a
          recording that still grows, what its newest whole state does not name yet is left out (HELD-1).
EXPORT-2  The key is pinned when its origin, if it names somebody, is seen for the first time; an entry is never changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from recorder.bundle.archive import manifest_of, signer, texts
from recorder.bundle.directory import exit_code, verify_directory
from recorder.bundle.trusted_keys import load_trust, pin, trust_path
from recorder.evidence.layout import is_safe
from recorder.store.holdings import Held, Holdings, SpoolReader
from recorder.store.objects import ObjectStore

__all__ = [
    "ExportRefused",
    "Exported",
    "NothingRecordedYet",
    "RecordingMisplaced",
    "VisitUnknown",
    "exit_code",
    "export_visit",
    "verify_directory",
]

Progress = Callable[[int, int], None]
"""Bytes done, bytes in all."""


class ExportRefused(Exception):
    """The bundle cannot be written there. The text says why and what would do."""

    code = "export_refused"


class VisitUnknown(Exception):
    """The store has no recording of this visit."""

    code = "visit_unknown"


class NothingRecordedYet(Exception):
    """The recording has begun and nothing of it is written whole: a bundle would hold keys and no record."""

    code = "nothing_recorded_yet"


class RecordingMisplaced(Exception):
    """What the store has under this visit's name is the recording of another one (INV-6)."""

    code = "recording_misplaced"


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
    spool: SpoolReader | None = None,
) -> Exported:
    """Write the bundle of a visit into `out`, which must be empty or absent.

    `trust_file`: None means the user's own (`recorder.bundle.trusted_keys.trust_path`). `spool`: where a recording may be in
    part that is not all stored yet. Raises `VisitUnknown`, `NothingRecordedYet`, `RecordingMisplaced`, `ExportRefused`,
    `StoreError`, `TrustListInvalid`. The folder is made only when there is something to write.
    """
    _look_for_room(out)
    holdings = Holdings(store, spool)
    held = await holdings.recording(visit)
    if held is None:
        raise VisitUnknown("no recording of this visit")
    if not held.records:
        raise NothingRecordedYet("nothing of this visit is recorded yet: try again in a few seconds")
    if held.named not in (None, visit):
        raise RecordingMisplaced(f"the store's folder of {visit} holds the recording of {held.named}")
    await _copy(holdings, held, out, progress)
    _write_texts(out, texts(held))
    _write_texts(out, await manifest_of(holdings, held))
    origin, key = signer(held)
    pinned, trusted = _pin(trust_file or trust_path(), origin, key)
    copied = sum(held.sizes.values())
    return Exported(out, visit, origin, key, len(held.sizes), copied, held.closed, pinned, trusted)


def _look_for_room(out: Path) -> None:
    try:
        if os.path.lexists(out) and any(out.iterdir()):
            raise ExportRefused(f"{out} is not empty: name a new folder")
    except OSError as error:
        raise ExportRefused(f"{out} cannot be written: {error.strerror}") from None


async def _copy(holdings: Holdings, held: Held, out: Path, progress: Progress | None) -> None:
    total, done = sum(held.sizes.values()), 0
    for name in held.sizes:
        if not is_safe(name):
            raise ExportRefused("the store holds a name that is not safe to write")
        path = out / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                async for piece in holdings.stream(held.visit, name):
                    file.write(piece)
                    done += len(piece)
                    if progress is not None:
                        progress(done, total)
        except OSError as error:
            raise ExportRefused(f"{path} cannot be written: {error.strerror}") from None


def _write_texts(out: Path, written: Mapping[str, bytes]) -> None:
    try:
        for name, text in written.items():
            (out / name).parent.mkdir(exist_ok=True)
            (out / name).write_bytes(text)
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
