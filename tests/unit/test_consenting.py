"""Who decides about a recording: for a small child a guardian, for an old person family at their side (SIG-40)."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace as with_

from signaling.law import snapshot
from signaling.law.asked import Decided, SeatJoined
from signaling.law.facts import Contact, Contacts, OnBehalf
from signaling.law.inputs import Input
from signaling.law.outputs import Note
from signaling.law.reported import RecorderCame
from tests.signaling_parts import facts
from tests.visit_play import T0, Play, decided, refused

MOTHER = OnBehalf("guardian", "mother", "赵小兰")
SON = OnBehalf("family", "child", "王建国")


def by(who: OnBehalf | None, decision: str = "agreed") -> Decided:
    return Decided("patient", decision, "2026-05", "ab" * 32, "zh", "tap", who)  # type: ignore[arg-type]


def child(age: int) -> Play:
    play = Play(with_(facts(), patient=with_(facts().patient, age=age)))
    play(RecorderCame(), SeatJoined("patient"))
    return play


@pytest.mark.parametrize("who", [None, SON])
def test_for_a_child_under_six_nobody_but_a_guardian_agrees(who: OnBehalf | None) -> None:
    play = child(5)
    assert snapshot.state(play.visit, "patient", T0)["consent"]["guardian_required"] is True
    assert refused(play, by(who)) == "guardian_missing"
    assert play.kinds(by(MOTHER)) == ["OpenLog", "event", "consent"]


def test_a_child_of_six_agrees_and_anyone_may_refuse() -> None:
    assert child(6).kinds(by(None)) == ["OpenLog", "consent"]
    child(5)(by(None, "refused"))


def test_who_decided_is_on_the_record_before_the_consent_by_relation_and_without_a_name() -> None:
    play = child(5)
    notes = [said for said in play(by(MOTHER)) if isinstance(said, Note)]
    assert notes[0].body == {
        "event": "consent_by",
        "seat": "patient",
        "state": "guardian",
        "detail": {"relation": "mother", "decision": "agreed"},
    }
    assert "赵" not in json.dumps([dict(note.body) for note in notes], ensure_ascii=False)
    again = [said.key for said in play(RecorderCame()) if isinstance(said, Note)]
    assert again == [note.key for note in notes]  # GATE-4


def test_family_decides_for_an_old_person_and_is_shown_masked() -> None:
    play = Play(facts())
    play(RecorderCame(), SeatJoined("patient"), by(SON))
    shown = snapshot.state(play.visit, "doctor", T0)["seats"]
    assert shown["patient"]["by"] == {"as": "family", "relation": "child", "name": "王*国"}
    assert "by" not in shown["doctor"]


def test_nobody_decides_for_a_doctor() -> None:
    play = Play(facts())
    given: Input = Decided("doctor", "agreed", "2026-05", "ab" * 32, "zh", "tap", SON)
    assert refused(play, given) == "role_wrong"
    play(decided("doctor"))


def test_whom_the_patient_may_phone_is_shown() -> None:
    phones = Contacts(Contact("县人民医院", "0571-8877 6655"), None)
    play = Play(with_(facts(), contacts=phones))
    assert snapshot.state(play.visit, "patient", T0)["contacts"] == {
        "clinic": {"name": "县人民医院", "phone": "0571-8877 6655"},
        "emergency": None,
    }
