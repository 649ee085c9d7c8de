"""`teleconsult verify` and `inventory`, as its user meets it: each way it can end has its own exit code (FORMAT.md §9)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random

import pytest

from tests.bundles import honest_visit, write_bundle
from tests.estate import estate
from tests.system import teleconsult


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(honest_visit(Random(3)), tmp_path / "bundle")


async def test_a_trust_list_that_cannot_be_used_ends_with_three_and_one_line(bundle: Path, tmp_path: Path) -> None:
    noise = tmp_path / "noise"
    noise.write_bytes(bytes(range(256)))
    for named in (noise, tmp_path, tmp_path / "nowhere"):
        code, out, err = await teleconsult("verify", str(bundle), "--trust", str(named))
        assert (code, out, len(err.splitlines())) == (3, "", 1), err
    code, _, err = await teleconsult("verify", str(bundle), TELECONSULT_TRUST=str(tmp_path / "nowhere"))
    assert (code, len(err.splitlines())) == (3, 1)


async def test_a_wrong_call_is_told_from_what_is_no_bundle(tmp_path: Path) -> None:
    for words in (("verify",), ("verify", "--no-such"), ("no-such",), ("serve", "--port", "x")):
        assert (await teleconsult(*words))[0] == 64
    assert (await teleconsult("verify", str(tmp_path), XDG_CONFIG_HOME=str(tmp_path)))[0] == 2


async def test_an_inventory_names_a_visit_that_was_taken_away(tmp_path: Path) -> None:
    store = write_bundle(estate(Random(2), 3), tmp_path / "store")
    assert (await teleconsult("inventory", str(store)))[0] == 0
    shutil.rmtree(store / "recordings" / "visit-1")
    code, out, _ = await teleconsult("inventory", str(store), "--json")
    assert (code, json.loads(out)["whole"], json.loads(out)["broken"][0]["rule"]) == (1, False, "INV-3")
    code, out, err = await teleconsult("inventory", str(tmp_path))
    assert (code, out, len(err.splitlines())) == (2, "", 1)
