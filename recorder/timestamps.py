"""Time from third parties: asks one time-stamp authority after another until one answers (RFC 3161 over HTTP).

STAMP-1  An authority that is away, slow, or answers something else is passed over, and the next is asked. The one that
         answered last is asked first the next time.
STAMP-2  A reply is taken only if it is granted, of the bytes sent, and answers the nonce sent. Whether an authority's
         certificate is trusted is for whoever reads the evidence later.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from typing import NamedTuple

import aiohttp

from recorder.evidence.timestamp import MAX_REPLY, Timestamp, TimestampInvalid, answers, request

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
    ) -> None:
        self._urls = list(urls)
        self._session = session
        self._nonce = nonce

    async def stamp(self, data: bytes) -> Stamped:
        """A timestamp of these bytes. Raises `NoTimestamp`."""
        for url in list(self._urls):
            nonce = self._nonce()
            try:
                reply = await self._ask(url, request(data, nonce))
                timestamp = answers(reply, data, nonce)  # STAMP-2
            except (aiohttp.ClientError, TimeoutError, TimestampInvalid) as error:  # STAMP-1
                log.warning("timestamp refused", extra={"authority": url, "error": type(error).__name__})
                continue
            self._urls.remove(url)
            self._urls.insert(0, url)
            return Stamped(reply, timestamp, url)
        raise NoTimestamp("no authority answered")

    async def _ask(self, url: str, body: bytes) -> bytes:
        async with self._session.post(
            url,
            data=body,
            headers={"Content-Type": "application/timestamp-query"},
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            allow_redirects=False,
        ) as answer:
            if answer.status != 200:
                raise TimestampInvalid(f"HTTP {answer.status}")
            return await answer.content.read(MAX_REPLY + 1)
