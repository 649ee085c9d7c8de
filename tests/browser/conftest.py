"""Browsers and a running system for the tests of this folder, started once for all of them.

What keeps one test from the next: each visit has a doctor of its own, and every page, with all that it kept in its browser,
is gone when its test ends. Who needs a system without others' traces, or started in another way, takes `fresh` or `proven`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browser.proven import proven
from tests.browser.remote import Browser, Driver, driver
from tests.system import System


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def held() -> AsyncIterator[Driver]:
    """The process that holds the browsers."""
    async with driver() as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def doctors(held: Driver) -> Browser:
    """Chromium with a talking face."""
    return await held.browser("chromium")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def patients(held: Driver) -> Browser:
    """Another Chromium with a talking face."""
    return await held.browser("chromium")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pair(held: Driver) -> tuple[Browser, Browser]:
    """Two Chromiums with their own fake devices, which have every size."""
    return await held.bare(), await held.bare()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def firefox(held: Driver) -> Browser:
    """Firefox with its own fake devices."""
    return await held.browser("firefox")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """One system for all: to start one for each test costs more than most tests. Its end proves every recording."""
    async with proven(tmp_path_factory.mktemp("system") / "data") as made:
        made.apart = True
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def system(shared: System, held: Driver) -> AsyncIterator[System]:
    """The system of all. Pages of one test, and what they kept in the browser, are gone before the next."""
    yield shared
    await held.tidy()


@pytest_asyncio.fixture(loop_scope="session")
async def fresh(tmp_path: Path, held: Driver) -> AsyncIterator[System]:
    """A system for one test alone."""
    async with proven(tmp_path / "data") as made:
        yield made
    await held.tidy()


pytestmark = pytest.mark.browser
