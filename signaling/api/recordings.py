"""Recordings for auditors: found, looked at, played and taken away; and every look is written down.

AUDIT-1  A look is on the access log (SQL) before anything is shown. While the visit's evidence log is open it is noted there
         too, as `access`; after that the access log alone holds it, until evidence logs can be continued (a later issue).
AUDIT-2  The same look by the same link within a minute is written down once: a player asks for a stream piece by piece.
AUDIT-3  The patient appears under the pseudonym that evidence uses, and under no name.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import quote

from aiohttp import ClientError, ClientResponse, web
from msgspec import UNSET

from config.clock import iso
from signaling.api.kinds import PageQuery, Recording, RecordingDetail, RecordingPage
from signaling.api.route import FILE_PATTERN, Answer, Call, Nothing, Principal, Route, Routes, json_answer
from signaling.ports import Clock, Page, Pseudonyms, VisitFacts
from signaling.problems import NotFound, NotReady, RangeWrong, RequestInvalid
from signaling.recordings import RecordedFiles, RecorderAway, RecorderDoor, RecordingFacts
from signaling.store import CursorInvalid, SqlVisitStore

Noting = Callable[[str, str, str], Awaitable[None]]
"""(visit, who, what): put a look on the visit's open evidence log."""

SAME_LOOK_S = 60.0
REMEMBERED = 4096
AT_ONCE = 8
CHUNK = 256 << 10

