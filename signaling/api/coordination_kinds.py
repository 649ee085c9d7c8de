"""What the coordinator sees and does over the HTTP API."""

from __future__ import annotations

from typing import Literal

import msgspec

from signaling.api.kinds import Id, Moment, OpaqueId, Request
from signaling.law.facts import Phase, Pulse


class DoctorLoad(msgspec.Struct, frozen=True):
    """One doctor. `here`: looks at the desk now; `longest_s`: the longest wait, null if nobody waits."""

    id: str
    name: str
    department: str | None
    here: bool
    waiting: int
    live: int
    longest_s: int | None


class DepartmentLoad(msgspec.Struct, frozen=True):
    """One department's doctors, the fullest queue first."""

    department: str | None
    doctors: list[DoctorLoad]


class CoordinatedVisit(msgspec.Struct, frozen=True):
    """A visit that waits or is live, for `seconds`. `escalated`: somebody must act."""

    visit: Id
    doctor: str
    phase: Phase
    patient: str
    age: int | None
    seconds: int
    promised_until: Moment | None
    late: Literal["doctor", "coordinator"] | None
    phone_back: bool
    rebook: bool
    held: bool
    escalated: bool
    moved: bool
    pulse: Pulse | None


class Coordination(msgspec.Struct, frozen=True):
    """Everything that goes on, longest wait first."""

    at: Moment
    clinic: str | None
    departments: list[DepartmentLoad]
    visits: list[CoordinatedVisit]


class Reassign(Request, frozen=True):
    """To whom."""

    doctor: OpaqueId


class MovedVisit(msgspec.Struct, frozen=True):
    """The visit that goes on, and with whom."""

    visit: Id
    doctor: str
