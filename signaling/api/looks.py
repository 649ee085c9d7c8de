"""Looks at recordings: decided by `signaling.staff.access`, written down whatever was decided, and only then answered.

AUDIT-1  A look is on the access log (SQL) before anything is shown. While the visit's evidence log is open it is noted there
         too, as `access`. Whenever media can be seen of it, sealed or not, it is on the recorder's custody chain (PLAY-1).
AUDIT-2  The same look by the same person, decided the same way, is written down once a minute: a player asks for a stream
         piece by piece.
AUDIT-4  A refusal is written down as a look is, with its code.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Literal

import msgspec

from config.clock import iso
from signaling.api.audit_kinds import GiveReason
from signaling.api.problems import Forbidden, NotFound
from signaling.api.route import Principal
from signaling.law.facts import VisitFacts
from signaling.ports import Access, Clock
from signaling.sql.store import SqlVisitStore
from signaling.staff.access import Action, Allowed, Asker, Decision, Grant, Purpose, Refused, Subject, decide
from signaling.staff.access_store import SqlAccess

SAME_LOOK_S = 60.0
REMEMBERED = 4096

_WHY = {
    "role_wrong": "this role may not do that",
    "not_own_visit": "this is another doctor's visit",
    "grant_missing": "nobody granted you this visit",
    "grant_not_begun": "your grant has not begun yet",
    "grant_expired": "your grant is over",
    "grant_revoked": "your grant was taken back",
    "not_sampled": "this visit is not in your sample",
    "reason_needed": "say first why: POST …/reason",
    "same_person": "who asked cannot approve: it takes two",
}


class Seen(msgspec.Struct, frozen=True):
    """A look, as the evidence log is told of it."""

    kind: Literal["access", "export"]
    who: str
    role: str
    purpose: str
    scope: str


Noting = Callable[[str, Seen], Awaitable[None]]
"""(visit, look): put it on the visit's open evidence log."""


class Looks:
    """See the module."""

    def __init__(self, store: SqlVisitStore, access: SqlAccess, note: Noting | None, clock: Clock) -> None:
        self._store = store
        self._access = access
        self._note = note
        self._clock = clock
        self._said: dict[tuple[str, str | None, str, str], float] = {}

    def now(self) -> str:
        """The time, as it is written down."""
        return iso(datetime.fromtimestamp(self._clock(), UTC))

    async def visit(self, principal: Principal, visit: str) -> VisitFacts:
        """A visit, to be asked about. Raises `NotFound`; to a link for one visit no other exists (AUTH-3)."""
        asker = asker_of(principal)
        facts = await self._store.load(visit) if asker.visit in (None, visit) else None
        if facts is None:
            raise NotFound("no such visit", code="visit_unknown")
        return facts

    async def grants(self, principal: Principal) -> list[Grant]:
        """The asker's own that are not over."""
        asker = asker_of(principal)
        needed = not asker.link and asker.role in ("auditor", "quality")
        return await self._access.grants_of(asker.who, "1970-01-01T00:00:00.000Z") if needed else []

    async def allow(
        self,
        principal: Principal,
        facts: VisitFacts,
        action: Action,
        what: str,
        asked_by: str | None = None,
        kind: Literal["access", "export"] = "access",
    ) -> Allowed:
        """Decide, write down, and return only if it is allowed. Raises `Forbidden`."""
        asker, grants = asker_of(principal), await self.grants(principal)
        reasoned = await self._access.reason_until(asker.who, facts.id)
        about = subject(facts, reasoned)
        decision = decide(asker, grants, about, action, self.now(), asked_by)
        await self.write(asker, facts, what, decision, kind=kind)
        if isinstance(decision, Refused):
            raise Forbidden(_WHY.get(decision.code), code=decision.code)
        return decision

    async def reason(self, principal: Principal, facts: VisitFacts, given: GiveReason) -> str:
        """Write down why; until when that holds. Raises `Forbidden`."""
        asker, grants = asker_of(principal), await self.grants(principal)
        decision = decide(asker, grants, subject(facts), "reason", self.now())
        await self.write(asker, facts, "reason", decision, given.purpose, given.reason)
        if isinstance(decision, Refused):
            raise Forbidden(_WHY.get(decision.code), code=decision.code)
        until = await self._access.reason_until(asker.who, facts.id)
        assert until is not None, "it was just written"
        return until

    async def purpose(self, principal: Principal, facts: VisitFacts, allowed: Allowed) -> str:
        """Why: the last reason that was given, else the grant's."""
        said = await self._access.purpose_of(asker_of(principal).who, facts.id)
        return said or allowed.purpose or "audit"

    async def write(
        self,
        asker: Asker,
        facts: VisitFacts | None,
        what: str,
        decision: Decision,
        purpose: Purpose | None = None,
        reason: str | None = None,
        kind: Literal["access", "export"] = "access",
    ) -> None:
        """Put it on the logs (AUDIT-1, AUDIT-2)."""
        visit = None if facts is None else facts.id
        now = self._clock()
        key = (asker.who, visit, what, decision.code)
        if reason is None and now - self._said.get(key, 0.0) < SAME_LOOK_S:
            return
        granted = decision if isinstance(decision, Allowed) else Allowed()
        because = purpose or granted.purpose
        line = Access(self.now(), asker.who, asker.role, visit, what, decision.code, granted.grant, because)
        await self._store.log_access(line, reason)
        self._remember(key, now)
        if facts is not None and facts.log_open and self._note is not None and isinstance(decision, Allowed):
            await self._note(facts.id, Seen(kind, asker.who, asker.role, because or "audit", what))

    def _remember(self, key: tuple[str, str | None, str, str], now: float) -> None:
        self._said.pop(key, None)
        self._said[key] = now
        if len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]


def asker_of(principal: Principal) -> Asker:
    """Who asks for a recording."""
    assert principal.asker is not None, "the gate names who asks on every route of recordings"
    return principal.asker


def subject(facts: VisitFacts, reason_until: str | None = None) -> Subject:
    """A visit as `decide` is asked about it."""
    return Subject(facts.id, facts.doctor.id, facts.created, reason_until)
