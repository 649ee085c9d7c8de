"""Appointments over the HTTP API."""

from __future__ import annotations

from datetime import date

import msgspec
from msgspec import UNSET, UnsetType

from signaling.api.kinds import OpaqueId, Request, Zoned
from signaling.api.visit_kinds import NewDoctor, NewPatient, VisitLinks
from signaling.calendar import Appointment
from signaling.law.facts import RecordingPolicy
from signaling.law.summary import Summary
from signaling.outbound.notices import Addresses


class NewAppointment(Request, frozen=True):
    """A slot to book, and where to tell the patient."""

    doctor: NewDoctor
    patient: NewPatient
    starts: Zoned
    summary: Summary | None = None
    recording: RecordingPolicy = "required"
    contact: Addresses | None = None


class MoveAppointment(Request, frozen=True):
    """To which slot, and where to tell the patient."""

    starts: Zoned
    contact: Addresses | None = None


class CancelAppointment(Request, frozen=True):
    """Where to tell the patient."""

    contact: Addresses | None = None


class AppointmentsQuery(Request, frozen=True):
    """Which day, and whose."""

    day: date
    doctor: OpaqueId | UnsetType = UNSET


class BookedAppointment(Appointment, frozen=True):
    """An appointment with the links of its visit."""

    links: VisitLinks


class AppointmentPage(msgspec.Struct, frozen=True):
    """Earliest first."""

    appointments: list[Appointment]
