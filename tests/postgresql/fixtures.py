"""The fixture `postgresql`: a real server, started once for all tests that ask for it (`tests/conftest.py`)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.debian.packages import Unavailable, unpacked
from tests.postgresql.server import PACKAGES, Postgresql, can_run


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgresql]:
    """Skips, saying why, only where the packages cannot be had or run; a server that does not start is a failure."""
    if (reason := can_run()) is not None:
        pytest.skip(f"no PostgreSQL here: {reason}")
    try:
        root = unpacked("postgresql", PACKAGES)
    except Unavailable as why:
        pytest.skip(f"no PostgreSQL here: {why}")
    server = Postgresql(root, tmp_path_factory.mktemp("postgresql"))
    server.start()
    yield server
    server.stop()
