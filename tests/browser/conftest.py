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


@pytest_asyncio.fixture(loop_scope="module")
async def system(tmp_path: Path) -> AsyncIterator[System]:
    """A fresh system."""
    async with running(tmp_path / "data") as made:
        yield made


pytestmark = pytest.mark.browser
