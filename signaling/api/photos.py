"""Photos over HTTP: a seat uploads one and names it in a message; the seats of its visit, and nobody else, may fetch it.

PHOTOS-1  What is stored is what `signaling.photos.photo` kept of the upload; the same bytes in the same visit are the same
          photo.
PHOTOS-2  A photo is served as the type it was found to be, never sniffed, never as a page.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from aiohttp import web

from config.clock import iso, random_name
from signaling.api.picture_kinds import StoredPhoto
from signaling.api.picture_upload import MEDIA, picture_in
from signaling.api.problems import Conflict, NotFound
from signaling.api.route import Answer, Call, Nothing, Principal, Route, Routes, Upload, json_answer
from signaling.law.messages import Photo, PhotosFull
from signaling.law.terms import SEATS
from signaling.ports import Clock, MessageStore, PhotoFiles, VisitStore

MOST_BYTES = 8 << 20


class PhotoRoutes:
    """The seats' routes."""

    def __init__(self, visits: VisitStore, messages: MessageStore, files: PhotoFiles, clock: Clock) -> None:
        self._visits = visits
        self._messages = messages
        self._files = files
        self._clock = clock

    def routes(self) -> Routes:
        """The table."""
        return [
            Route(
                "POST",
                "/api/v1/photos",
                "uploadPhoto",
                "Keep a photo for a message of this visit, without its metadata.",
                "seat",
                (Answer(201, "The photo", StoredPhoto),),
                self.upload,
                Upload,
                Nothing,
                refuses=(Conflict,),
                uploads=MEDIA,
                most_bytes=MOST_BYTES,
            ),
            Route(
                "GET",
                "/api/v1/photos/{photo}",
                "getPhoto",
                "A photo of this visit.",
                "seat",
                (Answer(200, "The picture", media="image/*"),),
                self.photo,
                Nothing,
                Nothing,
            ),
        ]

    async def upload(self, call: Call[Upload, Nothing]) -> web.Response:
        """Cleaned, written, then named: what has a name can be fetched."""
        visit = await self._open_visit(call.principal)
        picture = await picture_in(call.body)
        digest = hashlib.sha256(picture.data).hexdigest()
        size = len(picture.data)
        photo = Photo(random_name(16), picture.media, size, picture.width, picture.height, digest)
        await self._files.put(visit, photo.id, picture.data)
        at = iso(datetime.fromtimestamp(self._clock(), UTC))
        try:
            kept = await self._messages.keep_photo(visit, call.principal.who, photo, at)
        except PhotosFull as error:
            await self._files.drop(visit, photo.id)
            raise Conflict("this visit has as many photos as one may", code=error.code) from error
        if kept.id != photo.id:
            await self._files.drop(visit, photo.id)
        return json_answer(StoredPhoto.of(kept), 201)

    async def photo(self, call: Call[Nothing, Nothing]) -> web.Response:
        """PHOTOS-2."""
        name = call.path("photo")
        found = await self._messages.photo(name)
        data = None
        if found is not None and found[0] == call.principal.visit:
            data = await self._files.get(found[0], name)
        if found is None or data is None:
            raise NotFound("no such photo", code="photo_unknown")
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "Content-Disposition": "inline"}
        return web.Response(body=data, content_type=found[1].media, headers=headers)

    async def _open_visit(self, principal: Principal) -> str:
        facts = None if principal.visit is None else await self._visits.load(principal.visit)
        outside = facts is None or principal.who not in (*SEATS, *facts.admitted)  # SIG-26
        if facts is None or outside or facts.phase not in ("waiting", "live"):
            raise Conflict("photos are taken while the visit waits or is live", code="phase_wrong")
        return facts.id
