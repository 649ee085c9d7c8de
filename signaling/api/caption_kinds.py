"""Captions over the HTTP API."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from signaling.api.kinds import Id, Request
from signaling.law.facts import Seat


class NewCaption(Request, frozen=True):
    """What somebody is saying. The same `line` again replaces it; a `final` one is not changed any more."""

    seat: Seat
    line: Id
    text: Annotated[str, Meta(min_length=1, max_length=300, pattern=r"\A[^\x00-\x1f\x7f]+\Z")]
    final: bool = False
    language: Annotated[str, Meta(pattern=r"\A[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z", max_length=35)] | None = None


class CaptionSent(msgspec.Struct, frozen=True):
    """How many seats it was sent to."""

    told: int
