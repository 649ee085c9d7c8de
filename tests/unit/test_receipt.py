"""A receipt held against the reader's list of keys."""

from __future__ import annotations

import pytest

from recorder.evidence.receipt import Receipt
from recorder.evidence.trust import Trust
from tests.bundles import keys_of

KEY = keys_of("the recorder", sm2=False).public_keys[0]
DIGITS = KEY.fingerprint[:16]
OTHER = "0" * 64


@pytest.mark.parametrize(
    ("listed", "trusted"),
    [
        ({}, None),
        ({"clinic.example/teleconsult": {KEY.fingerprint}}, True),
        ({f"clinic.example/teleconsult/{DIGITS}": {KEY.fingerprint}}, True),  # an origin without a public name
        ({"clinic.example/teleconsult": {OTHER}}, False),
        ({f"clinic.example/teleconsult/{DIGITS}": {OTHER}}, False),
        ({"clinic.example/teleconsult": {KEY.fingerprint}, f"clinic.example/teleconsult/{DIGITS}": {OTHER}}, False),
        ({"elsewhere.example/teleconsult": {KEY.fingerprint}}, None),
    ],
)
def test_the_key_is_looked_for_under_both_names_of_its_origin(
    listed: dict[str, set[str]], trusted: bool | None
) -> None:
    receipt = Receipt("v1", 7, "ab", origin="clinic.example/teleconsult", key=KEY)
    assert receipt.trusted_by(Trust({origin: frozenset(keys) for origin, keys in listed.items()})) is trusted


def test_the_short_form_has_no_key_to_trust() -> None:
    assert Receipt("v1", 7, "ab").trusted_by(Trust({})) is None
