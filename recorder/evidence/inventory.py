"""Whether a store still has every recording its logs know of: what shows that a whole visit was taken away (FORMAT.md §9).

A recording can prove itself, and nothing about its neighbours. The log can: each leaf is a record of some visit. So the whole
store is read once, each log's tree is built anew from its tiles, and every leaf must be the line of a record that is here.

INV-1  Each checkpoint of a log is well formed, named after its folder and its size, and signed by the key the folder names.
INV-2  The tiles are there up to the newest checkpoint, and every checkpoint's root is that of the one tree at its size.
INV-3  Every leaf is the line of a record in the store, or of the log's custody chain beside its tiles, or a day's manifest.
INV-4  Every record of a recording that has its proof is a leaf of the log of the key that signed it; so is a manifest.
INV-5  Every head the reader brings (a witness's, an older inventory's) is of a tree that this one continues.
INV-6  Every record is in the folder of the visit it names.
INV-7  The log of every recording is there, and a closed recording has its proof, unless its records wait in a spool.
INV-8  The custody chain of each log holds (CUSTODY-1 to CUSTODY-3), and what of it is not in the log follows all that is.
INV-9  See `day_lists`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Protocol

import msgspec

from recorder.evidence.checkpoint import Checkpoint, Note, NoteInvalid, NoteKey, parse_checkpoint, parse_note, signed_by
from recorder.evidence.custody import CustodyChain
from recorder.evidence.day_lists import DayLists, Recorded
from recorder.evidence.errors import ChainBroken, KeyInvalid
from recorder.evidence.findings import Broken, Findings
from recorder.evidence.layout import HEX, PREFIX, PROOF, batch_of, is_visit
from recorder.evidence.manifest import MAX_MANIFEST
from recorder.evidence.proof import parse_proof
from recorder.evidence.sign import PublicKey, public_key
from recorder.evidence.tiles import HASH, TILE, tile_name
from recorder.evidence.tree import Tree, leaf_hash
from recorder.evidence.verify import Unreadable

MAX_TILE = HASH * TILE
MAX_CHECKPOINT = 1 << 16
MAX_KEY = 4096
MAX_BATCH = 16 << 20

_CHECKPOINT = re.compile(r"log/([0-9a-f]{16})/checkpoint/([0-9]{12})")
_CUSTODY = re.compile(r"log/([0-9a-f]{16})/custody/[0-9]{12}\.jsonl")
_KEY = re.compile(rf"keys/({HEX})\.pem")


class StoreReader(Protocol):
    """Where a store's objects are, named as in the store."""

    def names(self) -> Iterable[str]:
        """Every name there is."""
        ...

    def chunks(self, name: str) -> Iterator[bytes]:
        """An object's bytes in pieces. Raises `Unreadable`."""
        ...


class _Named(msgspec.Struct):
    """What of a record the inventory looks at."""

    visit: str
    type: str
    at: str = ""


_named = msgspec.json.Decoder(_Named)


class Inventory(msgspec.Struct, frozen=True):
    """`whole`: no rule is broken. `logs`: log's name → leaves. `behind`: records in no log yet, of visits without a proof.

    `shredded`: visits whose keys were destroyed, by the custody chains.
    """

    whole: bool
    broken: list[Broken]
    broken_total: int
    logs: dict[str, int]
    recordings: int
    records: int
    behind: int
    shredded: list[str] = []


