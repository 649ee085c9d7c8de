"""The OpenAPI 3.1 document, made from the route table and the msgspec types it names: there is nothing to keep in step."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec

from signaling.api.codes import CODES
from signaling.api.problems import (
    MEDIA_TYPE,
    Forbidden,
    Internal,
    MediaTypeWrong,
    NotFound,
    NotReady,
    Problem,
    ProblemDocument,
    RequestInvalid,
    RequestLate,
    TooLarge,
    TooManyFailures,
    Unauthorised,
)
from signaling.api.route import PATH_PATTERNS, Access, Answer, Route, Routes

SchemaOf = Callable[[Any], Any]

REF = "#/components/schemas/{name}"

DESCRIPTION = """Visits, links and recordings. A visit itself goes over Socket.IO: signaling/PROTOCOL.md.

Every look at a recording, and every look that was refused, is written to the access log before anything is shown, and, while
the visit's evidence log is open, into that too. After a visit is closed the access log alone holds who looked."""

SECURITY: dict[Access, list[dict[str, list[str]]]] = {
    "public": [],
    "hospital": [{"apiKey": []}, {"apiKeyHeader": []}],
    "slot": [{"webhookSignature": []}],
    "auditor": [{"auditorToken": []}, {"staffSession": []}],
    "seat": [{"seatToken": []}],
    "coordinator": [{"coordinatorToken": []}, {"apiKey": []}, {"apiKeyHeader": []}],
    "reviewer": [{"coordinatorToken": []}, {"apiKey": []}, {"apiKeyHeader": []}, {"staffSession": []}],
    "staff": [{"staffSession": []}],
    "administrator": [{"apiKey": []}, {"apiKeyHeader": []}, {"staffSession": []}],
    "exporter": [{"apiKey": []}, {"apiKeyHeader": []}, {"staffSession": []}, {"auditorToken": []}],
}
SCHEMES = {
    "apiKey": {"type": "http", "scheme": "bearer", "description": "The hospital system's API key."},
    "apiKeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
    "webhookSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "With `webhook-id` and `webhook-timestamp`: Standard Webhooks, under the slot's key.",
    },
    "seatToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "The part of a link into a visit after `#`: it reaches that visit only.",
    },
    "coordinatorToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "The part of a coordinator's link after `#`.",
    },
    "auditorToken": {"type": "http", "scheme": "bearer", "description": "The part of an auditor's link after `#`."},
    "staffSession": {
        "type": "http",
        "scheme": "bearer",
        "description": "The session of a doctor, quality control, an auditor or an administrator: sign in at `/auth/login`.",
    },
}
HEADERS = {
    "X-Request-Id": "Names this request in our logs: the caller's own, if it sent a plausible one.",
    "Location": "The address of what was made.",
    "Idempotency-Replayed": "`true` if this key and body had made the visit before.",
    "Content-Range": "Which bytes of the file these are (RFC 9110 §14.4).",
    "Content-Disposition": "The file's name.",
    "Accept-Ranges": "`bytes`.",
    "ETag": "Changes with the content.",
}


def document(routes: Routes) -> dict[str, Any]:
    """The document, ready to be written as JSON."""
    kinds = [ProblemDocument, *_kinds(routes)]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)

    def schema_of(kind: Any) -> Any:
        return schemas[kinds.index(kind)]

    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schema_of)
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": "Teleconsult",
            "version": _version(),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": SCHEMES},
    }
    _anchor(whole)
    return whole


def _anchor(node: Any) -> None:
    """Writes each pattern as its readers know it, `^…$`: Python's own `$` lets a line break in, so ours say `\\A…\\Z`."""
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _anchor(each)
    match node:
        case {"pattern": str(pattern)} if not pattern.startswith("^"):
            assert (pattern[:2], pattern[-2:]) == (r"\A", r"\Z"), pattern
            node["pattern"] = f"^{pattern[2:-2]}$"


def _kinds(routes: Routes) -> list[Any]:
    found = [route.body for route in routes if route.has_body and not route.uploads]
    found += [answer.kind for route in routes for answer in route.answers if answer.kind is not None]
    return [kind for number, kind in enumerate(found) if kind not in found[:number]]


def _operation(route: Route[Any, Any], schema_of: SchemaOf) -> dict[str, Any]:
    answers = {str(answer.status): _answer(answer, schema_of) for answer in route.answers}
    said: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.means,
        "security": SECURITY[route.access],
        "responses": answers | _refusals(route, schema_of),
    }
    if parameters := _parameters(route):
        said["parameters"] = parameters
    if route.uploads:
        said["requestBody"] = {"required": True, "content": {media: {"schema": {}} for media in route.uploads}}
    elif route.has_body:
        content = {"application/json": {"schema": schema_of(route.body)}}
        said["requestBody"] = {"required": not route.body_optional, "content": content}
    return said


def _parameters(route: Route[Any, Any]) -> list[dict[str, Any]]:
    path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{PATH_PATTERNS[name]}$"},
        }
        for name in route.parameters
    ]
    schema = msgspec.json.schema(route.query, ref_template=REF)["$defs"][route.query.__name__]
    query = [
        {"name": name, "in": "query", "required": name in schema["required"], "schema": one}
        for name, one in schema["properties"].items()
    ]
    headers = [
        {
            "name": header.name,
            "in": "header",
            "required": False,
            "description": header.means,
            "schema": {"type": "string", "pattern": header.pattern},
        }
        for header in route.headers
    ]
    return path + query + headers


def _answer(answer: Answer, schema_of: SchemaOf) -> dict[str, Any]:
    schema = schema_of(answer.kind) if answer.kind is not None else {}
    return {
        "description": answer.means,
        "headers": _headers("X-Request-Id", *answer.headers),
        "content": {answer.media: {"schema": schema}},
    }


def _refusals(route: Route[Any, Any], schema_of: SchemaOf) -> dict[str, Any]:
    statuses = sorted({one.status for one in _refused(route)} - {answer.status for answer in route.answers})
    titles = {one.status: one.title for one in _refused(route)}
    return {
        str(status): {
            "description": titles[status],
            "headers": _headers("X-Request-Id"),
            "content": {MEDIA_TYPE: {"schema": _problem(status, schema_of)}},
        }
        for status in statuses
    }


def _problem(status: int, schema_of: SchemaOf) -> dict[str, Any]:
    """A problem document with one of the codes that this status can have."""
    return {"allOf": [schema_of(ProblemDocument), {"properties": {"code": {"enum": [*CODES[status]]}}}]}


def _refused(route: Route[Any, Any]) -> list[type[Problem]]:
    refused: list[type[Problem]] = [*route.refuses, RequestInvalid, Internal]
    if route.access != "public":
        refused += [Unauthorised, TooManyFailures, NotReady]
    if route.access not in ("public", "hospital"):
        refused.append(Forbidden)
    if route.parameters:
        refused.append(NotFound)
    if route.has_body:
        refused += [RequestLate, TooLarge, MediaTypeWrong]
    return refused


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"description": HEADERS[name], "schema": {"type": "string"}} for name in names}


def _version() -> str:
    try:
        return version("teleconsult")
    except PackageNotFoundError:
        return "0"
