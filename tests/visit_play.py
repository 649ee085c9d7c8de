"""A visit played by hand: inputs in, outputs out, in a time of one's own."""

from __future__ import annotations

from typing import Any

import pytest

from signaling.law.asked import Admitted, Decided, Entered, SeatJoined
from signaling.law.errors import EventRefused
from signaling.law.facts import VisitFacts
from signaling.law.inputs import Input
from signaling.law.outputs import Note, Output, Push, Save, SetTap
from signaling.law.promise import Limits
from signaling.law.reported import Noted, RecorderCame
from signaling.law.standing import seconds
from signaling.law.visit import Visit
from tests.signaling_parts import LIMITS, facts

T0 = seconds("2026-05-04T09:00:00.000Z")
TAPS_ON = [SetTap("doctor", on=True), SetTap("patient", on=True)]


def decided(seat: Any, decision: Any = "agreed") -> Decided:
    return Decided(seat, decision, "2026-05", "ab" * 32, "zh", "tap")


ARRIVED: list[Input] = [RecorderCame(), SeatJoined("doctor"), SeatJoined("patient")]
AGREED: list[Input] = [decided("doctor"), decided("patient")]
WAITING: list[Input] = [*ARRIVED, *AGREED, Entered("patient")]
LIVE: list[Input] = [*WAITING, Admitted("doctor", media_ready=True)]


class Play:
    """A visit played by hand: every note is durable at once unless `noting` is false."""

    def __init__(self, given: VisitFacts | None = None, noting: bool = True, limits: Limits = LIMITS) -> None:
        self.visit = Visit(given or facts(), T0, limits)
        self.now = T0
        self.noting = noting

    def __call__(self, *inputs: Input, at: float | None = None) -> list[Output]:
        said: list[Output] = []
        self.now = self.now + 0.01 if at is None else at
        todo = list(inputs)
        while todo:
            new = self.visit.handle(todo.pop(0), self.now)
            said += new
            if self.noting:
                todo[:0] = [Noted(output.key) for output in new if isinstance(output, Note)]
        return [output for output in said if not isinstance(output, Save | Push)]

    def kinds(self, *inputs: Input) -> list[str]:
        return [f"{o.kind}" if isinstance(o, Note) else type(o).__name__ for o in self(*inputs)]


def refused(play: Play, given: Input) -> str:
    before = play.visit.facts, play.visit.life, play.visit.seq
    with pytest.raises(EventRefused) as error:
        play(given)
    assert (play.visit.facts, play.visit.life, play.visit.seq) == before  # SIG-12
    return error.value.code
