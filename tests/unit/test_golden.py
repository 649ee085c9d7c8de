"""The golden bundles get the verdict they always got, from both verifiers."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest

from recorder.bundle.directory import exit_code, verify_directory
from recorder.bundle.texts import verifiers
from tests.bundles import write_bundle
from tests.golden import ALL

VERDICTS = {
    f"{folder.name}/{name}": verdict
    for folder in ALL.iterdir()
    for name, verdict in json.loads((folder / "verdicts.json").read_text("utf-8")).items()
}


@pytest.mark.parametrize("name", sorted(VERDICTS))
def test_a_golden_bundle_is_judged_as_ever(name: str, tmp_path: Path) -> None:
    bundle, tools = tmp_path / "bundle", tmp_path / "tools"
    with ZipFile(ALL / f"{name}.zip") as archive:
        archive.extractall(bundle)
    verdict = verify_directory(bundle)
    first = verdict.broken[0].rule if verdict.broken else None
    said = {"intact": verdict.intact, "complete": verdict.complete, "first": first, "witnessed": verdict.witnessed}
    assert said == VERDICTS[name]
    write_bundle(verifiers(), tools)
    done = subprocess.run(["sh", str(tools / "verify.sh"), str(bundle)], capture_output=True, text=True, timeout=60)
    assert done.returncode == exit_code(verdict)
    assert done.stdout.startswith(f"intact: {'yes' if verdict.intact else 'no'}\n")
