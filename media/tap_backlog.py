"""What the recorder has not acknowledged yet: a bounded queue of tap frames. Pure.

Frames are numbered as they enter. `send` hands them out once a connection; `acknowledge` forgets them; a new
connection begins with `rewind`. Past the bound the oldest PACKETS frame goes, never another kind (TAP-1).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from media.tap import HEAD_SIZE, Kind, frame, packets


@dataclass(frozen=True, slots=True)
class Kept:
    """One numbered frame, whole, and when it was made (CLOCK_MONOTONIC µs)."""

    seq: int
    kind: Kind
    data: bytes
    made_us: int


class Backlog:
    """Frames in order of their seq: those sent and awaited, then those never sent on this connection."""

    def __init__(self, max_bytes: int, max_age_us: int) -> None:
        self._max_bytes = max_bytes
        self._max_age_us = max_age_us
        self._sent: deque[Kept] = deque()
        self._unsent: deque[Kept] = deque()
        self._newest = 0
        self.size = 0
        """Bytes kept."""
        self.lost_packets = 0
        """Packets given up under TAP-1 since the epoch began."""

    @property
    def newest(self) -> int:
        """The seq of the newest frame; 0 before the first."""
        return self._newest

    def add(self, kind: Kind, body: bytes | bytearray, now_us: int) -> None:
        """Number a frame and keep it."""
        self._newest += 1
        kept = Kept(self._newest, kind, frame(kind, self._newest, body), now_us)
        self._unsent.append(kept)
        self.size += len(kept.data)
        self._shed(now_us)

    def send(self) -> Iterator[bytes]:
        """The frames still to be sent, oldest first; each counts as sent when it is taken."""
        while self._unsent:
            self._sent.append(self._unsent.popleft())
            yield self._sent[-1].data

    def acknowledge(self, seq: int) -> None:
        """Everything up to `seq` is durable. What was never sent cannot be acknowledged."""
        while self._sent and self._sent[0].seq <= seq:
            self.size -= len(self._sent.popleft().data)

    def rewind(self) -> None:
        """The connection is gone: everything kept is to be sent again (TAP-2)."""
        self._unsent.extendleft(reversed(self._sent))
        self._sent.clear()

    @property
    def idle(self) -> bool:
        """Whether everything was sent at least once on this connection."""
        return not self._unsent

    def _shed(self, now_us: int) -> None:
        oldest_allowed = now_us - self._max_age_us
        while (oldest := self._oldest_packets()) is not None:
            queue, at = oldest
            if self.size <= self._max_bytes and queue[at].made_us >= oldest_allowed:
                return
            gone = queue[at]
            del queue[at]
            self.size -= len(gone.data)
            self.lost_packets += sum(1 for _ in packets(memoryview(gone.data)[HEAD_SIZE:]))

    def _oldest_packets(self) -> tuple[deque[Kept], int] | None:
        """Looks past the few TRACK and END frames at the front."""
        for queue in (self._sent, self._unsent):
            for at, kept in enumerate(queue):
                if kept.kind is Kind.PACKETS:
                    return queue, at
        return None
