"""The whole table of routes: what is served, and what the OpenAPI document is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from signaling.api.coordination import CoordinationRoutes
from signaling.api.openapi import document
from signaling.api.public import Check, PublicRoutes
from signaling.api.route import Routes
from signaling.api.visits import VisitRoutes
from signaling.law.facts import Contacts
from signaling.links import Links
from signaling.ports import Clock, Visits, VisitStore


class Routed(Protocol):
    """A part of the API."""

    def routes(self) -> Routes:
        """Its table."""
        ...


def all_routes(
    store: VisitStore,
    visits: Visits,
    links: Links,
    more: Iterable[Routed],
    parts: Mapping[str, Check],
    clock: Clock,
    contacts: Contacts | None = None,
) -> Routes:
    """Every route; the document among them describes them all, itself included."""
    written: list[bytes] = []
    routes = VisitRoutes(store, visits, links, clock, contacts).routes()
    clinic = None if contacts is None or contacts.clinic is None else contacts.clinic.name
    routes += CoordinationRoutes(store, visits, clock, clinic).routes()
    for part in more:
        routes += part.routes()
    routes += PublicRoutes(parts, lambda: written[0]).routes()
    written.append(msgspec.json.encode(document(routes)))
    return routes
