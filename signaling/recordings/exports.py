"""An export by two people: asked for, decided by another, and taken once; each within its time. Pure.

AGREED-1  Who asked waits an hour for the second person, then it is over.
AGREED-2  What was approved may be taken by who asked, within an hour, once: a download that broke off may be tried again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import msgspec

BOX_S = 3600
BOX = timedelta(seconds=BOX_S)

State = Literal["asked", "approved", "refused", "expired", "taken"]


class Export(msgspec.Struct, frozen=True):
    """One export. `until`: when the time box of its present state closes."""

    id: str
    visit: str
    asked_by: str
    asked: str
    purpose: str
    reason: str
    until: str
    decided_by: str | None = None
    decided: str | None = None
    approved: bool | None = None
    taken: str | None = None


class ExportRefused(Exception):
    """An export that cannot go on. `code`: `export_undecided`, `export_refused`, `export_expired`, `export_taken`,
    `export_decided`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def state(export: Export, at: str) -> State:
    """Where it stands."""
    if export.taken is not None:
        return "taken"
    if export.approved is False:
        return "refused"
    if export.until <= at:
        return "expired"
    return "approved" if export.approved else "asked"


def check_decidable(export: Export, at: str) -> None:
    """Whether a second person may still say yes or no. Raises `ExportRefused`."""
    match state(export, at):
        case "asked":
            return
        case "expired" if export.approved is None:
            raise ExportRefused("export_expired")
        case _:
            raise ExportRefused("export_decided")


def check_takeable(export: Export, at: str) -> None:
    """Whether it may be taken now. Raises `ExportRefused`."""
    match state(export, at):
        case "approved":
            return
        case "asked":
            raise ExportRefused("export_undecided")
        case other:
            raise ExportRefused(f"export_{other}")
