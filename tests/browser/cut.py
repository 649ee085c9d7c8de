"""A way to the server that can be cut: every connection dies at once, and none comes through until it is mended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Cut:
    """Passes TCP on to a port of this machine."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._writers: set[asyncio.StreamWriter] = set()
        self._mended = True

    async def cut(self, seconds: float) -> None:
        """Abort what is open, refuse what comes, for this long."""
        self._mended = False
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(seconds)
        self._mended = True

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both ways, until either side ends."""
        if not self._mended:
            writer.transport.abort()
            return
        try:
            back, onward = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:  # the server restarts
            writer.transport.abort()
            return
        self._writers |= {writer, onward}
        ways = [asyncio.create_task(_copy(*each)) for each in ((reader, onward), (back, writer))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.wait(ways)
        for each in (writer, onward):
            each.transport.abort()
        self._writers -= {writer, onward}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()


@contextlib.asynccontextmanager
async def cuttable(port: int, to: int) -> AsyncIterator[Cut]:
    """A `Cut` on `port` of loopback."""
    made = Cut(to)
    server = await asyncio.start_server(made.pass_on, "127.0.0.1", port)
    try:
        yield made
    finally:
        server.close()
        await made.cut(0)
