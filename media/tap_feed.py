"""The tap's sending end: hands recorded packets to the recorder, in batches, and survives its death.

`packet` is called by the data plane for every recorded packet: it appends to a batch and returns. Batches leave every
20 ms or 96 KiB, whichever is first, and stay in a `Backlog` until the recorder says they are on disk.

FEED-1  Nothing here waits for the recorder: a slow or absent one costs memory up to the backlog's bound, then packets.
FEED-2  When the recorder goes, and when it is back, every recorded video track is asked for a keyframe: the first so that
        what is kept for it can be decoded, the second so that what follows can, whatever was lost between.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from config.clock import monotonic_us
from media.tap import (
    PACKET_HEAD_SIZE,
    PROTOCOL,
    Frames,
    Hello,
    Kind,
    TapEnd,
    TapFormatError,
    TapKeyframe,
    TapTrack,
    frame,
    packet_head,
)
from media.tap_backlog import Backlog

MAX_BYTES = 24 << 20
MAX_AGE_US = 10_000_000
FLUSH_BYTES = 96 << 10
FLUSH_S = 0.020
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 1.0
WRITE_AHEAD = 256 << 10
"""Bytes handed to the socket's own buffer at once: the rest waits in the backlog, where its bound holds."""

log = logging.getLogger(__name__)


