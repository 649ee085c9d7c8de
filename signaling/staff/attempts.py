"""One attempt to sign in, as the browser that began it carries it: in a cookie, under our seal, and nowhere here.

ATTEMPT-1  Nothing is kept of an attempt until it comes back: however many are begun, they push nobody's out.
"""

from __future__ import annotations

import base64
import binascii
import hmac

import msgspec


class Attempt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """What was sent along (`state`, `nonce`), what proves that we began it (`verifier`), and until when (Unix seconds)."""

    state: str
    nonce: str
    verifier: str
    until: float


def sealed(attempt: Attempt, secret: bytes) -> str:
    """The attempt as a cookie's value."""
    said = msgspec.json.encode(attempt)
    return f"{_text(said)}.{_text(_seal(said, secret))}"


def opened(cookie: str, secret: bytes) -> Attempt | None:
    """The attempt in a cookie; None if it is not one of ours, byte for byte."""
    said, _, seal = cookie.partition(".")
    try:
        content = _bytes(said)
        if len(cookie) > 2048 or not hmac.compare_digest(_bytes(seal), _seal(content, secret)):
            return None
        return msgspec.json.decode(content, type=Attempt)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return None


def _seal(said: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, b"teleconsult-attempt-v1\n" + said, "sha256")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
