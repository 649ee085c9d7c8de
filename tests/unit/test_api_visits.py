"""The hospital's API: visits made once, found again, ended, and their links."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from signaling.law.facts import Doctor
from signaling.law.summary import Allergy, Summary
from tests.http_api import API_KEY, BASE_URL, VISIT, Api, some_visit


def token_of(link: str) -> str:
    return link.partition("#")[2]


async def test_a_visit_is_made_with_a_link_a_role(api: Api) -> None:
    async with api.client.post("/api/v1/visits", json=VISIT, headers={"X-API-Key": API_KEY}) as answer:
        assert answer.status == 201
        made = await answer.json()
        assert answer.headers["Location"] == f"/api/v1/visits/{made['id']}"
    assert made["phase"] == "scheduled"
    assert made["recording"] == "required"
    for role, letter in (("doctor", "d"), ("patient", "p"), ("auditor", "a")):
        assert made["links"][role].startswith(f"{BASE_URL}/{letter}/#")
        claims = api.tokens.verify(token_of(made["links"][role]))
        assert (claims.role, claims.visit) == (role, made["id"])
    assert api.visits.made == [made["id"]]
    status, found = await api.call("GET", f"/api/v1/visits/{made['id']}")
    assert status == 200
    assert found == {name: value for name, value in made.items() if name != "links"}


async def test_the_summary_is_kept_for_the_doctor_and_repeated_to_nobody(api: Api) -> None:
    said = {"allergies": [{"substance": "青霉素", "severity": "severe"}], "conditions": []}
    made = await api.visit(summary=said)
    facts = await api.store.load(made["id"])
    assert facts is not None
    assert facts.summary == Summary([Allergy("青霉素", None, "severe")], [], None, None)
    told = [made, (await api.call("GET", f"/api/v1/visits/{made['id']}"))[1], await api.call("GET", "/api/v1/events")]
    assert "青霉素" not in str(told)


async def test_the_hospital_may_fetch_the_notes_and_the_look_is_on_the_access_log(api: Api) -> None:
    made = await api.visit()
    facts = await api.store.load(made["id"])
    assert facts is not None
    await api.store.save(replace(facts, notes="脉细", seq=facts.seq + 1))
    assert await api.call("GET", f"/api/v1/visits/{made['id']}/notes") == (200, {"visit": made["id"], "notes": "脉细"})
    assert [(each.who, each.what) for each in await api.store.accesses_of(made["id"])] == [("hospital", "notes")]


async def test_a_link_names_nobody(api: Api) -> None:
    made = await api.visit()
    claims = api.tokens.verify(token_of(made["links"]["patient"]))
    assert claims.subject == "patient"


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({}, None),
        ({"doctor": VISIT["doctor"]}, None),
        (VISIT | {"extra": 1}, None),
        (VISIT | {"patient": {"id": "p", "name": ""}}, "patient.name"),
        (VISIT | {"patient": {"id": "p", "name": "王", "nickname": "x"}}, "patient"),
        (VISIT | {"patient": {"id": "p", "name": "a\u0000b"}}, "patient.name"),
        (VISIT | {"summary": {"allergies": [{"substance": " "}]}}, "summary.allergies[0].substance"),
        (VISIT | {"summary": {"medication": [{"name": "x"}] * 21}}, "summary.medication"),
        (VISIT | {"summary": {"weight_kg": 0}}, "summary.weight_kg"),
        (VISIT | {"expires_in_s": 59}, "expires_in_s"),
        (VISIT | {"expires_in_s": 604_801}, "expires_in_s"),
        (VISIT | {"expires_in_s": "600"}, "expires_in_s"),
        (VISIT | {"recording": "never"}, "recording"),
        (VISIT | {"scheduled": "tomorrow"}, "scheduled"),
        (VISIT | {"scheduled": "2026-05-04T09:00:00"}, "scheduled"),
        ([], None),
    ],
)
async def test_a_wrong_body_is_refused_by_name_and_makes_nothing(api: Api, body: Any, at: str | None) -> None:
    status, problem = await api.call("POST", "/api/v1/visits", json=body)
    assert status == 400
    assert problem["code"] == "request_invalid"
    assert problem.get("at") == at
    assert "王" not in str(problem)
    assert (await api.store.page(10, None)).visits == []


HOSTILE = [
    b"",
    b"{",
    b"\xff\xfe",
    b'{"doctor": "\\ud800"}',
    b"[" * 60_000,
    b'{"doctor":' * 5_000 + b"1" + b"}" * 5_000,
    b"[" * 900 + b"]" * 900,
    b"1" * 60_000,
    b'{"expires_in_s": 1e999}',
    b'{"expires_in_s": NaN}',
    json.dumps(VISIT).encode()[:-1] + b', "recording": "required", "recording": "optional"}',
    json.dumps(VISIT).encode().replace(b'"id"', b'"id": "another", "id"', 1),
]


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
async def test_what_is_no_json_is_refused(api: Api, body: bytes) -> None:
    status, problem = await api.call("POST", "/api/v1/visits", data=body, headers={"Content-Type": "application/json"})
    assert status == 400
    assert problem["code"] in ("json_invalid", "request_invalid")


async def test_a_body_of_another_kind_is_refused(api: Api) -> None:
    status, problem = await api.call("POST", "/api/v1/visits", data=b"a=b", headers={"Content-Type": "text/plain"})
    assert (status, problem["code"]) == (415, "media_type_wrong")


async def test_a_body_over_64_kib_is_refused(api: Api) -> None:
    body = VISIT | {"scheduled": "x" * 66_000}
    status, problem = await api.call("POST", "/api/v1/visits", json=body)
    assert (status, problem["code"]) == (413, "payload_too_large")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b" " * 1024

    status, problem = await api.call(
        "POST", "/api/v1/visits", data=chunks(), headers={"Content-Type": "application/json"}
    )
    assert (status, problem["code"]) == (413, "payload_too_large")


async def test_the_same_key_and_body_make_one_visit_whose_links_work(api: Api) -> None:
    headers = {"Authorization": f"Bearer {API_KEY}", "Idempotency-Key": "order-1"}
    async with api.client.post("/api/v1/visits", json=VISIT, headers=headers) as answer:
        first = await answer.json()
        assert "Idempotency-Replayed" not in answer.headers
    await api.call("POST", f"/api/v1/visits/{first['id']}/links/revoke")
    async with api.client.post("/api/v1/visits", json=VISIT, headers=headers) as answer:
        again = await answer.json()
        assert answer.status == 201
        assert answer.headers["Idempotency-Replayed"] == "true"
    assert again["id"] == first["id"]
    assert api.tokens.verify(token_of(again["links"]["doctor"])).links_epoch == 1
    assert api.visits.made == [first["id"]]


async def test_the_same_key_with_another_body_is_a_conflict(api: Api) -> None:
    headers = {"Idempotency-Key": "order-1"}
    await api.call("POST", "/api/v1/visits", json=VISIT, headers=headers)
    other = VISIT | {"recording": "optional"}
    status, problem = await api.call("POST", "/api/v1/visits", json=other, headers=headers)
    assert (status, problem["code"]) == (409, "idempotency_conflict")


async def test_twenty_at_once_with_one_key_make_one_visit(api: Api) -> None:
    async def make() -> str:
        status, made = await api.call("POST", "/api/v1/visits", json=VISIT, headers={"Idempotency-Key": "one"})
        assert status == 201, made
        return str(made["id"])

    assert len(set(await asyncio.gather(*(make() for _ in range(20))))) == 1
    assert len((await api.store.page(50, None)).visits) == 1
    assert len(api.visits.made) == 1


@pytest.mark.parametrize("key", ["", "x" * 129, "with space", "ü"])
async def test_a_wrong_idempotency_key_is_refused(api: Api, key: str) -> None:
    status, problem = await api.call("POST", "/api/v1/visits", json=VISIT, headers={"Idempotency-Key": key})
    assert (status, problem["code"]) == (400, "header_invalid")


async def test_pages_hold_every_visit_once_newest_first_while_new_ones_come(api: Api) -> None:
    made = [(await api.visit())["id"] for _ in range(7)]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        status, page = await api.call("GET", "/api/v1/visits", params=query)
        assert status == 200
        assert len(page["visits"]) <= 3
        seen += [visit["id"] for visit in page["visits"]]
        await api.visit()
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert sorted(seen) == sorted(made)


async def test_visits_are_listed_by_phase(api: Api) -> None:
    ended, _ = await api.visit(), await api.visit()
    await api.call("POST", f"/api/v1/visits/{ended['id']}/end")
    _, page = await api.call("GET", "/api/v1/visits", params={"phase": "ended"})
    assert [visit["id"] for visit in page["visits"]] == [ended["id"]]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=ten", "limit=", "phase=gone", "colour=red", "limit=1&limit=2"]
)
async def test_a_wrong_query_is_refused(api: Api, query: str) -> None:
    status, problem = await api.call("GET", f"/api/v1/visits?{query}")
    assert (status, problem["code"]) == (400, "parameter_invalid")


async def test_a_visit_is_ended_once(api: Api) -> None:
    made = await api.visit()
    status, ended = await api.call("POST", f"/api/v1/visits/{made['id']}/end", json={"reason": "cancelled"})
    assert status == 200
    assert ended["ended"] == {"by": "hospital", "reason": "cancelled"}
    assert await api.call("POST", f"/api/v1/visits/{made['id']}/end") == (200, ended)


@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("POST", "/end"), ("POST", "/links/revoke")])
async def test_an_unknown_visit_is_said_to_be_unknown(api: Api, method: str, rest: str) -> None:
    status, problem = await api.call(method, f"/api/v1/visits/nobody{rest}")
    assert (status, problem["code"]) == (404, "visit_unknown")


async def test_a_further_link_can_be_had(api: Api) -> None:
    made = await api.visit()
    body = {"role": "auditor", "expires_in_s": 600}
    status, issued = await api.call("POST", f"/api/v1/visits/{made['id']}/links", json=body)
    assert status == 201
    assert issued["role"] == "auditor"
    assert api.tokens.verify(token_of(issued["link"])).visit == made["id"]


async def test_the_auditors_desk_has_a_link_and_nobody_else_has_one_for_all_visits(api: Api) -> None:
    status, issued = await api.call("POST", "/api/v1/links", json={"role": "auditor", "expires_in_s": 600})
    assert status == 201
    assert api.tokens.verify(token_of(issued["link"])).visit is None
    status, _ = await api.call("POST", "/api/v1/links", json={"role": "doctor"})
    assert status == 400


async def test_revoking_links_tells_the_running_visit(api: Api) -> None:
    made = await api.visit()
    assert await api.call("POST", f"/api/v1/visits/{made['id']}/links/revoke") == (200, {"links_epoch": 1})
    assert await api.call("POST", f"/api/v1/visits/{made['id']}/links/revoke") == (200, {"links_epoch": 2})
    assert api.visits.revoked == [(made["id"], 1), (made["id"], 2)]


async def test_the_queues_show_who_waits_for_whom_and_what_needs_a_coordinator(api: Api) -> None:
    at = "2026-05-04T09:00:0{}.000Z"
    await api.store.create(some_visit("v2", phase="waiting", entered=at.format(2), late="coordinator"), None, "")
    await api.store.create(some_visit("v1", phase="live", entered=at.format(1), live=at.format(3), held=True), None, "")
    other = Doctor("d-2", "张伟", department="儿科")
    await api.store.create(some_visit("v3", phase="waiting", entered=at.format(3), doctor=other), None, "")
    await api.store.create(some_visit("v4", phase="ended", log_open=True), None, "")
    status, said = await api.call("GET", "/api/v1/queues")
    assert status == 200
    assert [(queue["doctor"]["id"], [each["id"] for each in queue["visits"]]) for queue in said["queues"]] == [
        ("d-1", ["v1", "v2"]),
        ("d-2", ["v3"]),
    ]
    assert said["escalations"] == ["v2"]
    assert "王桂英" not in str(said)


async def test_a_guest_gets_a_seat_of_its_own_and_a_visit_has_three(api: Api) -> None:
    visit = (await api.visit())["id"]
    where = f"/api/v1/visits/{visit}/links"
    for number, kind in enumerate(("specialist", "village_doctor", "family"), 1):
        status, said = await api.call("POST", where, json={"role": "guest", "as": kind})
        assert (status, said["seat"]) == (201, f"guest-{number}")
        base, _, token = said["link"].partition("#")
        assert base == f"{BASE_URL}/g/"
        claims = api.tokens.verify(token)
        assert (claims.role, claims.seat, claims.visit) == ("guest", f"guest-{number}", visit)
    status, problem = await api.call("POST", where, json={"role": "guest", "as": "interpreter"})
    assert (status, problem["code"]) == (409, "guests_full")
    status, problem = await api.call("POST", where, json={"role": "guest", "as": "stranger"})
    assert (status, problem["at"]) == (400, "as")


@pytest.mark.parametrize("key", ["王桂英", "x` - at `$.王桂英", "doctor` - at `$.wang"])
async def test_a_refusal_repeats_no_name_that_was_used_as_a_key_or_value(api: Api, key: str) -> None:
    for body in ({**VISIT, key: 1}, {**VISIT, "recording": key}, {**VISIT, "patient": {**VISIT["patient"], key: 1}}):
        status, problem = await api.call("POST", "/api/v1/visits", json=body)
        assert (status, problem["code"]) == (400, "request_invalid")
        assert "王" not in str(problem)
        assert "wang" not in str(problem)
