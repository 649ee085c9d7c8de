"""A verdict in words for people (`teleconsult verify`, `export`)."""

from __future__ import annotations

from collections.abc import Sequence

from recorder.evidence.logged import Witnessed
from recorder.evidence.records import Details, Leg
from recorder.evidence.verify import Verdict


def in_words(verdict: Verdict) -> str:
    """The whole verdict."""
    summary = verdict.summary
    lines = [
        f"Intact    {_yes(verdict.intact)}",
        f"Complete  {_yes(verdict.complete)}",
        *(f"  broken: {one.rule} at {one.where}" for one in verdict.broken[:10]),
    ]
    if verdict.broken_total > 10:
        lines.append(f"  and {verdict.broken_total - 10} more")
    duration = "" if summary.duration_ms is None else f", {summary.duration_ms / 1000:.1f} s"
    lines.append(
        f"Visit {verdict.visit}{duration}: {summary.streams} streams, {summary.segments} segments, "
        f"{summary.gaps} declared gaps, {summary.records} records"
    )
    lines.append(about_key(verdict.origin, verdict.key, verdict.trusted))
    lines.append(about_witnesses(verdict.witnessed, verdict.witnesses))
    lines.append(_about_time(verdict))
    if verdict.manifest is not None:
        lines.append(f"In the manifest of {verdict.manifest}")
    lines += [f"Anchored at {one.service}: {one.reference}" for one in verdict.anchors]
    lines += [_about_leg(seat, leg) for seat, leg in verdict.quality.items()]
    return "\n".join(lines)


def about_witnesses(witnessed: Witnessed, witnesses: Sequence[str]) -> str:
    """Who cosigned the log, and what that is worth."""
    names = ", ".join(witnesses)
    match witnessed:
        case "none":
            return "Witnessed by nobody"
        case "local":
            return f"Witnessed by {names}: the recorder's own witness, which guards against accidents, not against its owner"
        case "declared":
            return f"Witnessed by {names}, as the recording says; none of them is in your trust list"
        case "trusted":
            return f"Witnessed by {names}, one of them at least in your trust list"


def about_key(origin: str | None, key: str | None, trusted: bool | None, pinned: bool = False) -> str:
    """Who signed, and whether the reader knows them."""
    if key is None:
        return "No signing key could be read."
    said = f"Signed by {origin} with key {key}"
    if pinned:
        return f"{said}\n  seen for the first time and now in your trust list; compare it with one you got another way"
    match trusted:
        case True:
            return f"{said}\n  which is in your trust list"
        case False:
            return f"{said}\n  WHICH IS NOT THE ONE IN YOUR TRUST LIST"
        case None:
            return f"{said}\n  which is not in your trust list; compare it with one you got another way"


def _yes(so: bool) -> str:
    return "yes" if so else "NO"


def _about_time(verdict: Verdict) -> str:
    if verdict.timestamped == "none":
        return "No timestamp: the times in it are the recorder's own word"
    names = ", ".join(verdict.authorities)
    count = len(verdict.timestamps)
    end = f"its end at {verdict.closed_at}" if verdict.closed_at is not None else "its end by none"
    said = f"{count} timestamps from {verdict.timestamps[0]} to {verdict.timestamps[-1]} by {names}, {end}"
    return f"{said}; " + ("of your roots" if verdict.timestamped == "trusted" else "no root you named vouches for it")


def _about_leg(seat: str, leg: Leg) -> str:
    said = f"Quality of {seat}: {_values(leg.measured)}"
    return f"{said}; its own client claims {_values(leg.claimed)}" if isinstance(leg.claimed, dict) else said


def _values(details: Details) -> str:
    return ", ".join(f"{name} {value}" for name, value in details.items() if value not in (None, ""))
