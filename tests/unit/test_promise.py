"""The promise to the next patient, played through a visit."""

from __future__ import annotations

import pytest

from signaling.law import promise, snapshot
from signaling.law.asked import Admitted, EndAsked, PhoneBackAsked, RebookAsked
from signaling.law.reported import QueueMoved, TimePassed
from signaling.law.standing import iso
from signaling.law.wait_estimate import Estimate
from tests.signaling_parts import LIMITS
from tests.visit_play import T0, WAITING, Play, refused


@pytest.fixture
def play() -> Play:
    play = Play()
    play(*WAITING)
    return play


def waiting(play: Play) -> dict[str, object]:
    shown: dict[str, object] = snapshot.state(play.visit, "patient", play.now)["waiting"]
    return shown


def test_only_the_next_patient_is_promised_and_the_promise_stays(play: Play) -> None:
    play(QueueMoved(1, Estimate(60, 120)))
    assert waiting(play)["promised_until"] is None
    play(QueueMoved(0, Estimate(60, 120)), at=T0 + 10)
    assert waiting(play)["promised_until"] == iso(T0 + 310)
    play(QueueMoved(0, Estimate(60, 3000)), at=T0 + 20)
    assert waiting(play)["promised_until"] == iso(T0 + 310)
    assert waiting(play)["estimate_s"] == {"low": 60, "high": 3000}


def test_a_long_visit_under_way_makes_the_promise_longer(play: Play) -> None:
    play(QueueMoved(0, Estimate(600, 1200)), at=T0 + 10)
    assert waiting(play)["promised_until"] == iso(T0 + 1210)


def test_a_broken_promise_goes_to_the_doctor_then_to_the_coordinator_then_the_patient_may_choose(play: Play) -> None:
    play(QueueMoved(0), at=T0)
    assert play.visit.deadline() == T0 + 300
    play(TimePassed(), at=T0 + 299)
    assert waiting(play)["late"] is None
    assert play.kinds(TimePassed()) == []
    play(TimePassed(), at=T0 + 301)
    row = snapshot.row(play.visit)
    assert row is not None
    assert (waiting(play)["late"], waiting(play)["offers"], row.late) == ("doctor", [], True)
    assert play.visit.deadline() == T0 + 480
    said = play(TimePassed(), at=T0 + 481)
    assert [note.body for note in said if hasattr(note, "body")] == [{"event": "late", "state": "coordinator"}]
    assert (waiting(play)["late"], waiting(play)["offers"]) == ("coordinator", ["phone_back", "rebook"])
    play(PhoneBackAsked("patient"))
    assert waiting(play)["offers"] == ["rebook"]
    assert play.visit.facts.phone_back == iso(play.now)
    assert play(PhoneBackAsked("patient")) == []
    said = play(RebookAsked("patient"))
    assert [note.body for note in said if hasattr(note, "body")] == [{"event": "rebook", "seat": "patient"}]
    assert (waiting(play)["offers"], play.visit.facts.rebook) == ([], iso(play.now))
    assert play.visit.facts.phase == "waiting"  # the place is kept
    assert play(RebookAsked("patient")) == []
    assert refused(play, RebookAsked("doctor")) == "role_wrong"


def test_a_restart_after_everything_is_past_tells_everyone_at_once() -> None:
    play = Play()
    play(*WAITING, QueueMoved(0), at=T0)
    again = Play(play.visit.facts)
    again(TimePassed(), at=T0 + 9000)
    assert again.visit.facts.late == "coordinator"


def test_a_clinic_may_promise_something_else() -> None:
    play = Play(limits=promise.Limits(call_s=60, clinic_s=20))
    play(*WAITING, QueueMoved(0), at=T0)
    assert play.visit.deadline() == T0 + 60
    play(TimePassed(), at=T0 + 61)
    assert play.visit.deadline() == T0 + 80
    play(TimePassed(), at=T0 + 81)
    assert waiting(play)["late"] == "coordinator"


def test_who_was_called_is_not_late(play: Play) -> None:
    play(QueueMoved(0), TimePassed(), at=T0)
    play(TimePassed(), at=T0 + 400)
    play(Admitted("doctor", media_ready=True))
    assert (play.visit.facts.late, play.visit.facts.promised_until, promise.deadline(play.visit.facts, LIMITS)) == (
        None,
    ) * 3
    play(PhoneBackAsked("patient"))
    assert refused(play, PhoneBackAsked("doctor")) == "role_wrong"
    assert refused(play, RebookAsked("patient")) == "phase_wrong"
    play(EndAsked("doctor", "completed"))
    assert refused(play, PhoneBackAsked("patient")) == "visit_ended"
