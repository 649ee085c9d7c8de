"""The connection test over HTTP: begin a rehearsal, and have offers answered in it. Needs no credential (REH-1, REH-2)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from signaling.api.problems import NotFound, NotReady, RequestInvalid, TooManyFailures
from signaling.api.route import Answer, Call, Nothing, Route, Routes, json_answer
from signaling.api.sources import source_of
from signaling.live.rehearsals import (
    NoWorker,
    OfferInvalid,
    RehearsalError,
    Rehearsals,
    RehearsalUnknown,
    TooManyRehearsals,
)

Mid = Annotated[str, Meta(min_length=1, max_length=32)]


class Rehearsal(msgspec.Struct, frozen=True):
    """A rehearsal: `ice_servers` are ready for `RTCPeerConnection`."""

    rehearsal: str
    ice_servers: list[dict[str, Any]]
    lasts_s: float


class RehearsalOffer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An offer as in PROTOCOL.md §6. Each `seat` is one transport; the tracks of a seat are `<seat>.<source>`."""

    seat: Annotated[str, Meta(pattern=r"\A[a-z-]{1,16}\Z", max_length=16)]
    sdp: Annotated[str, Meta(max_length=48 * 1024)]
    publish: Annotated[dict[Mid, Literal["microphone", "camera"]], Meta(max_length=2)]
    subscribe: Annotated[dict[Mid, Annotated[str, Meta(max_length=64)]], Meta(max_length=2)]


class RehearsalAnswer(msgspec.Struct, frozen=True):
    """The answer's SDP."""

    sdp: str


class RehearsalRoutes:
    """See `signaling.live.rehearsals` for the rules."""

    def __init__(self, rehearsals: Rehearsals) -> None:
        self._rehearsals = rehearsals

    def routes(self) -> Routes:
        """The table."""
        return [
            Route(
                "POST",
                "/api/v1/rehearsals",
                "beginRehearsal",
                "Begin a test of the connection: for a minute, offers are answered as in a visit.",
                "public",
                (Answer(201, "Begun", Rehearsal),),
                self.begin,
                Nothing,
                Nothing,
                refuses=(TooManyFailures, NotReady),
            ),
            Route(
                "POST",
                "/api/v1/rehearsals/{rehearsal}/offers",
                "offerInRehearsal",
                "Answer an offer in a test of the connection.",
                "public",
                (Answer(200, "The answer", RehearsalAnswer),),
                self.offer,
                RehearsalOffer,
                Nothing,
                refuses=(RequestInvalid, NotFound, TooManyFailures, NotReady),
            ),
        ]

    async def begin(self, call: Call[Nothing, Nothing]) -> web.Response:
        """The caller's address counts (REH-2)."""
        try:
            begun = await self._rehearsals.begin(source_of(call.request))
        except RehearsalError as error:
            raise _problem(error) from None
        return json_answer(Rehearsal(begun.rehearsal, begun.ice_servers, begun.lasts_s), 201)

    async def offer(self, call: Call[RehearsalOffer, Nothing]) -> web.Response:
        """Answered by the worker that holds the rehearsal."""
        said = call.body
        try:
            sdp = await self._rehearsals.offer(
                call.path("rehearsal"), said.seat, said.sdp, {**said.publish}, said.subscribe
            )
        except RehearsalError as error:
            raise _problem(error) from None
        return json_answer(RehearsalAnswer(sdp))


def _problem(error: RehearsalError) -> Exception:
    match error:
        case TooManyRehearsals():
            return TooManyFailures(str(error))
        case NoWorker():
            return NotReady(str(error), code=error.code)
        case RehearsalUnknown():
            return NotFound(str(error), code=error.code)
        case OfferInvalid():
            return RequestInvalid("media refused the offer", code=error.code)
        case _:
            return error
