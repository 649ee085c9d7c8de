"""A TCP proxy before an S3 server that fails as told: away, slow on every PUT, or gone just after a PUT was applied."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

HANG_S = 3.0


class StoreProxy:
    """One proxy. Set `hang_s` and `cut` while it runs; `away()` and `back()` close and open its door."""

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        assert parts.hostname is not None
        assert parts.port is not None
        self._upstream = (parts.hostname, parts.port)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self.hang_s = 0.0
        self.cut = False
        """Every other PUT reaches the server, and its answer reaches nobody."""
        self.puts = 0
        self.cuts = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def back(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def away(self) -> None:
        """Nobody listens any more, and what was connected is not."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)
        self._open.add(writer)
        try:
            up_reader, up_writer = await asyncio.open_connection(*self._upstream)
        except OSError:
            writer.transport.abort()
            self._open.discard(writer)
            return
        self._open.add(up_writer)
        doomed = asyncio.Event()
        forth = asyncio.create_task(self._forth(reader, up_writer, doomed))
        try:
            await self._back(up_reader, writer, doomed)
        finally:
            forth.cancel()
            await asyncio.gather(forth, return_exceptions=True)
            for one in (writer, up_writer):
                self._open.discard(one)
                one.transport.abort()

    async def _forth(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, doomed: asyncio.Event) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(1 << 16):
                if piece.startswith(b"PUT "):
                    self.puts += 1
                    if self.cut and self.puts % 2:
                        doomed.set()
                    await asyncio.sleep(self.hang_s)
                writer.write(piece)
                await writer.drain()
            writer.write_eof()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, doomed: asyncio.Event) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(1 << 16):
                if doomed.is_set() and piece.startswith(b"HTTP/1.1 200"):
                    self.cuts += 1
                    return
                writer.write(piece)
                await writer.drain()


@contextlib.asynccontextmanager
async def proxied(endpoint: str) -> AsyncIterator[StoreProxy]:
    """A proxy before this server."""
    proxy = StoreProxy(endpoint)
    await proxy.back()
    try:
        yield proxy
    finally:
        await proxy.away()
