"""What a hospital's software is told of a visit: events that follow from how its facts were and how they are now. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from signaling.law.facts import VisitFacts


class Happening(msgspec.Struct, frozen=True):
    """One event: `type` and `data` as PROTOCOL.md §10 says."""

    type: str
    data: dict[str, Any]


def happened(before: VisitFacts | None, after: VisitFacts) -> list[Happening]:
    """In order. Nothing changed, nothing happened: the same facts saved twice tell nothing twice."""
    found: list[Happening] = []

    def say(kind: str, **more: Any) -> None:
        data = {"visit": after.id, "phase": after.phase, "seq": after.seq, **more}
        found.append(Happening(f"visit.{kind}", data))

    if before is None:
        say("created")
        if after.phase == "waiting":  # a transfer goes on in the other doctor's queue (SIG-33)
            say("waiting")
        return found
    if after.late is not None and after.late != before.late:
        say("late", late=after.late)
    if after.phone_back is not None and after.phone_back != before.phone_back:
        say("phone_back")
    if after.rebook is not None and after.rebook != before.rebook:
        say("rebook")
    if after.advice != before.advice:
        say("advice")
    known = {each.key: each for each in before.prescriptions}
    for each in after.prescriptions:
        if each.key not in known or known[each.key].shown != each.shown:
            say("prescription", **each.shown)
    if after.phase != before.phase:
        ended = None if after.ended is None else {"by": after.ended.by, "reason": after.ended.reason}
        say(after.phase, **({"ended": ended} if after.phase == "ended" else {}))
    return found
