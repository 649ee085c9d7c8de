"""The slot over HTTP: one-time codes, and the hospital's signed word."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from signaling.law.facts import Prescription
from signaling.outbound.webhooks import signature
from signaling.sql.launches import GOOD_FOR_S, SqlLaunches
from tests.http_api import SLOT_KEY, Api, open_api, open_store, some_visit

SHA = "ab" * 32


def signed(body: bytes, key: bytes = SLOT_KEY, at: int | None = None) -> dict[str, str]:
    at = int(time.time()) if at is None else at
    return {
        "Content-Type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,nonsense {signature(key, 'msg_1', at, body)}",
    }


async def post(api: Api, what: str, body: Any, **how: Any) -> tuple[int, Any]:
    raw = json.dumps(body).encode()
    return await api.call("POST", f"/api/v1/slot/{what}", data=raw, headers=signed(raw, **how), token="")


async def in_visit(api: Api) -> str:
    visit: str = (await api.visit())["id"]
    facts = await api.store.load(visit)
    assert facts is not None
    claimed = Prescription("rx-1", 1, SHA, "signed", "claimed", claimed="2026-05-04T09:00:00.000Z")
    await api.store.save(msgspec.structs.replace(facts, phase="live", seq=facts.seq + 1, prescriptions=[claimed]))
    return visit


async def test_a_code_is_redeemed_once_for_the_patient_and_never_unsigned(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        visit = (await api.visit())["id"]
        code = await api.launches.issue(visit, time.time())
        status, told = await post(api, "redeem", {"code": code}, key=b"x" * 32)
        assert (status, told["code"]) == (401, "signature_invalid")
        assert (await post(api, "redeem", {"code": code}, at=int(time.time()) - 400))[0] == 401
        status, told = await post(api, "redeem", {"code": code})
        assert (status, told["visit"], told["patient"]["id"]) == (200, visit, "p-1")
        assert told["fhir_base"] == "https://his.example/fhir"
        status, told = await post(api, "redeem", {"code": code})
        assert (status, told["code"]) == (404, "code_unknown")


async def test_of_many_redemptions_at_once_one_wins_and_a_minute_later_none(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        await store.create(some_visit("v1"), None, "")
        launches = SqlLaunches(store.engine)
        code = await launches.issue("v1", 1000.0)
        found = await asyncio.gather(*(launches.redeem(code, 1000.0 + GOOD_FOR_S - 1) for _ in range(20)))
        assert sorted(str(one) for one in found) == ["None"] * 19 + ["v1"]
        late = await launches.issue("v1", 1000.0)
        assert await launches.redeem(late, 1000.0 + GOOD_FOR_S) is None


async def test_the_hospitals_word_confirms_and_another_hash_contradicts(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        visit = await in_visit(api)
        word = {"visit": visit, "rx": "rx-1", "version": 1, "state": "reviewed", "sha256": SHA}
        assert (await post(api, "confirm", word, key=b"y" * 32))[0] == 401
        status, told = await post(api, "confirm", word)
        assert (status, told["standing"], told["state"]) == (200, "confirmed", "reviewed")
        assert (await post(api, "confirm", word))[1] == told  # repeated
        status, told = await post(api, "confirm", word | {"sha256": "cd" * 32})
        assert (status, told["code"]) == (409, "rx_conflict")
        assert (await post(api, "confirm", word | {"visit": "nobody"}))[1]["code"] == "visit_unknown"


@pytest.mark.parametrize("said", [{}, {"webhook-timestamp": "soon"}, {"webhook-id": ""}, {"webhook-signature": "v1,é"}])
async def test_what_is_not_signed_as_it_must_be_is_refused(tmp_path: Path, said: dict[str, str]) -> None:
    async with open_api(tmp_path) as api:
        body = b'{"code": "x"}'
        headers = signed(body) | said if said else {"Content-Type": "application/json"}
        status, told = await api.call("POST", "/api/v1/slot/redeem", data=body, headers=headers, token="")
        assert (status, told["code"]) == (401, "signature_invalid")


async def test_the_secret_is_told_to_the_hospital_alone(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        status, told = await api.call("GET", "/api/v1/slot")
        assert (status, told["origin"], told["secret"][:6]) == (200, "https://his.example", "whsec_")
        assert (await api.call("GET", "/api/v1/slot", token="another"))[0] == 401
