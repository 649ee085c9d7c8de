"""The worker's end of the tap without a socket: what it keeps, and says again, as `media.tap_feed` does."""

from __future__ import annotations

import msgspec

from media.tap import Hello, Kind, TapEnd, TapTrack, frame, packet_head
from media.tap_backlog import Backlog
from tests.stories.ways import Came

MAX_BYTES = 24 << 20
MAX_AGE_US = 10_000_000


class Feed:
    """One life of a worker."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.backlog = Backlog(MAX_BYTES, MAX_AGE_US)
        self.live: dict[int, TapTrack] = {}
        self._told: dict[int, TapTrack] = {}
        self._ended: list[tuple[int, int]] = []
        self._batch: list[bytes] = []
        self._handles = 0

    def begin(self, track: TapTrack, now_us: int) -> int:
        """TRACK; its handle."""
        self.flush(now_us)
        self._handles += 1
        track = msgspec.structs.replace(track, handle=self._handles)
        self.live[track.handle] = self._told[track.handle] = track
        self.backlog.add(Kind.TRACK, [msgspec.json.encode(track)], now_us)
        return track.handle

    def end(self, end: TapEnd, now_us: int) -> None:
        """END."""
        self.flush(now_us)
        del self.live[end.handle]
        self.backlog.add(Kind.END, [msgspec.json.encode(end)], now_us)
        self._ended.append((self.backlog.newest, end.handle))

    def packet(self, came: Came) -> None:
        """A packet of a track that is live; another is nobody's."""
        if came.handle in self.live:
            content = came.packet.content
            self._batch += (packet_head(came.handle, came.flags, came.at_us, len(content)), content)
            came.noted()

    def flush(self, now_us: int) -> None:
        """End the batch."""
        if self._batch:
            self.backlog.add(Kind.PACKETS, self._batch, now_us, len(self._batch) // 2)
            self._batch = []

    def acknowledge(self, seq: int) -> None:
        """ACK."""
        self.backlog.acknowledge(seq)
        for ended, handle in self._ended:
            if ended <= seq:
                self._told.pop(handle, None)
        self._ended = [one for one in self._ended if one[0] > seq]

    def greeting(self) -> bytes:
        """What it says first on a connection (TAP-2)."""
        self.backlog.connected()
        hello = Hello("media-0", self.epoch, self.backlog.lost_packets)
        told = [frame(Kind.TRACK, 0, msgspec.json.encode(track)) for track in self._told.values()]
        return b"".join([frame(Kind.HELLO, 0, msgspec.json.encode(hello)), *told])

    def send(self) -> bytes:
        """What is still to be sent."""
        return b"".join(self.backlog.send())

    def disconnected(self, now_us: int) -> None:
        """The recorder is gone."""
        self.flush(now_us)
        self.backlog.disconnected(now_us)
