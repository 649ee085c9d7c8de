"""The recorder's control door: links from signaling, each asked and answered in order (`recorder.control`).

DOOR-1  Whatever a request meets is an answer: refused with a code, never a broken link, since the link carries all visits.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

import msgspec

from config.link import Link, LinkClosed, Refused
from recorder import control
from recorder.evidence.errors import RecordInvalid
from recorder.live.recording_errors import RecordingError, SpoolFailed

log = logging.getLogger(__name__)

Answer = Callable[[control.ToRecorder], Awaitable[control.FromRecorder | Refused]]


class ControlDoor:
    """Every link there is."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._links: set[Link[control.ToRecorder, control.FromRecorder]] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._asking = 0
        self._answered = asyncio.Event()
        self._answered.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One control connection."""
        link: Link[control.ToRecorder, control.FromRecorder] = Link(reader, writer, control.ToRecorder, self.asked)
        self._links.add(link)
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        try:
            await link.run()
        except* (msgspec.DecodeError, ConnectionError) as group:
            log.error("control link refused", extra={"error": str(group.exceptions[0])})
        finally:
            self._links.discard(link)
            self._serving.discard(serving)

    async def asked(self, message: control.ToRecorder) -> control.FromRecorder | Refused:
        """The answer to one request (DOOR-1)."""
        self._asking += 1
        self._answered.clear()
        try:
            return await self._answer(message)
        except RecordInvalid as error:
            return Refused("record_invalid", str(error))
        except RecordingError as error:
            return Refused(error.code, str(error))
        except OSError as error:  # one visit's folder
            log.error("spool failed", extra={"errno": error.errno})
            return Refused(SpoolFailed.code, "the disk did not take it")
        finally:
            self._asking -= 1
            if not self._asking:
                self._answered.set()

    def tell(self, news: control.FromRecorder) -> None:
        """Tell everybody."""
        for link in list(self._links):
            with contextlib.suppress(LinkClosed):
                link.tell(news)

    async def answered(self) -> None:
        """Wait until nothing that was asked is unanswered."""
        await self._answered.wait()

    async def close(self) -> None:
        """Let go of everybody."""
        for link in list(self._links):
            link.close()
        await asyncio.gather(*self._serving, return_exceptions=True)
