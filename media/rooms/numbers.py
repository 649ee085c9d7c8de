"""Numbers that nobody else has: SSRCs unique in a worker, and ICE credentials."""

from __future__ import annotations

import base64
from collections.abc import Callable

from media.plane import IceCredentials

_STEP = 0x9E3779B1
"""Odd, so that stepping by it visits every 32-bit number once; near 2^32/φ, so that neighbours lie far apart."""


class Ssrcs:
    """32-bit numbers, none twice and none 0, from a random start."""

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        """`entropy` gives that many random bytes."""
        self._at = int.from_bytes(entropy(4), "big")

    def new(self) -> int:
        """The next one."""
        self._at = (self._at + _STEP) & 0xFFFFFFFF
        return self._at or self.new()


class Credentials:
    """RFC 8445 §5.3 asks for 24 bits of fragment and 128 of password; these have 48 and 144."""

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        """`entropy` gives that many random bytes."""
        self._entropy = entropy

    def new(self) -> IceCredentials:
        """A fresh pair, in the ice-char alphabet (RFC 8839 §5.4), which is base64's."""
        return IceCredentials(self._text(6), self._text(18))

    def _text(self, octets: int) -> str:
        return base64.b64encode(self._entropy(octets)).decode()
