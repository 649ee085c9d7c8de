"""The slot's other half: what the hospital's server says and asks, server to server (PROTOCOL.md §11).

SLOT-1  Both requests are signed under the slot's own key; what is not is refused before anything is looked at.
SLOT-2  Who the patient is leaves only here: for a one-time code, and to who can sign.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from signaling.api.problems import Conflict, NotFound, NotReady, Unauthorised
from signaling.api.route import Answer, Call, Nothing, Route, Routes, json_answer
from signaling.api.slot_kinds import ConfirmedRx, RedeemCode, RedeemedCode, RxWord, SlotSetting
from signaling.law.asked import RxConfirmed
from signaling.law.errors import EventRefused
from signaling.law.facts import Slot
from signaling.law.prescribing import contradicted
from signaling.outbound.signed import is_signed
from signaling.outbound.webhooks import secret_text
from signaling.ports import Clock, Visits, VisitStore
from signaling.sql.launches import SqlLaunches


class SlotRoutes:
    """See the module. `slot` is None where no hospital's page is configured."""

    def __init__(
        self,
        store: VisitStore,
        visits: Visits,
        launches: SqlLaunches,
        clock: Clock,
        key: bytes,
        slot: Slot | None,
        fhir_base: str | None,
    ) -> None:
        self._store = store
        self._visits = visits
        self._launches = launches
        self._clock = clock
        self._key = key
        self._slot = slot
        self._fhir_base = fhir_base

    def routes(self) -> Routes:
        """The table."""
        return [
            Route(
                "GET",
                "/api/v1/slot",
                "getSlot",
                "The hospital's prescribing page as configured, and the secret its server signs with.",
                "hospital",
                (Answer(200, "The slot", SlotSetting),),
                self.setting,
                Nothing,
                Nothing,
                refuses=(NotFound,),
            ),
            Route(
                "POST",
                "/api/v1/slot/redeem",
                "redeemCode",
                "Who the visit of a one-time code is about. Signed; good once, for 60 s.",
                "slot",
                (Answer(200, "The visit and its patient", RedeemedCode),),
                self.redeem,
                RedeemCode,
                Nothing,
                refuses=(NotFound,),
            ),
            Route(
                "POST",
                "/api/v1/slot/confirm",
                "confirmPrescription",
                "What the hospital's server says of a prescription: confirms the claim of the same hash. Signed; repeatable.",
                "slot",
                (Answer(200, "How the prescription stands", ConfirmedRx),),
                self.confirm,
                RxWord,
                Nothing,
                refuses=(NotFound, Conflict),
            ),
        ]

    async def setting(self, _call: Call[Nothing, Nothing]) -> web.Response:
        """With the secret: who holds the API key could confirm nothing less by other means."""
        if self._slot is None:
            raise NotFound("no prescribing page is configured", code="slot_absent")
        return json_answer(SlotSetting(self._slot.url, self._slot.origin, secret_text(self._key)))

    async def redeem(self, call: Call[RedeemCode, Nothing]) -> web.Response:
        """SLOT-2."""
        self._check(call)
        visit = await self._launches.redeem(call.body.code, self._clock())
        facts = None if visit is None else await self._store.load(visit)
        if facts is None:
            raise NotFound("no such code, or it was redeemed, or its minute is over", code="code_unknown")
        return json_answer(RedeemedCode(facts.id, facts.patient, facts.doctor, self._fhir_base))

    async def confirm(self, call: Call[RxWord, Nothing]) -> web.Response:
        """RX-1, RX-3."""
        self._check(call)
        said = call.body
        given = RxConfirmed(said.rx, said.version, said.state, said.sha256, said.sm3)
        try:
            facts = await self._visits.confirm(said.visit, given)
        except KeyError:
            raise NotFound("no such visit", code="visit_unknown") from None
        except EventRefused as refused:
            if refused.code in ("internal", "store_unavailable"):
                raise NotReady(str(refused), code=refused.code) from None
            raise Conflict(str(refused), code=refused.code) from None
        if contradicted(facts, given):
            raise Conflict("the page said another hash of this version", code="rx_conflict")
        rx = next(each for each in facts.prescriptions if (each.rx, each.version) == (said.rx, said.version))
        return json_answer(ConfirmedRx(facts.id, rx.rx, rx.version, rx.state, rx.standing, rx.late))

    def _check(self, call: Call[Any, Nothing]) -> None:
        if self._slot is None:
            raise NotFound("no prescribing page is configured", code="slot_absent")
        if not is_signed(self._key, call.request.headers, call.raw, self._clock()):  # SLOT-1
            raise Unauthorised("the request is not signed under the slot's key", code="signature_invalid")
