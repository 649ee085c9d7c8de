"""The fixture `ceph`: a real S3 server with real locks, started once for all tests that ask for it (`tests/conftest.py`)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ceph.server import PACKAGES, Ceph, running
from tests.debian.packages import Unavailable, unpacked


@pytest.fixture(scope="session")
def ceph() -> Iterator[Ceph]:
    """Skips, saying why, only where Ceph's packages cannot be had; a server that does not start is a failure."""
    try:
        root = unpacked("ceph", PACKAGES)
    except Unavailable as reason:
        pytest.skip(f"no Ceph here: {reason}")
    # Its sockets' names must be short, so not below pytest's own folders.
    with tempfile.TemporaryDirectory(prefix="ceph-") as folder, running(root, Path(folder)) as server:
        yield server
