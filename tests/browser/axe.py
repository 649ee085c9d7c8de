"""axe on the real pages: WCAG 2.2 AA and its best practices, in every dress that a page has."""

from __future__ import annotations

from pathlib import Path

from tests.browser.remote import Page

SOURCE = Path(__file__).resolve().parents[2] / "web_client" / "node_modules" / "axe-core" / "axe.min.js"
RULES = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']"
COLOURS = "['color-contrast']"


async def clean(page: Page, rules: str = RULES) -> None:
    """Axe finds no violation on this page as it stands."""
    await page.front()  # a tab behind does not finish its transitions
    await page.dressed()
    if not await page.eval("return window.axe !== undefined"):
        await page.eval(SOURCE.read_text() + "\nwindow.axe = axe;")
    found = await page.eval(
        "await new Promise((then) => setTimeout(then, 60));"
        f"const found = await axe.run({{ runOnly: {rules}, resultTypes: ['violations'], preload: false }});"
        "return found.violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.target).join(' ')}`)"
    )
    said = "const root = document.documentElement; return [...Object.values(root.dataset), root.lang]"
    assert found == [], (found, await page.eval(said))


async def clean_in_every_dress(page: Page) -> None:
    """In both languages; where there is an elder mode, in its two steps too; dark: and back as it was."""
    await clean(page)
    assert await page.eval("return document.getAnimations().length") == 0, "reduced motion is not honoured"
    await dark(page)
    turns = "return ['language', 'mode'].filter((each) => document.querySelector(`[data-act=${each}]`) !== null)"
    there = await page.eval(turns)
    for turn in ("language", "mode", "language", "mode", "mode"):
        if turn in there:
            await page.eval(f"document.querySelector('[data-act={turn}]').click()")
            await clean(page)
    if "mode" not in there and "language" in there:
        await dark(page)


async def dark(page: Page) -> None:
    """The same page by night: only its colours differ."""
    await page.dressed(dark=True)
    await page.wait("return document.documentElement.dataset.theme === 'dark'")
    await clean_colours(page)
    await page.dressed()


async def clean_colours(page: Page) -> None:
    """Contrast alone, as it stands."""
    found = await page.eval(
        f"const found = await axe.run({{ runOnly: {COLOURS}, resultTypes: ['violations'], preload: false }});"
        "return found.violations.map((each) => each.nodes.map((node) => node.target).join(' '))"
    )
    assert found == [], "dark"
