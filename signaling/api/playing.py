"""What a recording shows: its content, opened by the recorder for one look after the look is in its log.

PLAY-1  Before the first piece, the recorder is told who looks and why; it opens nothing before that is in a checkpoint of its
        log. Pieces that follow within the hour belong to the same look.
PLAY-2  Objects as they are stored (`/files`) need no such look where they are sealed, and can be checked and not seen. Media
        that was never sealed does (AUDITDOOR-3).
"""

from __future__ import annotations

import re
from urllib.parse import quote

from aiohttp import web

from signaling.api.handing_on import LookNeeded, hand_on
from signaling.api.looks import Looks, asker_of
from signaling.api.problems import NotFound, NotReady, RangeWrong
from signaling.api.route import FILE_PATTERN, Answer, Call, Nothing, Principal, Route, Routes
from signaling.law.facts import VisitFacts
from signaling.recordings.door import LookRefused, RecorderAway, RecorderDoor
from signaling.staff.access import Allowed

REMEMBERED = 4096


class PlayingRoutes:
    """The routes of objects, as they are stored and as they are seen."""

    def __init__(self, door: RecorderDoor, looks: Looks) -> None:
        self._door = door
        self._looks = looks
        self._open: dict[tuple[str, str], str] = {}
        """(who, visit) → the recorder's look."""

    def routes(self) -> Routes:
        """The table."""
        one = "/api/v1/recordings/{visit}"
        partial = ("Content-Range", "Accept-Ranges")
        return [
            Route(
                "GET",
                f"{one}/files/{{name}}",
                "getRecordingFile",
                "One object, or a range of its bytes.",
                "auditor",
                (
                    Answer(200, "The object", media="*/*", headers=(*partial, "ETag")),
                    Answer(206, "The bytes asked for", media="*/*", headers=(*partial, "ETag")),
                ),
                self.file,
                Nothing,
                Nothing,
                refuses=(NotReady, RangeWrong),
            ),
            Route(
                "GET",
                f"{one}/media/{{name}}",
                "getRecordingMedia",
                "The content of a segment or of a part's beginning, opened, or a range of it. The look is on the log first.",
                "auditor",
                (
                    Answer(200, "The content", media="*/*", headers=partial),
                    Answer(206, "The bytes asked for", media="*/*", headers=partial),
                ),
                self.media,
                Nothing,
                Nothing,
                refuses=(NotReady, RangeWrong),
            ),
        ]

    async def file(self, call: Call[Nothing, Nothing]) -> web.StreamResponse:
        """PLAY-2. A segment never changes, but an auditor's browser keeps no copy of it (`no-store`)."""
        name = call.path("name")
        if re.fullmatch(FILE_PATTERN, name) is None:
            raise NotFound
        facts = await self._looks.visit(call.principal, call.path("visit"))
        allowed = await self._looks.allow(call.principal, facts, "play", _scope(name))
        path = f"/visits/{facts.id}/files/{quote(name)}"
        try:
            return await hand_on(self._door, call.request, path)
        except LookNeeded:
            look = await self.opened(call.principal, facts, allowed)
            return await hand_on(self._door, call.request, f"{path}?look={look}")

    async def media(self, call: Call[Nothing, Nothing]) -> web.StreamResponse:
        """PLAY-1. A recorder that started anew knows no look: then another is begun, once."""
        name = call.path("name")
        if re.fullmatch(FILE_PATTERN, name) is None:
            raise NotFound
        facts = await self._looks.visit(call.principal, call.path("visit"))
        folder = "/".join(name.split("/")[:2])
        allowed = await self._looks.allow(call.principal, facts, "play", f"play {folder}")
        look = await self.opened(call.principal, facts, allowed)
        return await hand_on(self._door, call.request, f"/looks/{look}/{quote(name)}")

    async def opened(self, principal: Principal, facts: VisitFacts, allowed: Allowed) -> str:
        """The recorder's name of a look of this person's that is open. Raises `NotReady`, `NotFound`, `RecorderAway`."""
        asker = asker_of(principal)
        key = (asker.who, facts.id)
        known = self._open.get(key)
        if known is not None and await self._door.knows(known):
            return known
        purpose = await self._looks.purpose(principal, facts, allowed)
        look = await self._begin(facts.id, asker.who, asker.role, purpose)
        self._remember(key, look)
        return look

    async def _begin(self, visit: str, who: str, role: str, purpose: str) -> str:
        try:
            return await self._door.look(visit, who, role, purpose)
        except LookRefused as error:
            if error.status == 503:
                raise NotReady(str(error), code=error.code) from error
            raise NotFound(str(error), code=error.code) from error
        except RecorderAway as error:
            raise NotReady(str(error), code=error.code) from error

    def _remember(self, key: tuple[str, str], look: str) -> None:
        self._open[key] = look
        if len(self._open) > REMEMBERED:
            del self._open[next(iter(self._open))]


def _scope(name: str) -> str:
    """AUDIT-2: `play streams/patient`, `read records`: whoever plays a stream looks at it, not at 1 800 segments."""
    folders = name.split("/")
    return f"play {'/'.join(folders[:2])}" if folders[0] == "streams" else f"read {folders[0]}"
