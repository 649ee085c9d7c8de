"""Receivers of webhooks and the events they are told, over the HTTP API."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from signaling.api.kinds import Id, Limit, Request
from signaling.sql.outbox import KeptEvent, Receiver


class NewReceiver(Request, frozen=True):
    """Where to send events."""

    url: Annotated[
        str, Meta(max_length=2000, pattern=r"\Ahttps?://[A-Za-z0-9.:\[\]-]+([/?][A-Za-z0-9._~:/?%=&+@-]*)?\Z")
    ]


class RegisteredReceiver(msgspec.Struct, frozen=True):
    """A receiver and its secret, for verifying `webhook-signature`."""

    id: Id
    url: str
    secret: str


class Receivers(msgspec.Struct, frozen=True):
    """Oldest first."""

    receivers: list[Receiver]


class EventsQuery(Request, frozen=True):
    """From where on."""

    after: Annotated[int, Meta(ge=0, le=1 << 53)] = 0
    limit: Limit = 50


class EventPage(msgspec.Struct, frozen=True):
    """In order; `next` is `after` of the page that follows."""

    events: list[KeptEvent]
    next: int
