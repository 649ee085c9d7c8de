"""What each event of a seat does, and what its acknowledgement carries (PROTOCOL.md §5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec import UNSET

from signaling.law import consent_text, events, snapshot
from signaling.law.asked import (
    Advised,
    Decided,
    DevicesTold,
    EndAsked,
    Entered,
    GuestAdmitted,
    GuestDismissed,
    Held,
    NotesWritten,
    PhoneBackAsked,
    RebookAsked,
    RxClaimed,
    SeenTold,
    SentBack,
    Viewed,
    Withdrew,
)
from signaling.law.errors import (
    ConsentTextUnknown,
    Internal,
    PhaseWrong,
    RoleWrong,
    SlotAbsent,
    StoreUnavailable,
    VisitEnded,
    VisitUnknown,
)
from signaling.law.facts import Seat
from signaling.law.standing import seconds
from signaling.law.terms import GUESTS
from signaling.live.actor import VisitActor
from signaling.live.registry import VisitRegistry
from signaling.ports import Claims, Clock, IceServers, StoreAway, Tokens
from signaling.sql.launches import GOOD_FOR_S, SqlLaunches

_GUESTS_MAY = (
    events.GiveConsent
    | events.Withdraw
    | events.Offer
    | events.MediaState
    | events.Seen
    | events.View
    | events.Ice
    | events.WriteMessage
    | events.AskMessages
    | events.Resync
)


@dataclass(frozen=True, slots=True)
class Reach:
    """What the events of any socket may come to."""

    registry: VisitRegistry
    tokens: Tokens
    ice_servers: IceServers
    clock: Clock
    launches: SqlLaunches | None = None


class Commands:
    """Those of one socket."""

    def __init__(self, reach: Reach, claims: Claims, seat: Seat, actor: VisitActor) -> None:
        self._reach = reach
        self._claims = claims
        self._seat: Seat = seat
        self._actor = actor
        self._doctor = actor.facts.doctor.id if seat == "doctor" else None

    async def carry_out(self, event: events.Event) -> dict[str, Any]:
        """What the acknowledgement carries. Raises `EventRefused`."""
        actor, seat = self._actor, self._seat
        if seat in GUESTS and not isinstance(event, _GUESTS_MAY):  # SIG-28
            raise RoleWrong
        match event:
            case events.Enter():
                await actor.ask(Entered(seat))
            case events.GiveConsent():
                await self._consent(event)
            case events.Withdraw():
                await actor.ask(Withdrew(seat))
            case events.Admit():
                await actor.admit(seat)
            case events.Offer():
                return await actor.offer(seat, event)
            case events.MediaState():
                await actor.ask(DevicesTold(seat, event.microphone, event.camera, event.screen))
            case events.Seen():
                await actor.ask(SeenTold(seat, event.detail))
            case events.View(camera=camera, screen=screen):
                await actor.ask(Viewed(seat, camera, screen))
            case events.Ice():
                return self._ice()
            case events.End(reason=reason):
                assert seat == "doctor" or seat == "patient"
                await actor.ask(EndAsked(seat, reason))
            case events.AdmitGuest(seat=guest):
                await actor.ask(GuestAdmitted(seat, guest))
            case events.DismissGuest(seat=guest):
                await actor.ask(GuestDismissed(seat, guest))
            case events.DeskTake(visit=visit):
                return await self._take(visit)
            case events.WriteMessage():
                message = await actor.write(seat, event)
                return {"seq": message.seq, "at": message.at}
            case events.AskMessages(after=after):
                return await self._messages(after)
            case events.Hold() | events.Resume():
                await actor.ask(Held(seat, on=isinstance(event, events.Hold)))
            case events.ToWaiting():
                await actor.ask(SentBack(seat))
            case events.Advice(text=text):
                await actor.keep(Advised(seat, text))
            case events.NotesRead():
                return self._notes()
            case events.NotesWrite(text=text):
                await actor.keep(NotesWritten(seat, text))
            case events.Reconnect():
                await actor.reconnect(seat)
            case events.PhoneBack():
                await actor.ask(PhoneBackAsked(seat))
            case events.Rebook():
                await actor.ask(RebookAsked(seat))
            case events.SlotOpen():
                return await self._open_slot()
            case events.SlotClaim():
                await self._claim(event)
            case events.Invite():
                return await self._invite(event)
            case events.Colleagues():
                return {"doctors": await self._colleagues()}
            case events.Transfer(doctor=doctor):
                return await self._transfer(doctor)
            case events.Follow():
                return await self._follow()
            case events.Resync():
                return {"state": actor.state(seat)}
        return {}

    def _notes(self) -> dict[str, Any]:
        if self._seat != "doctor":  # NOTE-1
            raise RoleWrong
        return {"text": self._actor.facts.notes or ""}

    async def _consent(self, event: events.GiveConsent) -> None:
        if not consent_text.is_shown(event.language, event.text_version, event.text_sha256):
            raise ConsentTextUnknown
        decided = Decided(
            self._seat,
            event.decision,
            event.text_version,
            event.text_sha256,
            event.language,
            event.method,
            None if event.by is UNSET else event.by,
        )
        await self._actor.ask(decided)

    async def _messages(self, after: int) -> dict[str, Any]:
        if self._seat in GUESTS:  # SIG-26
            if self._seat not in self._actor.facts.admitted:
                raise PhaseWrong
            after = max(after, self._actor.facts.admitted[self._seat])
        try:
            found = await self._reach.registry.messages.after(self._actor.facts.id, after)
        except StoreAway:
            raise StoreUnavailable from None
        newest = found[-1].seq if found else 0
        return {
            "messages": [snapshot.message(each) for each in found],
            "last": max(newest, self._actor.visit.life.last_message),
        }

    def _ice(self) -> dict[str, Any]:
        if self._actor.facts.phase == "ended":
            raise VisitEnded
        servers, ttl_s = self._reach.ice_servers.issue(self._actor.facts.id, self._seat)
        return {"ice_servers": servers, "ttl_s": ttl_s}

    async def _invite(self, event: events.Invite) -> dict[str, Any]:
        if self._doctor is None:
            raise RoleWrong
        seat = await self._actor.invite(event.as_, None if event.seat is UNSET else event.seat)
        facts = self._actor.facts
        left_s = max(60, int(seconds(facts.expires) - self._reach.clock()))
        token = self._reach.tokens.issue("guest", facts.id, seat, left_s, facts.links_epoch, seat)
        return {"seat": seat, "token": token}

    async def _colleagues(self) -> list[dict[str, Any]]:
        if self._doctor is None:
            raise RoleWrong
        here = self._reach.registry.here()
        return [
            {"id": each.id, **snapshot.doctor_shown(each), "here": each.id in here}
            for each in await self._reach.registry.doctors()
            if each.id != self._doctor
        ]

    async def _transfer(self, doctor: str) -> dict[str, Any]:
        if self._doctor is None:
            raise RoleWrong
        moved = await self._reach.registry.transfer(self._actor.facts.id, doctor, "doctor")
        return {"visit": moved.id}

    async def _follow(self) -> dict[str, Any]:
        """SIG-33."""
        moved_to = self._actor.facts.moved_to
        if self._seat != "patient":
            raise RoleWrong
        if moved_to is None or (other := await self._reach.registry.get(moved_to)) is None:
            raise PhaseWrong
        left_s = max(60, int(seconds(other.facts.expires) - self._reach.clock()))
        token = self._reach.tokens.issue(
            "patient", moved_to, self._claims.subject, left_s, links_epoch=other.facts.links_epoch
        )
        return {"token": token, "visit": moved_to}

    async def _open_slot(self) -> dict[str, Any]:
        if self._seat != "doctor":
            raise RoleWrong
        if self._actor.facts.phase != "live":
            raise VisitEnded if self._actor.facts.phase == "ended" else PhaseWrong
        if self._reach.registry.slot is None or self._reach.launches is None:
            raise SlotAbsent
        try:
            code = await self._reach.launches.issue(self._actor.facts.id, self._reach.clock())
        except StoreAway:
            raise StoreUnavailable from None
        return {"launch": code, "ttl_s": GOOD_FOR_S}

    async def _claim(self, event: events.SlotClaim) -> None:
        """RX-1; for any visit of this doctor, so that what a lost connection left behind still arrives."""
        if self._doctor is None:
            raise RoleWrong
        if self._reach.registry.slot is None:
            raise SlotAbsent
        actor = self._actor if event.visit == self._actor.facts.id else await self._reach.registry.get(event.visit)
        if actor is None or actor.facts.doctor.id != self._doctor:
            raise VisitUnknown
        await actor.keep(RxClaimed(event.rx, event.version, event.state, event.sha256, event.sm3))

    async def _take(self, visit: str) -> dict[str, Any]:
        if self._doctor is None:
            raise RoleWrong
        other = await self._reach.registry.get(visit)
        if other is None or other.facts.doctor.id != self._doctor:
            raise VisitUnknown
        left_s = int(self._claims.expires - self._reach.clock())
        if left_s <= 0:
            raise Internal("the token of this socket has run out")
        token = self._reach.tokens.issue(
            "doctor", visit, self._claims.subject, left_s, links_epoch=other.facts.links_epoch
        )
        return {"token": token}
