"""Pseudonyms: a person's stand-in in evidence, the same in every visit, and nobody's without the key."""

from __future__ import annotations

import base64
import hmac

from signaling.law.facts import Role


class KeyedPseudonyms:
    """Implements `ports.Pseudonyms`: HMAC-SHA-256 over role and the hospital's id, 100 bits of it in base 32."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, role: Role, person: str) -> str:
        """20 characters of `a–z 2–7`."""
        digest = hmac.digest(self._key, f"pseudonym\n{role}\n{person}".encode(), "sha256")
        return base64.b32encode(digest).decode("ascii")[:20].lower()
