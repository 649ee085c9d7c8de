"""Canonical JSON: the quick way and the reference write the same bytes."""

from __future__ import annotations

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from recorder.evidence.canon import canonical, parse
from recorder.evidence.errors import NotCanonical

SAFE = (1 << 53) - 1
scalars = st.none() | st.booleans() | st.integers(-SAFE, SAFE) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(st.dictionaries(st.text(), values))
def test_every_object_is_written_as_rfc_8785_says(value: dict[str, object]) -> None:
    line = canonical(value)
    assert line == rfc8785.dumps(value)  # type: ignore[arg-type]
    assert parse(line) == value


def test_every_character_is_escaped_as_rfc_8785_says() -> None:
    for start in range(0, 0x110000, 256):
        text = "".join(chr(code) for code in range(start, start + 256) if not 0xD800 <= code < 0xE000)
        assert canonical({"a": text}) == rfc8785.dumps({"a": text})


@pytest.mark.parametrize(
    "value", [1.0, 1 << 53, -(1 << 53), "\ud800", {1: 2}, b"bytes", [[0.5]], {"é": 0.5}, {"é": "\ud800"}]
)
def test_what_json_cannot_say_for_sure_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        canonical({"a": value})
