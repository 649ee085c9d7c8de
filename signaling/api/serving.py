"""From the route table to aiohttp: let in, decode, call, answer; every refusal becomes a problem document.

API-1  A body is JSON of at most 64 KiB, checked against its type, unknown fields refused; so is the query. An upload is
       read whole, up to what its route takes, in a place of its own (`places`).
API-2  Every answer carries `X-Request-Id`: the caller's, if it is a plausible one, else ours. Logs name the operation,
       the status and the request's id, and nothing a caller wrote.
API-3  A bug in a handler is answered 500 `internal` and ends this request only.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from config.clock import monotonic_s, random_name
from signaling.api.auth import Gate
from signaling.api.bodies import FORM_WITHIN_S, UPLOAD_WITHIN_S, whole_body
from signaling.api.places import Place, Places
from signaling.api.problems import (
    MEDIA_TYPE,
    Internal,
    MediaTypeWrong,
    MethodWrong,
    NotFound,
    NotReady,
    Problem,
    RequestInvalid,
    TooLarge,
    TooManyFailures,
    Unauthorised,
)
from signaling.api.route import PATH_MATCHES, Call, Route, Routes, Upload
from signaling.plain_page import HEADERS, LOST, plain_page
from signaling.ports import StoreAway

RETRY_AFTER_S = 5
REQUEST_ID = web.RequestKey("request_id", str)

_SECURE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
_PLAUSIBLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger(__name__)


def add_routes(app: web.Application, routes: Routes, gate: Gate) -> None:
    """Serve these routes on this application."""
    for route in routes:
        app.router.add_route(route.method, _pattern_of(route), _serve(route, gate), name=route.name)


@web.middleware
async def answering(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns refusals into problem documents, names every request, and writes one log line for it."""
    said = request.headers.get("X-Request-Id", "")
    request_id = said if _PLAUSIBLE_ID.fullmatch(said) else random_name(12)
    request[REQUEST_ID] = request_id
    began = monotonic_s()
    try:
        response = await handler(request)
    except Problem as problem:
        response = refuse(problem, request_id)
    except StoreAway as error:
        log.warning("store away", extra={"operation": operation(request), "request": request_id, "error": str(error)})
        response = refuse(NotReady("the database does not answer", code=error.code), request_id)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        response = _lost() if _reads_a_page(request, error) else refuse(_from_aiohttp(error), request_id, error)
    except Exception:  # API-3: an actor ends here
        log.exception("request failed", extra={"operation": operation(request), "request": request_id})
        response = refuse(Internal(), request_id)
    if not response.prepared:
        response.headers["X-Request-Id"] = request_id
        for name, value in _SECURE.items():
            response.headers.setdefault(name, value)
    took_ms = round((monotonic_s() - began) * 1000)
    fields = {"operation": operation(request), "status": response.status, "ms": took_ms, "request": request_id}
    log.debug("request answered", extra=fields)
    return response


def operation(request: web.Request) -> str:
    """The route's name, or that there is none: never the path, which a caller wrote."""
    return request.match_info.route.name or "unnamed"


def refuse(problem: Problem, request_id: str, error: web.HTTPException | None = None) -> web.Response:
    """The problem as a response."""
    response = web.Response(
        body=msgspec.json.encode(problem.document(request_id)),
        status=problem.status,
        content_type=MEDIA_TYPE,
        charset=None,
    )
    if isinstance(problem, Unauthorised):
        response.headers["WWW-Authenticate"] = 'Bearer realm="teleconsult"'
    if isinstance(problem, TooManyFailures | NotReady):
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    if error is not None and "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def _serve(route: Route[Any, Any], gate: Gate) -> Handler:
    places = Places(route.most_bytes, monotonic_s)

    async def serve(request: web.Request) -> web.StreamResponse:
        principal = await gate.admit(request, route.access)
        _check_headers(route, request)
        query = _query(route, request)
        if route.uploads:
            with places.one(principal.visit) as place:
                upload = await _upload(route, request, place)
                return await route.handler(Call(request, principal, upload, query))
        raw = await whole_body(request, route.most_bytes, FORM_WITHIN_S) if route.has_body else b""
        body = _body(route, request, raw) if route.has_body else route.body()
        return await route.handler(Call(request, principal, body, query, raw))

    return serve


