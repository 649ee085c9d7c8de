"""One visit's folder in the spool: its objects that are not stored yet, and the journal that survives a crash.

SPOOL-1  A commit is durable when it returns: objects are written and synced first, then the line that speaks of them, with
         the drafts (AHEAD-1). So whatever a line says is on the disk, and what no line speaks of may be thrown away.
SPOOL-2  A line is whole or it is not there: on opening, what follows the last newline is cut off, before anything is signed
         after it. A damaged line elsewhere is `SpoolDamaged`: nothing is written to such a folder.
SPOOL-3  A commit that failed may be repeated: bytes go to the places they were meant for, never behind them.
SPOOL-5  A draft has no file of its own but for a while after `.ahead` was emptied (AHEAD-2): files made and deleted for each
         segment cost up to a tenth of the recorder's time, and syncing them more than that.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from recorder.sealing.stream_seal import DRAFT
from recorder.spool.ahead import Commit, Draft, WriteAhead, sync_folder
from recorder.tape.output import Write
from recorder.tape.passed import Passed
from recorder.tape.stream import StreamState


class SpoolDamaged(Exception):
    """A journal that cannot be continued. The text names the visit's folder."""

    code = "spool_damaged"


class Life(msgspec.Struct, frozen=True):
    """The clocks of one life of the recorder: the wall clock (µs since 1970) at a monotonic time, and which boot it was."""

    epoch: str
    boot: str
    wall_us: int
    mono_us: int


class Open(msgspec.Struct, frozen=True):
    """What a visit's streams are in the middle of; `at_us`: monotonic time of this. `passed`: PASSED-1."""

    at_us: int
    streams: list[StreamState]
    causes: dict[str, dict[str, list[tuple[int, int | None]]]]
    passed: list[Passed] = []


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One commit. `keys`: idempotency key → sequence number. `batch`: with these records this batch is complete."""

    records: list[str] = []
    keys: dict[str, int] = {}
    head: str | None = None
    open: Open | None = None
    life: Life | None = None
    batch: int | None = None


class VisitSpool:
    """One visit's folder. One owner, one call at a time."""

    def __init__(self, folder: Path, ahead: WriteAhead) -> None:
        self.folder = folder
        self.ahead = ahead
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._files: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._folders: dict[Path, int] = {}
        """Kept open: each is synced with every object that is begun in it."""
        self._begun: set[Path] = set()
        """Folders with a name that is not durable yet."""
        self._journal = os.open(folder / "journal", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._journal_size = 0
        self._torn = False
        """More may lie in the journal than was said: a line that did not get there whole."""
        try:
            sync_folder(folder)
            sync_folder(folder.parent)
        except OSError:
            os.close(self._journal)
            raise

    def load(self) -> list[Line]:
        """The journal's lines (SPOOL-2). Raises `SpoolDamaged`."""
        content = (self.folder / "journal").read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            os.ftruncate(self._journal, whole)
            os.fsync(self._journal)
        self._journal_size = whole
        decoder = msgspec.json.Decoder(Line)
        try:
            return [decoder.decode(line) for line in content[:whole].splitlines()]
        except msgspec.DecodeError:
            raise SpoolDamaged(f"the journal in {self.folder} is damaged") from None

    def commit(self, writes: Sequence[Write], line: Line) -> None:
        """Make these durable (SPOOL-1). Raises `OSError`; then repeat it with everything it was given (SPOOL-3)."""
        commit = self.prepare(writes, line)
        self.ahead.write([commit])
        self.settle(writes, commit)

    def prepare(self, writes: Sequence[Write], line: Line) -> Commit:
        """Make the objects durable; what is still to be (AHEAD-1). Raises `OSError`, as `commit`."""
        sizes = dict(self._sizes)
        touched: set[int] = set()
        drafts: list[Draft] = []
        for name, content, _, _ in writes:
            if not content:
                continue
            at = sizes.get(name, 0)
            sizes[name] = at + len(content)
            if name.endswith(DRAFT):
                drafts.append(Draft(name, at, content))
                continue
            file = self._file(name)
            if at == 0:  # an earlier life may have died over this object, and left more of it than there will be
                os.ftruncate(file, 0)
            _write_at(file, content, at)
            touched.add(file)
        for file in touched:
            os.fdatasync(file)
        while self._begun:
            self._sync(next(iter(self._begun)))
        over = [write.name for write in writes if write.gone]
        text = msgspec.json.encode(line) + b"\n"
        return Commit(self.folder.name, self._journal_size, text, drafts, over)

    def settle(self, writes: Sequence[Write], commit: Commit) -> None:
        """The commit made of these is durable: put its line in its place. Raises `OSError`, as `commit`."""
        end = commit.at + len(commit.line)
        torn, self._torn = self._torn, True
        _write_at(self._journal, commit.line, commit.at)
        if torn:
            os.ftruncate(self._journal, end)
        self._torn = False
        self._journal_size = end
        for name, content, whole, gone in writes:
            self._sizes[name] = self._sizes.get(name, 0) + len(content)
            if whole or gone:
                self._sizes.pop(name)
                if (opened := self._files.pop(name, None)) is not None:
                    os.close(opened)

    def take_up(self, name: str, size: int) -> bytes:
        """The first `size` bytes of an object that was being written; what follows is cut off."""
        if name.endswith(DRAFT):
            return self.ahead.draft(self.folder.name, name, size)
        file = self._file(name)
        os.ftruncate(file, size)
        os.fdatasync(file)
        self._sizes[name] = size
        return os.pread(file, size, 0)

    def forget_drafts(self) -> None:
        """All that was being written when an earlier life ended is taken up, and durable otherwise."""
        self.ahead.forget(self.folder.name)

    def put(self, name: str, content: bytes) -> Path:
        """Write a whole small object (a batch, a key) durably."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(path.name + ".new")
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        self._sync(path.parent)
        return path

    def objects(self) -> list[str]:
        """The names of all objects here."""
        found = (p for p in self.folder.rglob("*") if p.is_file() and p.name != "journal" and p.suffix != ".new")
        return sorted(p.relative_to(self.folder).as_posix() for p in found)

    def remove(self, name: str) -> None:
        """The object is stored: give the space back."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / name).unlink()

    def close(self) -> None:
        """Let go of the files."""
        for file in [*self._files.values(), *self._folders.values(), self._journal]:
            os.close(file)
        self._files.clear()
        self._folders.clear()
        self._journal = -1

    def _file(self, name: str) -> int:
        file = self._files.get(name)
        if file is None:
            path = self.folder / name
            if path.parent not in self._folders and not path.parent.exists():
                path.parent.mkdir(parents=True, mode=0o700)
                sync_folder(path.parent.parent)
                sync_folder(path.parent.parent.parent)
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._files[name] = file
            self._begun.add(path.parent)
        return file

    def _sync(self, folder: Path) -> None:
        opened = self._folders.get(folder)
        if opened is None:
            opened = self._folders[folder] = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        os.fsync(opened)
        self._begun.discard(folder)


def _write_at(file: int, content: bytes, at: int) -> None:
    view = memoryview(content)
    while view:
        written = os.pwrite(file, view, at)
        view = view[written:]
        at += written
