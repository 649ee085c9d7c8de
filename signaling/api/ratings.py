"""Ratings over HTTP: the patient gives one after the visit, somebody of the clinic reads it before anyone else does."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web
from msgspec import UNSET

from config.clock import random_name
from signaling.api.problems import Conflict, Forbidden, NotFound
from signaling.api.rating_kinds import NewRating, RatingPage, RatingsQuery, ReviewRating, Thanks
from signaling.api.route import Answer, Call, Nothing, Route, Routes, json_answer
from signaling.ports import Clock, VisitStore
from signaling.sql.rating import AlreadyRated, Rating, SqlRatings


class RatingRoutes:
    """See `signaling.sql.rating` for the rules."""

    def __init__(self, visits: VisitStore, ratings: SqlRatings, clock: Clock) -> None:
        self._visits = visits
        self._ratings = ratings
        self._clock = clock

    def routes(self) -> Routes:
        """The table."""
        return [
            Route(
                "POST",
                "/api/v1/ratings",
                "rateVisit",
                "Say how the visit was: the patient's, once, after it ended. Kept without the visit and without a time.",
                "seat",
                (Answer(201, "Kept", Thanks),),
                self.give,
                NewRating,
                Nothing,
                refuses=(Conflict,),
            ),
            Route(
                "GET",
                "/api/v1/ratings",
                "listRatings",
                "Ratings in one state, for the clinic to read: its coordinator, or its own system.",
                "reviewer",
                (Answer(200, "At most 200", RatingPage),),
                self.listing,
                Nothing,
                RatingsQuery,
            ),
            Route(
                "POST",
                "/api/v1/ratings/{rating}/review",
                "reviewRating",
                "Show a rating that was read, or hide it.",
                "reviewer",
                (Answer(200, "The rating", Rating),),
                self.review,
                ReviewRating,
                Nothing,
                refuses=(NotFound,),
            ),
        ]

    async def give(self, call: Call[NewRating, Nothing]) -> web.Response:
        """RATING-1."""
        facts = None if call.principal.visit is None else await self._visits.load(call.principal.visit)
        if call.principal.who != "patient":
            raise Forbidden("the patient rates the visit")
        if facts is None or facts.phase != "ended" or facts.live is None:
            raise Conflict("a visit is rated after it was held", code="phase_wrong")
        month = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m")
        text = call.body.text.strip() or None
        try:
            await self._ratings.give(
                facts.id, Rating(random_name(16), facts.doctor.id, month, call.body.stars, text, "pending")
            )
        except AlreadyRated as error:
            raise Conflict("this visit was rated before", code=error.code) from None
        return json_answer(Thanks(), 201)

    async def listing(self, call: Call[Nothing, RatingsQuery]) -> web.Response:
        """RATING-2."""
        asked = call.query
        doctor = None if asked.doctor is UNSET else asked.doctor
        return json_answer(RatingPage(await self._ratings.listed(asked.state, doctor, asked.limit)))

    async def review(self, call: Call[ReviewRating, Nothing]) -> web.Response:
        """RATING-2."""
        found = await self._ratings.review(call.path("rating"), call.body.decision)
        if found is None:
            raise NotFound("no such rating", code="rating_unknown")
        return json_answer(found)
