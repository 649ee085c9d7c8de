"""Appointments over HTTP: book, move, cancel, list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from aiohttp import web

from config.clock import iso, parse_iso, random_name
from signaling.api.appointment_kinds import (
    AppointmentPage,
    AppointmentsQuery,
    BookedAppointment,
    CancelAppointment,
    MoveAppointment,
    NewAppointment,
)
from signaling.api.problems import Conflict, NotFound
from signaling.api.route import Answer, Call, Nothing, Route, Routes, json_answer
from signaling.api.visit_kinds import VisitLinks
from signaling.calendar import Appointment, SlotTaken, SqlCalendar, expiry_of, on_a_slot
from signaling.law.errors import EventRefused
from signaling.law.facts import VisitFacts
from signaling.links import Links
from signaling.ports import Clock, Visits, VisitStore

ONE = "/api/v1/appointments/{appointment}"
AHEAD_S = 10 * 366 * 86_400


class CalendarRoutes:
    """The hospital's routes."""

    def __init__(self, store: VisitStore, visits: Visits, calendar: SqlCalendar, links: Links, clock: Clock) -> None:
        self._store = store
        self._visits = visits
        self._calendar = calendar
        self._links = links
        self._clock = clock

    def routes(self) -> Routes:
        """The table."""
        return [
            Route(
                "POST",
                "/api/v1/appointments",
                "bookAppointment",
                "Book a slot of 30 minutes: a visit with its links. A slot that is held is 409 `slot_taken`.",
                "hospital",
                (Answer(201, "The appointment", BookedAppointment),),
                self.book,
                NewAppointment,
                Nothing,
                refuses=(Conflict,),
            ),
            Route(
                "GET",
                "/api/v1/appointments",
                "listAppointments",
                "What is booked on a day (UTC), earliest first.",
                "hospital",
                (Answer(200, "The appointments", AppointmentPage),),
                self.listing,
                Nothing,
                AppointmentsQuery,
            ),
            Route(
                "POST",
                f"{ONE}/move",
                "moveAppointment",
                "Take another slot, while nobody has entered the visit. Its links go on working.",
                "hospital",
                (Answer(200, "The appointment", Appointment),),
                self.move,
                MoveAppointment,
                Nothing,
                refuses=(NotFound, Conflict),
            ),
            Route(
                "POST",
                f"{ONE}/cancel",
                "cancelAppointment",
                "Free the slot, and end the visit as `cancelled`.",
                "hospital",
                (Answer(200, "The appointment", Appointment),),
                self.cancel,
                CancelAppointment,
                Nothing,
                refuses=(NotFound, Conflict),
            ),
        ]

    async def book(self, call: Call[NewAppointment, Nothing]) -> web.Response:
        """CAL-1, CAL-2."""
        starts = self._slot(call.body.starts)
        facts = VisitFacts(
            id=random_name(16),
            doctor=call.body.doctor.facts(),
            patient=call.body.patient.facts(),
            summary=call.body.summary,
            recording=call.body.recording,
            created=_iso(self._clock()),
            expires=_iso(expiry_of(starts)),
            scheduled=starts,
        )
        appointment = random_name(12)
        try:
            await self._calendar.book(appointment, facts, call.body.contact)
        except SlotTaken as error:
            raise Conflict(str(error) or "the slot is held", code=error.code) from None
        self._visits.created(facts)
        links = msgspec.convert(self._links.all_of(facts), VisitLinks)
        return json_answer(BookedAppointment(appointment, facts.id, facts.doctor.id, starts, "booked", links), 201)

    async def listing(self, call: Call[Nothing, AppointmentsQuery]) -> web.Response:
        """One day."""
        begins = datetime.combine(call.query.day, datetime.min.time(), UTC)
        ends = begins + min(timedelta(days=1), datetime.max.replace(tzinfo=UTC) - begins)
        doctor = call.query.doctor if isinstance(call.query.doctor, str) else None
        found = await self._calendar.between(iso(begins), iso(ends), doctor)
        return json_answer(AppointmentPage(found))

    async def move(self, call: Call[MoveAppointment, Nothing]) -> web.Response:
        """CAL-3: the slot first; if the visit has begun meanwhile, back to where it was."""
        starts = self._slot(call.body.starts)
        before = await self._known(call.path("appointment"))
        try:
            moved = await self._calendar.move(before.id, starts, call.body.contact)
        except SlotTaken as error:
            raise Conflict("the slot is held", code=error.code) from None
        if moved is None:
            raise Conflict("it was cancelled", code="appointment_cancelled")
        try:
            await self._visits.reschedule(moved.visit, starts, _iso(expiry_of(starts)))
        except EventRefused as refused:
            await self._calendar.move(before.id, before.starts, None)
            raise Conflict(str(refused), code=refused.code) from None
        return json_answer(moved)

    async def cancel(self, call: Call[CancelAppointment, Nothing]) -> web.Response:
        """CAL-3; repeated, it stays as it is."""
        before = await self._known(call.path("appointment"))
        facts = await self._store.load(before.visit)
        if facts is not None and facts.phase in ("waiting", "live"):
            raise Conflict("the visit has begun: end it instead", code="phase_wrong")
        cancelled = await self._calendar.cancel(before.id, call.body.contact)
        await self._visits.end(before.visit, "cancelled")
        return json_answer(cancelled)

    async def _known(self, appointment: str) -> Appointment:
        found = await self._calendar.one(appointment)
        if found is None:
            raise NotFound("no such appointment", code="appointment_unknown")
        return found

    def _slot(self, starts: datetime) -> str:
        if not on_a_slot(starts):
            raise Conflict("a slot begins at a full or half hour", code="slot_invalid", at="starts")
        said = iso(starts.astimezone(UTC))
        if parse_iso(said).timestamp() + 1800 <= self._clock():
            raise Conflict("this slot is over", code="slot_past", at="starts")
        if parse_iso(said).timestamp() > self._clock() + AHEAD_S:
            raise Conflict("a slot begins within ten years", code="slot_invalid", at="starts")
        return said


def _iso(at_s: float) -> str:
    return iso(datetime.fromtimestamp(at_s, UTC))
