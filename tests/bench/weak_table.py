"""The weak-network results as a table."""

from __future__ import annotations

from typing import Any

from tests.bench import weak_results

FIGURES = (
    ("fps", "fps", 1, 1.0),
    ("freeze", "frozen %", 1, 100.0),
    ("concealed", "concealed %", 1, 100.0),
    ("delay_ms", "delay ms", 0, 1.0),
    ("height", "lines", 0, 1.0),
    ("video_kbps", "video kbit/s", 0, 1.0),
    ("first_s", "first s", 2, 1.0),
    ("screen_fps", "screen fps", 1, 1.0),
    ("screen_height", "screen lines", 0, 1.0),
    ("picture_back_s", "picture back s", 2, 1.0),
    ("sound_back_s", "sound back s", 2, 1.0),
    ("audio_only_s", "audio only s", 1, 1.0),
    ("concealed_after", "concealed % after 3 s", 1, 100.0),
    ("used", "used", 2, 1.0),
    ("used_of_source", "of what came in", 2, 1.0),
    ("down_s", "down s", 1, 1.0),
    ("back_s", "back s", 1, 1.0),
    ("queue_p95_ms", "queue p95 ms", 0, 1.0),
    ("trip_ms", "signaling ms", 0, 1.0),
    ("trip_p95_ms", "signaling p95 ms", 0, 1.0),
)
"""Name in the result, title, decimals, factor."""
AT_LEAST = {"fps", "screen_fps", "used"}


def rows(result: dict[str, Any]) -> list[tuple[str, str, str, dict[str, str]]]:
    """Link, direction, way (or `goal`), cells."""
    out = []
    for name, link in result["links"].items():
        for direction in ("down", "up"):
            goal = {key: value for key, value in link["goal"].items() if value is not None}
            for way, found in link["ways"].items():
                figures = found["median"][direction]
                judged = goal if way == "ours" and (direction == "down" or link["uplink_too"]) else {}
                cells = {key: _cell(figures.get(key), key, judged) for key, *_ in FIGURES}
                out.append((name, direction, way, cells))
            if direction == "down":
                out.append((name, "", "goal", {key: _goal(key, goal.get(key)) for key, *_ in FIGURES}))
    return out


def text(result: dict[str, Any]) -> str:
    """A table for a terminal: median and range; `!` marks a median of ours that misses its goal."""
    made = rows(result)
    shown = [figure for figure in FIGURES if any(cells[figure[0]] for *_, cells in made)]
    table = [("link", "to", "way", "runs", *(title for _, title, *_ in shown))]
    table += [
        (
            name,
            {"down": "patient", "up": "doctor"}.get(direction, ""),
            way,
            _runs(result, name, way),
            *(cells[key] for key, *_ in shown),
        )
        for name, direction, way, cells in made
    ]
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    medians = [found["median"] for link in result["links"].values() for found in link["ways"].values()]
    busy, late = [found["cpu"] for found in medians], max(found["wire_late_p99_ms"] for found in medians)
    runs = [len(found["runs"]) for link in result["links"].values() for found in link["ways"].values()]
    seconds = sorted({run["seconds"] for run in weak_results.runs_of(result)})
    many = f"{min(runs)}" if min(runs) == max(runs) else f"{min(runs)} to {max(runs)}"
    asked = f"{many} runs of {'/'.join(f'{each:g}' for each in seconds)} s, cameras of {result['lines']} lines"
    lines.append(
        f"{asked}; this machine was {min(busy):.0%} to {max(busy):.0%} busy, the wire at most {late:g} ms late (p99)"
    )
    return "\n".join(lines)


def _runs(result: dict[str, Any], link: str, way: str) -> str:
    found = result["links"][link]["ways"].get(way)
    return "" if found is None else str(len(found["runs"]))


def _cell(value: list[float] | None, key: str, goal: dict[str, float]) -> str:
    if value is None:
        return "none !" if key in goal else ""
    _, _, places, factor = next(figure for figure in FIGURES if figure[0] == key)
    if key == "screen_fps" and key not in goal and not value[2]:
        return ""
    middle, least, most = (f"{factor * part:.{places}f}" for part in value)
    missed = key in goal and (value[0] < goal[key] if key in AT_LEAST else value[0] > goal[key])
    spread = "" if least == most else f" [{least}–{most}]"
    return middle + spread + (" !" if missed else "")


def _goal(key: str, goal: float | None) -> str:
    if goal is None:
        return ""
    _, _, _, factor = next(figure for figure in FIGURES if figure[0] == key)
    return f"{'≥' if key in AT_LEAST else '≤'} {factor * goal:g}"
