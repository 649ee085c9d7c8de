"""How the tests are shared out when two run at once (`pytest -n 2`): a file stays together, and so does what needs quiet.

Browsers and the laboratory hold real calls: they are one group, one after the other, while everything else goes on beside
them. Ceph takes a second to start and is one group, too.
"""

from __future__ import annotations

import pytest

CEPH = {"test_locked_store", "test_object_store", "test_locked_store_faults"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name each test's group."""
    for item in items:
        folder, file = item.path.parent.name, item.path.stem
        group = "calls" if folder in ("browser", "network") else "ceph" if file in CEPH else f"{folder}/{file}"
        item.add_marker(pytest.mark.xdist_group(group))
