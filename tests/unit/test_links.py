"""Links: where they lead, and for how long."""

from __future__ import annotations

from config.clock import parse_iso
from signaling.links import Links
from signaling.tokens import SignedTokens
from tests.http_api import some_visit

NOW = parse_iso("2026-05-04T09:00:00Z").timestamp()


def tokens() -> SignedTokens:
    return SignedTokens([bytes(32)], lambda: NOW)


def test_each_role_has_a_letter_and_the_token_stands_behind_the_hash() -> None:
    facts = some_visit("v1", expires="2026-05-04T10:00:00.000Z", links_epoch=4)
    made = Links(tokens(), "https://visit.example/tele", lambda: NOW).all_of(facts)
    for role, letter in (("patient", "p"), ("doctor", "d"), ("auditor", "a")):
        base, _, token = made[role].partition("#")  # type: ignore[index]
        assert base == f"https://visit.example/tele/{letter}/"
        claims = tokens().verify(token)
        assert (claims.role, claims.visit, claims.links_epoch) == (role, "v1", 4)
        assert claims.expires == NOW + 3600


def test_links_of_an_expired_visit_are_made_but_barely_live() -> None:
    facts = some_visit("v1", expires="2026-05-01T10:00:00.000Z")
    made = Links(tokens(), "https://visit.example", lambda: NOW).all_of(facts)
    assert tokens().verify(made["patient"].partition("#")[2]).expires == NOW + 1


def test_two_auditor_links_are_told_apart_in_the_access_log() -> None:
    links = Links(tokens(), "https://visit.example", lambda: NOW)
    who = {tokens().verify(links.desk(60).partition("#")[2]).subject for _ in range(2)}
    assert len(who) == 2
