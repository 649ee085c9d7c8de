"""A person without a mouse: buttons are reached by Tab and pressed by Enter, and the focus always shows where it is."""

from __future__ import annotations

from tests.browser.remote import BrowserError, Page

MOST_TABS = 90
FOCUSED = """
const at = document.activeElement;
const style = at === null ? null : getComputedStyle(at);
return {
  act: at?.dataset?.act ?? at?.tagName ?? '',
  seen: style !== null && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
  hit: at?.matches(%s) === true,
};
"""
LOST = "document.activeElement === document.body"


async def key_to(page: Page, name: str) -> None:
    """Go to a button by Tab alone, once it may be pressed; it shows that it has the focus."""
    selector = f'[data-act="{name}"]:not([aria-disabled])'
    await page.wait(f"return document.querySelector('{selector}') !== null")
    await page.front()
    met: list[str] = []
    for _ in range(MOST_TABS):
        found = await page.eval(FOCUSED % f"'{selector}'")
        met.append(found["act"])
        if found["hit"]:
            assert found["seen"], f"{name} has the focus, and does not show it"
            return
        await page.press("Tab")
    raise AssertionError(f"no Tab leads to {name}: {met}")


async def keyed(page: Page, name: str, leaves: bool = False) -> None:
    """Press a button without a mouse. `leaves`: the page itself is left. Else the focus has a place afterwards."""
    await key_to(page, name)
    await page.press("Enter")
    if not leaves:
        await placed(page, name)


async def placed(page: Page, after: str) -> None:
    """The focus did not fall back to the top of the page: what was pressed has it still, or what came instead."""
    await page.eval("return new Promise((then) => setTimeout(then, 20))")
    try:
        await page.wait(f"return !({LOST})")
    except BrowserError:
        shown = await page.eval("return document.querySelector('[data-page]')?.outerHTML")
        raise AssertionError(f"after {after} the focus is nowhere", shown) from None
