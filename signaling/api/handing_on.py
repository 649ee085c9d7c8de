"""What the recorder's audit door answers, handed on piece by piece: nothing is copied or kept here."""

from __future__ import annotations

from aiohttp import ClientError, ClientResponse, web

from signaling.api.problems import Conflict, NotFound, NotReady, RangeWrong, RequestInvalid
from signaling.recordings.door import LookRefused, RecorderAway, RecorderDoor

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
GUARDED = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


class LookNeeded(Exception):
    """What is stored there can be seen by whoever has it: the look comes first."""

    code = "look_needed"


async def hand_on(
    door: RecorderDoor,
    request: web.Request,
    path: str,
    attachment: dict[str, str] | None = None,
    asked: object | None = None,
) -> web.StreamResponse:
    """What the recorder answers there, streamed; to a POST of `asked`, if something is.

    Raises `NotReady`, `NotFound`, `RangeWrong`, `Conflict`, `RequestInvalid`; `LookNeeded`.
    """
    try:
        async with door.open(path, request.headers.get("Range"), asked) as answer:
            if answer.status not in (200, 206):
                raise _refused(await door.refusal(answer))
            return await _hand_on(request, answer, attachment or {})
    except RecorderAway as error:
        raise NotReady(str(error), code=error.code) from error


def _refused(why: LookRefused) -> Exception:
    match why.status:
        case 403:
            return LookNeeded(str(why))
        case 404 | 410:
            return NotFound("there is no such object", code="object_missing")
        case 400 if why.code == "recipient_invalid":
            return RequestInvalid("this is no age recipient", code=why.code, at="recipient")
        case 400:
            return NotFound("there is no such object", code="object_missing")
        case 409:
            return Conflict(str(why), code=why.code)
        case 416:
            return RangeWrong("the object does not have these bytes")
        case 503:
            return NotReady(str(why), code=why.code)
        case status:
            return RecorderAway(f"the recorder answered {status}")


async def _hand_on(request: web.Request, answer: ClientResponse, attachment: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status)
    for name in _HANDED_ON:
        if name in answer.headers:
            response.headers[name] = answer.headers[name]
    # A type that a browser would run must not come out of a recording.
    response.content_type = answer.content_type if answer.content_type in _SAFE_TYPES else "application/octet-stream"
    response.headers.update(GUARDED)
    if attachment:
        ending = {"application/zip": "zip", "application/x-tar": "tar"}.get(answer.content_type, "bin")
        response.headers["Content-Disposition"] = f'attachment; filename="teleconsult-{attachment["visit"]}.{ending}"'
    try:
        await response.prepare(request)
        async for chunk in answer.content.iter_chunked(CHUNK):
            await response.write(chunk)
        await response.write_eof()
    except (ClientError, OSError, TimeoutError):
        # The client went away, or it is too late for a status: the connection is cut, and the client sees too short a body.
        if request.transport is not None:
            request.transport.abort()
    return response