def _pattern_of(route: Route[Any, Any]) -> str:
    path = route.path
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", f"{{{name}:{PATH_MATCHES[name]}}}")
    return path


def _check_headers(route: Route[Any, Any], request: web.Request) -> None:
    for header in route.headers:
        said = request.headers.getall(header.name, [])
        if len(said) > 1 or any(re.fullmatch(header.pattern, one) is None for one in said):
            raise RequestInvalid(f"the header {header.name} is not valid", code="header_invalid")


def _query(route: Route[Any, Any], request: web.Request) -> Any:
    said = dict(request.query)
    if len(said) != len(request.query):
        raise RequestInvalid("a parameter is given twice", code="parameter_invalid")
    try:
        return msgspec.convert(said, route.query, strict=False)
    except msgspec.ValidationError as error:
        what, at = _place(error, route.query)
        raise RequestInvalid(what, code="parameter_invalid", at=at) from error


async def _upload(route: Route[Any, Any], request: web.Request, place: Place) -> Upload:
    if request.content_type not in route.uploads:
        raise MediaTypeWrong("the body must be " + " or ".join(route.uploads))
    reading = asyncio.ensure_future(whole_body(request, route.most_bytes, UPLOAD_WITHIN_S, place.arrived))
    try:
        await asyncio.wait((reading, place.lost), return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():  # LEND-2, LEND-3
            raise NotReady("another caller needed this place: send it again")
        place.whole = True
        return Upload(request.content_type, reading.result())
    finally:
        reading.cancel()


def _body(route: Route[Any, Any], request: web.Request, raw: bytes) -> Any:
    if not raw and route.body_optional:
        return route.body()
    if request.content_type != "application/json":
        raise MediaTypeWrong
    try:
        return msgspec.convert(_whole(_decoded(raw)), route.body)
    except msgspec.ValidationError as error:
        what, at = _place(error, route.body)
        raise RequestInvalid(what, at=at) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestInvalid("the body is not JSON", code="json_invalid") from error
    except RecursionError as error:
        raise RequestInvalid("the body is nested too deeply", code="json_invalid") from error


def _decoded(raw: bytes) -> Any:
    """What the body says. Of a name that stands twice, whoever signed it may have read the one and we the other."""
    value = msgspec.json.decode(raw)
    json.loads(raw, object_pairs_hook=_once, parse_int=str, parse_float=str)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise RequestInvalid("a name stands twice", code="json_invalid")
    return {}


def _whole(value: Any) -> Any:
    """JSON knows no integers: 3600.0 is 3600 (JSON Schema 2020-12 §6.1.1)."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: _whole(one) for name, one in value.items()}
        case list():
            return [_whole(one) for one in value]
        case _:
            return value


def _place(error: msgspec.ValidationError, kind: Any) -> tuple[str, str | None]:
    """What is wrong, and where, in our own words: msgspec repeats unknown names and values, which may be a person's."""
    what, *_ = str(error).split(" - at `$")
    _, _, where = str(error)[len(what) :].rpartition(" - at `$")
    at = where.removesuffix("`").lstrip(".") or None
    if what.startswith("Object contains unknown field"):
        what = "there is a field that this address does not know"
        known = getattr(kind, "__struct_encode_fields__", ())  # what follows may be part of that field's own name
        at = next((name for name in known if at == name or (at or "").startswith((f"{name}.", f"{name}["))), None)
    elif what.startswith("Invalid"):
        what = "this is not one of the values that are allowed"
    return what, at


def _reads_a_page(request: web.Request, error: web.HTTPException) -> bool:
    """Whether a person mistyped an address, or lost a part of a link: programs ask for no page by name."""
    asks = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
    return error.status == 404 and asks and not request.path.startswith("/api/")


def _lost() -> web.Response:
    text = plain_page("这里没有页面 · There is no page here", LOST)
    return web.Response(text=text, status=404, content_type="text/html", headers=HEADERS)


def _from_aiohttp(error: web.HTTPException) -> Problem:
    match error.status:
        case 404:
            return NotFound()
        case 405:
            return MethodWrong()
        case 413:
            return TooLarge()
        case _ if error.status < 500:
            return RequestInvalid()
        case _:
            return Internal()
