"""Escrow: each data key also for a public key whose identity lies offline, in a safe, say.

It opens every recording without the key store: when that is lost, or while it is away (MINT-1). Whoever holds the identity
and the keyring reads everything, so keep them apart. X25519 (age), under `sm4gcm` too.
"""

from __future__ import annotations

from hashlib import sha256

from config.clock import random_bytes
from recorder.sealing.envelope import EnvelopeBroken, RecipientInvalid, open_envelope, recipient_of, seal_envelope

__all__ = ["AgeEscrow", "RecipientInvalid", "open_escrow"]


class AgeEscrow:
    """Wraps for one age recipient (`recorder.sealing.mint.Escrow`)."""

    def __init__(self, recipient: str) -> None:
        """`recipient`: `age1…`. Raises `RecipientInvalid`."""
        self._recipient = recipient_of(recipient)
        self.root = sha256(self._recipient).hexdigest()[:16]
        """Names the recipient."""

    def wrap(self, secret: bytes, context: bytes) -> bytes:
        """An age file of the context and the key."""
        content = context + b"\0" + secret
        return seal_envelope(content, self._recipient, random_bytes(32), random_bytes(16), random_bytes(16))


def open_escrow(blob: bytes, identity: str, context: bytes) -> bytes:
    """A data key, by the offline identity. Raises `EnvelopeBroken`, `RecipientInvalid`."""
    content = open_envelope(blob, identity)
    if content[:-32] != context + b"\0":
        raise EnvelopeBroken("it wraps another key")
    return content[-32:]
