"""Real browsers held from Python: `Driver` speaks to `driver.mjs`, which holds them with puppeteer-core."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from tests.browser.faces import Face, talking_face
from tests.patience import PATIENCE_S

HERE = Path(__file__).resolve().parent
FORGET = """
localStorage.clear();
sessionStorage.clear();
for (const each of await indexedDB.databases()) indexedDB.deleteDatabase(each.name);
"""
Kind = Literal["chromium", "firefox", "chromium-no-devices"]


class BrowserError(Exception):
    """The browser could not do what was asked; the message is the browser's."""


class Driver:
    """The Node process that holds the browsers; `within` are words that run a command elsewhere, such as in a namespace."""

    def __init__(self, within: tuple[str, ...] = ()) -> None:
        self._within = within
        self._numbers = itertools.count(1)
        self.pages: list[Page] = []
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def __aenter__(self) -> Driver:
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *(*self._within, "node", str(HERE / "driver.mjs")), stdin=pipe, stdout=pipe, limit=16 << 20
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader

    async def ask(self, verb: str, **given: Any) -> dict[str, Any]:
        """One command. Raises `BrowserError`."""
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": number, "verb": verb, **given}).encode() + b"\n")
        said = await answer
        if not said["ok"]:
            raise BrowserError(f"{verb}: {said['error']}")
        return said

    async def browser(
        self,
        kind: Kind = "chromium",
        args: tuple[str, ...] = (),
        face: Face | None = None,
        preferences: Mapping[str, int | bool] | None = None,
    ) -> Browser:
        """A fresh browser with an empty profile and a talking face as camera and microphone (Firefox: its own fakes).

        `args` are Chromium's, `preferences` Firefox's, over our own.
        """
        face = face or talking_face(320, 240)  # a quarter of the pixels: most of a test's CPU is the browsers' codecs
        devices = {"video": str(face.video), "audio": str(face.audio)}
        said = await self.ask("launch", kind=kind, args=list(args), preferences=dict(preferences or {}), **devices)
        return Browser(self, said["browser"], said["pid"])

    async def bare(self) -> Browser:
        """A fresh Chromium with an empty profile and its own fake devices: a coloured disc, in any size, and beeps."""
        said = await self.ask("launch", kind="chromium")
        return Browser(self, said["browser"], said["pid"])

    async def tidy(self) -> None:
        """Close every page, and forget what it kept in the browser."""
        for page in list(self.pages):
            with contextlib.suppress(
                BrowserError
            ):  # a page without an origin keeps nothing; one whose browser ended is gone
                await page.eval(FORGET)
            with contextlib.suppress(BrowserError):
                await page.close()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = json.loads(line)
            waiting = self._waiting.pop(said["id"], None)
            if waiting is not None and not waiting.done():
                waiting.set_result(said)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(BrowserError("the driver ended"))


class Browser:
    """One browser process."""

    def __init__(self, driver: Driver, number: int, pid: int | None) -> None:
        self._driver, self._number, self.pid = driver, number, pid

    async def open(self, url: str, **given: Any) -> Page:
        """A new page at `url`; `width`, `height`, `phone`, `language` as given."""
        page = await self.blank(**given)
        await page.goto(url)
        return page

    async def blank(self, **given: Any) -> Page:
        """A new empty page."""
        said = await self._driver.ask("page", browser=self._number, **given)
        page = Page(self._driver, said["page"])
        self._driver.pages.append(page)
        return page

    async def close(self) -> None:
        """End the browser."""
        await self._driver.ask("close", browser=self._number)


class Page:
    """One tab."""

    def __init__(self, driver: Driver, number: int) -> None:
        self._driver, self._number = driver, number

    async def _ask(self, verb: str, **given: Any) -> dict[str, Any]:
        return await self._driver.ask(verb, page=self._number, **given)

    async def goto(self, url: str) -> None:
        """Go there, until the document is parsed."""
        await self._ask("goto", url=url)

    async def reload(self) -> None:
        """As a person's refresh."""
        await self._ask("reload")

    async def eval(self, code: str) -> Any:
        """Run the body of an async function in the page and return its JSON value."""
        return (await self._ask("eval", code=code))["value"]

    async def in_frame(self, at: str, code: str) -> Any:
        """As `eval`, in the frame whose address begins like this; None while there is none, or it is going elsewhere."""
        return (await self._ask("inFrame", at=at, code=code))["value"]

    async def wait(self, code: str, within_s: float = PATIENCE_S) -> Any:
        """Wait until the function body returns something true, and return it."""
        return (await self._ask("wait", code=code, timeout=int(within_s * 1000)))["value"]

    async def click(self, selector: str) -> None:
        """Click what is, or becomes, visible under the selector."""
        await self._ask("click", selector=selector)

    async def type(self, selector: str, text: str) -> None:
        """Type into a field."""
        await self._ask("type", selector=selector, text=text)

    async def press(self, key: str) -> None:
        """One key, by puppeteer's name."""
        await self._ask("press", key=key)

    async def before_load(self, code: str) -> None:
        """Run this in every document before its own scripts."""
        await self._ask("initScript", code=code)

    async def screenshot(self, path: Path, full: bool = False) -> None:
        """A PNG of the page."""
        await self._ask("screenshot", path=str(path), full=full)

    async def throttle(self, cpu: float = 0, kbps: int = 0) -> None:
        """Slow the processor by a factor, the network to a rate (Chromium)."""
        await self._ask("throttle", cpu=cpu, kbps=kbps)

    async def sleep(self, seconds: float) -> None:
        """Freeze the tab this long, as a phone in a pocket does, and wake it (Chromium)."""
        await self._ask("sleep", ms=int(seconds * 1000))

    async def trace(self, path: Path | None = None) -> None:
        """Begin to trace what the page's threads do; with a path, end it and write the trace there (Chromium)."""
        if path is None:
            await self._ask("trace", categories=["toplevel", "devtools.timeline", "v8"])
        else:
            await self._ask("trace", path=str(path))

    async def dressed(self, dark: bool = False) -> None:
        """Prefer reduced motion, so that nothing is caught half way, and light or dark colours."""
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self._ask("media", features=[{"name": "prefers-reduced-motion", "value": "reduce"}, theme])

    async def front(self) -> None:
        """Bring the tab to the front: one behind paints nothing, and hears no key."""
        await self._ask("front")

    async def said(self) -> list[str]:
        """The console, and errors nobody caught."""
        return list((await self._ask("said"))["lines"])

    async def close(self) -> None:
        """Close the tab."""
        self._driver.pages.remove(self)
        await self._ask("closePage")


@contextlib.asynccontextmanager
async def driver() -> AsyncIterator[Driver]:
    """A driver that ends its browsers with it."""
    async with Driver() as held:
        yield held
