"""The whole table of routes: what is served, and what the OpenAPI document is made from."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from signaling.api.openapi import document
from signaling.api.photos import PhotoRoutes
from signaling.api.public import Check, PublicRoutes
from signaling.api.recordings import RecordingRoutes
from signaling.api.route import Routes
from signaling.api.slot import SlotRoutes
from signaling.api.visits import VisitRoutes
from signaling.api.webhooks import WebhookRoutes
from signaling.links import Links
from signaling.ports import Clock, Visits, VisitStore


def all_routes(
    store: VisitStore,
    visits: Visits,
    links: Links,
    recordings: RecordingRoutes,
    photos: PhotoRoutes,
    webhooks: WebhookRoutes,
    slot: SlotRoutes,
    parts: Mapping[str, Check],
    clock: Clock,
) -> Routes:
    """Every route; the document among them describes them all, itself included."""
    written: list[bytes] = []
    routes = VisitRoutes(store, visits, links, clock).routes()
    routes += recordings.routes()
    routes += photos.routes()
    routes += webhooks.routes()
    routes += slot.routes()
    routes += PublicRoutes(parts, lambda: written[0]).routes()
    written.append(msgspec.json.encode(document(routes)))
    return routes
