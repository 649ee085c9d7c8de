"""Debian 12's own Python (3.11.2), which differs from later ones in how `except*` raises: what starts the system, under it.

INSTALL.md names it. It reads what is installed here, so it has to be of the same 3.x; where it is what runs these tests, or
is not there, there is nothing more to see.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEBIANS = Path("/usr/bin/python3")
UNDER_IT = ("test_supervise", "test_probe", "test_settings", "test_app", "test_tls", "test_restarts")


def version(python: Path) -> str:
    return subprocess.run(
        [python, "-c", "import sys; print(sys.version)"], capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.timeout(300)
def test_what_starts_and_probes_the_system_passes_under_debians_own_python() -> None:
    if not DEBIANS.exists():
        pytest.skip(f"there is no {DEBIANS}")
    found = version(DEBIANS)
    if found == sys.version or found.split(".")[:2] != sys.version.split(".")[:2]:
        pytest.skip(f"{DEBIANS} is {found}")
    given = {**os.environ, "PYTHONPATH": f"{sysconfig.get_path('purelib')}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    files = [f"tests/unit/{name}.py" for name in UNDER_IT]
    words = [DEBIANS, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *files]
    done = subprocess.run(words, cwd=ROOT, env=given, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
