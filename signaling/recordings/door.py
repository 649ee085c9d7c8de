"""The recorder's audit door, from the API's side: recordings are looked up and streamed, never copied or kept here.

The door is HTTP over a Unix socket (`audit.sock`), read only (`recorder.audit.routes`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, UnixConnector

from config.pieces import TooMuch, whole

CONNECT_S = 2.0
SILENT_S = 30.0
MAX_JSON = 64 << 20


class Gap(msgspec.Struct, frozen=True):
    """A gap the recorder declared, in stream time."""

    from_ms: int
    to_ms: int
    cause: str


class RecordedStream(msgspec.Struct, frozen=True):
    """One publisher's stream. `coverage`: milliseconds by what became of them."""

    stream: str
    parts: int
    segments: int
    bytes: int
    sealed_to_ms: int
    coverage: dict[str, int]
    gaps: list[Gap]


class RecordingFacts(msgspec.Struct, frozen=True):
    """What a recording's records say, unverified. `closed`, `reason` and `end_ms` are null while it grows."""

    opened: str | None
    closed: str | None
    reason: str | None
    end_ms: int | None
    origin: str | None
    key: str | None
    records: int
    objects: int
    bytes: int
    recovered: int
    streams: list[RecordedStream]


class RecordedFile(msgspec.Struct, frozen=True):
    """One object, named as in `recorder/FORMAT.md`; `size` in bytes."""

    name: str
    size: int


class MadeReceipt(msgspec.Struct, frozen=True):
    """A receipt (`recorder/FORMAT.md` §8), whole and as one line."""

    receipt: str
    short: str


class RecordedFiles(msgspec.Struct, frozen=True):
    """The objects of a recording; until it is `closed` there may be more later."""

    visit: str
    closed: bool
    files: list[RecordedFile]


Said = TypeVar("Said")


class RecorderAway(Exception):
    """The audit door is shut, or answers nonsense."""

    code = "recorder_unavailable"


class LookRefused(Exception):
    """The recorder opens nothing for this look; `status` is HTTP's."""

    def __init__(self, text: str, code: str, status: int) -> None:
        super().__init__(text)
        self.code, self.status = code, status


class Keeping(msgspec.Struct, frozen=True):
    """How a recording is kept: `held` forbids shredding, `kept_until` is the earliest end, null if nothing says."""

    held: bool
    shredded: bool
    sealed: bool
    kept_until: str | None


class _Begun(msgspec.Struct, frozen=True):
    look: str


class _Noted(msgspec.Struct, frozen=True):
    seq: int


class _Refusal(msgspec.Struct, frozen=True):
    code: str
    message: str


class RecorderDoor:
    """A connection to the audit door; use it as a context."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open. Nothing is connected yet: the recorder may come later, and go and come again."""
        self._session = ClientSession(
            "http://recorder",
            connector=UnixConnector(str(self._socket), limit=64),
            timeout=ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENT_S),
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def facts(self, visit: str) -> RecordingFacts | None:
        """What the recorder says of one visit; None if it knows none. Raises `RecorderAway`."""
        return await self._json(f"/visits/{visit}", RecordingFacts)

    async def files(self, visit: str) -> RecordedFiles | None:
        """The objects of a visit; None if there is no recording. Raises `RecorderAway`."""
        return await self._json(f"/visits/{visit}/files", RecordedFiles)

    async def receipt(self, visit: str) -> MadeReceipt | None:
        """The receipt of a closed recording; None until the log has its end. Raises `RecorderAway`."""
        return await self._json(f"/visits/{visit}/receipt", MadeReceipt)

    async def answers(self) -> bool:
        """Whether the door is open now."""
        try:
            async with self.open("/healthz"):
                return True
        except RecorderAway:
            return False

    @asynccontextmanager
    async def open(
        self, path: str, byte_range: str | None = None, asked: object | None = None
    ) -> AsyncIterator[ClientResponse]:
        """An answer whose body is still to be read, whatever its status; `asked`: it is a POST. Raises `RecorderAway`."""
        assert self._session is not None, "the door is used as a context"
        headers = {} if byte_range is None else {"Range": byte_range}
        method = "GET" if asked is None else "POST"
        try:
            response = await self._session.request(method, path, headers=headers, json=asked, allow_redirects=False)
        except (ClientError, OSError, TimeoutError) as error:
            raise RecorderAway("the recorder does not answer") from error
        try:
            yield response
        finally:
            response.close()

    async def refusal(self, answer: ClientResponse) -> LookRefused:
        """Why an opened answer is none, in the recorder's own code. Raises `RecorderAway`."""
        try:
            said = msgspec.json.decode(await whole(answer.content.read, MAX_JSON), type=_Refusal)
        except (ClientError, OSError, TimeoutError, TooMuch, msgspec.MsgspecError) as error:
            raise RecorderAway(f"the recorder answered {answer.status}") from error
        return LookRefused(said.message, said.code, answer.status)

    async def look(self, visit: str, who: str, role: str, purpose: str) -> str:
        """Open a visit's content for somebody, after it is in the recorder's log. Raises `LookRefused`, `RecorderAway`."""
        asked = {"who": who, "role": role, "purpose": purpose}
        return (await self._told(f"/visits/{visit}/looks", asked, _Begun)).look

    async def derived(self, visit: str, said: Mapping[str, str | int]) -> None:
        """Put a copy on the recorder's log. Raises `LookRefused`, `RecorderAway`."""
        await self._told(f"/visits/{visit}/copies", said, _Noted)

    async def keeping(self, visit: str) -> Keeping | None:
        """How a recording is kept; None if there is none. Raises `RecorderAway`."""
        return await self._json(f"/visits/{visit}/keeping", Keeping)

    async def hold(self, visit: str, on: bool, who: str, role: str, reason: str) -> Keeping:
        """Hold a recording, or no more. Raises `LookRefused`, `RecorderAway`."""
        return await self._told(
            f"/visits/{visit}/hold", {"on": on, "who": who, "role": role, "reason": reason}, Keeping
        )

    async def _told(self, path: str, asked: object, kind: type[Said]) -> Said:
        assert self._session is not None, "the door is used as a context"
        try:
            async with self._session.post(path, json=asked, allow_redirects=False) as answer:
                said = await whole(answer.content.read, MAX_JSON)
                if answer.status < 300:
                    return msgspec.json.decode(said, type=kind)
                refused = msgspec.json.decode(said, type=_Refusal)
        except (ClientError, OSError, TimeoutError, TooMuch, msgspec.MsgspecError) as error:
            raise RecorderAway("the recorder does not answer") from error
        raise LookRefused(refused.message, refused.code, answer.status)

    async def knows(self, look: str) -> bool:
        """Whether a look is still open. Raises `RecorderAway`."""
        async with self.open(f"/looks/{look}") as answer:
            return answer.status == 200

    async def _json(self, path: str, kind: type[Said]) -> Said | None:
        async with self.open(path) as answer:
            if answer.status == 404:
                return None
            try:
                if answer.status != 200:
                    raise RecorderAway(f"the recorder answered {answer.status}")
                return msgspec.json.decode(await whole(answer.content.read, MAX_JSON), type=kind)
            except (ClientError, OSError, TimeoutError, TooMuch, msgspec.MsgspecError) as error:
                raise RecorderAway("the recorder's answer cannot be read") from error
