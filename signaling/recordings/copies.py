"""Derived copies in SQL and on disk, and the one process at a time that makes them (`signaling.recordings.composite`).

COPY-4  A copy is made of the opened content, under a look that the recorder has on its log; the original is only read.
COPY-5  Its manifest names every object it was made of by the SHA-256 of the records, what was muted and blacked, who asked
        and why, and the SHA-256 of what came out; and it says itself that it is no evidence.
COPY-6  One is made at a time and four wait; the fifth is refused. A process that was killed, or a start anew, leaves it
        `failed`.
COPY-7  What came out is on the recorder's custody chain, by its SHA-256, before it can be had; a copy that the log does not
        take is `failed`, and its file is gone.
COPY-9  Copies lie in clear. When the keys of their recording are destroyed they go, too, within a minute, through restarts;
        and whoever asks for one before that gets none.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

import msgspec
from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from signaling.ports import StoreAway
from signaling.recordings.door import LookRefused, RecorderAway
from signaling.sql.database import reading, writing
from signaling.sql.tables import copies

WAITING = 4
MAKE_S = 3600.0
LOOK_EVERY_S = 30.0
SIDES = ("patient", "doctor")
OUT = "out.webm"

State = Literal["waiting", "ready", "failed", "shredded"]
Fetch = Callable[[str, Path], Awaitable[None]]
"""(object's name, file): append the object's opened content to the file."""
Noted = Callable[["Manifest"], Awaitable[None]]
"""Put what came out on the recorder's log (COPY-7). Raises `RecorderAway`, `LookRefused`."""
Shredded = Callable[[str], Awaitable[bool]]
"""Whether the keys of a visit's recording are destroyed. Raises `RecorderAway`."""

log = logging.getLogger(__name__)


class Redacted(msgspec.Struct, frozen=True):
    """The picture or the sound of one stream, from, to: ms of stream time."""

    stream: Literal["patient", "doctor"]
    what: Literal["picture", "sound"]
    from_ms: int
    to_ms: int


class Recipe(msgspec.Struct, frozen=True):
    """What is to be made: spans in ms of stream time; `mute` and `black` of both streams, `redact` of one."""

    purpose: str
    mute: tuple[tuple[int, int], ...] = ()
    black: tuple[tuple[int, int], ...] = ()
    redact: tuple[Redacted, ...] = ()


class Input(msgspec.Struct, frozen=True):
    """An object the copy was made of, as the records name it."""

    name: str
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """COPY-5."""

    copy: str
    visit: str
    made_of: tuple[Input, ...]
    muted: tuple[tuple[int, int], ...]
    blacked: tuple[tuple[int, int], ...]
    asked_by: str
    asked: str
    purpose: str
    bytes: int
    sha256: str
    is_evidence: bool = False
    redacted: tuple[Redacted, ...] = ()


class Copy(msgspec.Struct, frozen=True):
    """A derived copy. `manifest` is null until it is ready."""

    id: str
    visit: str
    asked_by: str
    asked: str
    state: State
    recipe: Recipe
    manifest: Manifest | None = None


class CopiesFull(Exception):
    """Four wait already."""

    code = "copies_full"


class Copies:
    """See the module; `close` ends what is being made."""

    def __init__(self, engine: AsyncEngine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self._one = asyncio.Semaphore(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._coming = 0

    async def forget_unfinished(self) -> None:
        """At start: what was being made is not any more (COPY-6)."""
        async with writing(self._engine) as db:
            await db.execute(update(copies).where(copies.c.state == "waiting").values(state="failed"))
        await asyncio.to_thread(shutil.rmtree, self._folder / "work", True)
        async with reading(self._engine) as db:
            ready = set((await db.scalars(select(copies.c.id).where(copies.c.state == "ready"))).all())
        await asyncio.to_thread(self._remove_all_but, ready)

    def _remove_all_but(self, ready: set[str]) -> None:
        for file in self._folder.glob("*.webm"):
            if file.stem not in ready:
                file.unlink(missing_ok=True)

    async def of(self, visit: str) -> list[Copy]:
        """All of a visit, newest first."""
        wanted = select(copies).where(copies.c.visit == visit).order_by(copies.c.asked.desc(), copies.c.id)
        async with reading(self._engine) as db:
            return [_copy(row) for row in await db.execute(wanted)]

    def path(self, copy: str) -> Path:
        """Where a ready copy lies."""
        return self._folder / f"{copy}.webm"

    async def make(self, copy: Copy, records: list[bytes], fetch: Fetch, noted: Noted) -> None:
        """Store it as waiting, and begin. Raises `CopiesFull`."""
        if len(self._tasks) + self._coming > WAITING:
            raise CopiesFull
        said = {name: msgspec.to_builtins(getattr(copy, name)) for name in copy.__struct_fields__}
        self._coming += 1  # it has its place while it is stored, or all who ask at once get one
        try:
            async with writing(self._engine) as db:
                await db.execute(insert(copies).values(said))
        finally:
            self._coming -= 1
        task = asyncio.create_task(self._made(copy, records, fetch, noted), name=f"copy {copy.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def follow_shredding(self, shredded: Shredded) -> None:
        """Destroy what is left of recordings whose keys are gone (COPY-9), until cancelled."""
        while True:
            try:
                async with reading(self._engine) as db:
                    kept = (await db.scalars(select(copies.c.visit).where(copies.c.state == "ready").distinct())).all()
                for visit in kept:
                    if await shredded(visit):
                        await self.shred(visit)
            except (RecorderAway, OSError, StoreAway) as error:
                log.warning("copies of shredded recordings wait", extra={"error": type(error).__name__})
            await asyncio.sleep(LOOK_EVERY_S)

    async def shred(self, visit: str) -> None:
        """Destroy every ready copy of a visit (COPY-9). Safe to repeat. Raises `OSError`, `StoreAway`."""
        ready = [copy.id for copy in await self.of(visit) if copy.state == "ready"]
        for copy in ready:
            await asyncio.to_thread(self.path(copy).unlink, missing_ok=True)
        async with writing(self._engine) as db:
            await db.execute(update(copies).where(copies.c.id.in_(ready)).values(state="shredded"))

    async def close(self) -> None:
        """End what is being made."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _made(self, copy: Copy, records: list[bytes], fetch: Fetch, noted: Noted) -> None:
        manifest: Manifest | None = None
        work = self._folder / "work" / copy.id
        try:
            async with self._one, asyncio.timeout(MAKE_S):
                made = await self._compose(copy, records, fetch, work)
                await noted(made)
                await asyncio.to_thread((work / OUT).replace, self.path(copy.id))
                manifest = made
        except (OSError, RecorderAway, LookRefused, ValueError, KeyError) as error:  # TimeoutError is an OSError
            log.warning("copy failed", extra={"copy": copy.id, "error": type(error).__name__})
        finally:
            shutil.rmtree(work, ignore_errors=True)
        said = {"state": "failed" if manifest is None else "ready", "manifest": msgspec.to_builtins(manifest)}
        async with writing(self._engine) as db:
            await db.execute(update(copies).where(copies.c.id == copy.id).values(said))

    async def _compose(self, copy: Copy, records: list[bytes], fetch: Fetch, work: Path) -> Manifest:
        await asyncio.to_thread(work.mkdir, 0o700, True)
        inputs, end_ms = listed(records)
        for one in inputs:
            await fetch(one.name, work / _part_of(one.name))
        sides = [
            sorted({str(work / _part_of(i.name)) for i in inputs if i.name.split("/")[1] == side}) for side in SIDES
        ]
        out, job = work / OUT, work / "job.json"
        said = copy.recipe
        redact = [(SIDES.index(one.stream), one.what, one.from_ms, one.to_ms) for one in said.redact]
        named = [dict(zip(("side", "what", "from_ms", "to_ms"), one, strict=True)) for one in redact]
        recipe = {"mute": said.mute, "black": said.black, "redact": named, "cpu_s": 60 + end_ms // 500}
        about = {"asked": copy.asked, "about": f"{copy.id} {copy.asked_by}"}
        job.write_text(json.dumps({"streams": sides, "output": str(out), "end_ms": end_ms, **recipe, **about}))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "signaling.recordings.composite", str(job)
        )
        try:
            if await process.wait() != 0:
                raise OSError("the copy's process failed")
        finally:
            if process.returncode is None:
                process.kill()
        size, digest = await asyncio.to_thread(_digest, out)
        spans = (copy.recipe.mute, copy.recipe.black)
        return Manifest(
            "teleconsult-copy/1",
            copy.visit,
            tuple(inputs),
            *spans,
            copy.asked_by,
            copy.asked,
            copy.recipe.purpose,
            size,
            digest,
            redacted=copy.recipe.redact,
        )


def listed(records: list[bytes]) -> tuple[list[Input], int]:
    """The objects of the two people's streams in order, by their records, and the stream time they end at."""
    found: list[Input] = []
    end_ms = 0
    for line in (line for batch in records for line in batch.splitlines()):
        said = json.loads(line)
        body = said["body"]
        if said["type"] not in ("part", "segment") or body["stream"] not in SIDES:
            continue
        named = body["init"] if said["type"] == "part" else body
        found.append(Input(named["name"], named["sha256"]))
        end_ms = max(end_ms, body.get("to_ms", 0))
    return found, end_ms


def _part_of(name: str) -> str:
    """`streams/patient/part-001/seg-000003.webm` → `patient-part-001.webm`: a part's objects make one file."""
    _, stream, part, last = name.split("/")
    return f"{stream}-{part}.{last.rpartition('.')[2]}"


def _digest(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _copy(row: Row[Any]) -> Copy:
    return msgspec.convert({name: getattr(row, name) for name in Copy.__struct_fields__}, Copy)
