"""Root keys in a folder: only what the other key stores do not share (`tests/contract/test_kms.py`)."""

from __future__ import annotations

from pathlib import Path

from recorder.sealing.kms import FileKms


def test_root_keys_are_the_owners_alone(tmp_path: Path) -> None:
    FileKms(tmp_path / "kms").rotate()
    (path,) = (tmp_path / "kms").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "kms").stat().st_mode & 0o777 == 0o700
