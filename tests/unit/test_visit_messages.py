"""The law of a visit about messages: who may write when, who is told, and what the evidence log remembers."""

from __future__ import annotations

import pytest

from signaling.law.asked import Admitted, EndAsked, Entered, Writing
from signaling.law.messages import Message, sha256
from signaling.law.outputs import MarkNoted, Note, Output, TellMessage
from signaling.law.reported import MessageKept, MessagesFound, Noted, RecorderCame, RecorderLost
from signaling.law.standing import iso
from tests.visit_play import AGREED, ARRIVED, T0, WAITING, Play, decided, refused


def written(seq: int, seat: str = "patient") -> Message:
    return Message("V1", seq, f"m{seq}", seat, iso(T0 + seq), "00" * 16, "头还是晕")


def message_notes(said: list[Output]) -> list[str]:
    return [each.key for each in said if isinstance(each, Note) and each.key.startswith("message:")]


@pytest.fixture
def play() -> Play:
    return Play()


def test_seats_write_while_waiting_and_live_only(play: Play) -> None:
    play(*ARRIVED, *AGREED)
    assert refused(play, Writing("patient")) == "phase_wrong"
    play(Entered("patient"))
    assert play(Writing("patient"), Writing("doctor")) == []
    play(Admitted("doctor", media_ready=True))
    assert play(Writing("patient")) == []
    play(EndAsked("patient", "left"))
    assert refused(play, Writing("patient")) == "visit_ended"


def test_a_message_is_told_once_and_its_hash_is_noted_never_its_text(play: Play) -> None:
    play(*WAITING)
    said = play(MessageKept(written(1)))
    assert said[0] == TellMessage(written(1))
    note = next(each for each in said if isinstance(each, Note))
    assert note.key == "message:1"
    assert note.body["detail"] == {"seq": 1, "sha256": sha256(written(1))}
    assert "头" not in str(note)
    assert said[-1] == MarkNoted(1)
    assert play(MessageKept(written(1))) == []
    assert play.visit.life.last_message == 1


def test_messages_written_before_the_log_opened_are_noted_when_it_opens(play: Play) -> None:
    play(*ARRIVED, Entered("patient"), MessageKept(written(1)), MessageKept(written(2)))
    assert message_notes(play(decided("patient"))) == ["message:1", "message:2"]
    assert play.visit.life.unnoted == ()


def test_what_the_recorder_has_not_answered_is_noted_again_after_each_loss_and_restart() -> None:
    play = Play(noting=False)
    play(*WAITING, MessageKept(written(1)))
    assert message_notes(play(RecorderLost(), RecorderCame())) == ["message:1"]
    again = Play(play.visit.facts, noting=False)
    assert message_notes(again(MessagesFound(3, (written(2), written(3))))) == ["message:2", "message:3"]
    assert message_notes(again(Noted("message:2"), RecorderCame())) == ["message:3"]
    assert again.visit.life.last_message == 3


def test_a_log_is_not_sealed_before_what_is_not_noted_was_asked_for_once_more() -> None:
    play = Play(noting=False)
    play(*WAITING, MessageKept(written(1)))
    said = [type(each).__name__ for each in play(EndAsked("patient", "left"))]
    assert said[-2:] == ["Note", "CloseLog"]
