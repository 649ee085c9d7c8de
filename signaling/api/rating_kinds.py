"""Ratings over the HTTP API."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from signaling.api.kinds import Limit, OpaqueId, Request
from signaling.sql.rating import Decision, Rating, Standing


class NewRating(Request, frozen=True):
    """How the visit was."""

    stars: Annotated[int, Meta(ge=1, le=5)]
    text: Annotated[str, Meta(max_length=500)] = ""


class Thanks(msgspec.Struct, frozen=True):
    """A rating was kept; somebody reads it before it is shown."""

    state: Literal["pending"] = "pending"


class RatingsQuery(Request, frozen=True):
    """Which ratings."""

    state: Standing = "pending"
    doctor: OpaqueId | UnsetType = UNSET
    limit: Limit = 50


class RatingPage(msgspec.Struct, frozen=True):
    """In no order of time."""

    ratings: list[Rating]


class ReviewRating(Request, frozen=True):
    """What somebody who has read it decides."""

    decision: Decision
