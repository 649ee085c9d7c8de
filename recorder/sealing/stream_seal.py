"""What one stream's bytes become before they reach a disk: sealed objects, and the open segment as a sealed draft.

DRAFT-1  A segment's hash is of its sealed bytes, and those exist only when it is cut. Until then each commit appends what
         came to `<object>.open` in the spool, as chunks of a sealing of its own whose context names it: the head of
         `recorder.sealing.seal` once, then for each chunk 4 bytes length (big-endian) and the chunk, counted through the
         draft, each sealed as a last one since it may be short. So nothing ever lies in the spool in clear, no chunk can be
         moved, and after a crash all that was committed is there.
DRAFT-2  A draft is never sent anywhere and is over when its segment is durable.
"""

from __future__ import annotations

from collections.abc import Callable

from recorder.evidence import records
from recorder.sealing.data_key import HeldKey
from recorder.sealing.seal import CHUNK, HEAD, SALT, SealBroken, Sealer

DRAFT = ".open"
_LENGTH = 4


def context_of(visit: str, name: str) -> bytes:
    """What a sealed object is bound to (FORMAT.md §5)."""
    return f"{visit}/{name}".encode()


class StreamSeal:
    """One stream under one data key. Pure but for the salts it is given."""

    def __init__(self, visit: str, held: HeldKey, secret: bytes, random: Callable[[int], bytes]) -> None:
        """`random(n)`: n bytes nobody can guess, new each time."""
        self.held = held
        self._visit = visit
        self._secret = secret
        self._random = random

    @property
    def record(self) -> records.DataKey:
        """What the log says before the first object is sealed under it."""
        return records.DataKey(
            stream=self.held.stream,
            key=self.held.key,
            suite=self.held.suite,
            under=[wrap.under for wrap in self.held.wraps],
        )

    def whole(self, name: str, content: bytes) -> bytes:
        """An object, sealed."""
        return self._sealer(context_of(self._visit, name)).seal(content)

    def draft(self, name: str) -> DraftSeal:
        """For a segment that begins (DRAFT-1)."""
        return DraftSeal(self._sealer(self._place(name)))

    def content_of(self, name: str, draft: bytes) -> bytes:
        """What a draft holds. Raises `SealBroken`."""
        sealer = Sealer.of(self.held.suite, self._secret, self._place(name), draft)
        found: list[bytes] = []
        at = HEAD
        while at < len(draft):
            size = int.from_bytes(draft[at : at + _LENGTH], "big")
            chunk = draft[at + _LENGTH : at + _LENGTH + size]
            if len(chunk) != size:
                raise SealBroken("a draft is cut")
            found.append(sealer.open_chunk(chunk, len(found), last=True))
            at += _LENGTH + size
        return b"".join(found)

    def _sealer(self, context: bytes) -> Sealer:
        return Sealer(self.held.suite, self._secret, context, self._random(SALT))

    def _place(self, name: str) -> bytes:
        return context_of(self._visit, name + DRAFT)


class DraftSeal:
    """A segment's draft as it grows. What it gives is appended as it is, or given again: never sealed anew."""

    def __init__(self, sealer: Sealer) -> None:
        """`sealer`: of nothing else."""
        self._sealer = sealer
        self._chunks = 0

    def frame(self, content: bytes) -> bytes:
        """What to append for these bytes."""
        pieces = [] if self._chunks else [self._sealer.head]
        view = memoryview(content)
        for at in range(0, len(content), CHUNK):
            chunk = self._sealer.lock(view[at : at + CHUNK], self._chunks, last=True)
            pieces += (len(chunk).to_bytes(_LENGTH, "big"), chunk)
            self._chunks += 1
        return b"".join(pieces)
