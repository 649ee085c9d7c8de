"""A visit's messages on their way to disk: one after another, so that everyone is told in the order of their numbers.

MAIL-1  A message is told to the visit, and acknowledged, only once it is durable. A sender that goes away
        meanwhile changes nothing: the message is kept and told to all the same.
MAIL-2  At most 64 wait; the next is refused and its sender asks again. A full disk or an absent database refuses, too.
MAIL-3  What was written before this process began is read before the visit is first shown; if that fails, every second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from config.clock import random_bytes
from signaling.law.errors import EventRefused, Internal, MessageNotTaken, StoreUnavailable
from signaling.law.facts import Seat
from signaling.law.inputs import Input
from signaling.law.messages import Draft, Message, MessageRefused
from signaling.law.outputs import MarkNoted
from signaling.law.reported import MessageKept, MessagesFound
from signaling.law.standing import iso
from signaling.ports import Clock, MessageStore, StoreAway

WAITING_MOST = 64
STORE_WITHIN_S = 5.0
AGAIN_S = 1.0

log = logging.getLogger(__name__)

Wanted = tuple[Seat, Draft, "asyncio.Future[Message]"]


class MailLane:
    """See the module."""

    def __init__(self, visit: str, store: MessageStore, tell: Callable[[Input], None], clock: Clock) -> None:
        self._visit = visit
        self._store = store
        self._tell = tell
        self._clock = clock
        self._waiting: asyncio.Queue[Wanted | MarkNoted] = asyncio.Queue()

    async def found(self) -> MessagesFound | None:
        """MAIL-3: what there is already; None if the store is away."""
        try:
            async with asyncio.timeout(STORE_WITHIN_S):
                last = await self._store.last(self._visit)
                return MessagesFound(last, tuple(await self._store.unnoted(self._visit)) if last else ())
        except (StoreAway, TimeoutError) as error:
            log.warning("messages not found", extra={"visit": self._visit, "error": type(error).__name__})
            return None

    async def write(self, seat: Seat, draft: Draft) -> Message:
        """Keep a message. Raises `EventRefused`."""
        if self._waiting.qsize() >= WAITING_MOST:  # MAIL-2
            raise Internal("too many messages wait")
        kept: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((seat, draft, kept))
        return await kept

    def mark(self, noted: MarkNoted) -> None:
        """This message is on the evidence log."""
        self._waiting.put_nowait(noted)

    async def run(self, found: bool) -> None:
        """Keep what waits, until cancelled."""
        try:
            while not found:
                await asyncio.sleep(AGAIN_S)
                if (before := await self.found()) is not None:
                    self._tell(before)
                    found = True
            while True:
                match await self._waiting.get():
                    case MarkNoted(seq):
                        await self._mark(seq)
                    case (seat, draft, kept):
                        await self._keep(seat, draft, kept)
        finally:
            self._refuse_all()

    async def _keep(self, seat: Seat, draft: Draft, kept: asyncio.Future[Message]) -> None:
        try:
            async with asyncio.timeout(STORE_WITHIN_S):
                message = await self._store.append(self._visit, seat, draft, iso(self._clock()), random_bytes(16).hex())
        except MessageRefused as refused:
            _fail(kept, MessageNotTaken(refused.code))
        except (StoreAway, TimeoutError) as error:
            log.warning("message not kept", extra={"visit": self._visit, "error": type(error).__name__})
            _fail(kept, StoreUnavailable())
        except BaseException:
            _fail(kept, Internal())
            raise
        else:
            self._tell(MessageKept(message))
            if not kept.done():
                kept.set_result(message)

    async def _mark(self, seq: int) -> None:
        try:
            async with asyncio.timeout(STORE_WITHIN_S):
                await self._store.noted(self._visit, seq)
        except (StoreAway, TimeoutError):
            pass  # it is noted again after the next start, which adds nothing (REC-2)

    def _refuse_all(self) -> None:
        while not self._waiting.empty():
            match self._waiting.get_nowait():
                case (_, _, kept):
                    _fail(kept, Internal("the visit stops"))


def _fail(kept: asyncio.Future[Message], refusal: EventRefused) -> None:
    if not kept.done():
        kept.set_exception(refusal)
