"""Visits over HTTP: the hospital's system makes them, looks at them, ends them, and hands out links."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import msgspec
from aiohttp import web
from msgspec import UNSET

from config.clock import iso, random_name
from signaling.api.coordination import needs_the_clinic
from signaling.api.problems import Conflict, NotFound, RequestInvalid
from signaling.api.route import Answer, Call, Header, Nothing, Route, Routes, json_answer
from signaling.api.visit_kinds import (
    CreatedVisit,
    DoctorQueue,
    EndVisit,
    IssuedLink,
    NewDeskLink,
    NewLink,
    NewVisit,
    QueuedVisit,
    Queues,
    RevokedLinks,
    Visit,
    VisitLinks,
    VisitNotes,
    VisitPage,
    VisitsQuery,
)
from signaling.law.errors import EventRefused
from signaling.law.facts import Contacts, Role, VisitFacts
from signaling.links import Links
from signaling.ports import Access, Clock, IdempotencyConflict, Visits, VisitStore
from signaling.sql.store import CursorInvalid

IDEMPOTENCY_KEY = Header(
    "Idempotency-Key",
    r"^[!-~]{1,128}$",
    "Same key and same body: the same visit again, with fresh links and `Idempotency-Replayed: true`.",
)


class VisitRoutes:
    """The hospital's routes."""

    def __init__(
        self, store: VisitStore, visits: Visits, links: Links, clock: Clock, contacts: Contacts | None = None
    ) -> None:
        self._store = store
        self._visits = visits
        self._links = links
        self._clock = clock
        self._contacts = contacts

    def routes(self) -> Routes:
        """The table."""
        one = "/api/v1/visits/{visit}"
        return [
            Route(
                "POST",
                "/api/v1/visits",
                "createVisit",
                "Create a visit and its links.",
                "hospital",
                (Answer(201, "The visit", CreatedVisit, headers=("Location", "Idempotency-Replayed")),),
                self.create,
                NewVisit,
                Nothing,
                refuses=(Conflict,),
                headers=(IDEMPOTENCY_KEY,),
            ),
            Route(
                "GET",
                "/api/v1/visits",
                "listVisits",
                "Visits, newest first, a page at a time.",
                "hospital",
                (Answer(200, "A page", VisitPage),),
                self.listing,
                Nothing,
                VisitsQuery,
            ),
            Route(
                "GET",
                "/api/v1/queues",
                "listQueues",
                "Every doctor's queue as it stands, and the waits that need a coordinator.",
                "hospital",
                (Answer(200, "The queues", Queues),),
                self.queues,
                Nothing,
                Nothing,
            ),
            Route(
                "GET",
                one,
                "getVisit",
                "One visit.",
                "hospital",
                (Answer(200, "The visit", Visit),),
                self.one,
                Nothing,
                Nothing,
                refuses=(NotFound,),
            ),
            Route(
                "GET",
                f"{one}/notes",
                "getNotes",
                "The doctor's notes, for the hospital's own record of the patient. The look is on the access log.",
                "hospital",
                (Answer(200, "The notes", VisitNotes),),
                self.notes,
                Nothing,
                Nothing,
                refuses=(NotFound,),
            ),
            Route(
                "POST",
                f"{one}/end",
                "endVisit",
                "End a visit; an ended one stays as it ended.",
                "hospital",
                (Answer(200, "The visit, ended", Visit),),
                self.end,
                EndVisit,
                Nothing,
                refuses=(NotFound,),
            ),
            Route(
                "POST",
                f"{one}/links",
                "createLink",
                "A further link into a visit.",
                "hospital",
                (Answer(201, "The link", IssuedLink),),
                self.link,
                NewLink,
                Nothing,
                refuses=(NotFound, Conflict),
            ),
            Route(
                "POST",
                f"{one}/links/revoke",
                "revokeLinks",
                "Withdraw every link of a visit issued so far; sockets that hold one are closed.",
                "hospital",
                (Answer(200, "The new epoch", RevokedLinks),),
                self.revoke,
                Nothing,
                Nothing,
                refuses=(NotFound,),
            ),
            Route(
                "POST",
                "/api/v1/links",
                "createDeskLink",
                "A link to the auditor's desk, or to the coordinator's.",
                "hospital",
                (Answer(201, "The link", IssuedLink),),
                self.desk_link,
                NewDeskLink,
                Nothing,
            ),
        ]

    async def create(self, call: Call[NewVisit, Nothing]) -> web.Response:
        """A replay makes no visit, and answers with links that work."""
        facts = self._new(call.body)
        key = call.request.headers.get(IDEMPOTENCY_KEY.name)
        body_sha256 = hashlib.sha256(msgspec.json.encode(call.body)).hexdigest()
        try:
            stored = await self._store.create(facts, key, body_sha256)
        except IdempotencyConflict as error:
            raise Conflict(str(error), code=error.code) from error
        headers = {"Location": f"/api/v1/visits/{stored.id}"}
        if stored.id == facts.id:
            self._visits.created(stored)
        else:
            headers["Idempotency-Replayed"] = "true"
        links = msgspec.convert(self._links.all_of(stored), VisitLinks)
        return json_answer(CreatedVisit.with_links(stored, links), 201, headers)

    async def listing(self, call: Call[Nothing, VisitsQuery]) -> web.Response:
        """Newest first."""
        asked = call.query
        try:
            page = await self._store.page(
                asked.limit,
                None if asked.cursor is UNSET else asked.cursor,
                None if asked.phase is UNSET else asked.phase,
            )
        except CursorInvalid as error:
            raise RequestInvalid("this cursor is not one of ours", code=error.code) from error
        return json_answer(VisitPage([Visit.of(facts) for facts in page.visits], page.next))

    async def queues(self, _call: Call[Nothing, Nothing]) -> web.Response:
        """From what is stored: every change is there before anyone hears of it."""
        open_visits = [facts for facts in await self._store.open_visits() if facts.phase in ("waiting", "live")]
        open_visits.sort(key=lambda facts: facts.entered or facts.created)
        queues: dict[str, DoctorQueue] = {}
        for facts in open_visits:
            said = {name: getattr(facts, name) for name in QueuedVisit.__struct_fields__}
            queues.setdefault(facts.doctor.id, DoctorQueue(facts.doctor, [])).visits.append(QueuedVisit(**said))
        escalated = [facts.id for facts in open_visits if needs_the_clinic(facts)]
        return json_answer(Queues(_iso(self._clock()), list(queues.values()), escalated))

    async def one(self, call: Call[Nothing, Nothing]) -> web.Response:
        """As it stands in SQL: every change is there before anyone hears of it."""
        return json_answer(Visit.of(await self._known(call.path("visit"))))

    async def notes(self, call: Call[Nothing, Nothing]) -> web.Response:
        """NOTE-1: to nobody else."""
        facts = await self._known(call.path("visit"))
        await self._store.log_access(Access(_iso(self._clock()), "hospital", "administrator", facts.id, "notes"))
        return json_answer(VisitNotes(facts.id, facts.notes))

    async def end(self, call: Call[EndVisit, Nothing]) -> web.Response:
        """Through the visit's actor, so that everyone in it is told."""
        try:
            return json_answer(Visit.of(await self._visits.end(call.path("visit"), call.body.reason)))
        except KeyError:
            raise _unknown() from None

    async def link(self, call: Call[NewLink, Nothing]) -> web.Response:
        """One more link; the earlier ones go on working."""
        facts = await self._known(call.path("visit"))
        if call.body.role == "guest":
            return await self._guest(call.path("visit"), call.body)
        made = self._links.one(call.body.role, facts, call.body.expires_in_s)
        return self._issued(call.body.role, made, call.body.expires_in_s)

    async def _guest(self, visit: str, asked: NewLink) -> web.Response:
        try:
            seat, facts = await self._visits.invite(visit, asked.as_)
        except KeyError:
            raise _unknown() from None
        except EventRefused as error:
            raise Conflict(str(error), code=error.code) from error
        link = self._links.guest(seat, facts, asked.expires_in_s)
        return json_answer(IssuedLink("guest", link, _iso(self._clock() + asked.expires_in_s), seat), 201)

    async def revoke(self, call: Call[Nothing, Nothing]) -> web.Response:
        """In SQL first, then in the running visit."""
        epoch = await self._store.revoke_links(call.path("visit"))
        if epoch is None:
            raise _unknown()
        await self._visits.links_revoked(call.path("visit"), epoch)
        return json_answer(RevokedLinks(epoch))

    async def desk_link(self, call: Call[NewDeskLink, Nothing]) -> web.Response:
        """For an auditor who may see every visit, or a coordinator who sees every queue."""
        link = self._links.desk(call.body.expires_in_s, call.body.role)
        return self._issued(call.body.role, link, call.body.expires_in_s)

    def _new(self, asked: NewVisit) -> VisitFacts:
        now = self._clock()
        return VisitFacts(
            id=random_name(16),
            doctor=asked.doctor.facts(),
            patient=asked.patient.facts(),
            summary=asked.summary,
            recording=asked.recording,
            created=_iso(now),
            expires=_iso(now + asked.expires_in_s),
            scheduled=None if asked.scheduled is None else iso(asked.scheduled),
            contacts=asked.contacts or self._contacts,
        )

    def _issued(self, role: Role, link: str, lifetime_s: int) -> web.Response:
        return json_answer(IssuedLink(role, link, _iso(self._clock() + lifetime_s)), 201)

    async def _known(self, visit: str) -> VisitFacts:
        facts = await self._store.load(visit)
        if facts is None:
            raise _unknown()
        return facts


def _unknown() -> NotFound:
    return NotFound("no such visit", code="visit_unknown")


def _iso(at_s: float) -> str:
    return iso(datetime.fromtimestamp(at_s, UTC))
