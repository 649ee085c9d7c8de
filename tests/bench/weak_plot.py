"""The weak-network results as a picture: a page of dots, photographed by the browser that is at hand anyway.

A faint dot is a run, the line their range, the full dot their median, with its value beside. The tinted ground is where the
goal is met; it is ours that is judged, and a median of ours that misses is red.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from tests.bench import weak_results
from tests.browser.remote import driver

COLOURS = {"ours": "#0b5cad", "janus": "#d1711c", "direct": "#7c858f"}
WORDS = {"ours": "Teleconsult", "janus": "Janus VideoRoom", "direct": "two browsers directly"}
SIDES = (("down", "What the patient receives", "the link is the patient's"), ("up", "What the doctor receives", ""))
MISSED = "#c62828"
MET, INK, FAINT, BANDS = "#e3f2e6", "#1f2933", "#8a94a0", "#f6f7f9"
LANE, GAP, HEAD, NAMES, WIDE, SPACE, VALUE = 13, 12, 30, 176, 300, 26, 40
NOTE = "faint dots: runs; line: range; full dot: median, red where it misses; green: the goal"


@dataclass(frozen=True, slots=True)
class Panel:
    """One figure across all links. `most` is the end of the scale: what is more stands at it, with its value."""

    figure: str
    title: str
    factor: float
    most: float
    rises: bool = False
    """Whether more is better."""
    places: int = 1


PANELS = (
    Panel("fps", "frames per second", 1.0, 26.0, rises=True),
    Panel("freeze", "picture frozen, % of the time", 100.0, 60.0),
    Panel("concealed", "sound concealed, %", 100.0, 30.0),
)
STORIES = (
    Panel("used", "share of the link used", 1.0, 1.0, rises=True, places=2),
    Panel("down_s", "follows a fall, s", 1.0, 5.0),
    Panel("back_s", "80 % of a rise, s", 1.0, 12.0),
    Panel("queue_p95_ms", "queue p95, ms", 1.0, 320.0, places=0),
    Panel("audio_only_s", "sound alone after, s", 1.0, 10.0),
    Panel("picture_back_s", "picture back, s", 1.0, 3.0, places=2),
    Panel("sound_back_s", "sound back, s", 1.0, 3.0, places=2),
    Panel("screen_fps", "frames of the shared screen a second", 1.0, 6.0, rises=True),
)
"""Asked of some links only: drawn where there is a goal for them."""


async def draw(result: dict[str, Any], path: Path) -> None:
    """Write the PNG."""
    address = "data:text/html;base64," + base64.b64encode(page(result).encode()).decode()
    async with driver() as held:
        browser = await held.browser("chromium-no-devices")
        sheet = await browser.open(address, width=NAMES + len(PANELS) * (WIDE + SPACE) + 56, height=400)
        await sheet.screenshot(path, full=True)


def page(result: dict[str, Any]) -> str:
    """The whole drawing as HTML."""
    runs = weak_results.runs_of(result)
    ways = [way for way in COLOURS if any(way in link["ways"] for link in result["links"].values())]
    key = "".join(f'<b style="color:{COLOURS[way]}">● {WORDS[way]}</b>' for way in ways)
    lengths = "/".join(f"{each:g}" for each in sorted({run["seconds"] for run in runs}))
    seeds = len({run["seed"] for run in runs})
    luck = "one seed" if seeds == 1 else f"{seeds} seeds"
    about = f"{len(runs)} runs of {lengths} s ({luck}), cameras of {result['lines']} lines · {NOTE}"
    body = "".join(_side(result["links"], ways, *side) for side in SIDES) + _stories(result["links"], ways)
    style = (
        "body{font:14px system-ui,sans-serif;margin:24px 28px;color:#1f2933;background:#fff}"
        "h1{font-size:22px;margin:0 0 4px}h2{font-size:16px;margin:22px 0 6px}small{color:#8a94a0;font-weight:400}"
        "p{margin:2px 0;color:#52606d}b{margin-right:18px}svg{display:block}text{font:11.5px system-ui,sans-serif}"
    )
    return (
        f'<!doctype html><meta charset="utf-8"><style>{style}</style><h1>Calls over bad links</h1>'
        f"<p>{key}</p><p>{escape(about)}</p>{body}"
    )


def _side(links: dict[str, Any], ways: Sequence[str], side: str, title: str, note: str) -> str:
    each = LANE * len(ways) + GAP
    parts = []
    for row, (name, link) in enumerate(links.items()):
        top = HEAD + row * each
        if row % 2 == 0:
            parts.append(_box(0, top - GAP / 2, NAMES + len(PANELS) * (WIDE + SPACE), each, BANDS))
        middle = top + LANE * len(ways) / 2
        parts.append(_text(6, middle - 1, name, weight=600) + _text(6, middle + 12, _short(link["words"]), FAINT))
    for column, panel in enumerate(PANELS):
        left = NAMES + column * (WIDE + SPACE)
        parts.append(_text(left, 14, panel.title, weight=600) + _scale(panel, left, HEAD + len(links) * each))
        for row, link in enumerate(links.values()):
            parts.append(_lanes(link, ways, side, panel, left, HEAD + row * each))
    width, height = NAMES + len(PANELS) * (WIDE + SPACE), HEAD + len(links) * each + 16
    return f'<h2>{title} <small>{note}</small></h2><svg width="{width}" height="{height}">{"".join(parts)}</svg>'


def _stories(links: dict[str, Any], ways: Sequence[str]) -> str:
    asked = [
        (name, link, panel)
        for panel in STORIES
        for name, link in links.items()
        if link["goal"].get(panel.figure) is not None
    ]
    if not asked:
        return ""
    lanes = LANE * len(ways)
    each = lanes + 34
    parts = []
    for place, (name, link, panel) in enumerate(asked):
        column, row = place % 3, place // 3
        left, top = 6 + column * (WIDE + SPACE + 58), row * each + 30
        parts.append(_text(left, top - 8, f"{name}: {panel.title}", weight=600))
        parts.append(_lanes(link, ways, "down", panel, left, top))
    height = -(-len(asked) // 3) * each + 6
    width = NAMES + len(PANELS) * (WIDE + SPACE)
    title = "<h2>What is asked of some links <small>the patient</small></h2>"
    return f'{title}<svg width="{width}" height="{height}">{"".join(parts)}</svg>'


def _lanes(link: dict[str, Any], ways: Sequence[str], side: str, panel: Panel, left: float, top: float) -> str:
    goal = link["goal"].get(panel.figure) if side == "down" or link["uplink_too"] else None
    long = WIDE - VALUE

    def across(value: float) -> float:
        return left + min(1.0, value * panel.factor / panel.most) * long

    parts = [f'<path d="M{left} {top}v{LANE * len(ways)}" stroke="#cbd2d9"/>']
    if goal is not None:
        begins, ends = (across(goal), left + long) if panel.rises else (left, across(goal))
        parts.append(_box(begins, top, max(ends - begins, 1.5), LANE * len(ways), MET))
    for lane, way in enumerate(ways):
        found = link["ways"].get(way)
        told = found["median"][side].get(panel.figure) if found else None
        if not found or told is None:
            continue
        y, colour = top + lane * LANE + LANE / 2, COLOURS[way]
        middle, least, most = told
        missed = way == "ours" and goal is not None and (middle < goal if panel.rises else middle > goal)
        parts.append(
            f'<path d="M{across(least):.1f} {y}H{across(most):.1f}" stroke="{colour}" stroke-width="2" opacity=".35"/>'
        )
        for run in found["runs"]:
            value = run[side].get(panel.figure)
            if value is not None:
                parts.append(f'<circle cx="{across(value):.1f}" cy="{y}" r="2.6" fill="{colour}" opacity=".4"/>')
        fill = MISSED if missed else colour
        parts.append(f'<circle cx="{across(middle):.1f}" cy="{y}" r="4.6" fill="{fill}" stroke="#fff"/>')
        words = f"{middle * panel.factor:.{panel.places}f}"
        weight = 700 if way == "ours" else 400
        parts.append(_text(left + long + 8, y + 4, words, fill, weight))
    return "".join(parts)


def _scale(panel: Panel, left: float, bottom: float) -> str:
    long = WIDE - VALUE
    marks = [panel.most * part / 2 for part in (0, 1, 2)]
    words = [f"{mark:g}" + ("+" if mark == panel.most else "") for mark in marks]
    return "".join(
        _text(left + mark / panel.most * long, bottom + 8, word, FAINT, anchor="middle" if mark else "start")
        for mark, word in zip(marks, words, strict=True)
    )


def _short(words: str) -> str:
    return words if len(words) <= 30 else words[:29] + "…"


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _text(x: float, y: float, words: str, colour: str = INK, weight: int = 400, anchor: str = "start") -> str:
    style = f'fill="{colour}" style="font-weight:{weight}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'
