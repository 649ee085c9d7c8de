"""The weak-network results as a picture: a page of bars, photographed by the browser that is at hand anyway."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import Any

from tests.browser.remote import driver

COLOURS = {"ours": "#0b6e99", "janus": "#c2571a", "direct": "#9aa0a6"}
PANELS = (
    ("fps", "frames per second", 1.0, 26.0),
    ("freeze", "frozen, %", 100.0, 100.0),
    ("concealed", "sound concealed, %", 100.0, 40.0),
)
"""Figure, title, factor, end of the scale: what is longer is cut, with its number beside it."""
SIDES = (("down", "what the patient receives"), ("up", "what the doctor receives"))
NAMES, WIDE, BAR, GAP, HEAD = 130, 300, 11, 9, 34


async def draw(result: dict[str, Any], path: Path) -> None:
    """Write the PNG."""
    address = "data:text/html;base64," + base64.b64encode(page(result).encode()).decode()
    async with driver() as held:
        browser = await held.browser("chromium-no-devices")
        sheet = await browser.open(address, width=1100, height=400)
        await sheet.screenshot(path, full=True)


def page(result: dict[str, Any]) -> str:
    """The whole drawing as HTML."""
    key = " ".join(f'<b style="color:{colour}">■ {way}</b>' for way, colour in COLOURS.items())
    about = f"{result['runs']} runs of {result['seconds']:g} s, medians; lines: least to most; ▏black: the goal of ours"
    body = "".join(f"<h2>{title}</h2>{_side(result, side)}" for side, title in SIDES)
    style = "body{font:13px sans-serif;margin:16px}h2{font-size:15px;margin:14px 0 2px}text{font:11px sans-serif}"
    return f'<!doctype html><meta charset="utf-8"><style>{style}</style><div>{key} · {escape(about)}</div>{body}'


def _side(result: dict[str, Any], side: str) -> str:
    links = result["links"]
    each = BAR * len(COLOURS) + GAP
    height = HEAD + each * len(links)
    parts = [_text(0, HEAD + each * row + 20, name) for row, name in enumerate(links)]
    for column, panel in enumerate(PANELS):
        left = NAMES + column * (WIDE + 20)
        parts.append(_text(left, 18, panel[1]))
        for row, link in enumerate(links.values()):
            judged = side == "down" or link["uplink_too"]
            parts.append(_row(link, side, panel, left, HEAD + each * row, judged))
    return f'<svg width="{NAMES + len(PANELS) * (WIDE + 20)}" height="{height}">{"".join(parts)}</svg>'


def _row(
    link: dict[str, Any], side: str, panel: tuple[str, str, float, float], left: int, top: int, judged: bool
) -> str:
    figure, _, factor, most = panel

    def across(value: float) -> float:
        return min(1.0, value * factor / most) * (WIDE - 45)

    parts = [f'<rect x="{left}" y="{top}" width="{WIDE - 45}" height="{BAR * len(COLOURS)}" fill="#f3f4f6"/>']
    for place, (way, colour) in enumerate(COLOURS.items()):
        value = link["ways"].get(way, {}).get("median", {}).get(side, {}).get(figure)
        if value is None:
            continue
        y = top + place * BAR
        parts.append(f'<rect x="{left}" y="{y}" width="{across(value[0]):.1f}" height="{BAR - 1}" fill="{colour}"/>')
        parts.append(f'<path d="M{left + across(value[1]):.1f} {y + 5}H{left + across(value[2]):.1f}" stroke="#000"/>')
        parts.append(_text(left + WIDE - 42, y + 9, f"{value[0] * factor:.1f}"))
    goal = link["goal"].get(figure)
    if goal is not None and judged:
        x = left + across(goal)
        parts.append(f'<path d="M{x:.1f} {top - 2}V{top + BAR * len(COLOURS) + 2}" stroke="#000" stroke-width="2"/>')
    return "".join(parts)


def _text(x: float, y: float, words: str) -> str:
    return f'<text x="{x}" y="{y}">{escape(words)}</text>'
