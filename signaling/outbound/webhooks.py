"""Sends the outbox to its receivers: signed (Standard Webhooks), in order a stream, again and again until received or parked.

HOOK-5  A receiver that hangs or fails holds up its own streams only. At most 32 requests are under way.
HOOK-6  A receiver's secret is derived from the deployment's own key: no database and no backup holds it.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import logging
from collections.abc import Callable

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout

from signaling.law.standing import seconds
from signaling.ports import Clock, StoreAway
from signaling.sql.outbox import Delivery, KeptEvent, SqlOutbox

LOOK_EVERY_S = 1.0
AT_ONCE = 32
ANSWER_WITHIN_S = 10.0
FIRST_AGAIN_S = 1.0
LAST_AGAIN_S = 3600.0
PARKED_AFTER_S = 72 * 3600.0

log = logging.getLogger(__name__)


def secret_of(key: bytes, receiver: str) -> bytes:
    """HOOK-6: 32 bytes."""
    return hmac.digest(key, f"webhook\n{receiver}".encode(), "sha256")


def secret_text(secret: bytes) -> str:
    """As receivers' libraries take it."""
    return "whsec_" + base64.b64encode(secret).decode()


def signature(secret: bytes, event: str, timestamp: int, body: bytes) -> str:
    """Standard Webhooks, version 1."""
    signed = hmac.digest(secret, f"{event}.{timestamp}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(signed).decode()


def body_of(event: KeptEvent) -> bytes:
    """What is sent: the same bytes at every try."""
    return msgspec.json.encode({"type": event.type, "timestamp": event.at, "data": event.data})


def again_after_s(tries: int, chance: float) -> float:
    """1 s doubling to 1 h, with jitter: `chance` (0–1) spreads it from half to one and a half of that."""
    return float(min(LAST_AGAIN_S, FIRST_AGAIN_S * 2 ** min(tries, 20)) * (0.5 + chance))


class WebhookSender:
    """See the module."""

    def __init__(
        self,
        outbox: SqlOutbox,
        key: bytes,
        clock: Clock,
        chance: Callable[[], float],
        answer_within_s: float = ANSWER_WITHIN_S,
        look_every_s: float = LOOK_EVERY_S,
        pace: float = 1.0,
    ) -> None:
        """`pace` scales the waits between tries."""
        self._outbox = outbox
        self._key = key
        self._clock = clock
        self._chance = chance
        self._answer_within_s = answer_within_s
        self._look_every_s = look_every_s
        self._pace = pace
        self._under_way: set[tuple[str, str]] = set()
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Something happened: look now."""
        self._news.set()

    async def run(self) -> None:
        """Send until cancelled."""
        timeout = ClientTimeout(total=self._answer_within_s)
        async with ClientSession(timeout=timeout, auto_decompress=False) as session, asyncio.TaskGroup() as tasks:
            while True:
                self._news.clear()
                await self._look(session, tasks)
                try:
                    async with asyncio.timeout(self._look_every_s):
                        await self._news.wait()
                except TimeoutError:
                    pass

    async def _look(self, session: ClientSession, tasks: asyncio.TaskGroup) -> None:
        free = AT_ONCE - len(self._under_way)
        if free <= 0:
            return
        busy = set(
            self._under_way
        )  # one that ends while we look is still in what we find: sent again it would be twice
        try:
            found = await self._outbox.due(self._clock(), AT_ONCE + free)
        except StoreAway as error:
            log.warning("webhooks wait", extra={"code": error.code})
            return
        for delivery in found:
            stream = (delivery.receiver, delivery.event.visit)
            if stream not in busy and len(self._under_way) < AT_ONCE:
                busy.add(stream)
                self._under_way.add(stream)
                tasks.create_task(self._deliver(session, delivery, stream))

    async def _deliver(self, session: ClientSession, delivery: Delivery, stream: tuple[str, str]) -> None:
        try:
            if await self._received(session, delivery):
                await self._outbox.received(delivery)
                self._news.set()  # the stream's next
            elif self._clock() - seconds(delivery.event.at) >= PARKED_AFTER_S:
                await self._outbox.parked(delivery)
                log.error("webhook parked", extra={"receiver": delivery.receiver, "webhook": delivery.event.id})
            else:
                wait_s = again_after_s(delivery.tries, self._chance()) * self._pace
                await self._outbox.failed(delivery, self._clock() + wait_s)
        except StoreAway as error:
            log.warning("webhook's outcome not kept", extra={"code": error.code})
        finally:
            self._under_way.discard(stream)

    async def _received(self, session: ClientSession, delivery: Delivery) -> bool:
        body, timestamp = body_of(delivery.event), int(self._clock())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": delivery.event.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secret_of(self._key, delivery.receiver), delivery.event.id, timestamp, body),
        }
        try:
            async with session.post(delivery.url, data=body, headers=headers, allow_redirects=False) as answer:
                return 200 <= answer.status < 300
        except (ClientError, OSError, TimeoutError, ValueError):
            return False
