"""How the tests share two cores: what must not meet runs in one process, in order; the longest work begins first.

`pytest -n 2 --dist loadgroup --no-loadscope-reorder` gives each group to one process. A file is a group, but for two: all
that drives browsers or the laboratory, so that no two of them press on each other, and while they wait (as they mostly do)
the other process computes; and all that asks for Ceph (marked so), which is started once.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ceph.fixtures import ceph as ceph

HERE = Path(__file__).parent
BROWSERS = "browsers"
FIRST = (BROWSERS, "ceph", "contract", "fault", "fuzz")
"""These groups, in this order, and then the rest: a long group that begins last keeps everybody waiting."""


def group(item: pytest.Item) -> str:
    """The name of the group that this test runs in."""
    given = item.get_closest_marker("xdist_group")
    if given is not None:
        return str(given.args[0])
    path = item.path.relative_to(HERE)
    return BROWSERS if path.parts[0] in ("browser", "network") else path.as_posix()


def place(name: str) -> int:
    """Where a group stands among all."""
    return next((at for at, first in enumerate(FIRST) if name.startswith(first)), len(FIRST))


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    names = {item: group(item) for item in items}
    for item, name in names.items():
        item.add_marker(pytest.mark.xdist_group(name))
    items.sort(key=lambda item: place(names[item]))
