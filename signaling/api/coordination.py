"""The coordinator's desk over HTTP: every queue by department, who needs help, how live visits fare, and reassigning.

COORD-1  A coordinator sees masked names, as everyone but the hospital's own system does; nothing of what is said or written.
        It is for a coordinator's link and the API key: an administrator lists recordings by visit, and would learn here whose
        they are (ACCESS-1).
COORD-2  The page asks again every few seconds: a figure is what is stored or measured at that moment, never a guess.
"""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from config.clock import iso, parse_iso
from signaling.api.coordination_kinds import (
    CoordinatedVisit,
    Coordination,
    DepartmentLoad,
    DoctorLoad,
    MovedVisit,
    Reassign,
)
from signaling.api.problems import Conflict, NotFound, NotReady
from signaling.api.route import Answer, Call, Nothing, Route, Routes, json_answer
from signaling.law.errors import EventRefused
from signaling.law.facts import Doctor, VisitFacts
from signaling.law.snapshot import masked_name
from signaling.ports import Clock, Visits, VisitStore


class CoordinationRoutes:
    """See the module."""

    def __init__(self, store: VisitStore, visits: Visits, clock: Clock, clinic: str | None = None) -> None:
        """`clinic` is the hospital's name, to stand on the page."""
        self._store = store
        self._visits = visits
        self._clock = clock
        self._clinic = clinic

    def routes(self) -> Routes:
        """The table."""
        return [
            Route(
                "GET",
                "/api/v1/coordination",
                "getCoordination",
                "Every queue by department, who waits too long, and how live visits fare.",
                "coordinator",
                (Answer(200, "As it stands", Coordination),),
                self.standing,
                Nothing,
                Nothing,
            ),
            Route(
                "POST",
                "/api/v1/coordination/{visit}/reassign",
                "reassignVisit",
                "Give a patient to another doctor: a new visit at the same place; the old one ends as `transferred`.",
                "coordinator",
                (Answer(200, "The visit that goes on", MovedVisit),),
                self.reassign,
                Reassign,
                Nothing,
                refuses=(NotFound, Conflict),
            ),
        ]

    async def standing(self, _call: Call[Nothing, Nothing]) -> web.Response:
        """COORD-2."""
        now = self._clock()
        open_visits = [facts for facts in await self._store.open_visits() if facts.phase in ("waiting", "live")]
        open_visits.sort(key=lambda facts: (facts.entered or facts.created, facts.id))
        here = self._visits.here()
        loads: dict[str, DoctorLoad] = {}
        for doctor in [*await self._store.doctors(), *(facts.doctor for facts in open_visits)]:
            mine = [facts for facts in open_visits if facts.doctor.id == doctor.id]
            loads.setdefault(doctor.id, _load(doctor, mine, doctor.id in here, now))
        departments: dict[str, list[DoctorLoad]] = {}
        for load in loads.values():
            departments.setdefault(load.department or "", []).append(load)
        shown = [DepartmentLoad(name or None, _busiest(each)) for name, each in sorted(departments.items())]
        visits = [self._visit(facts, now) for facts in open_visits]
        return json_answer(Coordination(iso(datetime.fromtimestamp(now, UTC)), self._clinic, shown, visits))

    async def reassign(self, call: Call[Reassign, Nothing]) -> web.Response:
        """Through the visit's actor, so that everyone in it is told (SIG-33)."""
        try:
            moved = await self._visits.transfer(call.path("visit"), call.body.doctor, "hospital")
        except KeyError:
            raise NotFound("no such visit", code="visit_unknown") from None
        except EventRefused as refused:
            if refused.code in ("internal", "store_unavailable"):
                raise NotReady(str(refused), code=refused.code) from None
            raise Conflict(str(refused), code=refused.code) from None
        return json_answer(MovedVisit(moved.id, moved.doctor.id))

    def _visit(self, facts: VisitFacts, now: float) -> CoordinatedVisit:
        since = parse_iso((facts.live if facts.phase == "live" else facts.entered) or facts.created).timestamp()
        return CoordinatedVisit(
            visit=facts.id,
            doctor=facts.doctor.id,
            phase=facts.phase,
            patient=masked_name(facts.patient.name),
            age=facts.patient.age,
            seconds=max(0, round(now - since)),
            promised_until=facts.promised_until,
            late=facts.late,
            phone_back=facts.phone_back is not None,
            rebook=facts.rebook is not None,
            held=facts.held,
            escalated=needs_the_clinic(facts),
            moved=facts.moved_from is not None,
            pulse=self._visits.pulse(facts.id),
        )


def needs_the_clinic(facts: VisitFacts) -> bool:
    """Whether somebody of the hospital has to do something: the promise is past and told, or the patient asked."""
    return facts.late == "coordinator" or facts.phone_back is not None or facts.rebook is not None


def _load(doctor: Doctor, visits: list[VisitFacts], here: bool, now: float) -> DoctorLoad:
    waits = [
        now - parse_iso(facts.entered or facts.created).timestamp() for facts in visits if facts.phase == "waiting"
    ]
    return DoctorLoad(
        id=doctor.id,
        name=doctor.name,
        department=doctor.department,
        here=here,
        waiting=len(waits),
        live=len(visits) - len(waits),
        longest_s=max(0, round(max(waits))) if waits else None,
    )


def _busiest(loads: list[DoctorLoad]) -> list[DoctorLoad]:
    return sorted(loads, key=lambda load: (-load.waiting, -load.live, not load.here, load.name))
