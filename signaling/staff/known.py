"""Browsers in which an account signed in before, by a mark that they carry in a cookie: nothing of it is kept here.

KNOWN-1  Wrong passwords that come with the account's mark are counted apart from those that come without: who guesses from
         elsewhere slows down every browser but the ones the person uses, and a mark alone lets nobody try more often.
         (OWASP, "Slow down online guessing attacks with device cookies".)
"""

from __future__ import annotations

import hmac

GOOD_FOR_S = 180 * 86_400


def mark(login: str, secret: bytes) -> str:
    """What a browser carries once this account has signed in there; it does not tell whose it is."""
    return hmac.digest(secret, b"teleconsult-known-browser-v1\n" + login.encode(), "sha256").hex()


def counted_as(login: str, carried: str, secret: bytes) -> str:
    """Under what name a failure is counted (KNOWN-1)."""
    expected = mark(login, secret)
    return f"{login} {expected}" if hmac.compare_digest(carried.encode(), expected.encode()) else login
