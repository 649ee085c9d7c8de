"""Links: the addresses people are sent. The token stands behind `#`, so no server, proxy or log ever sees it."""

from __future__ import annotations

from typing import Literal

from config.clock import parse_iso, random_name
from signaling.law.facts import Role, Seat, VisitFacts
from signaling.ports import Clock, Tokens

LETTER: dict[Role, str] = {"doctor": "d", "patient": "p", "guest": "g", "auditor": "a", "coordinator": "o"}
FIRST: tuple[Role, ...] = ("doctor", "patient", "auditor")
"""Whose links every visit has from the beginning."""


class Links:
    """Makes links below one base URL."""

    def __init__(self, tokens: Tokens, base_url: str, clock: Clock) -> None:
        """`base_url` has no slash at its end."""
        self._tokens = tokens
        self._base_url = base_url
        self._clock = clock

    def all_of(self, facts: VisitFacts) -> dict[Role, str]:
        """One link a role, each good until the visit's links expire."""
        left = int(parse_iso(facts.expires).timestamp() - self._clock())
        return {role: self.one(role, facts, max(1, left)) for role in FIRST}

    def one(self, role: Role, facts: VisitFacts, lifetime_s: int) -> str:
        """A link into one visit."""
        return self._at(role, self._tokens.issue(role, facts.id, _subject(role), lifetime_s, facts.links_epoch))

    def guest(self, seat: Seat, facts: VisitFacts, lifetime_s: int) -> str:
        """A link to a guest's seat."""
        return self._at("guest", self._tokens.issue("guest", facts.id, seat, lifetime_s, facts.links_epoch, seat))

    def desk(self, lifetime_s: int, role: Literal["auditor", "coordinator"] = "auditor") -> str:
        """A link to the auditor's or the coordinator's desk: every visit."""
        return self._at(role, self._tokens.issue(role, None, _subject(role), lifetime_s))

    def _at(self, role: Role, token: str) -> str:
        return f"{self._base_url}/{LETTER[role]}/#{token}"


def _subject(role: Role) -> str:
    """Seats are named by their role. An auditor's link gets a name of its own, so that the access log tells two apart."""
    return f"{role}-{random_name(9)}" if role in ("auditor", "coordinator") else role
