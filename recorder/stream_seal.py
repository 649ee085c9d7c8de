"""What one stream's bytes become before they reach a disk: sealed objects, and the open segment as a sealed draft.

DRAFT-1  A segment's hash is of its sealed bytes, and those exist only when it is cut. Until then each commit appends what
         came to `<object>.open` in the spool, as one sealed frame: 4 bytes length (big-endian), then a sealed object of its
         own whose context names the segment and the place. So nothing ever lies in the spool in clear, and after a crash all
         that was committed is there.
DRAFT-2  A draft is never sent anywhere and is over when its segment is durable; the next one is written over it (SPOOL-5), so
         what lies in its file behind the bytes that a line speaks of is of no meaning.
"""

from __future__ import annotations

from collections.abc import Callable

from recorder.data_key import HeldKey
from recorder.evidence import records
from recorder.seal import SALT, SealBroken, Sealer, sealed_size

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

    def frame(self, name: str, at: int, content: bytes) -> bytes:
        """The next frame of a segment's draft, which has `at` bytes so far (DRAFT-1)."""
        sealed = self._sealer(self._place(name, at)).pieces(content)
        return b"".join([sealed_size(len(content)).to_bytes(_LENGTH, "big"), *sealed])

    def content_of(self, name: str, draft: bytes) -> bytes:
        """What a draft holds. Raises `SealBroken`."""
        found: list[bytes] = []
        at = 0
        while at < len(draft):
            size = int.from_bytes(draft[at : at + _LENGTH], "big")
            sealed = draft[at + _LENGTH : at + _LENGTH + size]
            if len(sealed) != size:
                raise SealBroken("a draft is cut")
            found += Sealer.of(self.held.suite, self._secret, self._place(name, at), sealed).open(sealed)
            at += _LENGTH + size
        return b"".join(found)

    def _sealer(self, context: bytes) -> Sealer:
        return Sealer(self.held.suite, self._secret, context, self._random(SALT))

    def _place(self, name: str, at: int) -> bytes:
        return context_of(self._visit, f"{name}{DRAFT}/{at}")
