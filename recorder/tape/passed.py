"""How far a track was written that no open part goes on with: it ended, or none has begun with it yet.

PASSED-1  What a worker did not hear acknowledged it says again to a later life of the recorder (TAP-2), and of one frame of
          the tap some may be written and some not. So what is written of every track is known, as long as it may be said
          again: nothing is written twice, whatever became of the track.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import msgspec

MOST_ENDED = 16
"""More tracks of one stream do not end within what a worker keeps."""


class Passed(msgspec.Struct, frozen=True):
    """Of this track all before the extended number `next_seq` is written or dropped; `arrival_us`: of its newest packet."""

    epoch: str
    handle: int
    next_seq: int
    arrival_us: int


class Ended:
    """Those of a stream that ended, the newest of them."""

    def __init__(self) -> None:
        self._kept: deque[Passed] = deque(maxlen=MOST_ENDED)

    def __iter__(self) -> Iterator[Passed]:
        return iter(self._kept)

    def take(self, passed: Passed | None) -> None:
        """Of a track nothing follows; None if nothing came of it."""
        if passed is not None:
            self._kept.append(passed)
