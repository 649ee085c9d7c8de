"""One step of a visit: what it becomes while one input is taken. It is kept only if nothing refuses the input (SIG-12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from msgspec.structs import replace as with_

from signaling.law.errors import PhaseWrong, RoleWrong
from signaling.law.facts import Consent, Seat, VisitFacts
from signaling.law.life import Life, SeatLife
from signaling.law.outputs import Note, Output
from signaling.law.standing import iso, seconds
from signaling.law.terms import RecordKind


@dataclass(slots=True)
class Step:
    """`seq` is the visit's before the step; `now` is in seconds since 1970; `out` is what follows, in order."""

    facts: VisitFacts
    life: Life
    now: float
    seq: int
    out: list[Output] = field(default_factory=list)

    def note(self, kind: RecordKind, body: Mapping[str, object], what: str) -> None:
        """Put a record on the evidence log, if it is open."""
        if self.facts.log_open and not self.life.sealing:
            self.out.append(Note(f"{kind}:{what}:{iso(self.now)}:{self.seq}", kind, body))

    def set(self, seat: Seat, life: SeatLife) -> None:
        """One seat is like this now."""
        self.life = self.life.with_seat(seat, life)

    def set_consent(self, seat: Seat, consent: Consent) -> None:
        """One seat has decided; that is not durable yet."""
        self.facts = with_(self.facts, consents={**self.facts.consents, seat: consent})
        self.life = replace(self.life, noted=self.life.noted - {seat})

    def after(self, before: Consent) -> str:
        """Now, but later than the seat's last decision: the time is part of the key of the record."""
        return iso(self.now if before.at is None else max(self.now, seconds(before.at) + 0.0015))

    def need(self, wanted: Seat, seat: Seat, *phases: str) -> None:
        """Raises `RoleWrong`, `PhaseWrong`."""
        if seat != wanted:
            raise RoleWrong
        if self.facts.phase not in phases:
            raise PhaseWrong
