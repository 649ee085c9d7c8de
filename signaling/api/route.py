"""One route: its address, who may call it, the types that go in and come out, and what it may refuse.

The same table is served (`serving`) and documented (`openapi`), so the document cannot say anything else
than what the server does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import msgspec
from aiohttp import web

from signaling.api.problems import Problem
from signaling.staff.access import Asker

Access = Literal[
    "public", "hospital", "slot", "auditor", "seat", "staff", "administrator", "exporter", "coordinator", "reviewer"
]
"""Whose credential: `auditor` is an auditor's link or any session of staff, `staff` a session, `administrator` an
administrator's session or the API key, `exporter` any of these, `coordinator` a coordinator's link or the API key,
`reviewer` these or an administrator's session. What they may do there, `signaling.staff.access` says."""

VISIT_PATTERN = "[A-Za-z0-9_-]{1,64}"
_FILE_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}"
FILE_PATTERN = rf"{_FILE_PART}(/{_FILE_PART}){{0,15}}"
PATH_PATTERNS: Mapping[str, str] = {
    **dict.fromkeys(
        ("visit", "photo", "receiver", "appointment", "grant", "export", "copy", "picture", "rating", "rehearsal"),
        VISIT_PATTERN,
    ),
    "name": FILE_PATTERN,
}
"""What each path parameter may look like; anything else is no address of ours (404)."""
PATH_MATCHES: Mapping[str, str] = {**PATH_PATTERNS, "name": rf"{_FILE_PART}(?:(?:/|%2F){_FILE_PART}){{0,15}}"}
"""The same in a request line: clients made from the OpenAPI document write a slash within a parameter as %2F."""


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No body, or no query."""


class Upload(msgspec.Struct, frozen=True):
    """A body that is a file, of one of the media types its route takes."""

    media: str
    data: bytes


Body = TypeVar("Body", bound=msgspec.Struct)
Query = TypeVar("Query", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. `who` is fit for the access log: never a name; of a seat it is the seat. An auditor's `visit` is None if all
    are theirs. `asker`: who that is where a recording is asked for."""

    role: Access
    who: str
    visit: str | None = None
    asker: Asker | None = None


@dataclass(frozen=True, slots=True)
class Call(Generic[Body, Query]):
    """One request that was let in and understood."""

    request: web.Request
    principal: Principal
    body: Body
    query: Query
    raw: bytes = b""
    """The body as it came, for who must check a signature."""

    def path(self, name: str) -> str:
        """A parameter of the path, as `PATH_PATTERNS` allows it."""
        return self.request.match_info[name]


@dataclass(frozen=True, slots=True)
class Answer:
    """One successful answer. `kind` is the type of the JSON, None for other media."""

    status: int
    means: str
    kind: Any = None
    media: str = "application/json"
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """An optional request header and what it may hold."""

    name: str
    pattern: str
    means: str


@dataclass(frozen=True, slots=True)
class Route(Generic[Body, Query]):
    """See the module."""

    method: Literal["GET", "POST"]
    path: str
    name: str
    """The operation's name in the OpenAPI document, and in logs."""
    means: str
    access: Access
    answers: tuple[Answer, ...]
    handler: Callable[[Call[Body, Query]], Awaitable[web.StreamResponse]]
    body: type[Body]
    query: type[Query]
    refuses: tuple[type[Problem], ...] = ()
    """Beyond what every route of this kind may refuse."""
    headers: tuple[Header, ...] = field(default=())
    uploads: tuple[str, ...] = ()
    """The media types of a body that is an `Upload`."""
    most_bytes: int = 64 * 1024
    """A longer body is refused (413)."""

    @property
    def parameters(self) -> list[str]:
        """The names of the path's parameters."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def has_body(self) -> bool:
        """Whether a body is read at all."""
        return self.body is not Nothing

    @property
    def body_optional(self) -> bool:
        """Whether an empty body means the same as `{}`."""
        return all(not one.required for one in msgspec.structs.fields(self.body))


Routes = list[Route[Any, Any]]


def json_answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json", charset=None, headers=headers
    )
