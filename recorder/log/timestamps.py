"""Time from third parties: asks one time-stamp authority after another until one answers (RFC 3161 over HTTP).

AUTHORITY-1  An authority that is away, slow, or answers something else is passed over, and the next is asked. The one that
             answered last is asked first the next time.
AUTHORITY-2  A reply is taken only if it is granted, of the bytes sent, answers the nonce sent, and is signed; where roots are
             given, by a certificate that leads to one of them. Who reads the evidence later judges by roots of their own.
AUTHORITY-3  In the record and in the log an authority is its host and port: the rest of its address may hold a password.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
from cryptography.x509 import Certificate

from config.pieces import TooMuch, whole
from recorder.evidence.timestamp import MAX_REPLY, Timestamp, TimestampInvalid, answers, request
from recorder.evidence.token import signed_by

TIMEOUT_S = 5.0

log = logging.getLogger(__name__)


class NoTimestamp(Exception):
    """No authority answered."""

    code = "timestamp_unavailable"


class Stamped(NamedTuple):
    """A reply (DER), what it says, and whose it is."""

    reply: bytes
    timestamp: Timestamp
    authority: str


class Authorities:
    """The time-stamp authorities that may be asked, in order."""

    def __init__(
        self,
        urls: Sequence[str],
        session: aiohttp.ClientSession,
        nonce: Callable[[], int] = lambda: secrets.randbits(62),
        roots: Sequence[Certificate] = (),
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """`roots`: of whom replies are taken; none: of anybody (AUTHORITY-2)."""
        self._roots = tuple(roots)
        self._timeout_s = timeout_s
        self._urls = list(urls)
        self._session = session
        self._nonce = nonce

    async def stamp(self, data: bytes) -> Stamped:
        """A timestamp of these bytes. Raises `NoTimestamp`."""
        for url in list(self._urls):
            nonce = self._nonce()
            try:
                reply = await self._ask(url, request(data, nonce))
                timestamp = answers(reply, data, nonce)  # AUTHORITY-2
                if not signed_by(reply).leads_to(self._roots, reply) and self._roots:
                    raise TimestampInvalid("from somebody else")
            except (aiohttp.ClientError, TimeoutError, TimestampInvalid, TooMuch) as error:  # AUTHORITY-1
                log.warning("timestamp refused", extra={"authority": place_of(url), "error": _why(error)})
                continue
            self._urls.remove(url)
            self._urls.insert(0, url)
            return Stamped(reply, timestamp, place_of(url))
        raise NoTimestamp("no authority answered")

    async def _ask(self, url: str, body: bytes) -> bytes:
        async with self._session.post(
            url,
            data=body,
            headers={"Content-Type": "application/timestamp-query"},
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            allow_redirects=False,
        ) as answer:
            if answer.status != 200:
                raise TimestampInvalid(f"HTTP {answer.status}")
            return await whole(answer.content.read, MAX_REPLY)


def place_of(url: str) -> str:
    """Host and port of an address, without who asks (AUTHORITY-3)."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _why(error: Exception) -> str:
    # Our own words say more than their type; others' may repeat an address.
    return str(error) if isinstance(error, TimestampInvalid) else type(error).__name__
