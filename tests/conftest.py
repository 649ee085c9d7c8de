"""How the tests share two cores: what must not meet runs in one process, in order; the longest work begins first.

`pytest -n 2 --dist loadfile` gives each file to one process, and here some files stay together: all that drives browsers or
the laboratory, so that no two of them press on each other, and while they wait (as they mostly do) the other process
computes; and all that asks for Ceph, which is started once. (The groups of pytest-xdist 3.8 are none with pytest 9.2.)
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.ceph.fixtures import ceph as ceph

TOGETHER = {
    "browsers": ("tests/browser/", "tests/network/"),
    "ceph": (
        "tests/contract/test_locked_store.py",
        "tests/contract/test_object_store.py",
        "tests/fault/test_locked_store_faults.py",
    ),
}
FIRST = ("browsers", "ceph", "tests/contract/test_openapi.py", "tests/contract/", "tests/fault/", "tests/fuzz/")
"""These, in this order, and then the rest: what is long and begins last keeps everybody waiting."""


def group(nodeid: str) -> str:
    """What is done by one process: the name of a group, or the file."""
    path = nodeid.partition("::")[0]
    return next((name for name, those in TOGETHER.items() if path.startswith(those)), path)


def place(nodeid: str) -> int:
    """Where its group stands among all."""
    name = group(nodeid)
    return next((at for at, first in enumerate(FIRST) if name.startswith(first)), len(FIRST))


class Grouped(LoadScopeScheduling):
    """Gives the groups out in the order of the tests."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: place(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Grouped | None:
    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return Grouped(config, log)
