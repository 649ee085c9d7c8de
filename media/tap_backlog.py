"""What the recorder has not acknowledged yet: a bounded queue of tap frames. Pure.

Frames are numbered as they enter. `send` hands them out once a connection; `acknowledge` forgets them; `disconnected`
makes all that is left to be sent again. Past the bounds the oldest PACKETS frame goes, never another kind (TAP-1).

BACKLOG-1  Bytes are bounded always; age only while the recorder is away, counted from when it went: a recorder that is
           there may take its time to acknowledge, since it does so by whole segments.
BACKLOG-2  A packet is kept as the bytes it came in as, which the plane keeps for repairs as well: joined to a frame they
           would be there twice, 0.3 MB a visit.
BACKLOG-3  A packet is lost when no recorder can have it any more: dropped before it was sent, or dropped after and not
           acknowledged when the connection ended. Dropped after it was sent, and acknowledged later, it is not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from media.tap import Kind, frame_head


@dataclass(frozen=True, slots=True)
class Kept:
    """One numbered frame, its body in parts, and when it was made (CLOCK_MONOTONIC µs)."""

    seq: int
    kind: Kind
    body: Sequence[bytes]
    size: int
    packets: int
    made_us: int

    @property
    def whole(self) -> bytes:
        """As it goes over the wire."""
        return b"".join((frame_head(self.kind, self.seq, self.size), *self.body))


class Backlog:
    """Frames in order of their seq: those sent and awaited, then those never sent on this connection."""

    def __init__(self, max_bytes: int, max_age_us: int) -> None:
        """No recorder is there at first."""
        self._max_bytes = max_bytes
        self._max_age_us = max_age_us
        self._sent: deque[Kept] = deque()
        self._unsent: deque[Kept] = deque()
        self._given_up: deque[tuple[int, int]] = deque()
        """(seq, packets) of frames dropped after they were sent, until acknowledged."""
        self._away_since_us: int | None = 0
        self._newest = 0
        self.size = 0
        """Bytes kept."""
        self.lost_packets = 0
        """Since the epoch began (BACKLOG-3)."""

    @property
    def newest(self) -> int:
        """The seq of the newest frame; 0 before the first."""
        return self._newest

    def add(self, kind: Kind, body: Sequence[bytes], now_us: int, packets: int = 0) -> None:
        """Number a frame with so many packets and keep it."""
        self._newest += 1
        kept = Kept(self._newest, kind, body, sum(map(len, body)), packets, now_us)
        self._unsent.append(kept)
        self.size += kept.size
        self._shed(now_us)

    def send(self) -> Iterator[bytes]:
        """The frames still to be sent, oldest first; each counts as sent when it is taken."""
        while self._unsent:
            self._sent.append(self._unsent.popleft())
            yield self._sent[-1].whole

    def acknowledge(self, seq: int) -> None:
        """Everything up to `seq` is durable. What was never sent cannot be acknowledged."""
        while self._sent and self._sent[0].seq <= seq:
            self.size -= self._sent.popleft().size
        while self._given_up and self._given_up[0][0] <= seq:
            self._given_up.popleft()

    def connected(self) -> None:
        """A recorder is there."""
        self._away_since_us = None

    def disconnected(self, now_us: int) -> None:
        """It is gone: everything kept is to be sent again (TAP-2), and what was given up is lost."""
        self._unsent.extendleft(reversed(self._sent))
        self._sent.clear()
        self.lost_packets += sum(count for _, count in self._given_up)
        self._given_up.clear()
        self._away_since_us = now_us

    def _shed(self, now_us: int) -> None:
        while (oldest := self._oldest_packets()) is not None:
            queue, at = oldest
            gone = queue[at]
            if self.size <= self._max_bytes and not self._too_old(gone, now_us):
                return
            del queue[at]
            self.size -= gone.size
            if queue is self._sent:
                self._given_up.append((gone.seq, gone.packets))
            else:
                self.lost_packets += gone.packets

    def _too_old(self, kept: Kept, now_us: int) -> bool:
        away = self._away_since_us
        return away is not None and max(kept.made_us, away) < now_us - self._max_age_us

    def _oldest_packets(self) -> tuple[deque[Kept], int] | None:
        """Looks past the few TRACK and END frames at the front."""
        for queue in (self._sent, self._unsent):
            for at, kept in enumerate(queue):
                if kept.kind is Kind.PACKETS:
                    return queue, at
        return None
