"""A visit as one seat may see it: the `state` payload of PROTOCOL.md §4, and the row of a doctor's queue.

MASK-1  A patient's name never leaves whole: the first character and, of three or more, the last (王*英); of names written
        with spaces, the first letter of each word.
MASK-2  A licence shows its first four and last three characters.
"""

from __future__ import annotations

from typing import Any

import msgspec

from signaling.law import consent_text, promise, standing
from signaling.law.facts import Consent, Contacts, Doctor, Patient, Prescription, Seat, Slot
from signaling.law.life import SeatLife
from signaling.law.messages import Message
from signaling.law.standing import iso
from signaling.law.terms import SEATS, Picture, Track
from signaling.law.visit import Visit
from signaling.law.waiting import Row

Payload = dict[str, Any]


def masked_name(name: str) -> str:
    """MASK-1."""
    words = name.split()
    if len(words) > 1 or name.isascii():
        return " ".join(word[0] + "***" for word in words)
    name = name.strip()
    if len(name) <= 2:
        return name[:1] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]


def masked_licence(licence: str) -> str:
    """MASK-2; a licence too short to hide anything is hidden whole."""
    return licence[:4] + "***" + licence[-3:] if len(licence) > 9 else "***"


def doctor_shown(doctor: Doctor) -> Payload:
    """The doctor, to both seats: the name whole, so that a patient knows who is speaking."""
    return {
        "name": doctor.name,
        "title": doctor.title,
        "department": doctor.department,
        "licence": None if doctor.licence is None else masked_licence(doctor.licence),
        "picture": doctor.picture,
    }


def patient_shown(patient: Patient) -> Payload:
    """The patient, to both seats."""
    return {
        "name": masked_name(patient.name),
        "age": patient.age,
        "sex": patient.sex,
        "complaint": patient.complaint,
    }


def state(visit: Visit, seat: Seat, now: float, slot: Slot | None = None, camera_codec: str = "VP8") -> Payload:
    """The whole visit for one seat. `camera_codec`: what cameras should be sent in, where everybody decodes it."""
    facts, life = visit.facts, visit.life
    inside = seat in standing.inside(facts)  # SIG-26
    return {
        "v": 1,
        "seq": visit.seq,
        "visit": facts.id,
        "phase": facts.phase,
        "at": iso(now),
        "you": {
            "seat": seat,
            "role": seat if seat in SEATS else "guest",
            "pc": life.seat(seat).pc,
            "view": {"camera": life.seat(seat).sees_camera, "screen": life.seat(seat).sees_screen},
            "send": dict(life.wishes.get(seat, {})),
        },
        "doctor": doctor_shown(facts.doctor),
        "patient": patient_shown(facts.patient) if inside else None,
        "seats": _seats(visit),
        "consent": {
            "required": facts.recording == "required",
            "text_version": consent_text.VERSION,
            "text_sha256": dict(consent_text.SHA256),
            "guardian_required": standing.needs_guardian(facts),
        },
        "waiting": _waiting(visit),
        "contacts": contacts_shown(facts.contacts or Contacts()),
        "held": facts.held,
        "advice": _advice(visit, seat),
        "phone_back": facts.phone_back,
        "rebook": facts.rebook,
        "slot": None if slot is None or seat != "doctor" else {"url": slot.url, "origin": slot.origin},
        "prescriptions": [_prescription(each) for each in facts.prescriptions] if seat == "doctor" else [],
        "summary": msgspec.to_builtins(facts.summary) if seat == "doctor" else None,  # SUM-1
        "tracks": [track(each) for each in life.tracks] if inside else [],
        "pictures": [_picture(each) for each in life.pictures] if inside else [],
        "media": {
            "epoch": life.epoch,
            "available": life.media_available,
            "camera": "VP8" if life.plain_cameras else camera_codec,
        },
        "recording": _recording(visit),
        "messages": {"last": life.last_message if inside else 0},
        "times": {
            "created": facts.created,
            "scheduled": facts.scheduled,
            "entered": facts.entered,
            "live": facts.live,
            "ended": facts.ended_at,
        },
        "ended": None if facts.ended is None else {"by": facts.ended.by, "reason": facts.ended.reason},
    }


def message(given: Message) -> Payload:
    """One message, as `message` and `messages` carry it."""
    photo = given.photo
    shown = (
        None if photo is None else {name: getattr(photo, name) for name in ("id", "media", "bytes", "width", "height")}
    )
    return {"seq": given.seq, "id": given.id, "from": given.seat, "at": given.at, "text": given.text, "photo": shown}


