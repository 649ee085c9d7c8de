"""The course of a visit from one phase to the next: admit, send back, end, come back, and what time alone ends.

GATE-3  What ends is closed in this order: taps, room, evidence log.
"""

from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as with_

from signaling.law import guests, promise, record, standing
from signaling.law.asked import Admitted, ReconnectAsked
from signaling.law.errors import (
    ConsentMissing,
    ConsentRefused,
    MediaUnavailable,
    PatientAbsent,
    PhaseWrong,
    RecorderUnavailable,
    RoleWrong,
)
from signaling.law.facts import Ending
from signaling.law.outputs import CloseRoom, OpenRoom
from signaling.law.standing import ABANDONED_AFTER_S, consent_of, iso, seconds
from signaling.law.step import Step
from signaling.law.terms import SEATS, EndedBy, EndReason


def admit(step: Step, given: Admitted) -> None:
    """`admit`. Raises `EventRefused`."""
    if given.seat != "doctor":
        raise RoleWrong
    if step.facts.phase == "live":
        return
    if step.facts.phase != "waiting":  # SIG-5
        raise PhaseWrong
    if not step.life.patient.present:
        raise PatientAbsent
    _pass_gate(step)
    if step.facts.recording == "required" and (step.life.stopped or not step.life.recorder_up):
        raise RecorderUnavailable
    if not given.media_ready:
        raise MediaUnavailable
    step.facts = promise.forgotten(with_(step.facts, phase="live", live=iso(step.now)))
    _go_live(step)


def _go_live(step: Step) -> None:
    step.life = replace(step.life, ahead=None, estimate=None)
    step.out.append(OpenRoom())
    for seat in SEATS:
        if step.life.seat(seat).present:
            step.note("join", {"seat": seat}, seat)


def send_back(step: Step) -> None:
    """SIG-24: the room is closed, the log stays open."""
    guests.dismiss_all(step, "to_waiting")
    for seat in SEATS:
        if step.life.seat(seat).present:
            step.note("leave", {"seat": seat, "reason": "to_waiting"}, seat)
    step.out.append(CloseRoom())
    step.facts = promise.forgotten(with_(step.facts, phase="waiting", live=None, held=False))
    step.life = replace(
        step.life,
        tracks=(),
        pictures=(),
        wishes={},
        media_available=False,
        epoch=None,
        asked=False,
        started=False,
        alone_since=None,
    )
    for seat in SEATS:
        step.set(seat, replace(step.life.seat(seat), media="none", pc=None, tapped=False))


def reconnect(step: Step, given: ReconnectAsked) -> None:
    """SIG-25."""
    if step.facts.phase == "live":
        return
    if not standing.in_grace(step.facts, step.now):
        raise PhaseWrong
    on_record = step.facts.log_open and not step.life.sealing
    if step.facts.recording == "required" and not (on_record and step.life.recorder_up):
        raise RecorderUnavailable
    if not given.media_ready:
        raise MediaUnavailable
    was_recorded = standing.wanted(step.facts)
    step.facts = with_(step.facts, phase="live", ended=None, ended_at=None, held=False)
    stopped = step.life.stopped or (was_recorded and not on_record)
    step.life = replace(step.life, asked=False, started=False, stopped=stopped, room_closed=False)
    _go_live(step)


def end(step: Step, by: EndedBy, reason: EndReason) -> None:
    """Everyone goes; what must be closed is closed."""
    live = step.facts.phase == "live"
    guests.dismiss_all(step, reason)
    ending = Ending(by, reason)
    step.facts = with_(step.facts, phase="ended", ended_at=iso(step.now), ended=ending, held=False)
    if live:
        for told, detail in step.life.seen.items():  # SIG-42
            step.note("event", {"event": "claimed", "seat": told, "detail": dict(detail)}, f"claimed:{told}")
        for seat in SEATS:
            if step.life.seat(seat).present:
                step.note("leave", {"seat": seat, "reason": reason}, seat)
        step.out.append(CloseRoom())  # GATE-3
    step.life = replace(
        step.life,
        tracks=(),
        pictures=(),
        wishes={},
        seen={},
        media_available=False,
        ahead=None,
        estimate=None,
        alone_since=None,
        room_closed=not live,
    )
    for seat in SEATS:
        step.set(seat, replace(step.life.seat(seat), media="none", pc=None))


def reschedule(step: Step, starts: str, expires: str) -> None:
    """CAL-3. Raises `PhaseWrong`."""
    if step.facts.phase != "scheduled":
        raise PhaseWrong
    step.facts = with_(step.facts, scheduled=starts, expires=expires)


def transfer(step: Step, by: EndedBy, to: str) -> None:
    """SIG-33: this visit is over, and its log with it; what goes on is another one. Raises `PhaseWrong`."""
    if step.facts.moved_to == to:
        return
    if step.facts.phase not in ("waiting", "live"):
        raise PhaseWrong
    step.facts = with_(step.facts, moved_to=to)
    end(step, by, "transferred")


def pass_time(step: Step, limits: promise.Limits) -> None:
    """What has come due."""
    if step.facts.phase in ("scheduled", "waiting") and step.now >= seconds(step.facts.expires):
        end(step, "system", "expired")
    before, step.facts = step.facts, promise.broken(step.facts, step.now, limits)
    if before.late != step.facts.late:
        step.note("event", {"event": "late", "state": step.facts.late}, "late")
    alone = step.life.alone_since
    if step.facts.phase == "live" and alone is not None and step.now >= alone + ABANDONED_AFTER_S:
        end(step, "system", "abandoned")  # SIG-9
    if step.life.retry_at is not None and step.now >= step.life.retry_at:
        step.life = replace(step.life, retry_at=None)
        if step.life.recorder_up and step.facts.log_open:
            record.open_log(step)


def _pass_gate(step: Step) -> None:
    """SIG-6. Raises `ConsentRefused`, `ConsentMissing`."""
    states = {consent_of(step.facts, seat).state for seat in SEATS}
    if step.facts.recording == "required" and states & {"refused", "withdrawn"}:
        raise ConsentRefused
    if "undecided" in states:
        raise ConsentMissing
