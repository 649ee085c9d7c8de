"""Reading what a caller sends, and giving up on who sends nothing more.

BODY-1  A body is taken as it is. One with a `Content-Encoding` is refused unread: it may be a thousand times what it says.
BODY-2  Who sends nothing for 15 s is not waited for (408), nor is who has not sent all within the time of this address: else
        a few callers who never finish would keep every place that others need.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from signaling.api.problems import MediaTypeWrong, RequestInvalid, RequestLate, TooLarge

STALL_S = 15.0
FORM_WITHIN_S = 30.0
UPLOAD_WITHIN_S = 600.0  # 8 MiB at 112 kbit/s


async def whole_body(
    request: web.Request, most_bytes: int, within_s: float, arrived: Callable[[int], None] | None = None
) -> bytes:
    """All of it; `arrived` is told how long each piece is. Raises `MediaTypeWrong`, `TooLarge`, `RequestLate`, and
    `RequestInvalid` if it broke off."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":  # BODY-1
        raise MediaTypeWrong("send the body as it is, without a Content-Encoding")
    if (request.content_length or 0) > most_bytes:
        raise TooLarge
    try:
        async with asyncio.timeout(within_s):  # BODY-2
            return await _pieces(request, most_bytes, arrived)
    except TimeoutError:
        raise RequestLate from None
    except (ConnectionError, web.RequestPayloadError):
        raise RequestInvalid("the body broke off") from None


async def _pieces(request: web.Request, most_bytes: int, arrived: Callable[[int], None] | None) -> bytes:
    whole = bytearray()
    while True:
        async with asyncio.timeout(STALL_S):
            piece = await request.content.readany()
        if not piece:
            return bytes(whole)
        whole += piece
        if arrived is not None:
            arrived(len(piece))
        if len(whole) > most_bytes:
            raise TooLarge
