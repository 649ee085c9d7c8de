"""How the tests are shared out when several run at once (`pytest -n 2`): a file stays together, and so does a laboratory.

The laboratory's network namespaces have fixed addresses, and Ceph takes a second to start: each is one group's alone.
"""

from __future__ import annotations

import pytest

CEPH = {"test_locked_store", "test_object_store", "test_locked_store_faults"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name each test's group; browsers first, because they take longest."""
    for item in items:
        folder, file = item.path.parent.name, item.path.stem
        group = "laboratory" if folder == "network" else "ceph" if file in CEPH else f"{folder}/{file}"
        item.add_marker(pytest.mark.xdist_group(group))