class _Log:
    """One log's objects, and its tree once it is built."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.sizes: list[int] = []
        self.notes: dict[int, tuple[Note, Checkpoint]] = {}
        self.tree = Tree()
        self.index: dict[bytes, int] = {}
        self.days = DayLists()

    @property
    def folder(self) -> str:
        """Where its objects are."""
        return f"log/{self.root}"

    def checkpoint_name(self, size: int) -> str:
        """The checkpoint over `size` leaves."""
        return f"{self.folder}/checkpoint/{size:012d}"


def take_inventory(reader: StoreReader, heads: Sequence[Note] = (), waiting: Iterable[bytes] = ()) -> Inventory:
    """Read the store once; never raises for what it holds.

    `heads`: signed checkpoints that the reader has from elsewhere. `waiting`: lines of records that are not in the store
    yet, because their visits go on.
    """
    return _Taking(reader, heads, waiting).result()


class _Taking:
    def __init__(self, reader: StoreReader, heads: Sequence[Note], waiting: Iterable[bytes]) -> None:
        self._reader = reader
        self._heads = heads
        self._waiting = {leaf_hash(line) for line in waiting}
        self._found = Findings()
        self._visits: dict[str, list[str]] = {}
        self._manifests: list[str] = []
        self._proofs: set[str] = set()
        self._logs: dict[str, _Log] = {}
        self._keys: dict[str, PublicKey] = {}
        self._custody: dict[str, list[str]] = {}
        self._records = self._behind = 0
        self._shredded: list[str] = []

    def result(self) -> Inventory:
        self._sort(sorted(self._reader.names()))
        for visit, names in self._visits.items():
            self._learn_keys(visit, names)
        for log in self._logs.values():
            self._build(log)
        unseen = {log.root: log.index.keys() - self._waiting for log in self._logs.values()}
        for visit, names in self._visits.items():
            self._account(visit, names, unseen)
        for name in self._manifests:
            self._account_manifest(name, unseen)
        for wrong in (name for log in self._logs.values() for name in log.days.wrong()):
            self._found.add("INV-9", wrong)  # INV-9
        for root, missing in unseen.items():
            for name in self._custody.get(root, ()) if missing else ():
                missing -= self._lines_of(name)
        for root, batches in self._custody.items():
            self._judge_custody(root, batches)
        for root, missing in unseen.items():
            for leaf in sorted(self._logs[root].index[one] for one in missing):
                self._found.add("INV-3", f"log/{root} leaf {leaf}")  # INV-3
        self._compare()
        logs = {
            checkpoint.origin: size
            for log in self._logs.values()
            for size, (_, checkpoint) in list(log.notes.items())[-1:]
        }
        found = self._found
        whole = (not found.total, found.kept, found.total)
        return Inventory(*whole, logs, len(self._visits), self._records, self._behind, sorted(self._shredded))

    def _sort(self, names: Sequence[str]) -> None:
        for name in names:
            if name.startswith(PREFIX):
                visit, _, rest = name.removeprefix(PREFIX).partition("/")
                if is_visit(visit) and rest:
                    self._visits.setdefault(visit, []).append(rest)
            elif name.startswith("manifests/"):
                (self._manifests.append if name.endswith(".jsonl") else self._proofs.add)(name)
            elif (found := _CHECKPOINT.fullmatch(name)) is not None:
                self._logs.setdefault(found[1], _Log(found[1])).sizes.append(int(found[2]))
            elif (found := _CUSTODY.fullmatch(name)) is not None:
                self._custody.setdefault(found[1], []).append(name)

    def _learn_keys(self, visit: str, names: Iterable[str]) -> None:
        for name in names:
            found = _KEY.fullmatch(name)
            if found is None or found[1] in self._keys:
                continue
            try:
                key = public_key(self._read(f"{PREFIX}{visit}/{name}", MAX_KEY))
            except (KeyInvalid, Unreadable):
                continue  # the recording's own verifier names it
            if key.alg == "ed25519" and key.fingerprint == found[1]:
                self._keys[found[1]] = key

    def _build(self, log: _Log) -> None:
        for size in sorted(log.sizes):
            self._read_checkpoint(log, size)
        newest = max(log.notes, default=0)
        for number in range(-(-newest // TILE)):
            width = min(TILE, newest - number * TILE)
            for leaf in self._tile(log, number, width):
                log.index[leaf] = log.tree.append(leaf)
        for size, (_, checkpoint) in log.notes.items():
            if size > log.tree.size or log.tree.root(size) != checkpoint.root:
                self._found.add("INV-2", log.checkpoint_name(size))  # INV-2

    def _read_checkpoint(self, log: _Log, size: int) -> None:
        name = log.checkpoint_name(size)
        try:
            note = parse_note(self._read(name, MAX_CHECKPOINT))
            checkpoint = parse_checkpoint(note.text)
        except (NoteInvalid, Unreadable):
            self._found.add("INV-1", name)
            return
        named = checkpoint.origin.rpartition("/")[2] == log.root and checkpoint.size == size
        keys = [key for fingerprint, key in self._keys.items() if fingerprint.startswith(log.root)]
        if not named or not any(signed_by(note, NoteKey(checkpoint.origin, key)) for key in keys):
            self._found.add("INV-1", name)  # INV-1
            return
        log.notes[size] = (note, checkpoint)

    def _tile(self, log: _Log, number: int, width: int) -> list[bytes]:
        # A partial tile may be gone once a fuller one is there (C2SP tlog-tiles), so the fuller one is asked first.
        name = f"{log.folder}/tile/0/{tile_name(number)}"
        for candidate in (name, f"{name}.p/{width}"):
            try:
                data = self._read(candidate, MAX_TILE)
            except Unreadable:
                continue
            if len(data) >= width * HASH:
                return [data[at : at + HASH] for at in range(0, width * HASH, HASH)]
        self._found.add("INV-2", name)
        return []

    def _lines_of(self, name: str) -> set[bytes]:
        try:
            return {leaf_hash(line) for line in self._read(name, MAX_BATCH).split(b"\n")[:-1]}
        except Unreadable:
            return set()

    def _judge_custody(self, root: str, batches: Sequence[str]) -> None:
        """INV-8: the first line that breaks a rule is named with it; what follows cannot be judged."""
        chain = CustodyChain(root)
        self._follow_custody(root, batches, chain)
        self._shredded += chain.shredded

    def _follow_custody(self, root: str, batches: Sequence[str], chain: CustodyChain) -> None:
        ahead = ""
        log = self._logs.get(root)
        for name in batches:
            try:
                *lines, rest = self._read(name, MAX_BATCH).split(b"\n")
            except Unreadable:
                self._found.add("CUSTODY-1", name)
                return
            if rest or not lines or int(name[-18:-6]) != chain.size:
                self._found.add("CUSTODY-1", name)
                return
            for number, line in enumerate(lines, 1):
                where = f"{name}:{number}"
                try:
                    chain.take(line)
                except ChainBroken as broken:
                    self._found.add(broken.rule, where)
                    return
                if log is None or leaf_hash(line) not in log.index:
                    ahead = ahead or where
                elif ahead:
                    self._found.add("INV-8", ahead)
                    return

    def _account(self, visit: str, names: Sequence[str], unseen: dict[str, set[bytes]]) -> None:
        log = self._log_of(visit, names)
        first: bytes | None = None
        newest: bytes | None = None
        count = 0
        for name in names:
            batch = batch_of(name)
            if batch is None or batch[0] != "records":
                continue
            try:
                lines = self._read(f"{PREFIX}{visit}/{name}", MAX_BATCH).split(b"\n")[:-1]
            except Unreadable:
                continue  # INV-3 names what it held
            self._records += len(lines)
            count += len(lines)
            for number, line in enumerate(lines, 1):
                first, newest = first or line, line
                leaf, where = leaf_hash(line), f"{PREFIX}{visit}/{name}:{number}"
                self._find(leaf, where, log, unseen, PROOF in names)
                named = _read_name(line)
                if named is not None and named.visit != visit:
                    self._found.add("INV-6", where)  # INV-6
        if first is None or newest is None:
            return
        named = _read_name(newest)
        closed = named is not None and named.type == "close"
        began = _read_name(first)
        if began is not None and log is not None and (leaf_of_first := log.index.get(leaf_hash(first))) is not None:
            hashes = (sha256(first).hexdigest(), sha256(newest).hexdigest())
            log.days.recorded(Recorded(visit, began.at, leaf_of_first, *hashes, count if closed else None))
        if leaf_hash(newest) in self._waiting:
            return
        if log is None or (closed and PROOF not in names):
            self._found.add("INV-7", f"{PREFIX}{visit}")  # INV-7

    def _account_manifest(self, name: str, unseen: dict[str, set[bytes]]) -> None:
        root = name.split("/")[1]
        try:
            data = self._read(name, MAX_MANIFEST)
        except Unreadable:
            return  # INV-3 names its leaf
        leaf = leaf_hash(data)
        if root in self._logs and leaf in self._logs[root].index and name.count("/") == 2:
            self._logs[root].days.listed(name, data, self._logs[root].index[leaf])
        if leaf in unseen.get(root, ()):
            unseen[root].discard(leaf)
        elif name.removesuffix(".jsonl") + ".tlog-proof" in self._proofs:
            self._found.add("INV-4", name)  # INV-4

    def _find(self, leaf: bytes, where: str, log: _Log | None, unseen: dict[str, set[bytes]], proven: bool) -> None:
        if log is not None and leaf in log.index:
            unseen[log.root].discard(leaf)
        elif proven:
            self._found.add("INV-4", where)  # INV-4
        else:
            self._behind += 1

    def _log_of(self, visit: str, names: Sequence[str]) -> _Log | None:
        """The log that the recording's proof or its keys name; None if the store has no such log."""
        roots = [found[1][:16] for name in names if (found := _KEY.fullmatch(name)) is not None]
        if PROOF in names:
            try:
                proof = parse_proof(self._read(f"{PREFIX}{visit}/{PROOF}", MAX_CHECKPOINT << 1))
                roots.insert(0, proof.checkpoint.origin.rpartition("/")[2])
            except (NoteInvalid, Unreadable):
                pass  # LOG-1 is the recording's own
        return next((self._logs[root] for root in roots if root in self._logs), None)

    def _compare(self) -> None:
        for note in self._heads:
            try:
                head = parse_checkpoint(note.text)
            except NoteInvalid:
                self._found.add("INV-5", "a head that is no checkpoint")
                continue
            log = self._logs.get(head.origin.rpartition("/")[2])
            known = log is not None and head.size <= log.tree.size and log.tree.root(head.size) == head.root
            if not known:
                self._found.add("INV-5", f"{head.origin} {head.size}")  # INV-5

    def _read(self, name: str, most: int) -> bytes:
        whole = bytearray()
        for piece in self._reader.chunks(name):
            whole += piece
            if len(whole) > most:
                raise Unreadable(name)
        return bytes(whole)


def _read_name(line: bytes) -> _Named | None:
    """None for what is no record: the recording's own verifier says so."""
    try:
        return _named.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
