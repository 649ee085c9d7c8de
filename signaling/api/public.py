"""What anyone may ask: the words of consent, whether we are well, and the document of this API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from signaling.api.kinds import Alive, ConsentQuery, Readiness
from signaling.api.route import Answer, Call, Nothing, Route, Routes, json_answer
from signaling.law import consent_text
from signaling.law.consent_text import ConsentText

PART_TIMEOUT_S = 2.0

Check = Callable[[], Awaitable[bool]]
"""Whether one part answers now."""


class PublicRoutes:
    """Routes that need no credential."""

    def __init__(self, parts: Mapping[str, Check], document: Callable[[], bytes]) -> None:
        """`document` gives the OpenAPI document of the finished table, as JSON."""
        self._parts = parts
        self._document = document

    def routes(self) -> Routes:
        """The table."""
        return [
            Route(
                "GET",
                "/api/v1/consent",
                "getConsentText",
                "The words a person is asked to agree to before being recorded.",
                "public",
                (Answer(200, "The words", ConsentText),),
                self.consent,
                Nothing,
                ConsentQuery,
            ),
            Route(
                "GET",
                "/healthz",
                "getHealth",
                "Whether this process answers.",
                "public",
                (Answer(200, "It does", Alive),),
                self.health,
                Nothing,
                Nothing,
            ),
            Route(
                "GET",
                "/readyz",
                "getReadiness",
                "Whether everything behind the API answers.",
                "public",
                (Answer(200, "All of it", Readiness), Answer(503, "Not all of it", Readiness)),
                self.readiness,
                Nothing,
                Nothing,
            ),
            Route(
                "GET",
                "/api/v1/openapi.json",
                "getOpenApi",
                "This document.",
                "public",
                (Answer(200, "OpenAPI 3.1", dict[str, Any]),),
                self.openapi,
                Nothing,
                Nothing,
            ),
        ]

    async def consent(self, call: Call[Nothing, ConsentQuery]) -> web.Response:
        """May be cached for a minute: a changed text has a new version."""
        return json_answer(consent_text.TEXTS[call.query.language], headers={"Cache-Control": "public, max-age=60"})

    async def health(self, _call: Call[Nothing, Nothing]) -> web.Response:
        """No part is asked."""
        return json_answer(Alive())

    async def readiness(self, _call: Call[Nothing, Nothing]) -> web.Response:
        """Every part is asked at once and has two seconds."""
        said = await asyncio.gather(*(_asked(check) for check in self._parts.values()))
        ready = Readiness(all(said), dict(zip(self._parts, said, strict=True)))
        return json_answer(ready, 200 if ready.ready else 503)

    async def openapi(self, _call: Call[Nothing, Nothing]) -> web.Response:
        """Made once."""
        return web.Response(body=self._document(), content_type="application/json", charset=None)


async def _asked(check: Check) -> bool:
    try:
        async with asyncio.timeout(PART_TIMEOUT_S):
            return await check()
    except TimeoutError:
        return False
