"""How much of a page moves by itself: the sum of its layout shifts, but for those that somebody's tap or key asked for.

Web Incubator CG, Layout Instability: each shift is the part of the window that moved, times how far. What is drawn small by a
transform keeps its place in the layout and is no shift.
"""

from __future__ import annotations

from tests.browser.remote import Page

WATCH = (
    "window.__shifts = []; new PerformanceObserver((all) => {"
    "for (const each of all.getEntries()) if (!each.hadRecentInput) __shifts.push("
    "[each.value, each.sources.map(({ node }) => node?.className?.baseVal ?? node?.className ?? '').join(' ')]); })"
    ".observe({ type: 'layout-shift', buffered: true })"
)
"""Before the page's own scripts, or once it stands there."""

BAR = 0.1


async def steady(page: Page) -> None:
    """Assert that all shifts since `WATCH` together are within the bar; what moved is in the message."""
    shifts = await page.eval("return window.__shifts")
    assert sum(by for by, _ in shifts) <= BAR, shifts
