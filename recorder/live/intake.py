"""The tap's receiving end: several workers on one Unix stream socket (`media.tap`, TAP-1 … TAP-4).

INTAKE-1  A frame is taken once: a seq already had for its epoch is ignored (TAP-2). TRACK may always be repeated.
INTAKE-2  A malformed frame ends its connection, and nothing else.
INTAKE-3  Nothing is queued here: while this end is busy it does not read, the worker keeps its frames, and its bound and drop
          rule (TAP-1) hold.
INTAKE-4  ACK says what is durable, never more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from media.tap import HEAD_SIZE, MAX_FRAME, Hello, Kind, TapEnd, TapFormatError, TapKeyframe, TapTrack, cut, frame

COALESCE_S = 0.05
BUSY_BYTES = 64 << 10
MAX_UNSENT = 1 << 20
ROOM = HEAD_SIZE + MAX_FRAME
"""More than any frame, so that there is always room for another byte."""

log = logging.getLogger(__name__)


class TapSink(Protocol):
    """Who hears what workers bring."""

    def hello(self, hello: Hello, known: bool) -> None:
        """A worker connected; `known`: the same life of it as before."""
        ...

    def track(self, epoch: str, track: TapTrack) -> None:
        """A track begins, or is repeated."""
        ...

    def reading(self) -> None:
        """What follows, until the next `reading`, came in one piece: nothing happens in between."""
        ...

    def packets(self, epoch: str, seq: int, body: bytes) -> None:
        """A batch. Raises `TapFormatError`."""
        ...

    def end(self, epoch: str, end: TapEnd) -> None:
        """A track ended."""
        ...

    def away(self, epoch: str) -> None:
        """The connection of this life of a worker ended."""
        ...


class _Connection(asyncio.BufferedProtocol):
    """One worker's connection: cuts what comes into frames, which the socket writes into one place again and again."""

    def __init__(self, intake: Intake) -> None:
        self.epoch: str | None = None
        self.acked = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._intake = intake
        self._room = memoryview(bytearray(ROOM))
        self._unfinished = 0
        """Bytes at the begin of it that are not a whole frame."""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._intake.connected(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._transport = None
        self._intake.disconnected(self)
        self.ended.set_result(None)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's signature
        return self._room[self._unfinished :]

    def buffer_updated(self, nbytes: int) -> None:
        end = self._unfinished + nbytes
        self._intake.reading()
        try:
            frames, used = cut(self._room[:end])
            for kind, seq, body in frames:
                self._intake.take(self, kind, seq, body)
        except (TapFormatError, msgspec.DecodeError) as error:  # INTAKE-2
            log.error("tap frame refused", extra={"error": str(error)})
            self.close()
            return
        self._unfinished = end - used
        self._room[: self._unfinished] = self._room[used:end]
        if nbytes < BUSY_BYTES and self._transport is not None:
            # Let packets gather: a wake-up costs more than a packet.
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(COALESCE_S, self._read_on)

    def send(self, data: bytes) -> None:
        """Say something."""
        # A worker that does not read is told nothing more: acknowledgements are cumulative, keyframes are asked again.
        transport = self._transport
        if transport is not None and not transport.is_closing() and transport.get_write_buffer_size() < MAX_UNSENT:
            transport.write(data)

    def close(self) -> None:
        """Let go of the worker. Idempotent."""
        if self._transport is not None:
            self._transport.close()

    def _read_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()


class Intake:
    """Serves the tap's socket."""

    def __init__(self, sink: TapSink) -> None:
        self._sink = sink
        self._taken: dict[str, int] = {}
        self._workers: dict[str, str] = {}
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def listen(self, path: Path) -> None:
        """Accept workers at this socket."""
        await asyncio.to_thread(path.unlink, missing_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _Connection(self), path)
        await asyncio.to_thread(path.chmod, 0o600)

    async def close(self) -> None:
        """Accept nobody any more and let go of everybody."""
        if self._server is not None:
            self._server.close()
        ending = [connection.ended for connection in self._connections]
        for connection in self._connections:
            connection.close()
        await asyncio.gather(*ending)

    def acknowledge(self, oldest: Callable[[str], int | None]) -> None:
        """Tell every worker up to where its frames are durable; `oldest(epoch)`: the smallest seq that is not (INTAKE-4)."""
        for connection in self._connections:
            epoch = connection.epoch
            if epoch is None:
                continue
            taken, waiting = self._taken.get(epoch, 0), oldest(epoch)
            durable = taken if waiting is None else min(taken, waiting - 1)
            if durable > connection.acked:
                connection.acked = durable
                connection.send(frame(Kind.ACK, durable))

    def taken(self) -> dict[str, int]:
        """The newest frame taken of each life of a worker."""
        return dict(self._taken)

    def ask_keyframe(self, epoch: str, handle: int, old: bool = False) -> None:
        """Ask the worker for a keyframe of a track; `old`: the last one is good, and has only grown old."""
        body = msgspec.json.encode(TapKeyframe(handle, old))
        for connection in self._connections:
            if connection.epoch == epoch:
                connection.send(frame(Kind.KEYFRAME, 0, body))

    def connected(self, connection: _Connection) -> None:
        """A worker dialled."""
        self._connections.add(connection)

    def disconnected(self, connection: _Connection) -> None:
        """A worker's connection ended."""
        self._connections.discard(connection)
        if connection.epoch is not None and not any(c.epoch == connection.epoch for c in self._connections):
            self._sink.away(connection.epoch)

    def reading(self) -> None:
        """Frames come that were read in one piece."""
        self._sink.reading()

    def take(self, connection: _Connection, kind: Kind, seq: int, body: bytes) -> None:
        """A frame came. Raises `TapFormatError`, `msgspec.DecodeError`."""
        if kind is Kind.HELLO:
            self._greet(connection, msgspec.json.decode(body, type=Hello))
            return
        epoch = connection.epoch
        if epoch is None:
            raise TapFormatError("the first frame is not HELLO")
        if kind is Kind.TRACK:
            self._sink.track(epoch, msgspec.json.decode(body, type=TapTrack))
            self._taken[epoch] = max(self._taken[epoch], seq)
            return
        if seq <= self._taken[epoch]:  # INTAKE-1
            return
        match kind:
            case Kind.PACKETS:
                self._sink.packets(epoch, seq, body)
            case Kind.END:
                self._sink.end(epoch, msgspec.json.decode(body, type=TapEnd))
            case _:
                raise TapFormatError(f"a frame of kind {kind.name} goes the other way")
        self._taken[epoch] = seq

    def _greet(self, connection: _Connection, hello: Hello) -> None:
        known = self._workers.get(hello.worker) == hello.epoch
        if not known and (old := self._workers.get(hello.worker)) is not None:
            self._taken.pop(old, None)
        self._workers[hello.worker] = hello.epoch
        self._taken.setdefault(hello.epoch, 0)
        connection.epoch = hello.epoch
        connection.acked = 0
        self._sink.hello(hello, known)
