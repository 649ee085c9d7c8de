"""One file for what all visits write in a round: the lines of their journals, and their drafts.

Three files a visit, each synced by itself, were a sixth of what a recorded packet cost (decisions/0021). Here one block holds
what many visits commit, and is synced as one; only then does each line go to its own journal, which is not synced for it.

```
DATA/spool/.ahead   block, block, …
block = number (8) ‖ size of the data (8) ‖ data ‖ number (8) ‖ size of the table (4) ‖ CRC-32 of the table (4) ‖ table
data  = pieces of drafts; table = MessagePack, `_Part` for each visit: its line, and which pieces of the data are whose
```
AHEAD-1  A block is durable when `write` returns, with all that it holds. It counts if its table is whole, which is written
         after the data is synced. Numbers rise: what an earlier time left behind the newest block has a smaller one; what
         an earlier life left there, which may have had greater ones, is cut off.
AHEAD-2  Once `LEAST` bytes are written and `EVERY_S` are over, or at `MOST` bytes, it is emptied: the journals are synced,
         and drafts that are still open are written to files of their own. If that fails, so does the commit that was to
         come, and lines are put in their journals once more before it is tried again.
AHEAD-3  In the next life every line in it is in its journal again before anything is read there, which ends with the last.
"""

from __future__ import annotations

import contextlib
import os
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from struct import Struct
from typing import NamedTuple

import msgspec

LEAST = 32 << 20
MOST = 512 << 20
EVERY_S = 10.0
PIECES_AT_ONCE = 512
"""Half of what the system takes in one call."""
_HEAD = Struct("!QQ")
_TABLE = Struct("!QII")


class Draft(NamedTuple):
    """Bytes of a draft, and where they begin in it."""

    name: str
    at: int
    content: bytes


class Commit(NamedTuple):
    """What one visit commits. `line` goes to its journal `at` this place; these drafts are `over` with it."""

    visit: str
    at: int
    line: bytes
    drafts: list[Draft]
    over: list[str]


class _Part(msgspec.Struct, array_like=True):
    """A commit in a table; `drafts`: (name, place, size), their bytes one after the other in the data."""

    visit: str
    at: int
    line: bytes
    drafts: list[tuple[str, int, int]]
    over: list[str]


class _Piece(NamedTuple):
    """Bytes of a draft in this file: where they lie, where they begin in the draft, how many."""

    lies: int
    at: int
    size: int


class _Block(NamedTuple):
    """One that counts: its number, where the next one stands, and what is in it."""

    number: int
    end: int
    parts: list[tuple[_Part, list[_Piece]]]


_table = msgspec.msgpack.Decoder(list[_Part])


