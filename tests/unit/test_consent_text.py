"""The words that evidence names by their hash."""

from __future__ import annotations

import hashlib

from signaling.law import consent_text


def test_words_that_change_need_a_new_version() -> None:
    """These hashes stand in recordings: whoever changes a word changes `VERSION` and this test together."""
    assert consent_text.VERSION == "2026-11"
    assert consent_text.SHA256 == {
        "zh": "7fcb088f535df32b85db18ce7a6b5991a8de00e5aee498e7f9f995a0b4257bb4",
        "en": "c35e429339b943864f17e87d85b85d29ea937d56ae5c0d28edf41d2a6a8b0ffc",
    }


def test_the_hash_is_that_of_the_words() -> None:
    for text in consent_text.TEXTS.values():
        assert hashlib.sha256(text.text.encode()).hexdigest() == text.sha256


def test_only_words_that_are_shown_can_be_agreed_to() -> None:
    sha256 = consent_text.SHA256
    assert consent_text.is_shown("zh", consent_text.VERSION, sha256["zh"])
    assert not consent_text.is_shown("en", consent_text.VERSION, sha256["zh"])
    assert not consent_text.is_shown("zh", "2026-04", sha256["zh"])
    assert not consent_text.is_shown("fr", consent_text.VERSION, sha256["zh"])


def test_the_words_say_what_matters() -> None:
    assert "120" in consent_text.TEXTS["zh"].text
    assert "撤回" in consent_text.TEXTS["zh"].text
    assert "withdraw" in consent_text.TEXTS["en"].text
