"""What is asked of links with a story: how soon picture and sound are back, and how well a changing rate is used."""

from __future__ import annotations

from collections.abc import Callable

from tests.lab.links import DARK_AT_S, DARK_FOR_S, MOVE_AT_S, STEP_S, STEPS_BPS, Named
from tests.lab.sight import Taken, first_after, heard_after

__all__ = ["MOVE_AT_S", "rates", "told"]

TOO_WEAK = ("100k", "random50")

Figures = dict[str, float | None]
Row = list[float]


def told(link: Named, here: Taken, begin: float, end: float, moved: float | None) -> Figures:
    """Seconds from the end of the blackout, or from the move, to the first picture and the first sound after it.

    On a link too weak for pictures: seconds until the last one, if there was none in the last third; and how much of the
    sound was concealed once the time in which that is to happen was over (fraction 0–1).
    """
    if link.name in TOO_WEAK:
        last = max((frame[0] for frame in here.faces() if frame[0] <= end), default=begin)
        stopped = last < end - (end - begin) / 3
        after = begin + 1000 * (link.goal.audio_only_s or 0.0)
        return {
            "audio_only_s": round(max(0.0, last - begin) / 1000, 2) if stopped else None,
            "concealed_after": here.concealed(after, end),
        }
    if link.name == "blackout4":
        moment = begin + 1000 * (DARK_AT_S + DARK_FOR_S)
    elif moved is not None:
        moment = moved
    else:
        return {}
    # What was on its way, or waiting in a jitter buffer, when the address went is not a return.
    settled = moment + (300 if moved is not None else 0)
    picture = first_after([frame[0] for frame in here.faces()], settled)
    sound = heard_after(here, settled)
    late = (settled - moment) / 1000
    return {
        "picture_back_s": None if picture is None else round(picture + late, 3),
        "sound_back_s": None if sound is None else round(sound + late, 3),
    }


def rates(link: Named, series: list[Row], way: str, source: list[Row] | None = None) -> Figures:
    """For `steps`: shares of the rate used, in each step and in all, and seconds to go down and to come back.

    `source`: the series of a clean leg on which the other end sends all its encodings. A camera of 480 lines cannot fill
    2.5 Mbit/s, nor can a browser that has not climbed yet: `used_of_source` is the share of what there was to be carried,
    the lesser of the link and all that came in, in each step.
    """
    if link.name != "steps":
        return {}
    offered, delivered = (1, 2) if way == "up" else (4, 5)
    used = [_bps(series, n * STEP_S, (n + 1) * STEP_S, delivered) / bps for n, bps in enumerate(STEPS_BPS)]
    carried = sum(share * bps for share, bps in zip(used, STEPS_BPS, strict=True))
    figures: Figures = {f"used_{n + 1}": round(share, 3) for n, share in enumerate(used)}
    figures["used"] = round(carried / sum(STEPS_BPS), 3)
    if source is not None:
        could = [min(bps, _bps(source, n * STEP_S, (n + 1) * STEP_S, 2)) for n, bps in enumerate(STEPS_BPS)]
        figures["used_of_source"] = round(carried / sum(could), 3) if sum(could) else None
    figures["down_s"] = _until(series, 2 * STEP_S, 3 * STEP_S, offered, lambda bps: bps <= 1.1 * STEPS_BPS[2])
    figures["back_s"] = _until(series, 3 * STEP_S, 4 * STEP_S, delivered, lambda bps: bps >= 0.8 * STEPS_BPS[3])
    return figures


def _bps(series: list[Row], begin: float, end: float, column: int) -> float:
    rows = [row for row in series if begin <= row[0] <= end]
    if len(rows) < 2:
        return 0.0
    return 8 * (rows[-1][column] - rows[0][column]) / (rows[-1][0] - rows[0][0])


def _until(series: list[Row], begin: float, end: float, column: int, reached: Callable[[float], bool]) -> float | None:
    """Seconds from `begin` to the first half second whose rate is such."""
    for row in series:
        if begin <= row[0] <= end - 0.5 and reached(_bps(series, row[0], row[0] + 0.5, column)):
            return round(row[0] - begin, 2)
    return None
