"""An uploaded picture, cleaned: what photos and portraits have in common on their way in (SIG-19)."""

from __future__ import annotations

import asyncio

from signaling.api.problems import MediaTypeWrong, RequestInvalid
from signaling.api.route import Upload
from signaling.photos.photo import PhotoInvalid, Picture, cleaned, sniffed

MEDIA = ("image/jpeg", "image/png", "image/webp")


async def picture_in(upload: Upload) -> Picture:
    """What is kept of it. Raises `MediaTypeWrong`, and `RequestInvalid` as `photo_invalid`."""
    if sniffed(upload.data) != upload.media:
        raise MediaTypeWrong("the bytes are of another type than the header says")
    try:
        return await asyncio.to_thread(cleaned, upload.data)
    except PhotoInvalid as error:
        raise RequestInvalid(str(error), code=error.code) from error
