"""Captions over HTTP: the hospital's recogniser says what it hears, and the pages of the visit show it."""

from __future__ import annotations

from aiohttp import web

from signaling.api.caption_kinds import CaptionSent, NewCaption
from signaling.api.problems import Conflict, NotFound, NotReady, TooManyFailures
from signaling.api.route import Answer, Call, Nothing, Route, Routes, json_answer
from signaling.law.captions import Caption
from signaling.law.errors import EventRefused, RateLimited
from signaling.ports import Visits


class CaptionRoutes:
    """See `signaling.law.captions` for the rules."""

    def __init__(self, visits: Visits) -> None:
        self._visits = visits

    def routes(self) -> Routes:
        """The table."""
        return [
            Route(
                "POST",
                "/api/v1/visits/{visit}/captions",
                "captionVisit",
                "Show what is being said, as a recogniser hears it, to who is in the live visit. Kept nowhere.",
                "hospital",
                (Answer(200, "To how many it was sent", CaptionSent),),
                self.caption,
                NewCaption,
                Nothing,
                refuses=(NotFound, Conflict, TooManyFailures),
            )
        ]

    async def caption(self, call: Call[NewCaption, Nothing]) -> web.Response:
        """CAPTION-1, CAPTION-2."""
        said = call.body
        caption = Caption(said.seat, said.line, said.text, said.final, said.language)
        try:
            told = await self._visits.caption(call.path("visit"), caption)
        except KeyError:
            raise NotFound("no such visit", code="visit_unknown") from None
        except RateLimited:
            raise TooManyFailures("more captions than a visit passes on") from None
        except EventRefused as refused:
            if refused.code == "internal":
                raise NotReady(str(refused), code=refused.code) from None
            raise Conflict(str(refused), code=refused.code) from None
        return json_answer(CaptionSent(told))
