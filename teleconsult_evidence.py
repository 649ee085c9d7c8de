"""`teleconsult export`, `verify` and `inventory`: words for people and JSON for machines around what `recorder` does.

Verifying imports the evidence format and the reading of a folder, nothing else of ours.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import click
import msgspec

from config.settings import Settings
from recorder.bundle.directory import NotABundle, exit_code, verify_directory
from recorder.bundle.held_against import (
    NoManifest,
    ReceiptInvalid,
    judge_day,
    read_receipt,
    with_receipt,
)
from recorder.bundle.trusted_keys import readers_trust
from recorder.evidence.errors import EvidenceError
from recorder.evidence.token import roots_in
from recorder.evidence.trust import Trust
from recorder.evidence.verify import Verdict
from recorder.plain_folder import read_given
from teleconsult_verdict import about_key, about_witnesses, in_words

NOT_A_BUNDLE = 2
CANNOT_JUDGE = 3
MAX_ROOTS = 4 << 20
PATIENCE_S = 2.0


def export(settings: Settings, visit: str, output: Path) -> int:
    """Write the bundle, say what it is; the exit code."""
    from recorder.bundle.export import ExportRefused, NothingRecordedYet, RecordingMisplaced, VisitUnknown, export_visit
    from recorder.store.holdings import SpoolFolder
    from recorder.store.named import open_store
    from recorder.store.objects import StoreError

    if settings.store == "folder" and not (settings.store_folder.is_dir() or (settings.data / "spool").is_dir()):
        click.echo(f"Error: there are no recordings in {settings.data}; name the folder with --data", err=True)
        return 1
    try:
        with Bar("Exporting") as bar:
            spool = SpoolFolder(settings.data / "spool")  # a visit that is live, or not all stored yet
            done = asyncio.run(export_visit(open_store(settings), visit, output, progress=bar.move, spool=spool))
    except (VisitUnknown, NothingRecordedYet, RecordingMisplaced, ExportRefused, StoreError, EvidenceError) as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    click.echo(f"{done.objects} objects, {done.bytes:,} bytes of visit {done.visit} are in {done.path}")
    if not done.closed:
        click.echo("The recording is not closed yet: this is what there was of it so far.")
    click.echo(about_key(done.origin, done.key, done.trusted, done.pinned))
    click.echo(f"Check it with: teleconsult verify {done.path}")
    return 0


class Asked(NamedTuple):
    """How to judge: the trust list, whose timestamps count, and in which words to say it."""

    as_json: bool = False
    trust_file: Path | None = None
    roots: Path | None = None
    require_timestamps: bool = False

    @property
    def trust(self) -> Trust:
        """What the reader trusts. Raises `EvidenceError`, `OSError`, `ValueError`."""
        roots = tuple(roots_in(read_given(self.roots, MAX_ROOTS))) if self.roots is not None else ()
        return replace(readers_trust(self.trust_file), roots=roots, timestamps_required=self.require_timestamps)


def verify(bundle: Path, asked: Asked, receipt: Path | None = None) -> int:
    """Judge the bundle, say the verdict; the exit code: 0, 1, 2, or 3 where what to judge by cannot be read."""
    try:
        trust = asked.trust
        held = read_receipt(receipt) if receipt is not None else None
    except ReceiptInvalid as error:
        return _bad_receipt(error, asked)
    except (EvidenceError, OSError, ValueError) as error:
        return _cannot_judge(error)
    try:
        with Bar("Verifying") as bar:
            verdict = verify_directory(bundle, trust, bar.move)
    except NotABundle as error:
        click.echo(f"Error: {error}", err=True)
        if asked.as_json:
            click.echo(json.dumps({"intact": False, "complete": False, "broken": [], "error": error.code}))
        return NOT_A_BUNDLE
    if held is not None:
        verdict = with_receipt(verdict, held, bundle)
    click.echo(json.dumps(verdict_document(verdict)) if asked.as_json else in_words(verdict))
    if held is not None and not asked.as_json:
        rules = {one.rule for one in verdict.broken}
        said = "of exactly this recording"
        if "RECEIPT-2" in rules:
            said = f"NOT of this recording, or not by its key: it is of {held.visit}"
        elif "RECEIPT-3" in rules:
            said = "of this recording, in ANOTHER HISTORY OF THE LOG: its recorder has shown two"
        click.echo(f"The receipt is {said}")
    return exit_code(verdict)


def verify_receipt(receipt: Path, asked: Asked) -> int:
    """Say what a receipt proves by itself; the exit code: 0, 1 or 3."""
    try:
        held, trust = read_receipt(receipt), asked.trust
    except ReceiptInvalid as error:
        return _bad_receipt(error, asked)
    except (EvidenceError, OSError, ValueError) as error:
        return _cannot_judge(error)
    document = {"visit": held.visit, "records": held.records, "hash": held.hash, "at": held.at, "origin": held.origin}
    logged = held.logged
    witnessed = logged.by(trust) if logged is not None else "none"
    trusted = held.trusted_by(trust)
    if asked.as_json:
        more = {"key": held.key.fingerprint if held.key else None, "trusted": trusted, "witnessed": witnessed}
        click.echo(json.dumps(document | more | {"proven": logged is not None}))
    elif held.key is None:
        click.echo(f"Visit {held.visit} had {held.records} records, the last {held.hash}.")
        click.echo("This short form proves nothing by itself: hold the recording against it.")
    else:
        click.echo(f"Visit {held.visit} ended at {held.at} with record {held.records}, {held.hash}")
        click.echo(about_key(held.origin, held.key.fingerprint, trusted))
        click.echo(about_witnesses(witnessed, [one.name for one in logged.witnesses] if logged else []))
    return 1 if trusted is False else 0


def verify_day(manifest: Path, folder: Path, asked: Asked) -> int:
    """Say whether a folder of bundles has every visit of a day; the exit code: 0, 1, 2 or 3."""
    if not folder.is_dir():
        click.echo(f"Error: {folder} is not a folder", err=True)
        return NOT_A_BUNDLE
    try:
        with Bar("Verifying") as bar:
            judged = judge_day(manifest, folder, asked.trust, bar.move)
    except NoManifest as error:
        click.echo(f"Error: {error}", err=True)
        return NOT_A_BUNDLE
    except (EvidenceError, OSError, ValueError) as error:
        return _cannot_judge(error)
    if asked.as_json:
        document: dict[str, object] = msgspec.to_builtins(judged)
        click.echo(json.dumps(document | {"broken": [one._asdict() for one in judged.broken]}))
    else:
        click.echo(f"{judged.found} of {judged.visits} visits of {judged.day} (log {judged.log}) are here")
        proven = {True: "which the log has", False: "WHICH THE LOG DOES NOT HAVE", None: "which no key here can prove"}
        click.echo(f"By a manifest {proven[judged.proven]}")
        if judged.key is not None:
            known = {True: "which is in your trust list", False: "WHICH IS NOT THE ONE IN YOUR TRUST LIST"}
            click.echo(
                f"  its key is {judged.key}, {known.get(judged.trusted, 'of which your trust list says nothing')}"
            )
        for one in judged.broken[:10]:
            click.echo(f"  broken: {one.rule} at {one.where}")
    return 0 if judged.whole else 1


def _bad_receipt(error: ReceiptInvalid, asked: Asked) -> int:
    if asked.as_json:
        broken = [{"rule": error.rule, "where": "receipt"}]
        click.echo(json.dumps({"intact": False, "complete": False, "broken": broken, "error": error.code}))
    else:
        click.echo(f"The receipt proves nothing: it breaks {error.rule}")
    return 1


def _cannot_judge(error: Exception) -> int:
    what = "the roots of time-stamp authorities" if isinstance(error, ValueError) else "the trust list"
    if isinstance(error, OSError) and error.filename is not None:  # a receipt, a list or roots: it says which
        what, error = error.filename, OSError(error.strerror)
    click.echo(f"Error: {what} cannot be used: {error}", err=True)
    return CANNOT_JUDGE


def inventory(store: Path, heads: tuple[Path, ...], spool: Path | None, as_json: bool) -> int:
    """Read the whole store, say what is missing; the exit code: 0, 1, 2."""
    from recorder.bundle.inventory import NotAStore, StoreFolder, waiting
    from recorder.evidence.checkpoint import MAX_NOTE, NoteInvalid, parse_checkpoint, parse_note
    from recorder.evidence.inventory import take_inventory

    try:
        known = [parse_note(read_given(head, MAX_NOTE)) for head in heads]
        for head in known:
            parse_checkpoint(head.text)
        journals = list(waiting(spool)) if spool is not None else []
        found = take_inventory(StoreFolder(store), known, journals)
    except (NotAStore, NoteInvalid, OSError) as error:
        click.echo(f"Error: {error}", err=True)
        return NOT_A_BUNDLE
    if found.whole and not found.recordings and not found.logs:
        click.echo(f"Error: {store} is not a store: it holds no recording and no log", err=True)
        return NOT_A_BUNDLE
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found) | {"broken": [one._asdict() for one in found.broken]}))
        return 0 if found.whole else 1
    logs = ", ".join(f"{name} with {leaves:,} leaves" for name, leaves in found.logs.items()) or "no log"
    behind = f", {found.behind} of them in no log yet" if found.behind else ""
    click.echo(f"Whole     {'yes' if found.whole else 'NO'}")
    for one in found.broken[:10]:
        click.echo(f"  broken: {one.rule} at {one.where}")
    if found.broken_total > 10:
        click.echo(f"  and {found.broken_total - 10} more")
    click.echo(f"{found.recordings} recordings, {found.records:,} records{behind}; {logs}")
    if found.shredded:
        click.echo(f"Shredded, on record: {', '.join(found.shredded)}")
    return 0 if found.whole else 1


def verdict_document(verdict: Verdict) -> dict[str, object]:
    """The verdict as JSON says it: `broken` is a list of `{"rule", "where"}`."""
    document: dict[str, object] = msgspec.to_builtins(verdict)
    return document | {"broken": [{"rule": one.rule, "where": one.where} for one in verdict.broken]}


class Bar:
    """A progress bar on standard error, if that is a terminal and the work takes longer than two seconds."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()
        self._draw: Callable[[int, int], None] | None = None
        self._stop: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stop is not None:
            self._stop()

    def move(self, done: int, total: int) -> None:
        """`done` of `total` bytes."""
        if self._draw is None:
            if not sys.stderr.isatty() or time.monotonic() - self._began < PATIENCE_S:
                return
            self._begin(total)
        assert self._draw is not None
        self._draw(done, total)

    def _begin(self, total: int) -> None:
        # 60 ms to import: only who has to wait pays for it.
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        progress = Progress(*columns, console=Console(stderr=True), transient=True)
        task = progress.add_task(self._what, total=total)
        progress.start()
        self._draw = lambda done, total: progress.update(task, completed=done, total=total)
        self._stop = progress.stop
