"""Webhooks over HTTP: register a receiver, see how it does, and read every event again."""

from __future__ import annotations

from aiohttp import web

from config.clock import random_name
from signaling.api.problems import NotFound
from signaling.api.route import Answer, Call, Nothing, Route, Routes, json_answer
from signaling.api.webhook_kinds import EventPage, EventsQuery, NewReceiver, Receivers, RegisteredReceiver
from signaling.outbound.webhooks import secret_of, secret_text
from signaling.sql.outbox import SqlOutbox


class WebhookRoutes:
    """The hospital's routes; `key` is what receivers' secrets are derived from."""

    def __init__(self, outbox: SqlOutbox, key: bytes) -> None:
        self._outbox = outbox
        self._key = key

    def routes(self) -> Routes:
        """The table."""
        return [
            Route(
                "POST",
                "/api/v1/webhooks",
                "registerWebhook",
                "Tell this receiver of every event from now on; its secret is shown here and never again.",
                "hospital",
                (Answer(201, "The receiver", RegisteredReceiver),),
                self.register,
                NewReceiver,
                Nothing,
            ),
            Route(
                "GET",
                "/api/v1/webhooks",
                "listWebhooks",
                "Every receiver, and how many events wait for it or were parked.",
                "hospital",
                (Answer(200, "The receivers", Receivers),),
                self.listing,
                Nothing,
                Nothing,
            ),
            Route(
                "POST",
                "/api/v1/webhooks/{receiver}/stop",
                "stopWebhook",
                "Tell this receiver no more; what waits for it is parked.",
                "hospital",
                (Answer(200, "The receivers", Receivers),),
                self.stop,
                Nothing,
                Nothing,
            ),
            Route(
                "GET",
                "/api/v1/events",
                "listEvents",
                "Every event in order, received or not.",
                "hospital",
                (Answer(200, "A page", EventPage),),
                self.events,
                Nothing,
                EventsQuery,
            ),
        ]

    async def register(self, call: Call[NewReceiver, Nothing]) -> web.Response:
        """The secret is derived, not stored (HOOK-6)."""
        receiver = random_name(12)
        await self._outbox.register(receiver, call.body.url)
        secret = secret_text(secret_of(self._key, receiver))
        return json_answer(RegisteredReceiver(receiver, call.body.url, secret), 201)

    async def listing(self, _call: Call[Nothing, Nothing]) -> web.Response:
        """Without secrets."""
        return json_answer(Receivers(await self._outbox.receivers()))

    async def stop(self, call: Call[Nothing, Nothing]) -> web.Response:
        """Idempotent."""
        if not await self._outbox.stop(call.path("receiver")):
            raise NotFound("no such receiver", code="receiver_unknown")
        return await self.listing(call)

    async def events(self, call: Call[Nothing, EventsQuery]) -> web.Response:
        """HOOK-4."""
        found = await self._outbox.after(call.query.after, call.query.limit)
        return json_answer(EventPage(found, found[-1].seq if found else call.query.after))
