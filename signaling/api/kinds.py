"""What the HTTP API's requests and answers are made of; each noun has a module of its own. Requests refuse unknown fields."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from signaling.law.consent_text import Language
from signaling.sql.store import MAX_PAGE

_PLAIN = r"\A[^\x00-\x1f\x7f]+\Z"
_WORDS = r"\A[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*\Z"

Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]
OpaqueId = Annotated[
    str, Meta(min_length=1, max_length=128, pattern=_PLAIN, description="The hospital's own id, opaque to us.")
]
ShortText = Annotated[str, Meta(min_length=1, max_length=128, pattern=_WORDS)]
Text = Annotated[str, Meta(max_length=1000)]
Moment = Annotated[str, Meta(description="ISO 8601, UTC, milliseconds.", examples=["2026-05-04T09:12:00.123Z"])]
Zoned = Annotated[datetime, Meta(tz=True, description="ISO 8601 with an offset.")]
LifetimeS = Annotated[int, Meta(ge=60, le=604_800, description="Seconds.")]
Limit = Annotated[int, Meta(ge=1, le=MAX_PAGE)]
Cursor = Annotated[str, Meta(max_length=80, description="`next` of the page before; opaque to clients.")]

DAY_S = 86_400


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody sends us: a field we do not know is refused, never ignored, and a time is one in every time zone."""

    def __post_init__(self) -> None:
        """Refuse the first and the last year: a time there may have no form in UTC. Raises `ValueError`."""
        for name in self.__struct_fields__:
            moment = getattr(self, name)
            if isinstance(moment, datetime) and not 1 < moment.year < 9999:
                raise ValueError(f"{name} must be a time of the years 2 to 9998")


class ConsentQuery(Request, frozen=True):
    """In which language."""

    language: Language = "zh"


class Alive(msgspec.Struct, frozen=True):
    """This process answers."""

    ok: bool = True


class Readiness(msgspec.Struct, frozen=True):
    """Whether each part behind the API answers."""

    ready: bool
    parts: dict[str, bool]
