"""What a seat may see, and what nobody may."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from signaling.law import consent_text, snapshot
from signaling.law.asked import Entered, SeatJoined
from signaling.law.facts import Contact, Contacts, Doctor, Seat
from signaling.law.reported import QueueMoved
from signaling.law.standing import seconds
from signaling.law.summary import Condition, Summary
from signaling.law.terms import Picture, Track
from signaling.law.visit import Visit
from tests.signaling_parts import LIMITS, facts
from tests.visit_play import LIVE, WAITING, Play

T0 = seconds("2026-05-04T09:00:00.000Z")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王小英", "王*英"),
        ("王英", "王*"),
        ("王", "王*"),
        ("欧阳小英", "欧**英"),
        ("Mary Ann Smith", "M*** A*** S***"),
        ("Cher", "C***"),
        ("阿依古丽·买买提", "阿******提"),
        ("", ""),
    ],
)
def test_a_patients_name_is_masked(name: str, shown: str) -> None:
    assert snapshot.masked_name(name) == shown


@pytest.mark.parametrize(("licence", "shown"), [("110312345678217", "1103***217"), ("123456789", "***"), ("", "***")])
def test_a_licence_is_masked(licence: str, shown: str) -> None:
    assert snapshot.masked_licence(licence) == shown


def test_the_state_has_every_member_the_protocol_names_and_no_secret() -> None:
    visit = Visit(facts(), T0, LIMITS)
    visit.handle(SeatJoined("patient"), T0)
    shown = snapshot.state(visit, "patient", T0)
    assert list(shown) == [
        *["v", "seq", "visit", "phase", "at", "you", "doctor", "patient", "seats", "consent", "waiting"],
        *[
            "contacts",
            "held",
            "advice",
            "phone_back",
            "rebook",
            "slot",
            "prescriptions",
            "summary",
            "tracks",
            "pictures",
            "media",
            "recording",
            "messages",
            "times",
            "ended",
        ],
    ]
    assert shown["at"] == "2026-05-04T09:00:00.000Z"
    assert shown["you"] == {"seat": "patient", "role": "patient", "pc": None} | {
        "view": {"camera": "best", "screen": "best"},
        "send": {},
    }
    assert shown["doctor"] == {
        "name": "李敏",
        "title": "主治医师",
        "department": "内科",
        "licence": "1103***217",
        "picture": None,
    }
    assert shown["seats"]["patient"]["present"] is True
    assert shown["consent"]["text_sha256"] == consent_text.SHA256
    text = json.dumps(shown, ensure_ascii=False)
    for secret in ("王小英", "pat-1", "doc-1", "12345678"):
        assert secret not in text


def test_the_summary_is_the_doctors_alone_and_what_was_not_asked_is_not_none_known() -> None:
    said = Summary(allergies=[], conditions=[Condition("高血压", "2015")], weight_kg=62.5)
    visit = Visit(facts(summary=said, guests={"guest-1": "specialist"}, admitted={"guest-1": 0}), T0, LIMITS)
    assert snapshot.state(visit, "doctor", T0)["summary"] == {
        "allergies": [],
        "conditions": [{"name": "高血压", "since": "2015"}],
        "medication": None,
        "weight_kg": 62.5,
    }
    others: tuple[Seat, ...] = ("patient", "guest-1", "guest-2")
    assert [snapshot.state(visit, seat, T0)["summary"] for seat in others] == [None, None, None]
    assert ["高血压" in json.dumps(snapshot.state(visit, seat, T0), ensure_ascii=False) for seat in others] == [
        False
    ] * 3


DOCUMENT = (Path(__file__).parents[2] / "signaling" / "PROTOCOL.md").read_text()


def fits(example: Any, sent: Any, where: str = "state") -> None:
    """Every object of the example has the members of what is sent, in its order."""
    match example, sent:
        case dict(), dict():
            assert list(example) == list(sent), where
            for name in example:
                fits(example[name], sent[name], f"{where}.{name}")
        case list(), [first, *_]:
            fits(example[0], first, f"{where}[0]")


def test_the_documents_example_of_a_state_has_the_members_that_are_sent() -> None:
    play = Play(facts(contacts=Contacts(Contact("县人民医院", "0571-8877"), None)))
    play(*LIVE)
    life = play.visit._life
    tracks = (Track("doctor.camera", "doctor", "camera", "video", "VP8"),)
    pictures = (Picture("patient", "doctor.camera", shown=True, lines=180, why="network"),)
    play.visit._life = replace(life, tracks=tracks, pictures=pictures, wishes={"patient": {"camera": 420_000}})
    example = DOCUMENT.partition("### `state`")[2].partition("```json\n")[2].partition("```")[0]
    fits(json.loads(example), snapshot.state(play.visit, "patient", T0))


def test_the_documents_queue_has_the_members_that_are_sent() -> None:
    play = Play()
    play(*WAITING)
    row = snapshot.row(play.visit)
    assert row is not None
    sent = snapshot.queue([row], 3, T0)
    example = DOCUMENT.partition("### `queue`")[2].partition("`{")[2].partition("`")[0]
    assert re.findall(r'"(\w+)":', example) == [*sent, *sent["waiting"][0]]


def test_the_place_in_the_queue_is_shown_while_waiting_only() -> None:
    visit = Visit(facts(), T0, LIMITS)
    visit.handle(QueueMoved(2), T0)
    assert [*snapshot.state(visit, "patient", T0)["waiting"].values()] == [None, None, None, None, None, []]
    visit.handle(Entered("patient"), T0)
    visit.handle(QueueMoved(2), T0)
    assert snapshot.state(visit, "patient", T0)["waiting"]["ahead"] == 2


def test_members_that_are_not_known_are_null() -> None:
    shown = snapshot.doctor_shown(Doctor("d", "李敏"))
    assert shown == {"name": "李敏", "title": None, "department": None, "licence": None, "picture": None}


def test_a_visit_has_a_row_while_it_waits_or_is_live() -> None:
    visit = Visit(facts(), T0, LIMITS)
    assert snapshot.row(visit) is None
    visit.handle(Entered("patient"), T0)
    row = snapshot.row(visit)
    assert row is not None
    assert (row.phase, row.since, row.consent) == ("waiting", "2026-05-04T09:00:00.000Z", "undecided")
    assert snapshot.queue([row], 3, T0)["waiting"][0]["patient"]["name"] == "王*英"


def test_a_track_is_shown_with_its_five_members() -> None:
    shown = snapshot.track(Track("doctor.camera", "doctor", "camera", "video", "VP8"))
    assert shown == {"id": "doctor.camera", "seat": "doctor", "source": "camera", "kind": "video", "codec": "VP8"}


def test_everyone_is_told_when_the_visit_was_booked_for() -> None:
    booked = Visit(facts(scheduled="2026-05-06T01:30:00.000Z"), T0, LIMITS)
    assert snapshot.state(booked, "patient", T0)["times"]["scheduled"] == "2026-05-06T01:30:00.000Z"
    assert snapshot.state(Visit(facts(), T0, LIMITS), "guest-1", T0)["times"]["scheduled"] is None
