"""Prescriptions of the hospital's own page: a claim is a claim until the hospital's server says the same (RX-1 … RX-5)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from signaling.law.asked import EndAsked, RxClaimed, RxConfirmed
from signaling.law.errors import EventRefused, RxConflict
from signaling.law.happenings import happened
from signaling.law.outputs import Note
from signaling.law.prescribing import CONFIRM_WITHIN_S, MOST
from signaling.law.reported import TimePassed
from signaling.law.visit import Visit
from tests.signaling_parts import LIMITS
from tests.visit_play import ARRIVED, LIVE, T0, Play, refused

ONE, OTHER = "ab" * 32, "cd" * 32


def claimed(rx: str = "rx-1", sha256: str = ONE, state: Any = "signed", version: int = 1) -> RxClaimed:
    return RxClaimed(rx, version, state, sha256, None)


def confirmed(rx: str = "rx-1", sha256: str = ONE, state: Any = "signed", version: int = 1) -> RxConfirmed:
    return RxConfirmed(rx, version, state, sha256, None)


def live() -> Play:
    play = Play()
    play(*LIVE)
    return play


def standings(play: Play) -> list[str]:
    return [each.standing for each in play.visit.facts.prescriptions]


def noted(said: list[Any]) -> list[str]:
    return [str(each.body["state"]) for each in said if isinstance(each, Note) and each.body.get("event") == "rx"]


def test_a_claim_is_confirmed_by_the_same_hash_and_both_are_on_the_record() -> None:
    play = live()
    assert noted(play(claimed())) == ["claimed"]
    assert noted(play(claimed())) == []  # repeated after a lost acknowledgement
    [note] = [each for each in play(confirmed()) if isinstance(each, Note)]
    assert note.body == {
        "event": "rx",
        "seat": "doctor",
        "state": "confirmed",
        "detail": {"rx": "rx-1", "version": 1, "rx_state": "signed", "sha256": ONE},
    }
    assert (standings(play), play.visit.facts.rx_due) == (["confirmed"], None)


def test_a_claim_nobody_confirms_becomes_unconfirmed_and_a_late_word_says_that_it_is_late() -> None:
    play = live()
    play(claimed())
    due = play.visit.deadline()
    assert due == pytest.approx(play.now + CONFIRM_WITHIN_S, abs=0.002)
    assert noted(play(TimePassed(), at=due - 0.1)) == []
    assert noted(play(TimePassed(), at=due + 0.1)) == ["unconfirmed"]
    assert noted(play(claimed())) == []  # the page saying it again proves nothing
    [note] = [each for each in play(confirmed()) if isinstance(each, Note)]
    assert (note.body["state"], note.body["detail"]["late"]) == ("confirmed", True)  # type: ignore[index]
    assert play.visit.facts.prescriptions[0].late


def test_another_hash_of_the_hospital_contradicts_for_good() -> None:
    play = live()
    play(claimed())
    assert noted(play(confirmed(sha256=OTHER))) == ["contradicted"]
    assert noted(play(confirmed())) == []
    assert (standings(play), play.visit.facts.rx_due) == (["contradicted"], None)
    assert noted(play(claimed(version=2, sha256=OTHER), confirmed(version=2, sha256=OTHER))) == ["claimed", "confirmed"]


def test_one_version_has_one_hash_and_the_hospital_may_speak_first() -> None:
    play = live()
    assert noted(play(confirmed(state="reviewed"))) == ["confirmed"]
    assert refused(play, claimed(sha256=OTHER)) == RxConflict.code
    play(claimed())
    [rx] = play.visit.facts.prescriptions
    assert (rx.standing, rx.state, rx.claimed is not None) == ("confirmed", "reviewed", True)


def test_a_later_state_is_noted_and_never_taken_from_the_page_once_confirmed() -> None:
    play = live()
    assert noted(play(claimed(), claimed(state="reviewed"))) == ["claimed", "claimed"]
    assert noted(play(confirmed(state="released"))) == ["confirmed"]
    assert noted(play(claimed(state="cancelled"))) == []
    assert play.visit.facts.prescriptions[0].state == "released"


def test_a_visit_holds_so_many_and_none_before_anybody_came() -> None:
    play = live()
    play(*(claimed(rx=f"rx-{number}") for number in range(MOST)))
    assert refused(play, claimed(rx="one-more")) == "rx_full"
    early = Play()
    early(*ARRIVED)
    assert refused(early, claimed()) == "phase_wrong"


def test_a_claim_that_arrives_after_the_end_counts_and_a_restart_goes_on_waiting() -> None:
    play = live()
    play(EndAsked("doctor", "completed"), claimed())
    again = Visit(msgspec.convert(msgspec.to_builtins(play.visit.facts), type(play.visit.facts)), T0, LIMITS)
    assert again.deadline() == play.visit.deadline()
    again.handle(TimePassed(), T0 + 3600)
    assert [each.standing for each in again.facts.prescriptions] == ["unconfirmed"]


def test_the_hospital_is_told_of_every_change_and_of_nothing_twice() -> None:
    play = live()
    before = play.visit.facts
    play(claimed())
    [told] = happened(before, play.visit.facts)
    assert (told.type, told.data["standing"], told.data["sha256"]) == ("visit.prescription", "claimed", ONE)
    assert happened(play.visit.facts, play.visit.facts) == []


def test_a_visit_that_begins_in_the_queue_of_another_doctor_is_told_as_waiting() -> None:
    moved = msgspec.structs.replace(live().visit.facts, phase="waiting", moved_from="V0")
    assert [each.type for each in happened(None, moved)] == ["visit.created", "visit.waiting"]


class Prescriptions(RuleBasedStateMachine):
    """Whatever is said in whatever order: a hash never changes, and nothing is confirmed but by the hospital's own word."""

    def __init__(self) -> None:
        super().__init__()
        self.play = live()
        self.hashes: dict[str, str] = {}
        self.words: set[tuple[str, str]] = set()

    @rule(
        rx=st.sampled_from(["a", "b"]),
        sha256=st.sampled_from([ONE, OTHER]),
        state=st.sampled_from(["signed", "released"]),
    )
    def page(self, rx: str, sha256: str, state: str) -> None:
        try:
            self.play(claimed(rx, sha256, state))
        except EventRefused:
            assert self.hashes[rx] != sha256
        self.hashes.setdefault(rx, sha256)

    @rule(
        rx=st.sampled_from(["a", "b"]),
        sha256=st.sampled_from([ONE, OTHER]),
        state=st.sampled_from(["signed", "released"]),
    )
    def hospital(self, rx: str, sha256: str, state: str) -> None:
        self.play(confirmed(rx, sha256, state))
        self.hashes.setdefault(rx, sha256)
        self.words.add((rx, sha256))

    @rule(seconds=st.sampled_from([1.0, 700.0]))
    def time(self, seconds: float) -> None:
        self.play(TimePassed(), at=self.play.now + seconds)

    @invariant()
    def holds(self) -> None:
        facts = self.play.visit.facts
        for each in facts.prescriptions:
            assert each.sha256 == self.hashes[each.rx]
            if each.standing == "confirmed":
                assert (each.rx, each.sha256) in self.words
        assert (facts.rx_due is not None) == any(each.standing == "claimed" for each in facts.prescriptions)


TestPrescriptions = Prescriptions.TestCase
