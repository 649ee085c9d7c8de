"""Derived copies over HTTP: asked for with a reason, made by a process of its own, fetched by who may see the visit."""

from __future__ import annotations

from pathlib import Path

from aiohttp import ClientError, web

from config.clock import random_name
from signaling.api.audit_kinds import CopyList, NewCopy
from signaling.api.looks import Looks, asker_of
from signaling.api.playing import PlayingRoutes
from signaling.api.problems import Conflict, NotFound, NotReady, RequestInvalid
from signaling.api.route import Answer, Call, Nothing, Route, Routes, json_answer
from signaling.law.facts import VisitFacts
from signaling.recordings.copies import Copies, CopiesFull, Copy, Manifest, Recipe, Redacted
from signaling.recordings.door import RecorderAway, RecorderDoor

CHUNK = 256 << 10


class CopyRoutes:
    """The routes of copies."""

    def __init__(self, copies: Copies, door: RecorderDoor, looks: Looks, playing: PlayingRoutes) -> None:
        self._copies = copies
        self._door = door
        self._looks = looks
        self._playing = playing

    def routes(self) -> Routes:
        """The table."""
        one = "/api/v1/recordings/{visit}/copies"
        return [
            Route(
                "POST",
                one,
                "makeCopy",
                "Make a side-by-side copy, with spans muted or blacked out; the original stays. It needs a reason.",
                "auditor",
                (Answer(202, "It is being made", Copy),),
                self.make,
                NewCopy,
                Nothing,
                refuses=(NotReady, Conflict),
            ),
            Route(
                "GET",
                one,
                "listCopies",
                "Copies that were made, with their manifests: of which objects, and what was taken out.",
                "auditor",
                (Answer(200, "Newest first", CopyList),),
                self.listing,
                Nothing,
                Nothing,
            ),
            Route(
                "GET",
                f"{one}/{{copy}}",
                "getCopy",
                "A ready copy: WebM.",
                "auditor",
                (Answer(200, "The file", media="video/webm"), Answer(206, "A range of it", media="video/webm")),
                self.file,
                Nothing,
                Nothing,
                refuses=(Conflict, NotReady),
            ),
        ]

    async def make(self, call: Call[NewCopy, Nothing]) -> web.Response:
        """COPY-4: the look is on the recorder's log before anything is opened; COPY-7."""
        said = call.body
        spans = (*said.mute, *said.black, *((one.from_ms, one.to_ms) for one in said.redact))
        if any(begin >= end for begin, end in spans):
            raise RequestInvalid("a span begins before it ends", code="span_invalid")
        facts = await self._looks.visit(call.principal, call.path("visit"))
        await self._looks.reason(call.principal, facts, said)
        allowed = await self._looks.allow(
            call.principal,
            facts,
            "copy",
            f"copy mute={len(said.mute)} black={len(said.black)} redact={len(said.redact)}",
        )
        try:
            records = await self._records(facts)
            look = await self._playing.opened(call.principal, facts, allowed)
        except RecorderAway as error:
            raise NotReady(str(error), code=error.code) from error
        redact = tuple(Redacted(one.stream, one.what, one.from_ms, one.to_ms) for one in said.redact)
        recipe = Recipe(said.purpose, said.mute, said.black, redact)
        asker = asker_of(call.principal)
        copy = Copy(random_name(12), facts.id, asker.who, self._looks.now(), "waiting", recipe)

        async def noted(made: Manifest) -> None:
            """COPY-7."""
            said = {"who": asker.who, "role": asker.role, "purpose": copy.recipe.purpose}
            await self._door.derived(
                facts.id, said | {"bytes": made.bytes, "sha256": made.sha256, "redacted": len(spans)}
            )

        async def fetch(name: str, into: Path) -> None:
            async with self._door.open(f"/looks/{look}/{name}") as answer:
                if answer.status != 200:
                    raise RecorderAway("an object cannot be opened")
                with into.open("ab") as file:
                    try:
                        async for piece in answer.content.iter_chunked(CHUNK):
                            file.write(piece)
                    except (ClientError, TimeoutError) as error:
                        raise RecorderAway("an object broke off") from error

        try:
            await self._copies.make(copy, records, fetch, noted)
        except CopiesFull as error:
            raise Conflict("four copies wait already", code=error.code) from error
        return json_answer(copy, 202)

    async def listing(self, call: Call[Nothing, Nothing]) -> web.Response:
        """What was taken out is part of the manifest."""
        facts = await self._looks.visit(call.principal, call.path("visit"))
        await self._looks.allow(call.principal, facts, "look", "copies")
        return json_answer(CopyList(await self._copies.of(facts.id)))

    async def file(self, call: Call[Nothing, Nothing]) -> web.StreamResponse:
        """With the reason that names need."""
        facts = await self._looks.visit(call.principal, call.path("visit"))
        copy = next((one for one in await self._copies.of(facts.id) if one.id == call.path("copy")), None)
        if copy is None:
            raise NotFound("no such copy", code="copy_unknown")
        await self._looks.allow(call.principal, facts, "copy", f"copy taken {copy.id}")
        if copy.state in ("waiting", "failed"):
            raise Conflict("this copy is not ready", code=f"copy_{copy.state}")
        if copy.state == "shredded" or await self._is_shredded(facts.id):
            raise NotFound("the recording's keys were destroyed, and its copies with them", code="content_shredded")
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; sandbox"}
        return web.FileResponse(self._copies.path(copy.id), headers=headers)

    async def _is_shredded(self, visit: str) -> bool:
        """COPY-9; while the recorder cannot say, no copy is given out."""
        try:
            keeping = await self._door.keeping(visit)
        except RecorderAway as error:
            raise NotReady(str(error), code=error.code) from error
        return keeping is not None and keeping.shredded

    async def _records(self, facts: VisitFacts) -> list[bytes]:
        files = await self._door.files(facts.id)
        if files is None:
            raise NotFound("this visit has no recording", code="recording_unknown")
        if not files.closed:
            raise Conflict("this visit is still being recorded", code="still_recorded")
        batches = []
        for name in sorted(one.name for one in files.files if one.name.startswith("records/")):
            async with self._door.open(f"/visits/{facts.id}/files/{name}") as answer:
                batches.append(await answer.content.read())
        return batches
