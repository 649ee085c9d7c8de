"""A page, by python-socketio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import socketio

from signaling.law import consent_text
from tests.patience import PATIENCE_S

CONSENT = {
    "text_version": consent_text.VERSION,
    "text_sha256": consent_text.SHA256["zh"],
    "language": "zh",
    "method": "tap",
}


class Client:
    """A page: a python-socketio client that remembers every state."""

    def __init__(self) -> None:
        self.session = aiohttp.ClientSession()
        self.io = socketio.AsyncClient(reconnection=False, http_session=self.session)
        self.states: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.queues: list[dict[str, Any]] = []
        self.byes: list[str] = []
        self.problems: list[dict[str, Any]] = []
        self.refusal: Any = None
        self.gone = asyncio.Event()
        self._news = asyncio.Event()
        self.io.on("state", self._hear(self.states))
        self.io.on("queue", self._hear(self.queues))
        self.io.on("message", self._hear(self.messages))
        self.io.on("problem", self._hear(self.problems))
        self.io.on("bye", lambda payload: self.byes.append(payload["code"]))
        self.io.on("disconnect", lambda *_: self.gone.set())
        self.io.on("connect_error", lambda payload=None: setattr(self, "refusal", payload))

    def _hear(self, into: list[dict[str, Any]]) -> Callable[[dict[str, Any]], None]:
        def hear(payload: dict[str, Any]) -> None:
            into.append(payload)
            self._news.set()

        return hear

    async def connect(self, url: str, auth: Any, headers: dict[str, str] | None = None) -> None:
        await self.io.connect(
            url, auth=auth, transports=["websocket"], headers=headers or {}, wait_timeout=int(PATIENCE_S)
        )

    async def say(self, event: str, **payload: Any) -> dict[str, Any]:
        """Send an event and return its acknowledgement."""
        answer: dict[str, Any] = await self.io.call(event, {"v": 1, **payload}, timeout=PATIENCE_S)
        return answer

    async def sees(self, what: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The newest state, once it is as described."""
        async with asyncio.timeout(PATIENCE_S):
            while not (self.states and what(self.newest)):
                self._news.clear()
                await self._news.wait()
        return self.newest

    async def sees_queue(self, what: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The newest queue, once it is as described."""
        async with asyncio.timeout(PATIENCE_S):
            while not (self.queues and what(self.queues[-1])):
                self._news.clear()
                await self._news.wait()
        return self.queues[-1]

    @property
    def newest(self) -> dict[str, Any]:
        """SIG-11."""
        return max(self.states, key=lambda state: state["seq"])

    async def close(self) -> None:
        await self.io.disconnect()
        await self.session.close()
