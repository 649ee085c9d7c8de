"""Receipts over HTTP: a seat of a visit that is over takes home the proof that its recording is in the log (FORMAT.md §8).

RECEIPTS-1  A receipt is made by the recorder and passed on as it is. It is there some seconds after the end, and stays.
"""

from __future__ import annotations

from aiohttp import web

from signaling.api.problems import Conflict, NotFound, NotReady
from signaling.api.recording_kinds import ReceiptPending, VisitReceipt
from signaling.api.route import Answer, Call, Nothing, Route, Routes, json_answer
from signaling.law.terms import SEATS
from signaling.ports import VisitStore
from signaling.recordings.door import RecorderAway, RecorderDoor


class ReceiptRoutes:
    """The seats' route."""

    def __init__(self, visits: VisitStore, door: RecorderDoor) -> None:
        self._visits = visits
        self._door = door

    def routes(self) -> Routes:
        """The table."""
        return [
            Route(
                "GET",
                "/api/v1/receipt",
                "getReceipt",
                "The proof that the recording of this visit ended so and not otherwise, to keep.",
                "seat",
                (
                    Answer(200, "The receipt, and its short form for a QR code", VisitReceipt),
                    Answer(202, "Not made yet, or nothing was recorded: ask again in a second", ReceiptPending),
                ),
                self.receipt,
                Nothing,
                Nothing,
                refuses=(NotFound, Conflict, NotReady),
            )
        ]

    async def receipt(self, call: Call[Nothing, Nothing]) -> web.Response:
        """RECEIPTS-1."""
        visit = call.principal.visit
        facts = None if visit is None else await self._visits.load(visit)
        if facts is None or call.principal.who not in (*SEATS, *facts.admitted):
            raise NotFound("no such visit", code="visit_unknown")
        if facts.phase != "ended":
            raise Conflict("a visit has a receipt when it is over", code="phase_wrong")
        try:
            made = await self._door.receipt(facts.id)
        except RecorderAway as error:
            raise NotReady(str(error), code=error.code) from error
        if made is None:
            return json_answer(ReceiptPending(facts.id), 202, headers={"Cache-Control": "no-store"})
        return json_answer(VisitReceipt(facts.id, made.receipt, made.short), headers={"Cache-Control": "no-store"})
