"""Browsers and a running system for the tests of this folder; each browser is started once a module."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browser.remote import Browser, Driver, driver
from tests.system import System, running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def held() -> AsyncIterator[Driver]:
    """The process that holds the browsers."""
    async with driver() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def doctors(held: Driver) -> Browser:
    """Chromium with a talking face."""
    return await held.browser("chromium")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def patients(held: Driver) -> Browser:
    """Another Chromium with a talking face."""
    return await held.browser("chromium")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """One system for a module: to start one for each test costs more than most tests."""
    async with running(tmp_path_factory.mktemp("system") / "data") as made:
        made.apart = True
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def system(shared: System, held: Driver) -> AsyncIterator[System]:
    """The module's system. Pages of one test, and what they kept in the browser, are gone before the next."""
    yield shared
    await held.tidy()


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(tmp_path: Path, held: Driver) -> AsyncIterator[System]:
    """A system for one test alone."""
    async with running(tmp_path / "data") as made:
        yield made
    await held.tidy()


pytestmark = pytest.mark.browser