class TapFeed:
    """The worker's one connection to the recorder: a `PacketSink`, and the list of what is being recorded."""

    def __init__(
        self,
        path: Path,
        worker: str,
        epoch: str,
        on_keyframe: Callable[[TapTrack, bool], None],
        on_change: Callable[[], None],
        backlog: Backlog | None = None,
    ) -> None:
        """`on_keyframe` asks the publisher of a track, and hears whether the last is merely old.

        `on_change` hears that `connected` or `lost_packets` changed.
        """
        self._path = path
        self._worker = worker
        self._epoch = epoch
        self._on_keyframe = on_keyframe
        self._on_change = on_change
        self._backlog = backlog or Backlog(MAX_BYTES, MAX_AGE_US)
        self._batch: list[bytes] = []
        """Heads and packets in turn."""
        self._batch_bytes = 0
        self._live: dict[int, TapTrack] = {}
        self._ended: deque[tuple[int, int]] = deque()
        """(seq of END, handle), until it is acknowledged."""
        self._told: dict[int, TapTrack] = {}
        """Tracks the recorder may still need to hear of: live ones, and those whose END is not acknowledged."""
        self._handles = 0
        self._drained: asyncio.Future[None] | None = None
        self._connection: _Connection | None = None
        self._ticker: asyncio.TimerHandle | None = None

    @property
    def connected(self) -> bool:
        """Whether the recorder is there."""
        return self._connection is not None

    @property
    def buffered_bytes(self) -> int:
        """Bytes not yet acknowledged."""
        return self._backlog.size + self._batch_bytes

    @property
    def lost_packets(self) -> int:
        """Packets given up since the start (TAP-1)."""
        return self._backlog.lost_packets

    def begin(self, track: TapTrack) -> int:
        """Say TRACK for `track`, whose handle is given here, and return the handle."""
        self._handles += 1
        track = msgspec.structs.replace(track, handle=self._handles)
        self._live[track.handle] = self._told[track.handle] = track
        self._add(Kind.TRACK, msgspec.json.encode(track))
        self._tick()
        return track.handle

    def end(self, end: TapEnd) -> None:
        """Say END, after every packet handed over before. Raises `KeyError` for a handle that is not live."""
        del self._live[end.handle]
        self._add(Kind.END, msgspec.json.encode(end))
        self._ended.append((self._backlog.newest, end.handle))

    def packet(self, handle: int, flags: int, arrival_us: int, data: bytes) -> None:
        """`PacketSink`."""
        size, batch = len(data), self._batch
        batch.append(packet_head(handle, flags, arrival_us, size))
        batch.append(data)
        self._batch_bytes += PACKET_HEAD_SIZE + size
        if self._batch_bytes >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Close the batch, if there is one, and send what may be sent."""
        if self._batch:
            before = self._backlog.lost_packets
            self._backlog.add(Kind.PACKETS, self._batch, monotonic_us(), len(self._batch) // 2)
            self._batch, self._batch_bytes = [], 0
            if self._backlog.lost_packets != before and not before:
                log.warning("tap backlog full")
        if self._connection is not None:
            self._connection.pump()

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        wait_s = FIRST_WAIT_S
        try:
            while True:
                with contextlib.suppress(OSError):
                    await self._serve_once()
                    wait_s = FIRST_WAIT_S
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
        finally:
            self._close()

    async def drain(self, within_s: float) -> None:
        """Send everything and wait until it is acknowledged, at most so long: a worker's orderly stop."""
        self.flush()
        if self._connection is None or not self._backlog.size:
            return
        self._drained = asyncio.get_running_loop().create_future()
        await asyncio.wait(
            [self._drained, self._connection.ended], timeout=within_s, return_when=asyncio.FIRST_COMPLETED
        )

    async def _serve_once(self) -> None:
        _, connection = await asyncio.get_running_loop().create_unix_connection(
            lambda: _Connection(self._backlog, self._heard), str(self._path)
        )
        self._backlog.connected()
        hello = Hello(self._worker, self._epoch, self._backlog.lost_packets, PROTOCOL)
        connection.write(frame(Kind.HELLO, 0, msgspec.json.encode(hello)))
        for track in self._told.values():  # TAP-2
            connection.write(frame(Kind.TRACK, 0, msgspec.json.encode(track)))
        self._connection = connection
        connection.pump()
        self._changed("tap connected")
        try:
            await connection.ended
        finally:
            self._connection = None
            connection.close()
            self._backlog.disconnected(monotonic_us())
            self._changed("tap disconnected")

    def _changed(self, event: str) -> None:
        log.info(event, extra={"buffered_bytes": self.buffered_bytes, "lost_packets": self.lost_packets})
        for track in self._live.values():  # FEED-2
            if track.codec != "opus":
                self._on_keyframe(track, False)
        self._on_change()

    def _heard(self, kind: Kind, seq: int, body: bytes) -> None:
        match kind:
            case Kind.ACK:
                self._acknowledged(seq)
            case Kind.KEYFRAME:
                asked = msgspec.json.decode(body, type=TapKeyframe)
                if (track := self._live.get(asked.handle)) is not None:
                    self._on_keyframe(track, asked.old)
            case _:
                raise TapFormatError(f"the recorder said {kind.name}")

    def _acknowledged(self, seq: int) -> None:
        self._backlog.acknowledge(seq)
        while self._ended and self._ended[0][0] <= seq:
            self._told.pop(self._ended.popleft()[1], None)
        if self._drained is not None and not self._backlog.size and not self._drained.done():
            self._drained.set_result(None)

    def _add(self, kind: Kind, body: bytes) -> None:
        self.flush()
        self._backlog.add(kind, (body,), monotonic_us())
        self.flush()

    def _tick(self) -> None:
        """Runs while something is recorded."""
        if self._ticker is None and (self._live or self._batch):
            self._ticker = asyncio.get_running_loop().call_later(FLUSH_S, self._tock)

    def _tock(self) -> None:
        self._ticker = None
        self.flush()
        self._tick()

    def _close(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None


class _Connection(asyncio.Protocol):
    """One connection: takes frames from the backlog as the socket takes them, and cuts what comes back."""

    def __init__(self, backlog: Backlog, heard: Callable[[Kind, int, bytes], None]) -> None:
        self._backlog = backlog
        self._heard = heard
        self._frames = Frames()
        self._paused = False
        self._transport: asyncio.Transport | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=WRITE_AHEAD)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._transport = None
        if not self.ended.done():
            self.ended.set_result(None)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self.pump()

    def data_received(self, data: bytes) -> None:
        try:
            for kind, seq, body in self._frames.feed(data):
                self._heard(kind, seq, body)
        except (TapFormatError, msgspec.MsgspecError):
            log.exception("tap frame refused")
            self.close()

    def pump(self) -> None:
        """Send until the socket's buffer is full (FEED-1)."""
        if not self._paused and self._transport is not None:
            for data in self._backlog.send():
                self._transport.write(data)
                if self._paused:
                    return

    def write(self, data: bytes) -> None:
        """Send outside the numbering."""
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        """End it at once. Idempotent."""
        if self._transport is not None:
            self._transport.abort()
