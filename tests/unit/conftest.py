"""What many unit tests begin with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.http_api import Api, open_api


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """The HTTP API as `tests/http_api.py` opens it, with nothing in it yet."""
    async with open_api(tmp_path) as opened:
        yield opened
