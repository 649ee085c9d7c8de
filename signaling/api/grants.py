"""Grants, the log of looks, and sessions over HTTP: what an administrator, or the hospital's system, decides and reviews.

GRANT-2  A grant ends: at most a year from now. It names somebody by what `GET /api/v1/session` calls them.
GRANT-3  A sample's seed is drawn here, after the share was said: nobody chooses who is in it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aiohttp import web
from msgspec import UNSET, UnsetType

from config.clock import iso, random_name
from signaling.api.audit_kinds import AccessLog, AccessQuery, Grants, NewGrant, Session, Staff
from signaling.api.looks import Looks, asker_of
from signaling.api.problems import NotFound, RequestInvalid
from signaling.api.route import Answer, Call, Nothing, Route, Routes, json_answer
from signaling.ports import Clock
from signaling.sql.store import SqlVisitStore
from signaling.staff.access import Allowed, Grant, Sample
from signaling.staff.access_store import SqlAccess

LONGEST = timedelta(days=366)


class GrantRoutes:
    """The routes of grants and what is reviewed with them."""

    def __init__(self, store: SqlVisitStore, access: SqlAccess, looks: Looks, clock: Clock) -> None:
        self._store = store
        self._access = access
        self._looks = looks
        self._clock = clock

    def routes(self) -> Routes:
        """The table."""
        return [
            Route(
                "POST",
                "/api/v1/grants",
                "createGrant",
                "Let an auditor see named visits, a doctor's, or a span of time; or quality control a sample; until an end.",
                "administrator",
                (Answer(201, "The grant", Grant),),
                self.create,
                NewGrant,
                Nothing,
            ),
            Route(
                "GET",
                "/api/v1/grants",
                "listGrants",
                "Every grant, for review.",
                "administrator",
                (Answer(200, "The grants", Grants),),
                self.listing,
                Nothing,
                Nothing,
            ),
            Route(
                "POST",
                "/api/v1/grants/{grant}/revoke",
                "revokeGrant",
                "Take a grant back, at once.",
                "administrator",
                (Answer(200, "The grant", Grant),),
                self.revoke,
                Nothing,
                Nothing,
            ),
            Route(
                "GET",
                "/api/v1/staff",
                "listStaff",
                "Who signed in here, by what every log calls them: whom a grant can be for.",
                "administrator",
                (Answer(200, "Last seen first", Staff),),
                self.staff,
                Nothing,
                Nothing,
            ),
            Route(
                "GET",
                "/api/v1/accesses",
                "listAccesses",
                "The log of looks: every one that was allowed, and every one that was refused.",
                "administrator",
                (Answer(200, "A page", AccessLog),),
                self.accesses,
                Nothing,
                AccessQuery,
            ),
            Route(
                "GET",
                "/api/v1/session",
                "getSession",
                "Who you are here, and until when.",
                "auditor",
                (Answer(200, "The session", Session),),
                self.session,
                Nothing,
                Nothing,
            ),
            Route(
                "POST",
                "/api/v1/session/end",
                "endSession",
                "Sign out: the token of this session is worthless from now on.",
                "staff",
                (Answer(200, "It is over", Session),),
                self.end,
                Nothing,
                Nothing,
            ),
        ]

    async def create(self, call: Call[NewGrant, Nothing]) -> web.Response:
        """GRANT-2, GRANT-3."""
        said, now = call.body, datetime.fromtimestamp(self._clock(), UTC)
        begins = now if isinstance(said.begins, UnsetType) else said.begins
        if not (said.visits or said.doctor or said.since is not UNSET or said.per_mille is not UNSET):
            raise RequestInvalid("a grant is about visits, a doctor, a span or a sample", code="grant_unbounded")
        if said.until <= max(begins, now) or said.until > now + LONGEST:
            raise RequestInvalid("a grant ends after it begins, and within a year", code="grant_endless", at="until")
        drawn = None if isinstance(said.per_mille, UnsetType) else Sample(said.per_mille, random_name(18))  # GRANT-3
        grant = Grant(
            id=random_name(12),
            who=said.who,
            purpose=said.purpose,
            begins=iso(begins),
            until=iso(said.until),
            visits=tuple(said.visits),
            doctor=said.doctor,
            since=_moment(said.since),
            before=_moment(said.before),
            sample=drawn,
            case=said.case,
            created=iso(now),
            created_by=asker_of(call.principal).who,
        )
        await self._access.give(grant)
        await self._looks.write(asker_of(call.principal), None, f"grant {grant.id}", Allowed(grant.id, grant.purpose))
        return json_answer(grant, 201)

    async def listing(self, _call: Call[Nothing, Nothing]) -> web.Response:
        """Expired and revoked ones too."""
        return json_answer(Grants(await self._access.all_grants()))

    async def staff(self, _call: Call[Nothing, Nothing]) -> web.Response:
        """It names nobody: each person sees their own name of the log on their page."""
        return json_answer(Staff(await self._access.staff()))

    async def revoke(self, call: Call[Nothing, Nothing]) -> web.Response:
        """It counts from the next request on."""
        asker = asker_of(call.principal)
        grant = await self._access.revoke(call.path("grant"), asker.who, self._looks.now())
        if grant is None:
            raise NotFound("no such grant", code="grant_unknown")
        await self._looks.write(asker, None, f"grant revoked {grant.id}", Allowed(grant.id, grant.purpose))
        return json_answer(grant)

    async def accesses(self, call: Call[Nothing, AccessQuery]) -> web.Response:
        """Reading the log is not logged: it names nobody."""
        lines = await self._store.access_log(call.query.after, call.query.limit)
        return json_answer(AccessLog(lines, lines[-1].id if lines else call.query.after))

    async def session(self, call: Call[Nothing, Nothing]) -> web.Response:
        """For a link too: its holder has a name in the log of looks."""
        asker = asker_of(call.principal)
        if asker.link:
            return json_answer(Session(asker.who, asker.role, None, "link"))
        until = await self._access.until(_token(call.request))
        return json_answer(Session(asker.who, asker.role, until, "session"))

    async def end(self, call: Call[Nothing, Nothing]) -> web.Response:
        """SESSION-1."""
        asker, now = asker_of(call.principal), self._looks.now()
        await self._access.end(_token(call.request), now)
        return json_answer(Session(asker.who, asker.role, now, "session"))


def _token(request: web.Request) -> str:
    return request.headers.get("Authorization", "").partition(" ")[2].strip()


def _moment(given: datetime | UnsetType) -> str | None:
    return None if isinstance(given, UnsetType) else iso(given)
