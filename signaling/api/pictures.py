"""Doctors' portraits over HTTP: the hospital keeps one, names it when it makes a visit, and the patient's page shows it.

PICTURE-1  A portrait is named by what it is: the first 128 bits of the SHA-256 of its bytes, cleaned as photos are (SIG-19).
           A file sent again is the same portrait, and what a name shows never changes.
"""

from __future__ import annotations

import hashlib

from aiohttp import web

from signaling.api.picture_kinds import KeptPicture
from signaling.api.picture_upload import MEDIA, picture_in
from signaling.api.problems import NotFound
from signaling.api.route import Answer, Call, Nothing, Route, Routes, Upload, json_answer
from signaling.photos.photo import sniffed
from signaling.ports import PhotoFiles

MOST_BYTES = 2 << 20
FOLDER = "portraits"


class PictureRoutes:
    """One route to keep, one to show."""

    def __init__(self, files: PhotoFiles) -> None:
        self._files = files

    def routes(self) -> Routes:
        """The table."""
        return [
            Route(
                "POST",
                "/api/v1/pictures",
                "addPicture",
                "Keep a doctor's portrait, without its metadata, for `doctor.picture` of visits.",
                "hospital",
                (Answer(201, "Its name", KeptPicture),),
                self.keep,
                Upload,
                Nothing,
                uploads=MEDIA,
                most_bytes=MOST_BYTES,
            ),
            Route(
                "GET",
                "/api/v1/pictures/{picture}",
                "getPicture",
                "A doctor's portrait.",
                "public",
                (Answer(200, "The picture", media="image/*"),),
                self.show,
                Nothing,
                Nothing,
                refuses=(NotFound,),
            ),
        ]

    async def keep(self, call: Call[Upload, Nothing]) -> web.Response:
        """PICTURE-1."""
        picture = await picture_in(call.body)
        name = hashlib.sha256(picture.data).hexdigest()[:32]
        await self._files.put(FOLDER, name, picture.data)
        return json_answer(KeptPicture(name, picture.width, picture.height), 201)

    async def show(self, call: Call[Nothing, Nothing]) -> web.Response:
        """Kept by browsers for as long as they like: its name is what it is."""
        data = await self._files.get(FOLDER, call.path("picture"))
        if data is None:
            raise NotFound("no such picture", code="picture_unknown")
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        return web.Response(body=data, content_type=sniffed(data) or "application/octet-stream", headers=headers)
