"""ICE-TCP, the passive side (RFC 6544): media over TCP for networks that let no UDP through, on the same port number.

One connection is one 5-tuple: to the plane it is a door with a single address behind it.

TCP-1  What waits to be written is at most `MAX_WAITING`; a datagram that finds no room is dropped, as by a full socket, and a
       datagram of which a byte was written is finished.
TCP-2  At most `MAX_STREAMS` in all and `MAX_FROM_ONE` from one IP address; whoever comes later is closed unheard.
TCP-3  A connection on which no check has passed for `UNPROVEN_S`, whose first frame is no STUN, or that is not framed as
       RFC 4571 says, is closed.
TCP-4  The kernel may hold `SEND_BUFFER` only: media that waits there for long is worth nothing when it arrives.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import defaultdict
from collections.abc import Callable

from media.sockets.framing import Deframer, FramingError, framed
from media.transports.transport import Address, Path

MAX_WAITING = 32 * 1024
SEND_BUFFER = 64 * 1024
MAX_STREAMS = 512
MAX_FROM_ONE = 64
UNPROVEN_S = 10.0
_BACKLOG = 64
_READ = 32 * 1024
_AT_ONCE = 16
"""Connections taken at one wake-up."""
_REST_S = 1.0
"""How long nobody is taken once the process has no descriptor left."""


class Stream:
    """One connection, as the plane sees a door."""

    __slots__ = ("_deframer", "_loop", "_out", "address", "begun", "closed", "heard_at", "paths", "sock")

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, address: Address, now: float) -> None:
        self._loop = loop
        self.sock = sock
        self.address = address
        self.heard_at = now
        """When it was last the way of a transport."""
        self.begun = False
        """Whether a frame of STUN has come."""
        self.closed = False
        self.paths: dict[Address, Path] = {}
        self._deframer = Deframer()
        self._out = bytearray()

    def receive(self) -> list[bytes] | None:
        """The frames that have come; None at the end. Raises `FramingError`."""
        try:
            chunk = self.sock.recv(_READ)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not chunk:
            return None
        frames = self._deframer.receive(chunk)
        if frames and not self.begun:
            if frames[0][0] > 3:
                raise FramingError("it does not begin with STUN")
            self.begun = True
        return frames

    def sendto(self, datagram: bytes | memoryview, _address: Address) -> int:
        """Write it, or keep it for when there is room. Raises `BlockingIOError` (TCP-1), `OSError` once closed."""
        if self.closed:
            raise OSError("the connection is closed")
        whole = framed(datagram)
        if self._out:
            if len(self._out) + len(whole) > MAX_WAITING:
                raise BlockingIOError
            self._out += whole
            return len(datagram)
        try:
            sent = self.sock.send(whole)
        except BlockingIOError:
            sent = 0
        if sent < len(whole):
            self._out += whole[sent:]
            self._loop.add_writer(self.sock.fileno(), self._flush)
        return len(datagram)

    def _flush(self) -> None:
        try:
            sent = self.sock.send(self._out)
        except BlockingIOError:
            return
        except OSError:
            self._out.clear()  # the reader is told too, and closes
            self._loop.remove_writer(self.sock.fileno())
            return
        del self._out[:sent]
        if not self._out:
            self._loop.remove_writer(self.sock.fileno())

    def close(self) -> None:
        """Idempotent."""
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self.sock.fileno())
        self._loop.remove_writer(self.sock.fileno())
        self.sock.close()


class Streams:
    """Every connection of a worker. `take` is given each frame, `gone` each stream that ended."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listening: list[socket.socket],
        clock: Callable[[], float],
        drops: defaultdict[str, int],
        take: Callable[[Stream, bytes], None],
        gone: Callable[[Stream], None],
    ) -> None:
        """Listens at once."""
        self._loop, self._listening, self._clock, self._drops = loop, listening, clock, drops
        self._take, self._gone = take, gone
        self._streams: set[Stream] = set()
        self._from: defaultdict[str, int] = defaultdict(int)
        for sock in listening:
            sock.listen(_BACKLOG)
            self._listen(sock)

    @property
    def listens(self) -> bool:
        """Whether connections are taken at all."""
        return bool(self._listening)

    def __len__(self) -> int:
        return len(self._streams)

    def sweep(self, now: float) -> None:
        """TCP-3; to be called a few times a second."""
        for stream in list(self._streams):
            if stream.paths:
                stream.heard_at = now
            elif now - stream.heard_at > UNPROVEN_S:
                self._drops["tcp_unproven"] += 1
                self._end(stream)

    def close(self) -> None:
        """End all of them, and listen no more."""
        for sock in self._listening:
            self._loop.remove_reader(sock.fileno())
            sock.close()
        for stream in list(self._streams):
            self._end(stream)

    def _listen(self, listening: socket.socket) -> None:
        if listening.fileno() >= 0:
            self._loop.add_reader(listening.fileno(), self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                sock, address = listening.accept()
            except (BlockingIOError, ConnectionError):  # nobody more, or somebody who has gone again
                return
            except OSError:
                self._drops["tcp_no_descriptor"] += 1
                self._loop.remove_reader(listening.fileno())
                self._loop.call_later(_REST_S, self._listen, listening)
                return
            if len(self._streams) >= MAX_STREAMS or self._from[address[0]] >= MAX_FROM_ONE:  # TCP-2
                self._drops["tcp_too_many"] += 1
                sock.close()
                continue
            sock.setblocking(False)
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)  # TCP-4
            stream = Stream(self._loop, sock, address, self._clock())
            self._streams.add(stream)
            self._from[address[0]] += 1
            self._loop.add_reader(sock.fileno(), self._readable, stream)

    def _readable(self, stream: Stream) -> None:
        try:
            frames = stream.receive()
        except FramingError:
            self._drops["tcp_framing"] += 1
            frames = None
        if frames is None:
            self._end(stream)
            return
        for frame in frames:
            self._take(stream, frame)
            if stream.closed:
                return

    def _end(self, stream: Stream) -> None:
        if stream not in self._streams:
            return
        self._streams.discard(stream)
        left = self._from[stream.address[0]] - 1
        if left:
            self._from[stream.address[0]] = left
        else:
            del self._from[stream.address[0]]
        stream.close()
        self._gone(stream)
