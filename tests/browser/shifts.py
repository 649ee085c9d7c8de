"""How much of a page moves by itself: the sum of its layout shifts, but for those that somebody's tap or key asked for.

The browser leaves out what moves within half a second of a tap; on a machine that has no core, what a tap asked for may be
painted later. So what is painted with the tap's own first frame (Event Timing's duration ends there) is left out, too.

Web Incubator CG, Layout Instability: each shift is the part of the window that moved, times how far. What is drawn small by a
transform keeps its place in the layout and is no shift.
"""

from __future__ import annotations

from tests.browser.remote import Page

WATCH = (
    "window.__shifts = []; new PerformanceObserver((all) => {"
    "for (const each of all.getEntries()) if (!each.hadRecentInput) __shifts.push("
    "[each.value, each.startTime,"
    " each.sources.map(({ node }) => node?.className?.baseVal ?? node?.className ?? '').join(' ')]); })"
    ".observe({ type: 'layout-shift', buffered: true });"
    "window.__taps = []; new PerformanceObserver((all) => {"
    "for (const each of all.getEntries()) __taps.push([each.startTime, each.startTime + each.duration]); })"
    ".observe({ type: 'event', durationThreshold: 16, buffered: true })"
)
"""Before the page's own scripts, or once it stands there."""

BAR = 0.1
ROUNDED_MS = 8
"""Event Timing gives durations in steps of this."""


async def steady(page: Page) -> None:
    """Assert that all shifts since `WATCH` together are within the bar; what moved is in the message."""
    shifts, taps = await page.eval("return [window.__shifts, window.__taps]")
    itself = [
        (by, what) for by, at, what in shifts if not any(tap <= at <= painted + ROUNDED_MS for tap, painted in taps)
    ]
    assert sum(by for by, _ in itself) <= BAR, (itself, shifts, taps)
