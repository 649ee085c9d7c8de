"""How a visit stands: what follows from its facts and its life alone, whichever input came last."""

from __future__ import annotations

from datetime import UTC, datetime

from signaling.law import messages
from signaling.law.facts import Consent, Seat, VisitFacts
from signaling.law.life import Life
from signaling.law.messages import Message
from signaling.law.outputs import Note
from signaling.law.terms import GUESTS, SEATS

ABANDONED_AFTER_S = 600.0  # SIG-9
GUARDIAN_BELOW = 6  # years, SIG-40
GRACE_S = 60.0  # SIG-25


def iso(now: float) -> str:
    """Seconds since 1970 as the protocol writes time."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(text: str) -> float:
    """The inverse of `iso`. Raises `ValueError`."""
    return datetime.fromisoformat(text).timestamp()


def consent_of(facts: VisitFacts, seat: Seat) -> Consent:
    """The decision of a seat that is in force."""
    return facts.consents.get(seat, Consent())


def wanted(facts: VisitFacts) -> bool:
    """Whether this visit is to be recorded: both seats agree, and nobody has withdrawn (SIG-6)."""
    return all(consent_of(facts, seat).state == "agreed" for seat in SEATS)


def inside(facts: VisitFacts) -> tuple[Seat, ...]:
    """The seats that are in the visit: doctor, patient, and the guests that were admitted."""
    return (*SEATS, *(seat for seat in GUESTS if seat in facts.admitted))


def guests_to_start(facts: VisitFacts, life: Life) -> tuple[Seat, ...]:
    """SIG-27: admitted guests whose consent is durable and for whom recording was not yet asked."""
    if not life.started or life.stopped or facts.phase != "live":
        return ()
    due = (seat for seat in GUESTS if seat in facts.admitted and seat in life.noted and seat not in life.guests_asked)
    return tuple(seat for seat in due if consent_of(facts, seat).state == "agreed")


def recording(facts: VisitFacts, life: Life) -> str:
    """`recording.state` of PROTOCOL.md §4."""
    if facts.phase == "ended" or life.stopped:
        recorded = life.begun or life.stopped or (facts.live is not None and wanted(facts))
        return "closed" if recorded else "off"
    if facts.phase != "live" or not wanted(facts):
        return "off"
    if not life.recorder_up or not life.fed:
        return "interrupted"
    if life.started and any(life.seat(seat).tapped for seat in SEATS):
        return "on"
    return "interrupted" if life.begun and not life.started else "starting"


def may_start(facts: VisitFacts, life: Life) -> bool:
    """GATE-1."""
    due = facts.phase == "live" and wanted(facts) and not life.stopped and not life.asked
    return due and life.recorder_up and life.noted >= frozenset(SEATS)


def may_seal(facts: VisitFacts, life: Life) -> bool:
    """GATE-3: whether nothing can come that belongs into the log."""
    if not facts.log_open or life.sealing:
        return False
    if facts.phase == "ended":
        return life.room_closed
    return life.stopped and not any(life.seat(seat).tapped for seat in inside(facts))


def log_was_closed(facts: VisitFacts) -> bool:
    """Whether the log was closed before the visit ended: an agreement opens it, and only closing shuts it."""
    agreed = any(consent_of(facts, seat).state == "agreed" for seat in SEATS)
    return agreed and not facts.log_open and facts.phase != "ended"


def in_grace(facts: VisitFacts, now: float) -> bool:
    """SIG-25: whether the end may have been a mistake that can still be mended."""
    by_a_seat = facts.ended is not None and facts.ended.by in ("doctor", "patient")
    mistaken = facts.ended is not None and by_a_seat and facts.ended.reason in ("completed", "left")
    ended = facts.ended_at is not None and facts.live is not None and now - seconds(facts.ended_at) <= GRACE_S
    return mistaken and ended


def deadline(facts: VisitFacts, life: Life) -> float | None:
    """When `TimePassed` is next of use."""
    times = [life.retry_at]
    if facts.phase in ("scheduled", "waiting"):
        times.append(seconds(facts.expires))
    elif facts.phase == "live" and life.alone_since is not None:
        times.append(life.alone_since + ABANDONED_AFTER_S)
    return min((at for at in times if at is not None), default=None)


def consent_note(facts: VisitFacts, seat: Seat) -> Note:
    """The record of a seat's decision in force. Its key names the decision, so that it may be noted again (GATE-4)."""
    given = consent_of(facts, seat)
    if given.state == "withdrawn":
        return Note(f"withdraw:{seat}:{given.at}", "withdraw", {"seat": seat})
    body = {
        "seat": seat,
        "decision": given.state,
        "text_version": given.text_version or "",
        "text_sha256": given.text_sha256 or "",
        "language": given.language or "",
        "method": given.method or "",
    }
    return Note(f"consent:{seat}:{given.at}", "consent", body)


def came_note(facts: VisitFacts, guest: Seat) -> Note:
    """The record of a guest's admission. Its key names the admission, so that it may be noted again (GATE-4)."""
    return Note(f"join:{guest}:{facts.came[guest]}", "join", {"seat": guest})


def consent_notes(facts: VisitFacts, seat: Seat) -> list[Note]:
    """The record of the decision and, before it, of who decided for the patient: the relation, never the name (SIG-40)."""
    given = consent_of(facts, seat)
    said = consent_note(facts, seat)
    if given.by is None or given.state == "withdrawn":
        return [said]
    detail = {"relation": given.by.relation, "decision": given.state}
    body = {"event": "consent_by", "seat": seat, "state": given.by.as_, "detail": detail}
    return [Note(f"consent_by:{seat}:{given.at}", "event", body), said]


def needs_guardian(facts: VisitFacts) -> bool:
    """SIG-40: a child under six is seen only with a guardian (互联网医院管理办法（试行）)."""
    return facts.patient.age is not None and facts.patient.age < GUARDIAN_BELOW


def message_note(message: Message) -> Note:
    """SIG-20. Its key names the message, so that it may be noted again (GATE-4)."""
    detail = {"seq": message.seq, "sha256": messages.sha256(message)}
    body = {"event": "message", "seat": message.seat, "state": message.state, "detail": detail}
    return Note(f"message:{message.seq}", "event", body)


def agreed_in(facts: VisitFacts, seat: Seat, key: str) -> bool:
    """Whether the record with this key is the consent of the seat that is in force."""
    return consent_of(facts, seat).state == "agreed" and consent_note(facts, seat).key == key
