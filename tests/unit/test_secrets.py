"""config.secrets: made once, private, the same for all."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config.secrets import SecretError, secret_file, secret_key, secret_text


def test_a_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "api.key"
    first = secret_text(path)
    assert len(first) == 43
    assert secret_text(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_two_that_start_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: secret_key(tmp_path / "token.key"), range(32)))
    assert len(found) == 1
    assert len(found.pop()) == 32
    assert [entry.name for entry in tmp_path.iterdir()] == ["token.key"]


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "api.key"
    secret_text(path)
    path.chmod(0o644)
    with pytest.raises(SecretError, match="chmod 600"):
        secret_text(path)


def test_a_maker_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fails() -> bytes:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        secret_file(tmp_path / "x", fails)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_holds_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "token.key"
    path.write_text("not hex")
    path.chmod(0o600)
    with pytest.raises(SecretError, match="hex"):
        secret_key(path)
