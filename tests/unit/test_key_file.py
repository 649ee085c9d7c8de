"""A file of data keys: read as it was written, and refused in any other form."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from recorder.sealing.data_key import commitment
from recorder.sealing.key_file import KeyFileWrong, read_keys, write_keys

SECRET = bytes(range(32))
KEY = commitment(SECRET)


def test_what_was_written_is_read_again() -> None:
    assert read_keys(write_keys("v1", {KEY: SECRET})) == {KEY: SECRET}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda said: {name: value for name, value in said.items() if name != "format"},
        lambda said: {**said, "format": "teleconsult-keys/2"},
        lambda said: {**said, "keys": {KEY: SECRET[:-1].hex()}},
        lambda said: {**said, "keys": {KEY: bytes(32).hex()}},
        lambda said: {**said, "keys": {KEY: "no hex"}},
        lambda said: {**said, "more": 1},
        lambda said: [said],
    ],
)
def test_another_form_or_another_key_is_refused(spoil: Callable[[dict[str, Any]], object]) -> None:
    said = json.loads(write_keys("v1", {KEY: SECRET}))
    with pytest.raises(KeyFileWrong):
        read_keys(json.dumps(spoil(said)).encode())
