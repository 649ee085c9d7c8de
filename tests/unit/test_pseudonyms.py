"""Pseudonyms: the same for the same person, another for another key, and nothing of the person in them."""

from __future__ import annotations

from signaling.pseudonyms import KeyedPseudonyms

NAMED = KeyedPseudonyms(bytes(32))


def test_a_person_has_one_pseudonym() -> None:
    assert NAMED("patient", "p-1") == NAMED("patient", "p-1")
    assert len(NAMED("patient", "p-1")) == 20


def test_role_person_and_key_all_matter() -> None:
    other_key = KeyedPseudonyms(bytes([1]) * 32)
    said = {NAMED("patient", "p-1"), NAMED("doctor", "p-1"), NAMED("patient", "p-2"), other_key("patient", "p-1")}
    assert len(said) == 4


def test_a_pseudonym_is_plain_text_fit_for_a_record() -> None:
    assert NAMED("patient", "王桂英\n").isalnum()
