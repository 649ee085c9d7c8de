"""What the hospital tells the doctor of a patient beforehand: allergies, conditions, current medication.

SUM-1  It is the doctor's: of what the server sends, only the `state` of the doctor's seat of that visit has it. No log, no
       evidence, no event, no notice and no answer of the HTTP API repeats any of it.
SUM-2  An empty list says "none known", a missing one "not asked": a page never shows the second as the first.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Line = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"\A[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*\Z")]
MOST = 20
"""Entries a list: `state` carries them all, and is one packet."""


class Allergy(Struct, frozen=True, forbid_unknown_fields=True):
    """What the patient does not bear, what it did, and how bad that was."""

    substance: Line
    reaction: Line | None = None
    severity: Literal["mild", "moderate", "severe"] | None = None


class Condition(Struct, frozen=True, forbid_unknown_fields=True):
    """What the patient has, or had; `since` in the hospital's own words."""

    name: Line
    since: Line | None = None


class Medicine(Struct, frozen=True, forbid_unknown_fields=True):
    """What the patient takes now; `dosage` in the hospital's own words."""

    name: Line
    dosage: Line | None = None


class Summary(Struct, frozen=True, forbid_unknown_fields=True):
    """See the module; a member that is None was not asked."""

    allergies: Annotated[list[Allergy], Meta(max_length=MOST)] | None = None
    conditions: Annotated[list[Condition], Meta(max_length=MOST)] | None = None
    medication: Annotated[list[Medicine], Meta(max_length=MOST)] | None = None
    weight_kg: Annotated[float, Meta(ge=0.2, le=500)] | None = None
