"""A visit to begin with, and `ports.VisitStore` in memory."""

from __future__ import annotations

import asyncio
from typing import Any

from signaling.law.facts import Doctor, Patient, Phase, VisitFacts
from signaling.law.promise import Limits
from signaling.ports import Access, Page

LIMITS = Limits(call_s=300, clinic_s=180)


def facts(visit: str = "V1", recording: str = "required", **more: Any) -> VisitFacts:
    """A scheduled visit that expires in 2100."""
    given: dict[str, Any] = {
        "id": visit,
        "doctor": Doctor("doc-1", "李敏", "主治医师", "内科", "110312345678217"),
        "patient": Patient("pat-1", "王小英", 68, "female", "头晕三天"),
        "recording": recording,
        "created": "2026-05-04T09:00:00.000Z",
        "expires": "2100-01-01T00:00:00.000Z",
    }
    return VisitFacts(**{**given, **more})


class MemoryStore:
    """`ports.VisitStore` in memory: it outlives a server, as a database would."""

    def __init__(self, *visits: VisitFacts) -> None:
        self.visits = {visit.id: visit for visit in visits}
        self.saves: list[VisitFacts] = []
        self.made: dict[str, str] = {}
        self.broken = False
        self.stuck: asyncio.Event | None = None

    async def create(self, facts: VisitFacts, idempotency_key: str | None, body_sha256: str) -> VisitFacts:
        made = self.made.setdefault(idempotency_key, facts.id) if idempotency_key is not None else facts.id
        return self.visits.setdefault(made, facts)

    async def load(self, visit: str) -> VisitFacts | None:
        return self.visits.get(visit)

    async def save(self, facts: VisitFacts) -> None:
        if self.broken:
            raise OSError("the store is away")
        if self.stuck is not None:
            await self.stuck.wait()
        self.saves.append(facts)
        if facts.seq >= self.visits[facts.id].seq:
            self.visits[facts.id] = facts

    async def page(self, limit: int, cursor: str | None, phase: Phase | None = None) -> Page:
        return Page(list(self.visits.values())[:limit], None)

    async def open_visits(self) -> list[VisitFacts]:
        return [
            visit
            for visit in self.visits.values()
            if visit.phase in ("waiting", "live") or visit.log_open or visit.rx_due
        ]

    async def queue_of(self, doctor: str) -> list[VisitFacts]:
        return []

    async def past_of(self, doctor: str, limit: int) -> list[VisitFacts]:
        past = [each for each in self.visits.values() if each.phase == "ended" and each.live and each.ended_at]
        return sorted(past, key=lambda each: each.ended_at or "", reverse=True)[:limit]

    async def doctors(self) -> list[Doctor]:
        return sorted({each.doctor.id: each.doctor for each in self.visits.values()}.values(), key=lambda each: each.id)

    async def log_access(self, access: Access, reason: str | None = None) -> None: ...