_HANDED_ON = ("Content-Length", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified")
_SAFE_TYPES = (
    "video/webm",
    "video/x-matroska",
    "application/json",
    "text/plain",
    "application/zip",
    "application/x-tar",
)
_GUARDED = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


class RecordingRoutes:
    """The auditor's routes."""

    def __init__(
        self,
        store: SqlVisitStore,
        door: RecorderDoor,
        pseudonyms: Pseudonyms,
        note: Noting | None,
        clock: Clock,
    ) -> None:
        self._store = store
        self._door = door
        self._pseudonyms = pseudonyms
        self._note = note
        self._clock = clock
        self._looks: dict[tuple[str, str | None, str], float] = {}

    def routes(self) -> Routes:
        """The table."""
        one = "/api/v1/recordings/{visit}"
        partial = ("Content-Range", "Accept-Ranges", "ETag")
        return [
            Route(
                "GET",
                "/api/v1/recordings",
                "listRecordings",
                "Visits and what was recorded of them, newest first, a page at a time.",
                "auditor",
                (Answer(200, "A page", RecordingPage),),
                self.listing,
                Nothing,
                PageQuery,
            ),
            Route(
                "GET",
                one,
                "getRecording",
                "One visit: consent, times, streams, and who looked.",
                "auditor",
                (Answer(200, "The recording", RecordingDetail),),
                self.one,
                Nothing,
                Nothing,
            ),
            Route(
                "GET",
                f"{one}/files",
                "listRecordingFiles",
                "The objects of a recording: records, heads, keys, segments.",
                "auditor",
                (Answer(200, "The objects", RecordedFiles),),
                self.files,
                Nothing,
                Nothing,
                refuses=(NotReady,),
            ),
            Route(
                "GET",
                f"{one}/files/{{name}}",
                "getRecordingFile",
                "One object, or a range of its bytes.",
                "auditor",
                (
                    Answer(200, "The object", media="*/*", headers=partial),
                    Answer(206, "The bytes asked for", media="*/*", headers=partial),
                ),
                self.file,
                Nothing,
                Nothing,
                refuses=(NotReady, RangeWrong),
            ),
            Route(
                "GET",
                f"{one}/bundle",
                "getRecordingBundle",
                "All objects in one archive; `teleconsult verify` checks what is in it, offline.",
                "auditor",
                (Answer(200, "The archive", media="*/*", headers=("Content-Disposition",)),),
                self.bundle,
                Nothing,
                Nothing,
                refuses=(NotReady,),
            ),
        ]

    async def listing(self, call: Call[Nothing, PageQuery]) -> web.Response:
        """The list works while the recorder is away: the recordings are then null, and it says so."""
        await self._look(call.principal, None, "list")
        page = await self._page(call)
        together = asyncio.Semaphore(AT_ONCE)

        async def recording_of(facts: VisitFacts) -> tuple[RecordingFacts | None, bool]:
            async with together:
                try:
                    return await self._door.facts(facts.id), True
                except RecorderAway:
                    return None, False

        found = await asyncio.gather(*(recording_of(facts) for facts in page.visits))
        rows = [
            Recording.of(facts, self._pseudonym(facts), of) for facts, (of, _) in zip(page.visits, found, strict=True)
        ]
        return json_answer(RecordingPage(rows, page.next, all(known for _, known in found)))

    async def one(self, call: Call[Nothing, Nothing]) -> web.Response:
        """With the access log, this look included."""
        facts = await self._allowed(call, "recording")
        try:
            recording, known = await self._door.facts(facts.id), True
        except RecorderAway:
            recording, known = None, False
        accesses = await self._store.accesses_of(facts.id)
        shown = Recording.of(facts, self._pseudonym(facts), recording)
        return json_answer(RecordingDetail.with_accesses(shown, known, accesses))

    async def files(self, call: Call[Nothing, Nothing]) -> web.Response:
        """As the recorder lists them."""
        facts = await self._allowed(call, "files")
        try:
            listed = await self._door.files(facts.id)
        except RecorderAway as error:
            raise NotReady(str(error), code=error.code) from error
        if listed is None:
            raise NotFound("this visit has no recording", code="recording_unknown")
        return json_answer(listed)

    async def file(self, call: Call[Nothing, Nothing]) -> web.StreamResponse:
        """A segment never changes, but an auditor's browser keeps no copy of it (`no-store`)."""
        name = call.path("name")
        if re.fullmatch(FILE_PATTERN, name) is None:
            raise NotFound
        facts = await self._allowed(call, _scope(name))
        return await self._stream(call.request, f"/visits/{facts.id}/files/{quote(name)}", {})

    async def bundle(self, call: Call[Nothing, Nothing]) -> web.StreamResponse:
        """As the recorder packs it."""
        facts = await self._allowed(call, "bundle")
        return await self._stream(call.request, f"/visits/{facts.id}/bundle", {"visit": facts.id})

    async def _page(self, call: Call[Nothing, PageQuery]) -> Page:
        if call.principal.visit is not None:  # AUTH-3
            facts = await self._store.load(call.principal.visit)
            return Page([] if facts is None else [facts], None)
        try:
            return await self._store.page(call.query.limit, None if call.query.cursor is UNSET else call.query.cursor)
        except CursorInvalid as error:
            raise RequestInvalid("this cursor is not one of ours", code=error.code) from error

    async def _allowed(self, call: Call[Nothing, Nothing], what: str) -> VisitFacts:
        """The visit asked for, if it is one this auditor may see; the look is written down."""
        visit = call.path("visit")
        facts = await self._store.load(visit) if call.principal.visit in (None, visit) else None
        if facts is None:
            raise NotFound("no such visit", code="visit_unknown")
        await self._look(call.principal, facts, what)
        return facts

    async def _look(self, principal: Principal, facts: VisitFacts | None, what: str) -> None:
        visit = None if facts is None else facts.id
        now = self._clock()
        key = (principal.who, visit, what)
        if now - self._looks.get(key, 0.0) < SAME_LOOK_S:  # AUDIT-2
            return
        at = iso(datetime.fromtimestamp(now, UTC))
        await self._store.log_access(principal.who, principal.role, visit, what, at)  # AUDIT-1
        self._remember(key, now)
        if facts is not None and facts.log_open and self._note is not None:
            await self._note(facts.id, principal.who, what)

    def _remember(self, key: tuple[str, str | None, str], now: float) -> None:
        self._looks.pop(key, None)
        self._looks[key] = now
        if len(self._looks) > REMEMBERED:
            del self._looks[next(iter(self._looks))]

    def _pseudonym(self, facts: VisitFacts) -> str:
        return self._pseudonyms("patient", facts.patient.id)

    async def _stream(self, request: web.Request, path: str, attachment: dict[str, str]) -> web.StreamResponse:
        try:
            async with self._door.open(path, request.headers.get("Range")) as answer:
                _refuse_if_refused(answer)
                return await _hand_on(request, answer, attachment)
        except RecorderAway as error:
            raise NotReady(str(error), code=error.code) from error


def _scope(name: str) -> str:
    """AUDIT-2: `play streams/patient`, `read records`: whoever plays a stream looks at it, not at 1 800 segments."""
    folders = name.split("/")
    return f"play {'/'.join(folders[:2])}" if folders[0] == "streams" else f"read {folders[0]}"


def _refuse_if_refused(answer: ClientResponse) -> None:
    match answer.status:
        case 200 | 206:
            return
        case 400 | 404 | 410:
            raise NotFound("there is no such object", code="object_missing")
        case 416:
            raise RangeWrong("the object does not have these bytes")
        case status:
            raise RecorderAway(f"the recorder answered {status}")


async def _hand_on(request: web.Request, answer: ClientResponse, attachment: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status)
    for name in _HANDED_ON:
        if name in answer.headers:
            response.headers[name] = answer.headers[name]
    # A type that a browser would run must not come out of a recording.
    response.content_type = answer.content_type if answer.content_type in _SAFE_TYPES else "application/octet-stream"
    response.headers.update(_GUARDED)
    if attachment:
        ending = {"application/zip": "zip", "application/x-tar": "tar"}.get(answer.content_type, "bin")
        response.headers["Content-Disposition"] = f'attachment; filename="teleconsult-{attachment["visit"]}.{ending}"'
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_chunked(CHUNK):
            await response.write(chunk)
    except (ClientError, OSError, TimeoutError):
        # Too late for a status: the connection is cut, and the client sees a body that is too short.
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write_eof()
    return response
