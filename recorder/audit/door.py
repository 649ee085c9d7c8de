"""What the handlers of the audit door share: ranges, bodies sent in pieces, and every error's answer."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from aiohttp import web

from recorder.audit.looks import LookRefused
from recorder.evidence.errors import RecordInvalid
from recorder.log.custody import LogUnavailable
from recorder.sealing.envelope import RecipientInvalid
from recorder.sealing.keyring import KeyringDamaged
from recorder.sealing.kms import KeyDestroyed, KmsError
from recorder.sealing.opened import KeyMissing
from recorder.sealing.seal import SealBroken
from recorder.store.holdings import Held, Holdings
from recorder.store.objects import ObjectMissing, StoreError

HOLDINGS = web.AppKey("holdings", Holdings)

_TYPES = {"webm": "video/webm", "mkv": "video/x-matroska", "jsonl": "text/plain", "pem": "text/plain"}
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")

_STATUS: dict[int, type[web.HTTPError]] = {404: web.HTTPNotFound, 409: web.HTTPConflict, 410: web.HTTPGone}

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def held_of(request: web.Request, visit: str | None = None) -> Held:
    """The recording that a request names."""
    held = await request.app[HOLDINGS].recording(visit or request.match_info["visit"])
    if held is None:
        raise problem(web.HTTPNotFound, "visit_unknown", "no recording of this visit")
    return held


async def send(request: web.Request, response: web.StreamResponse, pieces: AsyncIterator[bytes]) -> web.StreamResponse:
    """A body in pieces."""
    # The first piece is awaited before the head is sent: an object that cannot be read is a status, not a cut body.
    first = await anext(pieces, b"")
    await response.prepare(request)
    try:
        await response.write(first)
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
    except (StoreError, ConnectionError, SealBroken) as error:
        # Too late for a status: the connection is cut, and the reader sees a body that is too short.
        log.warning("audit_body_cut", extra={"error": type(error).__name__})
        if request.transport is not None:
            request.transport.abort()
    return response


def part_of(request: web.Request, name: str, size: int) -> tuple[web.StreamResponse, int, int]:
    """The head of an answer with the wanted range of an object, and the range: start and end (exclusive)."""
    start, end = byte_range(request.headers.get("Range"), size)
    response = web.StreamResponse(status=200 if (start, end) == (0, size) else 206)
    response.content_type = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    response.content_length = end - start
    response.headers["Accept-Ranges"] = "bytes"
    if response.status == 206:
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return response, start, end


def byte_range(wanted: str | None, size: int) -> tuple[int, int]:
    """Start and end (exclusive). A range that is no single range of bytes is passed over, as RFC 9110 §14.2 allows."""
    found = _RANGE.fullmatch(wanted or "")
    if found is None or not (found[1] or found[2]):
        return 0, size
    if not found[1]:
        start, end = max(0, size - int(found[2])), size
    else:
        start, end = int(found[1]), min(size, int(found[2]) + 1 if found[2] else size)
    if start >= end:
        wrong = problem(web.HTTPRequestRangeNotSatisfiable, "range_wrong", "the object does not have these bytes")
        wrong.headers["Content-Range"] = f"bytes */{size}"
        raise wrong
    return start, end


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal as `{"code", "message"}`."""
    try:
        return await handler(request)
    except ObjectMissing as error:
        raise problem(web.HTTPNotFound, error.code, "no such object") from None
    except StoreError as error:
        log.warning("audit_store_failed", extra={"code": error.code})
        raise problem(web.HTTPServiceUnavailable, error.code, "the store cannot answer now") from None
    except LookRefused as error:
        raise problem(_STATUS[error.status], error.code, str(error)) from None
    except (KeyDestroyed, KeyMissing) as error:
        raise problem(web.HTTPGone, error.code, "no key opens it any more") from None
    except (LogUnavailable, KmsError, KeyringDamaged) as error:
        log.warning("audit_refused", extra={"code": error.code})
        raise problem(web.HTTPServiceUnavailable, error.code, str(error)) from None
    except SealBroken as error:
        log.error("audit_seal_broken")
        raise problem(web.HTTPConflict, error.code, "the object is not what was sealed") from None
    except (RecipientInvalid, RecordInvalid) as error:
        raise problem(web.HTTPBadRequest, error.code, str(error)) from None


def problem(kind: type[web.HTTPError], code: str, message: str) -> web.HTTPError:
    """A refusal."""
    return kind(text=msgspec.json.encode({"code": code, "message": message}).decode(), content_type="application/json")


def json_answer(value: object, status: int = 200) -> web.Response:
    """An answer."""
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")
