"""A disk in memory: what a visit's spool keeps (`recorder.spool.visit`), and a store that takes it (`MemoryReader`)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from recorder.sealing.stream_seal import DRAFT
from recorder.spool.ahead import Commit
from recorder.spool.upload import Upload
from recorder.spool.visit import Line, VisitSpool
from recorder.tape.output import Write

if TYPE_CHECKING:
    from recorder.spool.together import Together

FOLDER = Path("/visit")


class Paper:
    """What is durable, and goes on from one life of the recorder to the next."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.objects: dict[str, bytes] = {}
        self.store: dict[str, bytes] = {}
        self.fails = False

    def put_in_store(self, upload: Upload) -> None:
        """Take an object as the store does: the bytes that were named, or none. What it has stays what it is."""
        content = self.objects[upload.name]
        assert hashlib.sha256(content).hexdigest() == upload.sha256, f"{upload.name} is not what its record says"
        assert self.store.setdefault(upload.name, content) == content, f"{upload.name} was stored as other bytes"


class PaperSpool:
    """One life's hold of the paper: `VisitSpool`, as far as a journal asks."""

    folder = FOLDER

    def __init__(self, paper: Paper) -> None:
        self._paper = paper
        self._sizes: dict[str, int] = {}
        self.ahead = self

    def spool(self) -> VisitSpool:
        """As the journal's type has it."""
        return cast("VisitSpool", self)

    def load(self) -> list[Line]:
        return [msgspec.json.decode(line, type=Line) for line in self._paper.lines]

    def prepare(self, writes: Sequence[Write], line: Line) -> Commit:
        self._check()
        sizes = dict(self._sizes)
        for name, content, _, _ in writes:
            at = sizes.get(name, 0)
            before = self._paper.objects.get(name, b"")
            assert len(before) >= at, f"{name} has a hole"
            if content:
                self._paper.objects[name] = before[:at] + content
            sizes[name] = at + len(content)
        return Commit("", 0, msgspec.json.encode(line), [], [write.name for write in writes if write.gone])

    def write(self, commits: Iterable[Commit]) -> None:
        self._check()
        self._paper.lines += [commit.line for commit in commits]

    def settle(self, writes: Sequence[Write], commit: Commit) -> None:
        for name, content, whole, gone in writes:
            self._sizes[name] = self._sizes.get(name, 0) + len(content)
            if whole or gone:
                self._sizes.pop(name)
            if gone:
                self._paper.objects.pop(name, None)

    def take_up(self, name: str, size: int) -> bytes:
        content = self._paper.objects.get(name, b"")[:size]
        if not name.endswith(DRAFT):
            self._paper.objects[name], self._sizes[name] = content, size
        return content

    def put(self, name: str, content: bytes) -> Path:
        self._check()
        self._paper.objects[name] = content
        return self.folder / name

    def objects(self) -> list[str]:
        return sorted(self._paper.objects)

    def remove(self, name: str) -> None:
        self._paper.objects.pop(name, None)

    def forget_drafts(self) -> None:
        for name in [name for name in self._paper.objects if name.endswith(DRAFT)]:
            del self._paper.objects[name]

    def _check(self) -> None:
        if self._paper.fails:
            raise OSError(5, "the disk takes nothing")


class AtOnce:
    """Commits as they are given (`Together`)."""

    def __init__(self, spool: PaperSpool) -> None:
        self._spool = spool

    def together(self) -> Together:
        """As the journal's type has it."""
        return cast("Together", self)

    async def in_thread(self, work: Callable[[], None]) -> None:
        work()

    async def commit(self, commit: Commit, then: Callable[[], None]) -> None:
        self._spool.write([commit])
        then()
