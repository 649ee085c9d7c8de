"""`teleconsult export`, `verify` and `inventory`: words for people and JSON for machines around what `recorder` does.

Verifying imports the evidence format and the reading of a folder, nothing else of ours.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import click
import msgspec

from config.settings import Settings
from recorder.bundle import NotABundle, exit_code, verify_directory
from recorder.evidence.errors import EvidenceError
from recorder.evidence.verify import Verdict
from recorder.trusted_keys import readers_trust

NOT_A_BUNDLE = 2
CANNOT_JUDGE = 3
PATIENCE_S = 2.0


def export(settings: Settings, visit: str, output: Path) -> int:
    """Write the bundle, say what it is; the exit code."""
    from recorder.export import ExportRefused, NothingRecordedYet, VisitUnknown, export_visit
    from recorder.holdings import SpoolFolder
    from recorder.objects import StoreError
    from recorder.store import open_store

    if settings.store == "folder" and not (settings.store_folder.is_dir() or (settings.data / "spool").is_dir()):
        click.echo(f"Error: there are no recordings in {settings.data}; name the folder with --data", err=True)
        return 1
    try:
        with Bar("Exporting") as bar:
            spool = SpoolFolder(settings.data / "spool")  # a visit that is live, or not all stored yet
            done = asyncio.run(export_visit(open_store(settings), visit, output, progress=bar.move, spool=spool))
    except (VisitUnknown, NothingRecordedYet, ExportRefused, StoreError, EvidenceError) as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    click.echo(f"{done.objects} objects, {done.bytes:,} bytes of visit {done.visit} are in {done.path}")
    if not done.closed:
        click.echo("The recording is not closed yet: this is what there was of it so far.")
    click.echo(_about_key(done.origin, done.key, done.trusted, done.pinned))
    click.echo(f"Check it with: teleconsult verify {done.path}")
    return 0


def verify(bundle: Path, as_json: bool, trust_file: Path | None) -> int:
    """Judge the bundle, say the verdict; the exit code: 0, 1, 2, or 3 where the trust list cannot be read."""
    try:
        trust = readers_trust(trust_file)
    except (EvidenceError, OSError) as error:
        click.echo(f"Error: the trust list cannot be used: {error}", err=True)
        return CANNOT_JUDGE
    try:
        with Bar("Verifying") as bar:
            verdict = verify_directory(bundle, trust, bar.move)
    except NotABundle as error:
        click.echo(f"Error: {error}", err=True)
        if as_json:
            click.echo(json.dumps({"intact": False, "complete": False, "broken": [], "error": error.code}))
        return NOT_A_BUNDLE
    click.echo(json.dumps(verdict_document(verdict)) if as_json else _in_words(verdict))
    return exit_code(verdict)


def inventory(store: Path, heads: tuple[Path, ...], spool: Path | None, as_json: bool) -> int:
    """Read the whole store, say what is missing; the exit code: 0, 1, 2."""
    from recorder.evidence.checkpoint import NoteInvalid, parse_note
    from recorder.evidence.inventory import take_inventory
    from recorder.inventory import NotAStore, StoreFolder, waiting

    try:
        known = [parse_note(head.read_bytes()) for head in heads]
        journals = list(waiting(spool)) if spool is not None else []
        found = take_inventory(StoreFolder(store), known, journals)
    except (NotAStore, NoteInvalid, OSError) as error:
        click.echo(f"Error: {error}", err=True)
        return NOT_A_BUNDLE
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found) | {"broken": [one._asdict() for one in found.broken]}))
        return 0 if found.whole else 1
    logs = ", ".join(f"{name} with {leaves:,} leaves" for name, leaves in found.logs.items()) or "no log"
    behind = f", {found.behind} of them in no log yet" if found.behind else ""
    click.echo(f"Whole     {_yes(found.whole)}")
    for one in found.broken[:10]:
        click.echo(f"  broken: {one.rule} at {one.where}")
    if found.broken_total > 10:
        click.echo(f"  and {found.broken_total - 10} more")
    click.echo(f"{found.recordings} recordings, {found.records:,} records{behind}; {logs}")
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


def _in_words(verdict: Verdict) -> str:
    summary = verdict.summary
    lines = [
        f"Intact    {_yes(verdict.intact)}",
        f"Complete  {_yes(verdict.complete)}",
        *(f"  broken: {one.rule} at {one.where}" for one in verdict.broken[:10]),
    ]
    if verdict.broken_total > 10:
        lines.append(f"  and {verdict.broken_total - 10} more")
    duration = "" if summary.duration_ms is None else f", {summary.duration_ms / 1000:.1f} s"
    lines.append(
        f"Visit {verdict.visit}{duration}: {summary.streams} streams, {summary.segments} segments, "
        f"{summary.gaps} declared gaps, {summary.records} records"
    )
    lines.append(_about_key(verdict.origin, verdict.key, verdict.trusted))
    lines.append(_about_witnesses(verdict))
    return "\n".join(lines)


def _about_witnesses(verdict: Verdict) -> str:
    names = ", ".join(verdict.witnesses)
    match verdict.witnessed:
        case "none":
            return "Witnessed by nobody"
        case "local":
            return f"Witnessed by {names}: the recorder's own witness, which guards against accidents, not against its owner"
        case "declared":
            return f"Witnessed by {names}, as the recording says; none of them is in your trust list"
        case "trusted":
            return f"Witnessed by {names}, one of them at least in your trust list"


def _about_key(origin: str | None, key: str | None, trusted: bool | None, pinned: bool = False) -> str:
    if key is None:
        return "No signing key could be read."
    said = f"Signed by {origin} with key {key}"
    if pinned:
        return f"{said}\n  seen for the first time and now in your trust list; compare it with one you got another way"
    match trusted:
        case True:
            return f"{said}\n  which is in your trust list"
        case False:
            return f"{said}\n  WHICH IS NOT THE ONE IN YOUR TRUST LIST"
        case None:
            return f"{said}\n  which is not in your trust list; compare it with one you got another way"


def _yes(so: bool) -> str:
    return "yes" if so else "NO"
