"""The control link: typed messages both ways over one stream, requests answered by id.

A frame is a 4-byte big-endian length and that many bytes of JSON: `{"id": n, "re": null, "body": {"type": …}}`.
`id` marks a request that wants an answer, `re` names the request an answer belongs to; a frame with neither is
news. Both sides may ask. The message types belong to the room whose door it is (`media.control`,
`recorder.control`); this module only carries them.

LINK-1  A frame over 1 MiB, or one that does not parse, ends the link: the two sides ship together, so it is a bug.
LINK-2  Every request has a deadline. A link that ends fails every request under way with `LinkClosed`.
LINK-3  The outbox is bounded: past 4 MiB unsent the link is closed, so a stuck peer never holds this one's memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import msgspec

MAX_FRAME = 1 << 20
MAX_UNSENT = 4 << 20

In = TypeVar("In")
Out = TypeVar("Out")

log = logging.getLogger(__name__)


class LinkError(Exception):
    """What can go wrong between two of our processes: `LinkClosed`, `LinkTimeout`, `Refusal`."""

    code = "link_error"


class LinkClosed(LinkError):
    """The other process is gone, or going."""

    code = "link_closed"


class LinkTimeout(LinkError):
    """The other process did not answer in time."""

    code = "link_timeout"


class Refusal(LinkError):
    """The other side understood and refuses; `code` is stable and is the peer's own."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.code = code


class Refused(msgspec.Struct, frozen=True, tag="refused", tag_field="type"):
    """The answer to a request that cannot be carried out. Every union of answers includes it."""

    code: str
    message: str = ""


class _Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    body: msgspec.Raw
    id: int | None = None
    re: int | None = None


class Link(Generic[In, Out]):
    """One end of a control connection. `In` is the union of messages it receives, `Out` of those it sends."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        incoming: Any,
        on_message: Callable[[In], Awaitable[Out | Refused | None]],
    ) -> None:
        """`on_message` answers requests (its return value) and hears news (its return value is dropped)."""
        self._reader = reader
        self._writer = writer
        self._decoder = msgspec.json.Decoder(incoming)
        self._on_message = on_message
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._next_id = 1
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the link has ended, from either side."""
        return self._closed

    def tell(self, body: Out) -> None:
        """Send news. Raises `LinkClosed`."""
        self._send(_Frame(body=_raw(body)))

    async def ask(self, body: Out, within_s: float = 5.0) -> In:
        """Send a request and return its answer. Raises `Refusal`, `LinkTimeout` (after `within_s` seconds), `LinkClosed`."""
        number = self._next_id
        self._next_id += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._send(_Frame(body=_raw(body), id=number))
            async with asyncio.timeout(within_s):
                said = await answer
        except TimeoutError:
            raise LinkTimeout(f"no answer in {within_s} s to {type(body).__name__}") from None
        finally:
            self._waiting.pop(number, None)
        if isinstance(said, Refused):
            raise Refusal(said.code, said.message)
        return said  # type: ignore[no-any-return]

    async def run(self) -> None:
        """Read until the other side ends. Requests are carried out one after another, in the order they came."""
        inbox: asyncio.Queue[tuple[int | None, In]] = asyncio.Queue(maxsize=1024)
        try:
            async with asyncio.TaskGroup() as tasks:
                worker = tasks.create_task(self._work(inbox))
                with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                    await self._read(inbox)
                worker.cancel()
        finally:
            self.close()

    def close(self) -> None:
        """End the link now; requests under way fail with `LinkClosed`. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._writer.close()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(LinkClosed("the link ended"))

    async def _read(self, inbox: asyncio.Queue[tuple[int | None, In]]) -> None:
        frames = msgspec.json.Decoder(_Frame)
        while True:
            size = int.from_bytes(await self._reader.readexactly(4), "big")
            if size > MAX_FRAME:  # LINK-1
                log.error("control frame too large", extra={"bytes": size})
                return
            frame = frames.decode(await self._reader.readexactly(size))
            body = self._decoder.decode(frame.body)
            if frame.re is None:
                await inbox.put((frame.id, body))
            elif (answer := self._waiting.get(frame.re)) is not None and not answer.done():
                answer.set_result(body)

    async def _work(self, inbox: asyncio.Queue[tuple[int | None, In]]) -> None:
        while True:
            number, body = await inbox.get()
            answer = await self._on_message(body)
            if number is not None and not self._closed:
                assert answer is not None, f"no answer to {type(body).__name__}"
                with contextlib.suppress(LinkClosed):
                    self._send(_Frame(body=_raw(answer), re=number))

    def _send(self, frame: _Frame) -> None:
        if self._closed or self._writer.is_closing():
            raise LinkClosed("the link ended")
        data = msgspec.json.encode(frame)
        if len(data) > MAX_FRAME or self._writer.transport.get_write_buffer_size() > MAX_UNSENT:  # LINK-3
            self.close()
            raise LinkClosed("the other side does not read")
        self._writer.write(len(data).to_bytes(4, "big") + data)


def _raw(body: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(body))
