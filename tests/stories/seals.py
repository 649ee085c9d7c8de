"""Data keys of a story: made as the mint does, and known to every life of the recorder."""

from __future__ import annotations

from hashlib import sha256

from recorder.sealing.data_key import HeldKey, commitment
from recorder.sealing.seal import Suite
from recorder.sealing.stream_seal import StreamSeal
from tests.tapping import VISIT


class Seals:
    """`recorder.live.streams.Seals`."""

    sealing = True

    def __init__(self) -> None:
        self._made: dict[str, tuple[HeldKey, bytes]] = {}
        self._salts = 0

    def begin(self, stream: str) -> StreamSeal:
        """A stream under a new key."""
        secret = sha256(f"secret {len(self._made)}".encode()).digest()
        suite: Suite = "aes256gcm"
        held = HeldKey(commitment(secret), suite, (), stream)
        self._made[held.key] = (held, secret)
        return StreamSeal(VISIT, held, secret, self._salt)

    def resume(self, key: str) -> StreamSeal | None:
        """The seal of an earlier life."""
        held, secret = self._made[key]
        return StreamSeal(VISIT, held, secret, self._salt)

    def secrets(self) -> dict[str, bytes]:
        """Every data key, by name."""
        return {key: secret for key, (_, secret) in self._made.items()}

    def _salt(self, size: int) -> bytes:
        self._salts += 1
        return sha256(f"salt {self._salts}".encode()).digest()[:size]
