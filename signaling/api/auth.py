"""Who may call: the hospital's system by its API key, an auditor or a seat by the token of their link, staff by a session.

AUTH-1  Credentials are compared in constant time; of the API key only a SHA-256 is kept in memory.
AUTH-2  Failures are counted per source, and past the limit answered 429. A good credential is let in even then: with
        256-bit secrets guessing is hopeless anyway, and nobody behind a shared address can lock the hospital out.
AUTH-3  A token for one visit reaches that visit only; every other visit does not exist for it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from datetime import UTC, datetime

from aiohttp import web

from config.clock import iso
from signaling.api.problems import Forbidden, TooManyFailures, Unauthorised
from signaling.api.route import Access, Principal
from signaling.api.sources import source_of
from signaling.ports import Claims, Clock, Tokens, VisitStore
from signaling.rate import Bucket
from signaling.staff.access import Asker
from signaling.staff.access_store import TOKEN_PREFIX, SqlAccess
from signaling.tokens import TokenError, check_epoch

MAX_SOURCES = 10_000


class Failures:
    """A bucket of failed attempts a source: 20 at once, one more every 5 s; past 10 000 sources the oldest is forgotten."""

    def __init__(self, clock: Clock, per_s: float = 0.2, burst: float = 20) -> None:
        self._clock = clock
        self._per_s = per_s
        self._burst = burst
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def open(self, source: str) -> bool:
        """Whether this source may fail once more; nothing is counted."""
        bucket = self._buckets.get(source)
        return bucket is None or bucket.holds(self._clock())

    def count(self, source: str) -> bool:
        """Count one failure; False if this source has had too many of late."""
        bucket = self._buckets.pop(source, None) or Bucket(self._per_s, self._burst)
        self._buckets[source] = bucket
        if len(self._buckets) > MAX_SOURCES:
            self._buckets.popitem(last=False)
        return bucket.take(self._clock())


class Gate:
    """Lets a request in as somebody, or refuses it."""

    def __init__(
        self, api_key: str, tokens: Tokens, store: VisitStore, sessions: SqlAccess, failures: Failures, clock: Clock
    ) -> None:
        self._api_key_sha256 = _digest(api_key)
        self._tokens = tokens
        self._store = store
        self._sessions = sessions
        self._failures = failures
        self._clock = clock

    async def admit(self, request: web.Request, access: Access) -> Principal:
        """Who calls. Raises `Unauthorised`, `Forbidden`, `TooManyFailures`."""
        if access == "public":
            return Principal("public", "anyone")
        if access == "slot":  # the route checks the signature over the body
            return Principal("slot", "hospital")
        try:
            return await self._credential(request, access)
        except Unauthorised:
            if not self._failures.count(source_of(request)):  # AUTH-2
                raise TooManyFailures from None
            raise

    async def _credential(self, request: web.Request, access: Access) -> Principal:
        said = _bearer(request)
        if said is not None and said.startswith(TOKEN_PREFIX) and access not in ("hospital", "seat"):
            return await self._staff(said, access)
        match access:
            case "hospital" | "administrator":
                return self._hospital(request)
            case "exporter" if said is None or "." not in said:  # a link's token has dots, the API key has none
                return self._hospital(request)
            case "coordinator" | "reviewer" if said is None or "." not in said:
                return self._hospital(request)
            case "staff":
                raise Unauthorised("a session of staff is needed: Authorization: Bearer <token>")
            case _:
                return await self._person(request, access)

    async def _staff(self, token: str, access: Access) -> Principal:
        asker = await self._sessions.session(token, iso(datetime.fromtimestamp(self._clock(), UTC)))
        if asker is None:
            raise Unauthorised("there is no such session", code="session_unknown")
        if isinstance(asker, str):
            raise Unauthorised("this session is over", code=f"session_{asker}")
        if access == "coordinator":  # ACCESS-1: who is in which visit tells whose its recording is
            raise Forbidden("this is for coordinators")
        if access in ("administrator", "reviewer") and asker.role != "administrator":
            raise Forbidden("this is for administrators")
        return Principal(access, asker.who, asker=asker)

    def _hospital(self, request: web.Request) -> Principal:
        said = request.headers.get("X-API-Key") or _bearer(request)
        if said is None:
            raise Unauthorised("an API key is needed: Authorization: Bearer <key>")
        if not hmac.compare_digest(_digest(said), self._api_key_sha256):  # AUTH-1
            raise Unauthorised("this is not the API key", code="api_key_invalid")
        return Principal("hospital", "hospital", asker=Asker("hospital", "administrator"))

    async def _person(self, request: web.Request, access: Access) -> Principal:
        said = _bearer(request)
        if said is None:
            raise Unauthorised("the token of a link is needed: Authorization: Bearer <token>")
        try:
            claims = self._tokens.verify(said)
            await self._check_revocation(claims)
        except TokenError as error:
            raise Unauthorised(str(error), code=error.code) from error
        desk = claims.role if claims.role in ("auditor", "coordinator") else "seat"
        coordinating = access in ("coordinator", "reviewer")
        if (access == "seat") != (desk == "seat") or coordinating != (desk == "coordinator"):
            raise Forbidden("this link is for something else")
        if desk == "coordinator":
            return Principal(access, claims.subject)
        who = claims.subject if claims.role == "auditor" else claims.seat or claims.role
        asker = Asker(who, "auditor", link=True, visit=claims.visit) if claims.role == "auditor" else None
        return Principal(access, who, claims.visit, asker)

    async def _check_revocation(self, claims: Claims) -> None:
        if claims.visit is None:
            return
        facts = await self._store.load(claims.visit)
        if facts is None:
            raise Unauthorised("the visit of this token is unknown", code="visit_unknown")
        check_epoch(claims, facts.links_epoch)


def _bearer(request: web.Request) -> str | None:
    scheme, _, said = request.headers.get("Authorization", "").partition(" ")
    return said.strip() or None if scheme.lower() == "bearer" else None


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
