"""The log of one recorder: every record of every visit, in the order they became durable, as leaves of one tree.

A record's leaf is SHA-256(0x00 ‖ line); the lines themselves stay with their visits, so the log shows nobody anything but
how many records there are. One recorder, one log, one writer.

TREE-1  A record becomes a leaf after its visit's journal has it, once, in the order of its visit; told again (after a
        crash) it is passed over.
TREE-2  A checkpoint is signed only over leaves that are durable, and is durable itself before it leaves the machine. So no
        crash can make two trees of one size.
TREE-4  The journal is bounded: past a megabyte, what it says of visits that are over goes.
TREE-3  A folder with fewer leaves than its checkpoint is not continued (`LogDamaged`): going on would fork the log.
"""

from __future__ import annotations

import fcntl
import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from recorder.evidence.checkpoint import Checkpoint, Note, NoteInvalid, NoteKey, parse_checkpoint, parse_note, sign
from recorder.evidence.proof import LogProof
from recorder.evidence.sign import Signer
from recorder.evidence.tree import leaf_hash
from recorder.log.tree_files import TreeFiles

JOURNAL_MOST = 1 << 20
"""Bytes (TREE-4)."""


class LogDamaged(Exception):
    """The folder cannot be continued without contradicting what was signed. The text names it."""

    code = "log_damaged"


