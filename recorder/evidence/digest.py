"""SHA-256 and SM3 over the same bytes, as they pass."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256, SM3, Hash

from recorder.evidence.sm3 import new_sm3

_SM3 = SM3()
_SHA256 = SHA256()


class Digest:
    """Both hashes and the count of bytes. The hex properties may be read at any time, and more be added after."""

    __slots__ = ("_sha256", "_sm3", "size")

    def __init__(self, data: bytes = b"") -> None:
        self._sha256 = Hash(_SHA256)
        self._sm3 = new_sm3()
        self.size = 0
        if data:
            self.update(data)

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes."""
        self._sha256.update(data)
        self._sm3.update(data)
        self.size += len(data)

    @property
    def sha256(self) -> str:
        """Lower-case hex."""
        return self._sha256.copy().finalize().hex()

    @property
    def sm3(self) -> str:
        """Lower-case hex (GB/T 32905)."""
        return self._sm3.digest().hex()


def sm3(data: bytes) -> bytes:
    """SM3 of a few bytes."""
    taken = Hash(_SM3)
    taken.update(data)
    return taken.finalize()
