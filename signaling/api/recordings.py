"""Recordings for auditors: found, looked at, kept. `signaling.api.looks` decides and writes every look down first.

AUDIT-3  The patient appears under the pseudonym that evidence uses; under a name only to who gave a reason.
AUDIT-5  A bundle goes out only for an export that two people agreed on (`signaling.api.exports`).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from aiohttp import web
from msgspec import UNSET, UnsetType

from config.clock import iso
from signaling.api.audit_kinds import (
    GivenReason,
    GiveReason,
    KeptMessage,
    KeptMessages,
    Names,
    RecordingsQuery,
    SetHold,
)
from signaling.api.handing_on import GUARDED
from signaling.api.looks import Looks, asker_of, subject
from signaling.api.problems import NotFound, NotReady, RequestInvalid
from signaling.api.recording_kinds import Recording, RecordingDetail, RecordingPage
from signaling.api.route import Answer, Call, Nothing, Route, Routes, json_answer
from signaling.law.facts import VisitFacts
from signaling.ports import MessageStore, Page, PhotoFiles, Pseudonyms
from signaling.recordings.door import Keeping, LookRefused, RecordedFiles, RecorderAway, RecorderDoor, RecordingFacts
from signaling.sql.store import CursorInvalid, Search, SqlVisitStore, cursor_of
from signaling.staff.access import Allowed, decide

AT_ONCE = 8
MOST_SCANNED = 2000
MOST_WORDS = 6


class RecordingRoutes:
    """The auditor's routes."""

    def __init__(
        self,
        store: SqlVisitStore,
        messages: MessageStore,
        files: PhotoFiles,
        door: RecorderDoor,
        pseudonyms: Pseudonyms,
        looks: Looks,
    ) -> None:
        self._store = store
        self._messages = messages
        self._photos = files
        self._door = door
        self._pseudonyms = pseudonyms
        self._looks = looks

    def routes(self) -> Routes:
        """The table."""
        one = "/api/v1/recordings/{visit}"
        return [
            Route(
                "GET",
                "/api/v1/recordings",
                "listRecordings",
                "Visits that you may see, and what was recorded of them: newest first, a page at a time.",
                "auditor",
                (Answer(200, "A page", RecordingPage),),
                self.listing,
                Nothing,
                RecordingsQuery,
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
                f"{one}/keeping",
                "getKeeping",
                "Until when it is kept, whether it is held, sealed, or shredded.",
                "exporter",
                (Answer(200, "How it is kept", Keeping),),
                self.keeping,
                Nothing,
                Nothing,
                refuses=(NotReady,),
            ),
            Route(
                "POST",
                f"{one}/hold",
                "holdRecording",
                "Set a legal hold, or lift it: while it is held nothing of it is shredded.",
                "administrator",
                (Answer(200, "How it is kept", Keeping),),
                self.hold,
                SetHold,
                Nothing,
                refuses=(NotReady,),
            ),
            Route(
                "POST",
                f"{one}/reason",
                "giveReason",
                "Say why this visit is looked at: for eight hours its names and messages are then shown.",
                "auditor",
                (Answer(201, "It is on the logs", GivenReason),),
                self.reason,
                GiveReason,
                Nothing,
            ),
            Route(
                "GET",
                f"{one}/names",
                "getNames",
                "Who they were; needs a reason.",
                "auditor",
                (Answer(200, "The names", Names),),
                self.names,
                Nothing,
                Nothing,
            ),
            Route(
                "GET",
                f"{one}/messages",
                "listKeptMessages",
                "What was written, with what is needed to compare it with the evidence; needs a reason.",
                "auditor",
                (Answer(200, "The messages", KeptMessages),),
                self.messages,
                Nothing,
                Nothing,
            ),
            Route(
                "GET",
                f"{one}/photos/{{photo}}",
                "getKeptPhoto",
                "A photo that was sent in this visit; needs a reason.",
                "auditor",
                (Answer(200, "The picture", media="image/*"),),
                self.photo,
                Nothing,
                Nothing,
            ),
        ]

    async def listing(self, call: Call[Nothing, RecordingsQuery]) -> web.Response:
        """The list works while the recorder is away: the recordings are then null, and it says so."""
        await self._looks.write(asker_of(call.principal), None, "list", Allowed())
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
        facts = await self._looks.visit(call.principal, call.path("visit"))
        await self._looks.allow(call.principal, facts, "look", "recording")
        try:
            recording, known = await self._door.facts(facts.id), True
        except RecorderAway:
            recording, known = None, False
        accesses = await self._store.accesses_of(facts.id)
        shown = Recording.of(facts, self._pseudonym(facts), recording)
        return json_answer(RecordingDetail.with_accesses(shown, known, accesses))

    async def files(self, call: Call[Nothing, Nothing]) -> web.Response:
        """As the recorder lists them."""
        facts = await self._looks.visit(call.principal, call.path("visit"))
        await self._looks.allow(call.principal, facts, "look", "files")
        try:
            listed = await self._door.files(facts.id)
        except RecorderAway as error:
            raise NotReady(str(error), code=error.code) from error
        if listed is None:
            raise NotFound("this visit has no recording", code="recording_unknown")
        return json_answer(listed)

    async def keeping(self, call: Call[Nothing, Nothing]) -> web.Response:
        """As the recorder says."""
        facts = await self._looks.visit(call.principal, call.path("visit"))
        await self._looks.allow(call.principal, facts, "list", "keeping")
        try:
            kept = await self._door.keeping(facts.id)
        except RecorderAway as error:
            raise NotReady(str(error), code=error.code) from error
        if kept is None:
            raise NotFound("this visit has no recording", code="recording_unknown")
        return json_answer(kept)

    async def hold(self, call: Call[SetHold, Nothing]) -> web.Response:
        """On the recorder's custody chain, with the reason's purpose alone."""
        facts = await self._looks.visit(call.principal, call.path("visit"))
        what = "hold" if call.body.on else "hold lifted"
        await self._looks.allow(call.principal, facts, "hold", what)
        asker, said = asker_of(call.principal), call.body
        await self._looks.write(asker, facts, what, Allowed(), said.purpose, said.reason)
        try:
            return json_answer(await self._door.hold(facts.id, said.on, asker.who, asker.role, said.purpose))
        except RecorderAway as error:
            raise NotReady(str(error), code=error.code) from error
        except LookRefused as error:
            raise NotReady("the recorder cannot put this on its log now", code=error.code) from error

    async def reason(self, call: Call[GiveReason, Nothing]) -> web.Response:
        """ACCESS-5: from here on names may be shown."""
        facts = await self._looks.visit(call.principal, call.path("visit"))
        return json_answer(GivenReason(await self._looks.reason(call.principal, facts, call.body)), 201)

    async def names(self, call: Call[Nothing, Nothing]) -> web.Response:
        """AUDIT-3."""
        facts = await self._looks.visit(call.principal, call.path("visit"))
        await self._looks.allow(call.principal, facts, "names", "names")
        return json_answer(Names.of(facts))

    async def messages(self, call: Call[Nothing, Nothing]) -> web.Response:
        """SIG-20: whoever has the nonce can count the hash anew."""
        facts = await self._looks.visit(call.principal, call.path("visit"))
        await self._looks.allow(call.principal, facts, "messages", "messages")
        kept: list[KeptMessage] = []
        while page := await self._messages.after(facts.id, kept[-1].seq if kept else 0):
            kept += map(KeptMessage.of, page)
        return json_answer(KeptMessages(facts.id, kept))

    async def photo(self, call: Call[Nothing, Nothing]) -> web.Response:
        """As it was stored."""
        facts = await self._looks.visit(call.principal, call.path("visit"))
        await self._looks.allow(call.principal, facts, "messages", "photos")
        name = call.path("photo")
        found = await self._messages.photo(name)
        data = await self._photos.get(facts.id, name) if found is not None and found[0] == facts.id else None
        if found is None or data is None:
            raise NotFound("no such photo", code="photo_unknown")
        return web.Response(body=data, content_type=found[1].media, headers=GUARDED)

    async def _page(self, call: Call[Nothing, RecordingsQuery]) -> Page:
        """A page of what this asker may see. Where SQL cannot tell (a sample), many are read for few; the page may then be
        short, and says where to go on."""
        asker, grants = asker_of(call.principal), await self._looks.grants(call.principal)
        if asker.visit is not None:  # AUTH-3
            return await self._searched(call.query, None, None, (asker.visit,))
        query, found, scanned = call.query, list[VisitFacts](), 0
        cursor = None if query.cursor is UNSET else query.cursor
        while True:
            page = await self._searched(query, cursor, asker.doctor if asker.role == "doctor" else None)
            for facts in page.visits:
                if isinstance(decide(asker, grants, subject(facts), "list", self._looks.now()), Allowed):
                    found.append(facts)
                if len(found) == query.limit:
                    last = page.visits[-1] is facts and page.next is None
                    return Page(found, None if last else cursor_of(facts))
            scanned += len(page.visits)
            cursor = page.next
            if cursor is None or scanned >= MOST_SCANNED:
                return Page(found, cursor)

    async def _searched(
        self, query: RecordingsQuery, cursor: str | None, doctor: str | None, visits: tuple[str, ...] | None = None
    ) -> Page:
        words = () if query.q is UNSET else tuple(query.q.split()[:MOST_WORDS])
        search = Search(words, _moment(query.since), _moment(query.before), doctor, visits)
        try:
            return await self._store.page(query.limit, cursor, search=search)
        except CursorInvalid as error:
            raise RequestInvalid("this cursor is not one of ours", code=error.code) from error

    def _pseudonym(self, facts: VisitFacts) -> str:
        return self._pseudonyms("patient", facts.patient.id)


def _moment(given: int | UnsetType) -> str | None:
    return None if isinstance(given, UnsetType) else iso(datetime.fromtimestamp(given, UTC))
