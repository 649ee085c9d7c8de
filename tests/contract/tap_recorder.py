"""The other end of the tap, in a process of its own, so that it can be killed: prints every frame it hears.

Usage: python tap_recorder.py SOCKET. One line a frame: kind, seq, and for PACKETS each packet's handle and RTP sequence
number, else the JSON body. Acknowledges nothing until a line `ack N` comes on standard input.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from media.tap import SENDER_REPORT, Frames, Kind, frame, packets


async def serve(path: Path) -> None:
    writers: list[asyncio.StreamWriter] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        cut = Frames()
        while data := await reader.read(1 << 16):
            for kind, seq, body in cut.feed(data):
                print(kind.name, seq, shown(kind, body), flush=True)

    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(hear, path)
    asked = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin)
    async with server:
        while line := await asked.readline():
            writers[-1].write(frame(Kind.ACK, int(line.split()[1])))


def shown(kind: Kind, body: bytes) -> str:
    if kind is not Kind.PACKETS:
        return body.decode()
    rtp = [packet for packet in packets(memoryview(body)) if not packet.flags & SENDER_REPORT]
    return " ".join(f"{packet.handle}:{int.from_bytes(packet.data[2:4], 'big')}" for packet in rtp)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
