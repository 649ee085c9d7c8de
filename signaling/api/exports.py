"""Exports by two people over HTTP: asked for, decided by another, taken once (`signaling.recordings.exports`).

AUDIT-7  What leaves is on the recorder's log first, with both people; the keys of a sealed recording go with it (LOOK-5).
AUDIT-6  A recording of which nothing is written yet, or none at all, is refused before anybody is asked, and again before it
         is sent.
"""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web
from msgspec import UNSET

from config.clock import iso, parse_iso, random_name
from signaling.api.audit_kinds import DecideExport, Exports, GiveReason, TakeExport
from signaling.api.handing_on import hand_on
from signaling.api.looks import Looks, asker_of, subject
from signaling.api.problems import Conflict, Forbidden, NotFound, NotReady
from signaling.api.route import Answer, Call, Nothing, Principal, Route, Routes, json_answer
from signaling.law.facts import VisitFacts
from signaling.recordings.door import RecorderAway, RecorderDoor
from signaling.recordings.export_store import SqlExports
from signaling.recordings.exports import BOX_S, Export, ExportRefused, check_decidable, check_takeable
from signaling.sql.store import SqlVisitStore
from signaling.staff.access import Allowed, decide


class ExportRoutes:
    """The routes of exports."""

    def __init__(self, store: SqlVisitStore, exports: SqlExports, door: RecorderDoor, looks: Looks) -> None:
        self._store = store
        self._exports = exports
        self._door = door
        self._looks = looks
        self._leaving: set[str] = set()

    def routes(self) -> Routes:
        """The table."""
        return [
            Route(
                "POST",
                "/api/v1/recordings/{visit}/exports",
                "askExport",
                "Ask for the bundle of a recording. A second person decides within the hour.",
                "auditor",
                (Answer(201, "Asked for", Export, headers=("Location",)),),
                self.ask,
                GiveReason,
                Nothing,
                refuses=(Conflict, NotReady),
            ),
            Route(
                "GET",
                "/api/v1/exports",
                "listExports",
                "Exports of the last day: your own, and those you may decide.",
                "exporter",
                (Answer(200, "Newest first", Exports),),
                self.listing,
                Nothing,
                Nothing,
            ),
            Route(
                "POST",
                "/api/v1/exports/{export}/decision",
                "decideExport",
                "The second person's yes or no: an auditor who may see the visit, an administrator, or the API key.",
                "exporter",
                (Answer(200, "Decided", Export),),
                self.decide,
                DecideExport,
                Nothing,
                refuses=(Conflict,),
            ),
            Route(
                "GET",
                "/api/v1/exports/{export}/bundle",
                "getExport",
                "All objects of the recording in one archive, once, for who asked, and beside them the keys that open it:"
                " both people are on the recorder's log first. `teleconsult verify` checks it, `teleconsult open` opens it.",
                "exporter",
                (Answer(200, "The archive", media="*/*", headers=("Content-Disposition",)),),
                self.bundle,
                Nothing,
                TakeExport,
                refuses=(Conflict, NotReady),
            ),
        ]

    async def ask(self, call: Call[GiveReason, Nothing]) -> web.Response:
        """The reason is written down first; it holds for names as any other does."""
        facts = await self._looks.visit(call.principal, call.path("visit"))
        await self._looks.reason(call.principal, facts, call.body)
        await self._looks.allow(call.principal, facts, "export_ask", "export asked", kind="export")
        await self._check_recorded(facts)
        asked = self._looks.now()
        until = iso(parse_iso(asked) + timedelta(seconds=BOX_S))
        who, because = asker_of(call.principal).who, call.body
        export = Export(random_name(12), facts.id, who, asked, because.purpose, because.reason, until)
        await self._exports.ask(export)
        return json_answer(export, 201, {"Location": f"/api/v1/exports/{export.id}/bundle"})

    async def listing(self, call: Call[Nothing, Nothing]) -> web.Response:
        """What is another's is shown to those who may decide it."""
        recent = await self._exports.recent(self._looks.now())
        return json_answer(Exports([one for one in recent if await self._concerns(call.principal, one)]))

    async def decide(self, call: Call[DecideExport, Nothing]) -> web.Response:
        """ACCESS-6."""
        export, facts = await self._found(call.path("export"))
        try:
            check_decidable(export, self._looks.now())
        except ExportRefused as error:
            raise Conflict("this export cannot be decided any more", code=error.code) from error
        what = f"export {'approved' if call.body.approve else 'refused'} {export.id}"
        await self._looks.allow(call.principal, facts, "export_approve", what, export.asked_by, kind="export")
        who = asker_of(call.principal).who
        try:
            decided = await self._exports.decide(export.id, who, call.body.approve, self._looks.now())
        except ExportRefused as error:
            raise Conflict("this export cannot be decided any more", code=error.code) from error
        return json_answer(decided)

    async def bundle(self, call: Call[Nothing, TakeExport]) -> web.StreamResponse:
        """AGREED-2, AUDIT-7. A download that did not reach its end has not taken it."""
        export, facts = await self._found(call.path("export"))
        if asker_of(call.principal).who != export.asked_by:
            raise Forbidden("only who asked for an export takes it", code="export_not_yours")
        if export.id in self._leaving:  # AGREED-2: one at a time, or all of them would be the one
            raise Conflict("this export is being taken", code="export_leaving")
        self._leaving.add(export.id)
        try:
            return await self._handed_over(call, (await self._found(export.id))[0], facts)
        finally:
            self._leaving.discard(export.id)

    async def _handed_over(
        self, call: Call[Nothing, TakeExport], export: Export, facts: VisitFacts
    ) -> web.StreamResponse:
        try:
            check_takeable(export, self._looks.now())
        except ExportRefused as error:
            raise Conflict("this export cannot be taken", code=error.code) from error
        await self._check_recorded(facts)
        await self._looks.allow(call.principal, facts, "export_ask", f"export taken {export.id}", kind="export")
        asker = asker_of(call.principal)
        asked = {"who": asker.who, "role": asker.role, "reason": export.purpose, "second": export.decided_by}
        if call.query.recipient is not UNSET:
            asked["recipient"] = call.query.recipient
        answer = await hand_on(self._door, call.request, f"/visits/{facts.id}/bundle", {"visit": facts.id}, asked)
        if call.request.transport is not None and not call.request.transport.is_closing():
            await self._exports.taken(export.id, self._looks.now())
        return answer

    async def _found(self, name: str) -> tuple[Export, VisitFacts]:
        export = await self._exports.load(name)
        facts = None if export is None else await self._store.load(export.visit)
        if export is None or facts is None:
            raise NotFound("no such export", code="export_unknown")
        return export, facts

    async def _concerns(self, principal: Principal, export: Export) -> bool:
        asker = asker_of(principal)
        if export.asked_by == asker.who:
            return True
        facts = await self._store.load(export.visit)
        grants = await self._looks.grants(principal)
        if facts is None:
            return False
        decision = decide(asker, grants, subject(facts), "export_approve", self._looks.now(), export.asked_by)
        return isinstance(decision, Allowed)

    async def _check_recorded(self, facts: VisitFacts) -> None:
        """AUDIT-6."""
        try:
            recording = await self._door.facts(facts.id)
        except RecorderAway as error:
            raise NotReady(str(error), code=error.code) from error
        if recording is None:
            raise NotFound("this visit has no recording", code="recording_unknown")
        if recording.records == 0:
            raise Conflict("nothing of this visit is written yet", code="nothing_recorded_yet")
