"""Who may call: the hospital's system by its API key, an auditor or a seat by the token of their link.

AUTH-1  Credentials are compared in constant time; of the API key only a SHA-256 is kept in memory.
AUTH-2  Failures are counted per source, and past the limit answered 429. A good credential is let in even then: with
        256-bit secrets guessing is hopeless anyway, and nobody behind a shared address can lock the hospital out.
AUTH-3  A token for one visit reaches that visit only; every other visit does not exist for it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict

from aiohttp import web

from signaling.api.route import Access, Principal
from signaling.ports import Claims, Clock, Tokens, VisitStore
from signaling.problems import Forbidden, TooManyFailures, Unauthorised
from signaling.rate import Bucket
from signaling.tokens import TokenError, check_epoch

MAX_SOURCES = 10_000


class Failures:
    """A bucket of failed attempts a source: 20 at once, one more every 5 s; past 10 000 sources the oldest is forgotten."""

    def __init__(self, clock: Clock, per_s: float = 0.2, burst: float = 20) -> None:
        self._clock = clock
        self._per_s = per_s
        self._burst = burst
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def count(self, source: str) -> bool:
        """Count one failure; False if this source has had too many of late."""
        bucket = self._buckets.pop(source, None) or Bucket(self._per_s, self._burst)
        self._buckets[source] = bucket
        if len(self._buckets) > MAX_SOURCES:
            self._buckets.popitem(last=False)
        return bucket.take(self._clock())


class Gate:
    """Lets a request in as somebody, or refuses it."""

    def __init__(self, api_key: str, tokens: Tokens, store: VisitStore, failures: Failures) -> None:
        self._api_key_sha256 = _digest(api_key)
        self._tokens = tokens
        self._store = store
        self._failures = failures

    async def admit(self, request: web.Request, access: Access) -> Principal:
        """Who calls. Raises `Unauthorised`, `Forbidden`, `TooManyFailures`."""
        if access == "public":
            return Principal("public", "anyone")
        if access == "slot":  # the route checks the signature over the body
            return Principal("slot", "hospital")
        try:
            return self._hospital(request) if access == "hospital" else await self._person(request, access)
        except Unauthorised:
            if not self._failures.count(request.remote or ""):  # AUTH-2
                raise TooManyFailures from None
            raise

    def _hospital(self, request: web.Request) -> Principal:
        said = request.headers.get("X-API-Key") or _bearer(request)
        if said is None:
            raise Unauthorised("an API key is needed: Authorization: Bearer <key>")
        if not hmac.compare_digest(_digest(said), self._api_key_sha256):  # AUTH-1
            raise Unauthorised("this is not the API key", code="api_key_invalid")
        return Principal("hospital", "hospital")

    async def _person(self, request: web.Request, access: Access) -> Principal:
        said = _bearer(request)
        if said is None:
            raise Unauthorised("the token of a link is needed: Authorization: Bearer <token>")
        try:
            claims = self._tokens.verify(said)
            await self._check_revocation(claims)
        except TokenError as error:
            raise Unauthorised(str(error), code=error.code) from error
        if (claims.role == "auditor") != (access == "auditor"):
            raise Forbidden("this link is for something else")
        who = claims.subject if claims.role == "auditor" else claims.seat or claims.role
        return Principal(access, who, claims.visit)

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
