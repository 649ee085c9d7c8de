"""How long an object must be kept: by its class and by jurisdiction, and never less than was promised before.

KEEP-1  `media` (what was heard and seen) and `evidence` (records, heads, keys: what proves it) each have a number of days.
        Neither is below the jurisdiction's minimum, and evidence is kept at least as long as the media it proves.
KEEP-2  A promise only grows: one that is shorter than any made before for the same store is refused. (KEEP-3: `keeping`)

Minimums, which are no legal advice: `cn` 互联网诊疗监管细则 2022, audio and video 3 years, medical records 15, and the
evidence counts as part of the medical record; `us` HIPAA 45 CFR 164.316(b)(2), documentation 6 years. `other` knows none:
name the days.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

Jurisdiction = Literal["cn", "us", "other"]
Kind = Literal["media", "evidence"]

YEAR_DAYS = 366
"""Years are counted long: no leap day may shorten a statutory period."""
LEAST: dict[str, tuple[int, int]] = {
    "cn": (3 * YEAR_DAYS, 15 * YEAR_DAYS),
    "us": (6 * YEAR_DAYS, 6 * YEAR_DAYS),
    "other": (1, 1),
}
MOST_DAYS = 100 * YEAR_DAYS


class RetentionError(Exception):
    """A promise that cannot be made. The text names the setting and says what would do."""

    code = "retention_invalid"


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days to keep each class of object."""

    media_days: int
    evidence_days: int

    def until(self, name: str, now: datetime) -> datetime:
        """The moment before which the object of this name, stored now, may not go. Whole seconds: S3 keeps no finer."""
        days = self.media_days if kind_of(name) == "media" else self.evidence_days
        return now.replace(microsecond=0) + timedelta(days=days, seconds=1)

    def covers(self, other: Retention) -> bool:
        """Whether this keeps everything at least as long as `other`."""
        return self.media_days >= other.media_days and self.evidence_days >= other.evidence_days


def kind_of(name: str) -> Kind:
    """The class of an object, by its name in the store: `recordings/<visit>/streams/…` is media."""
    parts = name.split("/")
    return "media" if len(parts) > 2 and parts[0] == "recordings" and parts[2] == "streams" else "evidence"


def promised(jurisdiction: Jurisdiction, media_days: int | None, evidence_days: int | None) -> Retention:
    """What the settings promise; None means the least there may be (KEEP-1). Raises `RetentionError`."""
    least_media, least_evidence = LEAST[jurisdiction]
    if jurisdiction == "other" and media_days is None:
        raise RetentionError("jurisdiction `other` has no minimum: set keep_media_days")
    media = _at_least("keep_media_days", media_days, least_media, jurisdiction)
    evidence = _at_least("keep_evidence_days", evidence_days, max(least_evidence, media), jurisdiction)
    return Retention(media, evidence)


def kept_by(jurisdiction: Jurisdiction, media_days: int | None, evidence_days: int | None) -> Retention | None:
    """What the settings promise; None where they promise nothing, so that nothing is destroyed by them."""
    try:
        return promised(jurisdiction, media_days, evidence_days)
    except RetentionError:
        return None


def _at_least(setting: str, said: int | None, least: int, jurisdiction: str) -> int:
    if said is None:
        return least
    if not least <= said <= MOST_DAYS:
        raise RetentionError(f"{setting} is {said}; under `{jurisdiction}` it is {least} to {MOST_DAYS} days")
    return said


def refuse_shorter(new: Retention, before: list[Retention]) -> None:
    """KEEP-2. Raises `RetentionError`."""
    media = max((one.media_days for one in before), default=0)
    evidence = max((one.evidence_days for one in before), default=0)
    if not new.covers(Retention(media, evidence)):
        raise RetentionError(
            f"this store was promised {media} days for media and {evidence} for evidence, and a promise only grows: "
            f"keep_media_days = {media}, keep_evidence_days = {evidence} or more"
        )