class WriteAhead:
    """The file below a spool's root. Every call blocks."""

    def __init__(self, root: Path, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds. Raises `OSError`."""
        self._root = root
        self._clock = clock
        self._lock = threading.Lock()
        self._end = 0
        self._number = 0
        self._since_s = clock()
        self._visits: set[str] = set()
        """With lines in it."""
        self._drafts: dict[tuple[str, str], list[_Piece]] = {}
        """Those that are open, by visit and name."""
        self._laid: set[tuple[str, str]] = set()
        """Drafts with a file of their own (AHEAD-2)."""
        self._doubted = False
        """A sync failed: what the system says of those journals after that need not be so, and lines are put there anew."""
        self._file = os.open(root / ".ahead", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            sync_folder(root)
            self._take_up()
        except OSError:
            os.close(self._file)
            raise

    def write(self, commits: Sequence[Commit]) -> None:
        """Make these durable (AHEAD-1). Raises `OSError`: then none is, and they may be given again."""
        with self._lock:
            if self._end >= MOST or (self._end >= LEAST and self._clock() - self._since_s >= EVERY_S):
                self._empty()
            self._number += 1
            parts, data, pieces = [], [b""], []
            lies = begin = self._end + _HEAD.size
            for visit, at, line, drafts, over in commits:
                parts.append(_Part(visit, at, line, [(d.name, d.at, len(d.content)) for d in drafts], over))
                for name, place, content in drafts:
                    data.append(content)
                    pieces.append(((visit, name), _Piece(lies, place, len(content))))
                    lies += len(content)
            data[0] = _HEAD.pack(self._number, lies - begin)
            table = msgspec.msgpack.encode(parts)
            close = _TABLE.pack(self._number, len(table), zlib.crc32(table)) + table
            if pieces:
                _write_all(self._file, data, self._end)
                os.fdatasync(self._file)
                _write_all(self._file, [close], lies)
            else:
                _write_all(self._file, [data[0] + close], self._end)
            os.fdatasync(self._file)
            self._end = lies + len(close)
            for key, piece in pieces:
                self._drafts.setdefault(key, []).append(piece)
            for part in parts:
                self._visits.add(part.visit)
                self._over(part)

    def draft(self, visit: str, name: str, size: int) -> bytes:
        """The first `size` bytes of a draft, or what there is of them."""
        content = bytearray()
        with contextlib.suppress(FileNotFoundError):
            content += (self._root / visit / name).read_bytes()[:size]
        with self._lock:
            for lies, at, length in self._drafts.get((visit, name), ()):
                content[at : at + length] = os.pread(self._file, length, lies)
        return bytes(content[:size])

    def forget(self, visit: str) -> None:
        """No draft of this visit is needed any more."""
        with self._lock:
            for key in [key for key in self._drafts if key[0] == visit]:
                del self._drafts[key]
                self._laid.discard(key)

    # ---- under the lock

    def _over(self, part: _Part) -> None:
        for name in part.over:
            key = (part.visit, name)
            self._drafts.pop(key, None)
            if key in self._laid:
                self._laid.discard(key)
                (self._root / part.visit / name).unlink(missing_ok=True)

    def _empty(self) -> None:
        """AHEAD-2. A visit that was forgotten has no folder any more."""
        doubted, self._doubted = self._doubted, True
        here = {visit for visit in self._visits if (self._root / visit / "journal").is_file()}
        for key, pieces in self._drafts.items():
            if pieces and key[0] in here:
                self._lay(key, pieces)
        if doubted:
            self._put_lines(here)
        for visit in here:
            sync(self._root / visit / "journal")
        self._drafts = {key: [] for key in self._drafts if key[0] in here}
        self._doubted = False
        self._visits.clear()
        self._end, self._since_s = 0, self._clock()

    def _lay(self, key: tuple[str, str], pieces: list[_Piece]) -> None:
        path = self._root / key[0] / key[1]
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, mode=0o700)
            sync_folder(path.parent.parent)
            sync_folder(path.parent.parent.parent)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            for lies, at, size in pieces:
                _write_all(file, [os.pread(self._file, size, lies)], at)
            os.fdatasync(file)
        finally:
            os.close(file)
        sync_folder(path.parent)
        self._laid.add(key)

    # ---- a later life of the recorder

    def _take_up(self) -> None:
        """AHEAD-3."""
        for block in self._blocks():
            self._number, self._end = block.number, block.end
            for part, pieces in block.parts:
                if not (self._root / part.visit / "journal").is_file():
                    continue
                self._visits.add(part.visit)
                for (name, _, _), piece in zip(part.drafts, pieces, strict=True):
                    self._drafts.setdefault((part.visit, name), []).append(piece)
                self._over(part)
        os.ftruncate(self._file, self._end)  # AHEAD-1
        self._put_lines(self._visits)
        for visit in self._visits:
            sync(self._root / visit / "journal")

    def _put_lines(self, visits: set[str]) -> None:
        """Put every line of these visits in its journal, which ends with the last."""
        lines: dict[str, list[tuple[int, bytes]]] = {}
        for block in self._blocks():
            for part, _ in block.parts:
                if part.visit in visits:
                    lines.setdefault(part.visit, []).append((part.at, part.line))
        for visit, placed in lines.items():
            journal = os.open(self._root / visit / "journal", os.O_RDWR | os.O_CLOEXEC)
            try:
                for at, line in placed:
                    _write_all(journal, [line], at)
                last, line = placed[-1]
                os.ftruncate(journal, last + len(line))
            finally:
                os.close(journal)

    def _blocks(self) -> Iterator[_Block]:
        """Every block that counts (AHEAD-1)."""
        size, at, newest = os.fstat(self._file).st_size, 0, 0
        while (block := self._block(at, size, newest)) is not None:
            yield block
            at, newest = block.end, block.number

    def _block(self, at: int, size: int, newest: int) -> _Block | None:
        """What stands here, if it is whole, and newer than this."""
        head = os.pread(self._file, _HEAD.size, at)
        if len(head) < _HEAD.size:
            return None
        number, data = _HEAD.unpack(head)
        lies = at + _HEAD.size
        if number <= newest or data > size - lies:
            return None
        close = os.pread(self._file, _TABLE.size, lies + data)
        if len(close) < _TABLE.size:
            return None
        again, length, crc = _TABLE.unpack(close)
        begins = lies + data + _TABLE.size
        if again != number or length > size - begins:
            return None
        table = os.pread(self._file, length, begins)
        if zlib.crc32(table) != crc:
            return None
        parts: list[tuple[_Part, list[_Piece]]] = []
        for part in _table.decode(table):
            pieces: list[_Piece] = []
            for _, place, count in part.drafts:
                pieces.append(_Piece(lies, place, count))
                lies += count
            parts.append((part, pieces))
        return _Block(number, begins + length, parts)


def _write_all(file: int, pieces: Sequence[bytes], at: int) -> None:
    for first in range(0, len(pieces), PIECES_AT_ONCE):
        some = pieces[first : first + PIECES_AT_ONCE]
        size = sum(map(len, some))
        done = os.pwritev(file, some, at)
        while done < size:
            done += os.pwrite(file, memoryview(b"".join(some))[done:], at + done)
        at += size


def sync(path: Path) -> None:
    """Make a file's bytes durable. Raises `OSError`."""
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fdatasync(file)
    finally:
        os.close(file)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises `OSError`."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
