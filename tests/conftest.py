"""How the tests share two cores: what must not meet runs in one process, in order; the longest work begins first.

`pytest -n 2 --dist loadfile` gives each file to one process, and here some files stay together: all that drives real visits
in browsers, which share the browsers and the system of `tests/browser/conftest.py` and wait more than they compute; and all
that asks for Ceph, which is started once. (The groups of pytest-xdist 3.8 are none with pytest 9.2.) A process that has come
to what only computes makes room for the other, where people talk in real time.
"""

from __future__ import annotations

import os
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.authority import authority as authority
from tests.ceph.fixtures import ceph as ceph
from tests.postgresql.fixtures import postgresql as postgresql

COMPUTING = ("tests/contract/test_openapi.py", "tests/fuzz/", "tests/unit/")
TOGETHER = {
    "browsers": ("tests/browser/", "tests/network/"),
    "ceph": (
        "tests/contract/test_locked_store.py",
        "tests/contract/test_object_store.py",
        "tests/fault/test_locked_store_faults.py",
    ),
    "postgresql": (
        "tests/contract/test_migrations.py",
        "tests/contract/test_postgresql.py",
        "tests/contract/test_visit_store.py",
        "tests/fault/test_postgresql_away.py",
    ),
}
ALONE = ("tests/browser/test_elder.py", "tests/browser/test_slot.py")
"""In browsers of their own, which take more of a core than the tests would: over before the last of the others' group."""
ORDER = ("browsers", *ALONE, "ceph", "postgresql", "tests/contract/", "tests/fault/")
"""These first, what computes last: what is long and begins last keeps everybody waiting."""
APART = "tests/browser/test_sync.py"
"""The last of its group, when the other process only computes: a page that has to wait for a core draws its flash after its
beep, and a recording can only be as good as what it was given."""
NICENESS = 10

# How long an example takes is the machine's affair.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")


def group(nodeid: str) -> str:
    """What is done by one process: the name of a group, or the file."""
    path = nodeid.partition("::")[0]
    if path.startswith((*COMPUTING, *ALONE)):
        return path
    return next((name for name, those in TOGETHER.items() if path.startswith(those)), path)


def place(nodeid: str) -> int:
    """Where its group stands among all."""
    name = group(nodeid)
    order = COMPUTING if name.startswith(COMPUTING) else ORDER
    first = next((first for first in order if name.startswith(first)), order[-1])
    return order.index(first) + len(ORDER) * (order is COMPUTING)


class Grouped(LoadScopeScheduling):
    """Gives the groups out in the order of the tests."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (place(item.nodeid), item.nodeid.startswith(APART)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Grouped | None:
    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return Grouped(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.nodeid.startswith(COMPUTING) and "PYTEST_XDIST_WORKER" in os.environ:
        os.nice(max(0, NICENESS - os.nice(0)))
