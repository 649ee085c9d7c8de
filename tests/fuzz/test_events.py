"""Whatever JSON a peer sends, `parse` returns an event or refuses with a code of the protocol; both can be written out."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from signaling.law import events
from signaling.law.errors import EventRefused
from tests.signaling_parts import CONSENT

OFFER = ("pc", "sdp", "publish", "subscribe")
CODES = {"event_unknown", "payload_invalid", "version_unsupported", "payload_too_large"}
TEXT = st.text(st.characters(exclude_categories=[]), max_size=80)  # half surrogate pairs too
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4))
FIELDS = st.sampled_from([*CONSENT, "v", "decision", *OFFER, "microphone", "camera", "screen", "reason", "visit"])
VALUES = st.sampled_from([1, 1, *CONSENT.values(), "agreed", "on", "off", "left", {"0": "camera"}, {}, "V1"]) | JSON
NEARLY = st.dictionaries(FIELDS, VALUES, max_size=8).map(lambda payload: {"v": 1, **payload})


def parsed(name: Any, arguments: list[Any], size: int) -> None:
    try:
        said: Any = events.parse(name, arguments, size)
    except EventRefused as refusal:
        said = [events.refused(refusal), events.problem(name, refusal)]
        check(refusal)
    msgspec.json.encode(said)


def check(refusal: EventRefused) -> None:
    assert refusal.code in CODES


@settings(max_examples=400, deadline=None)
@given(TEXT | JSON, st.lists(JSON, max_size=3), st.integers(0, 1 << 18))
def test_any_event_is_understood_or_refused_by_its_code(name: Any, arguments: list[Any], size: int) -> None:
    parsed(name, arguments, size)


@settings(max_examples=800, deadline=None)
@given(st.sampled_from(sorted(events.TYPES)), NEARLY)
def test_a_payload_that_is_nearly_right_is_understood_or_refused_by_its_code(
    name: str, payload: dict[str, Any]
) -> None:
    parsed(name, [payload], 100)


@settings(max_examples=300, deadline=None)
@given(JSON | NEARLY)
def test_any_hello_is_understood_or_refused_by_its_code(auth: Any) -> None:
    try:
        events.parse_hello(auth)
    except EventRefused as refusal:
        check(refusal)
