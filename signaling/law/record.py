"""The recording of a visit: when it may start, what is tapped, what is noted, when the log is sealed.

GATE-1  `StartRecording` is asked for only in `live`, and only when the recorder has said that the consent of both seats
        is durable, in this life of the link to it.
GATE-2  A tap is opened only after `StartRecording` was answered; media flows between the seats without waiting for it.
GATE-4  A recorder that comes back is told everything again: the log, the consents, the start. Keys make it harmless.
"""

from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as with_

from signaling.law import standing, writing
from signaling.law.outputs import CloseLog, OpenLog, SetTap, StartRecording
from signaling.law.reported import (
    FeedChanged,
    GapDeclared,
    LogClosed,
    Noted,
    RecorderCame,
    RecorderLost,
    RecorderRefused,
    RecordingStarted,
    StreamsAlive,
)
from signaling.law.standing import came_note, consent_notes, consent_of, iso
from signaling.law.step import Step
from signaling.law.terms import ALL_SEATS, GUESTS, SEATS, Gap

RETRY_S = 1.0
GAPS_KEPT = 20


def hear(
    step: Step, given: Noted | RecordingStarted | LogClosed | RecorderRefused | RecorderCame | RecorderLost
) -> None:
    """What the recorder answers."""
    match given:
        case RecorderCame():  # GATE-4
            step.life = replace(
                step.life, recorder_up=True, asked=False, started=False, noted=frozenset(), sealing=False
            )
            _forget_guests_started(step)
            if step.facts.log_open:
                open_log(step)
        case RecorderLost():
            step.life = replace(step.life, recorder_up=False, asked=False, started=False, noted=frozenset())
            _forget_guests_started(step)
        case Noted(key) if key.startswith("message:"):
            writing.noted(step, key)
        case Noted(key):
            seats = {seat for seat in ALL_SEATS if standing.agreed_in(step.facts, seat, key)}
            step.life = replace(step.life, noted=step.life.noted | seats)
        case RecordingStarted(seats) if seats != SEATS:
            started = frozenset(seats) & step.life.guests_asked & frozenset(step.facts.admitted)
            if started and step.facts.phase == "live" and not step.life.stopped:
                step.life = replace(step.life, guests_started=step.life.guests_started | started)
                if step.life.media_available:
                    step.out += [SetTap(seat, on=True) for seat in sorted(started)]
        case RecordingStarted():
            if step.life.asked and step.facts.phase == "live" and not step.life.stopped:
                step.life = replace(step.life, started=True, begun=True)
                open_taps(step)
        case LogClosed():
            step.facts = with_(step.facts, log_open=False)
        case RecorderRefused("visit_closed"):
            step.facts = with_(step.facts, log_open=False)
            step.life = replace(step.life, stopped=True)
            shut_taps(step)
        case RecorderRefused():
            step.life = replace(step.life, asked=False, noted=frozenset(), sealing=False, retry_at=step.now + RETRY_S)


def _forget_guests_started(step: Step) -> None:
    step.life = replace(step.life, guests_asked=frozenset(), guests_started=frozenset())


def hear_stream(step: Step, given: StreamsAlive | GapDeclared | FeedChanged) -> None:
    """How the recorded streams are."""
    match given:
        case StreamsAlive(streams):
            step.life = replace(step.life, streams=streams)
        case GapDeclared(gap):
            gaps: tuple[Gap, ...] = (*step.life.gaps, gap)
            step.life = replace(step.life, gaps=gaps[-GAPS_KEPT:])
        case FeedChanged(fed):
            step.life = replace(step.life, fed=fed)


def follow(step: Step) -> None:
    """What holds whenever its conditions do, whichever came last."""
    if standing.may_start(step.facts, step.life):
        step.life = replace(step.life, asked=True)
        step.out.append(StartRecording())
    if guests := standing.guests_to_start(step.facts, step.life):
        step.life = replace(step.life, guests_asked=step.life.guests_asked | frozenset(guests))
        step.out.append(StartRecording(guests))
    if standing.may_seal(step.facts, step.life):
        writing.note(step, step.life.unnoted)  # what a full lane gave up
        step.life = replace(step.life, sealing=True)
        step.out.append(CloseLog(step.facts.ended.reason if step.facts.ended else "consent_withdrawn"))
    on = standing.recording(step.facts, step.life) == "on"
    if on != (step.life.since is not None) and step.facts.phase != "ended":
        step.life = replace(step.life, since=iso(step.now) if on else None)


def open_log(step: Step) -> None:
    """Begin the log, or begin it again, with all who came and all that is decided."""
    step.out.append(OpenLog())
    step.out += [came_note(step.facts, guest) for guest in GUESTS if guest in step.facts.came]
    decided = [seat for seat in standing.inside(step.facts) if consent_of(step.facts, seat).state != "undecided"]
    step.out += [note for seat in decided for note in consent_notes(step.facts, seat)]
    writing.note(step, step.life.unnoted)


def open_taps(step: Step) -> None:
    """Tap everyone who may be."""
    if step.life.media_available and step.life.begun:  # GATE-2
        step.out += [SetTap(seat, on=True) for seat in (*SEATS, *sorted(step.life.guests_started))]


def shut_taps(step: Step) -> None:
    """Tap nobody."""
    if step.life.media_available:
        step.out += [SetTap(seat, on=False) for seat in standing.inside(step.facts)]
