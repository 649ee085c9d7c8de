"""Whether a request was signed as the Standard Webhooks specification has it, by who holds the key.

SIGNED-1  The signature is over `<id>.<timestamp>.<body>`, the body as it came; compared in constant time; one of several is
          enough, so that keys can be changed.
SIGNED-2  A timestamp more than 5 minutes away from our clock is refused.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from signaling.outbound.webhooks import signature

AWAY_MOST_S = 300
ID_MOST = 128


def is_signed(key: bytes, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """See the module."""
    name, said = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not 1 <= len(name) <= ID_MOST or not said.isascii() or not said.isdigit() or len(said) > 12:
        return False
    if abs(int(said) - now) > AWAY_MOST_S:  # SIGNED-2
        return False
    expected = signature(key, name, int(said), body).encode()
    given = headers.get("webhook-signature", "").split(" ")[:8]
    return any(hmac.compare_digest(expected, one.encode("utf-8", "replace")) for one in given)  # SIGNED-1
