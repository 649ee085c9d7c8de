"""Evidence services elsewhere (a notary, a court's chain): they get a hash, never a recording, and answer with a reference.

DEPOSIT-1  Depositing delays no recording. It is tried a few times; then `anchor_unavailable` says so; the visit goes on.
DEPOSIT-2  What they answer is on record: for the record `open` as `anchor`, for `close` in the manifest of the day.

A service is one small class: `deposit`, 64 hex digits in, words out. Two come with the product: a file, to be handed on by
other means, and HTTP (`POST {"sha256": "…"}`, answered by 200 or 201 and `{"reference": "…"}`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
import msgspec

from config.clock import now_iso
from config.pieces import TooMuch, whole

TIMEOUT_S = 10.0
TRIES_S = (0.0, 2.0, 15.0)
MAX_ANSWER = 1 << 16
MAX_REFERENCE = 1024

log = logging.getLogger(__name__)


class AnchorSilent(Exception):
    """The service took nothing, or said nothing that can be read."""

    code = "anchor_unavailable"


class Anchor(Protocol):
    """A service. `name` goes on record."""

    name: str

    async def deposit(self, sha256: str) -> str:
        """Give it the hash; its reference, at most 1 024 characters. Raises `AnchorSilent`."""
        ...


class FileAnchor:
    """A file with a line for each hash; the reference is the line's number."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._path = path

    async def deposit(self, sha256: str) -> str:
        """Append it durably. Raises `AnchorSilent`."""
        try:
            return str(await asyncio.to_thread(self._append, sha256))
        except OSError as error:
            raise AnchorSilent(type(error).__name__) from None

    def _append(self, sha256: str) -> int:
        with self._path.open("ab+") as file:
            file.seek(0)
            number = file.read().count(b"\n") + 1
            file.write(json.dumps({"at": now_iso(), "sha256": sha256}).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return number


class _Answer(msgspec.Struct, frozen=True):
    reference: str


class HttpAnchor:
    """A service that speaks the small protocol above."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.name = urlsplit(url).netloc.rpartition("@")[2]  # what goes on record is no place for a password
        self._url = url
        self._session = session

    async def deposit(self, sha256: str) -> str:
        """Post it. Raises `AnchorSilent`."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with self._session.post(
                self._url, json={"sha256": sha256}, timeout=timeout, allow_redirects=False
            ) as answer:
                if answer.status not in (200, 201):
                    raise AnchorSilent(f"HTTP {answer.status}")
                body = await whole(answer.content.read, MAX_ANSWER)
                reference = msgspec.json.decode(body, type=_Answer).reference
        except (aiohttp.ClientError, TimeoutError, TooMuch, msgspec.MsgspecError) as error:
            raise AnchorSilent(type(error).__name__) from None
        if not reference or not reference.isprintable():
            raise AnchorSilent("a reference is words on one line")
        return reference[:MAX_REFERENCE]


class Anchors:
    """All services that are set."""

    def __init__(
        self, services: Sequence[Anchor], tell: Callable[[str, bool], None], tries_s: Sequence[float] = TRIES_S
    ) -> None:
        self._services = tuple(services)
        self._tell = tell
        self._tries_s = tuple(tries_s)
        self._failing: set[str] = set()

    async def deposit(self, sha256: str) -> list[tuple[str, str]]:
        """Give it to each; (service, reference) of those that answered (DEPOSIT-1)."""
        answers = await asyncio.gather(*(self._try(service, sha256) for service in self._services))
        return [(service.name, said) for service, said in zip(self._services, answers, strict=True) if said is not None]

    async def _try(self, service: Anchor, sha256: str) -> str | None:
        for delay_s in self._tries_s:
            await asyncio.sleep(delay_s)
            try:
                reference = await service.deposit(sha256)
            except AnchorSilent as error:
                log.warning("anchor silent", extra={"service": service.name, "error": str(error)})
                continue
            self._state(service.name, True)
            return reference
        self._state(service.name, False)
        return None

    def _state(self, service: str, good: bool) -> None:
        if good == (service in self._failing):
            before = bool(self._failing)
            (self._failing.discard if good else self._failing.add)(service)
            if before != bool(self._failing):
                self._tell("anchor_unavailable", good)


@asynccontextmanager
async def anchors_for(words: Sequence[str], tell: Callable[[str, bool], None]) -> AsyncIterator[Anchors | None]:
    """The services that the settings name, while the context lasts; None if there are none."""
    if not words:
        yield None
        return
    async with aiohttp.ClientSession() as session:
        yield Anchors([_anchor(word, session) for word in words], tell)


def _anchor(word: str, session: aiohttp.ClientSession) -> Anchor:
    return FileAnchor(Path(word.removeprefix("file:"))) if word.startswith("file:") else HttpAnchor(word, session)
