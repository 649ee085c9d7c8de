"""Sealed objects opened: one at a time for playing, or a whole bundle as plain playable files.

OPEN-1  What is given out was checked chunk by chunk (SEAL-4) under the key the records name; a wrong key, a cut, moved or
        changed object is refused with a code, and nothing of the chunk in question is given out.
OPEN-2  Only what a record names is opened, never another file: no link is followed, and it has the size and hash on record.
OPEN-3  An object of more than 64 MiB, four times what a recorder keeps a segment to, is not opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from recorder.evidence.chain import Chain
from recorder.evidence.findings import Findings
from recorder.evidence.layout import batch_of
from recorder.evidence.ledger import Expected, Ledger
from recorder.evidence.verify import MAX_BATCH, Unreadable
from recorder.plain_folder import DirectoryReader, read_plain
from recorder.sealing.seal import CHUNK, HEAD, TAG, SealBroken, Sealer
from recorder.sealing.stream_seal import context_of

MAX_OBJECT = 64 << 20

_PART = re.compile(r"streams/([a-z][a-z0-9.-]*)/part-([0-9]{3})/(init|seg-[0-9]{6})\.(webm|mkv)")


class OpenRefused(Exception):
    """A sealed recording that cannot be opened; the text says why.

    ├── KeyMissing   the keys given are not the ones that the records name
    └── NotOpenable  no bundle, or an object of it is not what was sealed
    """

    code = "open_refused"


class KeyMissing(OpenRefused):
    """None of the keys is the one."""

    code = "key_missing"


class NotOpenable(OpenRefused):
    """Not what was sealed."""

    code = "not_openable"


def plain_size(sealed: int) -> int:
    """Bytes of the content of a sealed object of this size. Raises `SealBroken`."""
    if sealed < HEAD + TAG:
        raise SealBroken("it is cut")
    body = sealed - HEAD
    return body - TAG * max(1, -(-body // (CHUNK + TAG)))


def sealed_range(start: int, end: int, sealed: int) -> tuple[int, int, int]:
    """Which bytes of a sealed object hold the content from `start` to `end`: begin, end, number of the first chunk."""
    step = CHUNK + TAG
    first, last = start // CHUNK, max(start, end - 1) // CHUNK
    return HEAD + first * step, min(sealed, HEAD + (last + 1) * step), first


class Opener(NamedTuple):
    """The keys of one recording, by name."""

    visit: str
    secrets: Mapping[str, bytes]

    def sealer(self, name: str, known: Expected, head: bytes) -> Sealer:
        """For one object, by its first 48 bytes. Raises `KeyMissing`, `SealBroken`."""
        assert known.key is not None
        secret = self.secrets.get(known.key.key)
        if secret is None:
            raise KeyMissing(f"the key {known.key.key[:16]}… is not among those given")
        return Sealer.of(known.key.suite, secret, context_of(self.visit, name), head)

    def content(self, name: str, known: Expected, stored: bytes) -> bytes:
        """A whole object. Raises `KeyMissing`, `SealBroken`."""
        if known.key is None:
            return stored
        return b"".join(self.sealer(name, known, stored).open(stored))


class PlainFile(NamedTuple):
    """A playable file that was written."""

    path: Path
    stream: str
    part: int
    bytes: int


def open_bundle(bundle: Path, secrets: Mapping[str, bytes], out: Path) -> list[PlainFile]:
    """Write each part of a bundle as a playable file into `out`. Raises `OpenRefused`, `OSError`."""
    folder = _Folder(bundle)
    visit, expected = _ledger_of(folder)
    opener = Opener(visit, secrets)
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    return [_write(folder, opener, names, expected, out) for names in _parts(expected)]


def read_ledger(bundle: Path) -> tuple[str, dict[str, Expected]]:
    """The visit of a bundle and the objects that its records name, unverified. Raises `NotOpenable`."""
    return _ledger_of(_Folder(bundle))


def _ledger_of(folder: _Folder) -> tuple[str, dict[str, Expected]]:
    findings = Findings()
    chain, ledger = Chain(None, findings), Ledger(findings)
    for name in sorted(folder.names):
        if (batch_of(name) or ("", 0))[0] != "records":
            continue
        for line in folder.read(name, MAX_BATCH).split(b"\n")[:-1]:
            if (read := chain.feed(line, name)) is not None:
                ledger.feed(*read, name)
    if chain.visit is None:
        raise NotOpenable(f"{folder.root} is not a recording's bundle")
    return chain.visit, ledger.expected


def _parts(expected: Mapping[str, Expected]) -> Iterator[list[str]]:
    parts: dict[str, list[str]] = {}
    for name, known in expected.items():  # in the order of the records: init, then its segments
        if not known.is_stamp:
            parts.setdefault(name.rpartition("/")[0], []).append(name)
    yield from parts.values()


def _write(folder: _Folder, opener: Opener, names: list[str], expected: Mapping[str, Expected], out: Path) -> PlainFile:
    found = _PART.fullmatch(names[0])
    assert found is not None, "the ledger makes names itself"
    path = out / f"{found[1]}-part-{found[2]}.{found[4]}"
    size = 0
    with path.open("xb") as file:
        for name in names:
            try:
                content = opener.content(name, expected[name], folder.stored(name, expected[name]))
            except SealBroken as error:
                raise NotOpenable(f"{name}: {error}") from None
            size += file.write(content)
    return PlainFile(path, found[1], int(found[2]), size)


class _Folder:
    """The files of a bundle, none of them behind a link."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names = frozenset(DirectoryReader(root).names())

    def read(self, name: str, most: int) -> bytes:
        """A whole file. Raises `NotOpenable`."""
        try:
            if name not in self.names:
                raise NotOpenable(f"{name} is missing")
            return read_plain(self.root, name, most)
        except Unreadable:
            raise NotOpenable(f"{name} is larger than it should be, or no plain file") from None

    def stored(self, name: str, known: Expected) -> bytes:
        """An object as the records name it (OPEN-2, OPEN-3). Raises `NotOpenable`."""
        stored = self.read(name, min(known.bytes, MAX_OBJECT))
        if len(stored) != known.bytes or sha256(stored).hexdigest() != known.sha256:
            raise NotOpenable(f"{name} is not what the records name")
        return stored
