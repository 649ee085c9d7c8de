"""Who may do what with a recording: the table, the sample, and that nothing is allowed by accident."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.staff.access import Action, Allowed, Asker, Grant, Refused, Sample, StaffRole, Subject, decide, sampled

NOW = "2026-05-04T09:00:00.000Z"
LATER = "2026-05-04T17:00:00.000Z"
VISIT = Subject("v1", "d-1", "2026-05-01T08:00:00.000Z")
REASONED = msgspec.structs.replace(VISIT, reason_until=LATER)
GRANT = Grant("g1", "a-1", "complaint", "2026-05-04T08:00:00.000Z", LATER, visits=("v1",))
ALL = Sample(1000, "seed-of-sixteen-letters")
ACTIONS = get_args(Action)


def asks(role: StaffRole, action: Action, *grants: Grant, subject: Subject = REASONED, **more: object) -> str:
    asker = Asker("a-1", role, **more)  # type: ignore[arg-type]
    return decide(asker, grants, subject, action, NOW).code


def test_an_administrator_sees_no_recording_whatever_was_granted() -> None:
    said = {action: asks("administrator", action, GRANT) for action in ACTIONS}
    assert {action for action, code in said.items() if code == "allowed"} == {"list", "export_approve", "hold"}
    assert {code for code in said.values() if code != "allowed"} == {"role_wrong"}


def test_a_doctor_sees_only_their_own_visits() -> None:
    assert asks("doctor", "play", doctor="d-1") == "allowed"
    assert asks("doctor", "play", GRANT, doctor="d-2") == "not_own_visit"
    assert asks("doctor", "play", GRANT) == "not_own_visit"
    assert asks("doctor", "export_ask", GRANT, doctor="d-1") == "role_wrong"


def test_quality_control_sees_its_sample_without_names() -> None:
    grant = msgspec.structs.replace(GRANT, sample=ALL, visits=())
    assert asks("quality", "play", grant) == "allowed"
    assert asks("quality", "names", grant) == "role_wrong"
    assert asks("quality", "play", GRANT) == "grant_missing"
    few = msgspec.structs.replace(grant, sample=Sample(1, "seed-of-sixteen-letters"))
    assert asks("quality", "play", few) == "not_sampled"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, "allowed"),
        ({"visits": ("v2",)}, "grant_missing"),
        ({"visits": (), "doctor": "d-2"}, "grant_missing"),
        ({"visits": (), "doctor": "d-1"}, "allowed"),
        ({"visits": (), "since": VISIT.created}, "allowed"),
        ({"visits": (), "before": VISIT.created}, "grant_missing"),
        ({"begins": LATER, "until": "2026-05-05T00:00:00.000Z"}, "grant_not_begun"),
        ({"until": NOW}, "grant_expired"),
        ({"revoked": NOW}, "grant_revoked"),
    ],
)
def test_an_auditor_sees_what_a_grant_in_force_is_about(change: dict[str, object], code: str) -> None:
    assert asks("auditor", "play", msgspec.structs.replace(GRANT, **change)) == code


def test_of_several_grants_one_that_allows_is_enough() -> None:
    over = msgspec.structs.replace(GRANT, id="g0", until=NOW)
    assert decide(Asker("a-1", "auditor"), [over, GRANT], VISIT, "play", NOW) == Allowed("g1", "complaint")


def test_a_link_approves_no_export() -> None:
    assert asks("auditor", "export_approve", link=True) == "role_wrong"


def test_a_link_reaches_its_visit_or_all() -> None:
    assert asks("auditor", "play", link=True) == "allowed"
    assert asks("auditor", "play", link=True, visit="v1") == "allowed"
    assert asks("auditor", "play", link=True, visit="v2") == "not_own_visit"


@pytest.mark.parametrize("action", ["names", "messages", "export_ask", "copy"])
def test_what_is_personal_needs_a_reason_that_still_holds(action: Action) -> None:
    past = msgspec.structs.replace(VISIT, reason_until=NOW)
    assert asks("auditor", action, GRANT, subject=VISIT) == "reason_needed"
    assert asks("auditor", action, GRANT, subject=past) == "reason_needed"
    assert asks("auditor", action, GRANT) == "allowed"


def test_nobody_approves_the_export_they_asked_for() -> None:
    for role in get_args(StaffRole):
        asker = Asker("a-1", role, doctor="d-1")
        assert decide(asker, [GRANT], REASONED, "export_approve", NOW, asked_by="a-1") == Refused("same_person")
    assert decide(Asker("a-2", "auditor"), [GRANT], VISIT, "export_approve", NOW, asked_by="a-1").code == "allowed"
    # Whoever asked in one role, and came back in another, is still one person.
    again = Asker("administrator-ab23", "administrator")
    assert decide(again, [], REASONED, "export_approve", NOW, asked_by="auditor-ab23") == Refused("same_person")
    assert decide(again, [], REASONED, "export_approve", NOW, asked_by="auditor-ab24").code == "allowed"
    hospital = Asker("hospital", "administrator")
    assert decide(hospital, [], REASONED, "export_approve", NOW, asked_by="clinic").code == "allowed"


@given(st.sampled_from(get_args(StaffRole)), st.sampled_from(ACTIONS), st.booleans())
def test_without_a_grant_a_link_or_an_own_visit_nothing_of_a_recording_is_allowed(
    role: StaffRole, action: Action, reasoned: bool
) -> None:
    code = asks(role, action, subject=REASONED if reasoned else VISIT, doctor="d-2")
    assert code != "allowed" or (role == "administrator" and action in ("list", "export_approve", "hold"))


def test_a_sample_is_the_same_for_whoever_draws_it_and_about_as_large_as_said() -> None:
    sample = Sample(100, "seed-of-sixteen-letters")
    drawn = [f"v{number}" for number in range(5000) if sampled(sample, f"v{number}")]
    assert drawn == [f"v{number}" for number in range(5000) if sampled(Sample(100, sample.seed), f"v{number}")]
    assert 420 < len(drawn) < 580
    assert drawn != [f"v{number}" for number in range(5000) if sampled(Sample(100, "another-seed-of-16"), f"v{number}")]