def track(given: Track) -> Payload:
    """One track."""
    return {"id": given.id, "seat": given.seat, "source": given.source, "kind": given.kind, "codec": given.codec}


def _picture(given: Picture) -> Payload:
    shown = {"seat": given.seat, "track": given.track, "shown": given.shown, "lines": given.lines}
    return {**shown, "why": given.why}


def row(visit: Visit) -> Row | None:
    """The visit in its doctor's queue, while it is waiting or live."""
    facts = visit.facts
    if facts.phase not in ("waiting", "live"):
        return None
    return Row(
        visit=facts.id,
        phase=facts.phase,
        since=facts.entered or facts.created,
        present=visit.life.patient.present,
        consent=facts.consents.get("patient", Consent()).state,
        patient=patient_shown(facts.patient),
        late=facts.late is not None,
        promised_until=facts.promised_until,
        held=facts.held,
        phone_back=facts.phone_back is not None,
        rebook=facts.rebook is not None,
        messages=visit.life.last_message,
        live=facts.live,
        network=visit.life.patient.path,
        moved=facts.moved_from is not None,
    )


def queue(rows: list[Row], seq: int, now: float) -> Payload:
    """The `queue` payload."""
    return {"v": 1, "seq": seq, "at": iso(now), "waiting": [_row(each) for each in rows]}


def _row(row: Row) -> Payload:
    return {
        "visit": row.visit,
        "phase": row.phase,
        "since": row.since,
        "present": row.present,
        "consent": row.consent,
        "patient": row.patient,
        "late": row.late,
        "promised_until": row.promised_until,
        "held": row.held,
        "phone_back": row.phone_back,
        "rebook": row.rebook,
        "messages": row.messages,
        "network": row.network,
        "moved": row.moved,
    }


def _prescription(rx: Prescription) -> Payload:
    return msgspec.to_builtins(rx)  # type: ignore[no-any-return]


def _advice(visit: Visit, seat: Seat) -> str | None:
    shown = seat == "doctor" or (seat == "patient" and visit.facts.phase == "ended")
    return visit.facts.advice if shown else None


def _seats(visit: Visit) -> Payload:
    facts, life = visit.facts, visit.life
    shown: Payload = {each: _seat(life.seat(each), facts.consents.get(each)) for each in (*SEATS, *facts.guests)}
    for guest, kind in facts.guests.items():
        shown[guest] |= {"as": kind, "admitted": guest in facts.admitted}
    by = facts.consents.get("patient", Consent()).by
    shown["patient"]["by"] = (
        None if by is None else {"as": by.as_, "relation": by.relation, "name": masked_name(by.name)}
    )
    return shown


def contacts_shown(said: Contacts) -> Payload:
    """Whom to phone: `contacts` of `state`, and of a refused connection."""
    return {
        name: None if place is None else {"name": place.name, "phone": place.phone}
        for name, place in (("clinic", said.clinic), ("emergency", said.emergency))
    }


def _waiting(visit: Visit) -> Payload:
    facts, life = visit.facts, visit.life
    waits = facts.phase == "waiting"
    estimate = life.estimate if waits else None
    return {
        "ahead": life.ahead if waits else None,
        "since": facts.entered if waits else None,
        "estimate_s": None if estimate is None else {"low": estimate.low_s, "high": estimate.high_s},
        "promised_until": facts.promised_until if waits else None,
        "late": facts.late if waits else None,
        "offers": promise.offers(facts),
    }


def _seat(life: SeatLife, consent: Consent | None) -> Payload:
    return {
        "present": life.present,
        "consent": (consent or Consent()).state,
        "media": life.media,
        "microphone": life.microphone,
        "camera": life.camera,
        "screen": life.screen,
        "path": life.path,
    }


def _recording(visit: Visit) -> Payload:
    life = visit.life
    closed = visit.recording == "closed"  # the recorder tells of streams only while they go on
    return {
        "state": visit.recording,
        "since": life.since,
        "streams": [
            {
                "stream": each.stream,
                "sealed_to_ms": each.sealed_to_ms,
                "state": "ended" if closed else each.state,
            }
            for each in life.streams
        ],
        "gaps": [
            {"stream": gap.stream, "from_ms": gap.from_ms, "to_ms": gap.to_ms, "cause": gap.cause} for gap in life.gaps
        ],
    }
