"""How long things are kept: never below the law, never less than was promised."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.store.retention import LEAST, Retention, RetentionError, kind_of, promised, refuse_shorter

NOW = datetime(2026, 5, 4, 9, 12, 0, 999_999, UTC)


@pytest.mark.parametrize("jurisdiction", ["cn", "us"])
def test_without_a_word_the_least_the_law_asks_is_kept(jurisdiction: str) -> None:
    assert promised(jurisdiction, None, None) == Retention(*LEAST[jurisdiction])  # type: ignore[arg-type]


def test_in_china_pictures_are_kept_three_years_and_their_proof_fifteen() -> None:
    kept = promised("cn", None, None)
    assert kept.until("recordings/v/streams/patient/part-001/init.webm", NOW) >= NOW.replace(year=2029)
    assert kept.until("recordings/v/records/000001.jsonl", NOW) >= NOW.replace(year=2041)


def test_less_than_the_law_asks_is_refused_by_the_settings_name() -> None:
    with pytest.raises(RetentionError, match="keep_media_days is 30"):
        promised("cn", 30, None)
    with pytest.raises(RetentionError, match="keep_evidence_days"):
        promised("cn", 6000, 5490)


def test_proof_is_kept_at_least_as_long_as_what_it_proves() -> None:
    assert promised("cn", 8000, None) == Retention(8000, 8000)


def test_where_no_minimum_is_known_the_days_must_be_named() -> None:
    with pytest.raises(RetentionError, match="keep_media_days"):
        promised("other", None, None)
    assert promised("other", 10, None) == Retention(10, 10)


@given(st.integers(1, 9000), st.integers(1, 9000), st.lists(st.tuples(st.integers(1, 9000), st.integers(1, 9000))))
def test_a_promise_only_grows(media: int, evidence: int, before: list[tuple[int, int]]) -> None:
    new, old = Retention(media, evidence), [Retention(*one) for one in before]
    if all(new.covers(one) for one in old):
        refuse_shorter(new, old)
    else:
        with pytest.raises(RetentionError):
            refuse_shorter(new, old)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("recordings/v/streams/doctor.screen/part-001/seg-000001.webm", "media"),
        ("recordings/v/records/000001.jsonl", "evidence"),
        ("recordings/streams/keys/a.pem", "evidence"),
        ("streams/a/b", "evidence"),
        ("retention/000001.json", "evidence"),
    ],
)
def test_only_what_was_heard_and_seen_is_media(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_no_fraction_of_a_second_is_lost_to_rounding() -> None:
    until = Retention(1, 1).until("a", NOW)
    assert until.microsecond == 0
    assert (until - NOW).total_seconds() >= 86_400