class Run(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of the journal: the next `count` leaves are records `seq`, `seq`+1, … of this visit.

    In a journal that was compacted (TREE-4) the first line has no visit and counts all leaves before; a line with `at` counts
    none: the visit's last of `count` records stands there.
    """

    visit: str
    seq: int
    count: int
    at: int | None = None


class _Place(NamedTuple):
    """How far a visit is in the log: how many of its records, and where the last one stands."""

    records: int
    at: int


class SiteLog:
    """One owner. `take` is quick and keeps in memory; the others block and are called one at a time."""

    def __init__(self, folder: Path, origin: str, signer: Signer) -> None:
        """`origin` names the log the first time; later the folder does. Raises `LogDamaged`, `OSError`."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._sign: Callable[[bytes], bytes] = lambda message: signer.sign(message)[0].sig
        self._journal = os.open(folder / "journal", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LogDamaged(f"another recorder writes the log in {folder}") from None
        if (
            os.fstat(self._journal).st_ino != (folder / "journal").stat().st_ino
        ):  # compacted just now, by another (TREE-4)
            raise LogDamaged(f"another recorder writes the log in {folder}")
        self._waiting: deque[tuple[str, int, deque[bytes]]] = deque()
        self._taken: dict[str, int] = {}
        self._places: dict[str, _Place] = {}
        self._runs: list[Run] = []
        self._durable = 0
        self._journal_size = 0
        self._files = TreeFiles(folder, self._load())
        digits = signer.fingerprint[:16]  # so that all the recorders called localhost are not one to a witness
        name = origin if origin.endswith(digits) else f"{origin}/{digits}"
        self.key = NoteKey(self._named(name), signer.public_keys[0])
        self.note = self._last()

    @property
    def size(self) -> int:
        """Durable leaves."""
        return self._durable

    @property
    def signed(self) -> Checkpoint | None:
        """The newest checkpoint."""
        return parse_checkpoint(self.note.text) if self.note is not None else None

    def take(self, visit: str, seq: int, lines: Sequence[bytes]) -> None:
        """Records of a visit, from `seq` on, that its journal has (TREE-1)."""
        known = self._taken.get(visit, 0)
        if seq + len(lines) <= known:
            return
        assert seq <= known, "a visit's records come in order"
        self._waiting.append((visit, known, deque(leaf_hash(line) for line in lines[known - seq :])))
        self._taken[visit] = seq + len(lines)

    def taken(self, visit: str) -> int:
        """How many records of a visit it was told."""
        return self._taken.get(visit, 0)

    def write(self) -> bool:
        """Make what was taken durable; whether there was anything. Raises `OSError`: then call it again."""
        while self._waiting:
            visit, seq, leaves = self._waiting[0]
            while leaves:
                at = self._files.tree.append(leaves[0])
                leaves.popleft()
                self._waiting[0] = (visit, seq := seq + 1, leaves)
                self._count(visit, seq, at)
            self._waiting.popleft()
        if not self._runs:
            return False
        self._files.sync()
        content = b"".join(msgspec.json.encode(run) + b"\n" for run in self._runs)
        if os.pwrite(self._journal, content, self._journal_size) != len(content):
            raise OSError("the disk took only a part")
        os.fdatasync(self._journal)
        self._journal_size += len(content)
        self._durable += sum(run.count for run in self._runs)
        self._runs.clear()
        if self._journal_size > self._compact_at:
            self._compact()
        return True

    def _count(self, visit: str, records: int, at: int) -> None:
        # The leaves of a visit that follow each other are one run.
        last = self._runs[-1] if self._runs else None
        if last is not None and last.visit == visit:
            self._runs[-1] = Run(visit, last.seq, last.count + 1)
        else:
            self._runs.append(Run(visit, records - 1, 1))
        self._places[visit] = _Place(records, at)

    def checkpoint(self) -> Note:
        """Sign the tree as it is (TREE-2). Raises `OSError`."""
        text = Checkpoint(self.key.name, self.size, self._files.tree.root(self.size)).text
        return self.keep(Note(text, (sign(text, self.key, self._sign),)))

    def keep(self, note: Note) -> Note:
        """Remember a checkpoint, with the signatures it has by now. Raises `OSError`."""
        replace(self._folder / "checkpoint", note.encoded)
        self.note = note
        return note

    def consistency(self, old: int) -> list[bytes]:
        """The proof that the signed tree grew from the one of `old` leaves. Raises `IndexError`."""
        return self._files.tree.consistency(old, self._signed_size())

    def covers(self, visit: str, records: int) -> bool:
        """Whether the signed checkpoint covers so many records of a visit."""
        place = self._places.get(visit)
        return place is not None and place.records >= records and place.at < self._signed_size()

    def proof(self, visit: str, records: int) -> LogProof | None:
        """Of the visit's last record, against the signed checkpoint; None until it covers all `records`."""
        place = self._places.get(visit)
        size = self._signed_size()
        if place is None or self.note is None or place.records < records or place.at >= size:
            return None
        return LogProof(place.at, tuple(self._files.tree.inclusion(place.at, size)), self.note)

    def newest(self, visit: str) -> tuple[int, LogProof] | None:
        """How many records of the visit there are, and the last one's proof; None until the signed checkpoint covers it."""
        place = self._places.get(visit)
        proof = self.proof(visit, place.records) if place is not None else None
        return (place.records, proof) if place is not None and proof is not None else None

    def tile(self, level: int, number: int, width: int) -> bytes:
        """A tile of C2SP tlog-tiles: `width` hashes of tree level 8·`level`, from 256·`number` on."""
        return b"".join(self._files.tree.row(8 * level, 256 * number, width))

    def forget(self, visit: str) -> None:
        """The visit is closed and proven: nothing more is asked of it."""
        self._places.pop(visit, None)
        self._taken.pop(visit, None)

    def close(self) -> None:
        """Let go of the files."""
        self._files.close()
        os.close(self._journal)

    # ---- inside

    def _signed_size(self) -> int:
        signed = self.signed
        return signed.size if signed is not None else 0

    def _load(self) -> int:
        content = (self._folder / "journal").read_bytes()
        whole = content.rfind(b"\n") + 1
        os.ftruncate(self._journal, whole)
        decoder = msgspec.json.Decoder(Run)
        total = 0
        for line in content[:whole].splitlines():
            try:
                run = decoder.decode(line)
            except msgspec.DecodeError:
                raise LogDamaged(f"the journal in {self._folder} is damaged") from None
            total += run.count if run.at is None else 0
            if run.visit:
                self._places[run.visit] = _Place(run.seq + run.count, total - 1 if run.at is None else run.at)
        self._taken = {visit: place.records for visit, place in self._places.items()}
        self._journal_size, self._durable = whole, total
        self._compact_at = max(JOURNAL_MOST, 2 * whole)
        return total

    def _compact(self) -> None:
        # TREE-4. The new file is locked before it has the name, so at no moment can another recorder take the log.
        runs = [
            Run("", 0, self._durable),
            *(Run(visit, 0, place.records, place.at) for visit, place in self._places.items()),
        ]
        content = b"".join(msgspec.json.encode(run) + b"\n" for run in runs)
        draft = self._folder / "journal.new"
        journal = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.pwrite(journal, content, 0) != len(content):
                raise OSError("the disk took only a part")
            os.fsync(journal)
            draft.rename(self._folder / "journal")
        except OSError:  # the old one is as good
            os.close(journal)
            self._compact_at = self._journal_size + JOURNAL_MOST
            return
        sync_folder(self._folder)
        os.close(self._journal)
        self._journal, self._journal_size = journal, len(content)
        self._compact_at = max(JOURNAL_MOST, 2 * len(content))

    @property
    def published(self) -> int:
        """Up to which size the log's tiles are in the store, as far as was remembered."""
        try:
            return int((self._folder / "published").read_bytes())
        except (FileNotFoundError, ValueError):
            return 0

    def remember_published(self, size: int) -> None:
        """The store has the tiles of this size. Raises `OSError`."""
        replace(self._folder / "published", b"%d" % size)

    def keep_only(self, visits: Iterable[str]) -> None:
        """Forget every visit but these."""
        kept = set(visits)
        for visit in [visit for visit in self._places if visit not in kept]:
            self.forget(visit)

    def _named(self, origin: str) -> str:
        path = self._folder / "origin"
        if not path.exists():
            replace(path, origin.encode())
        return path.read_text("utf-8")

    def _last(self) -> Note | None:
        try:
            note = parse_note((self._folder / "checkpoint").read_bytes())
            signed = parse_checkpoint(note.text)
        except FileNotFoundError:
            return None
        except NoteInvalid:
            raise LogDamaged(f"the checkpoint in {self._folder} is damaged") from None
        if signed.size > self.size or self._files.tree.root(signed.size) != signed.root:  # TREE-3
            raise LogDamaged(f"the leaves in {self._folder} are not those of its checkpoint")
        return note


def replace(path: Path, content: bytes) -> None:
    """Give a small file new content, whole or not at all, durable on return. Raises `OSError`."""
    draft = path.with_suffix(".new")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make what was renamed in a folder durable. Raises `OSError`."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
