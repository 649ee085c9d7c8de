"""Staff at the desk: what grants reach, what they never reach, and that every decision is on the log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from config.clock import iso, now_iso, parse_iso
from signaling.staff.access import Asker, Sample, sampled
from tests.http_api import API_KEY, Api, some_visit


def after(seconds: int) -> str:
    return iso(parse_iso(now_iso()) + timedelta(seconds=seconds))


async def signed_in(api: Api, who: str, role: Any, doctor: str | None = None, lasts_s: int = 600) -> str:
    return await api.access.begin(Asker(who, role, doctor), now_iso(), after(lasts_s))


async def granted(api: Api, who: str, **more: Any) -> dict[str, Any]:
    said = {"who": who, "purpose": "complaint", "until": after(3600)} | more
    status, grant = await api.call("POST", "/api/v1/grants", json=said)
    assert status == 201, grant
    return grant  # type: ignore[no-any-return]


async def code(api: Api, path: str, token: str) -> str:
    status, said = await api.call("GET", f"/api/v1/recordings{path}", token)
    return "allowed" if status == 200 else said["code"]


async def listed(api: Api, token: str, **query: str) -> list[str]:
    _, page = await api.call("GET", "/api/v1/recordings", token, params=query)
    return [row["visit"] for row in page["recordings"]]


async def test_an_auditor_sees_what_was_granted_until_it_is_taken_back(api: Api) -> None:
    for visit in ("v1", "v2"):
        await api.store.create(some_visit(visit), None, "")
    token = await signed_in(api, "a-1", "auditor")
    assert await code(api, "/v1", token) == "grant_missing"
    assert await listed(api, token) == []
    grant = await granted(api, "a-1", visits=["v1"], case="2026-017")
    assert await code(api, "/v1", token) == "allowed"
    assert await code(api, "/v2", token) == "grant_missing"
    assert await listed(api, token) == ["v1"]
    status, revoked = await api.call("POST", f"/api/v1/grants/{grant['id']}/revoke")
    assert (status, revoked["revoked_by"]) == (200, "hospital")
    assert await code(api, "/v1", token) == "grant_revoked"
    assert await listed(api, token) == []
    _, reviewed = await api.call("GET", "/api/v1/grants")
    assert [one["case"] for one in reviewed["grants"]] == ["2026-017"]
    logged = [(one.who, one.outcome, one.granted_by) for one in reversed(await api.store.accesses_of("v1"))]
    assert logged == [("a-1", "grant_missing", None), ("a-1", "allowed", grant["id"]), ("a-1", "grant_revoked", None)]


async def test_an_administrator_gives_grants_and_sees_no_recording(api: Api) -> None:
    await api.store.create(some_visit("v1"), None, "")
    token = await signed_in(api, "boss", "administrator")
    said = {"who": "boss", "purpose": "other", "until": after(60), "visits": ["v1"]}
    status, grant = await api.call("POST", "/api/v1/grants", token, json=said)
    assert (status, grant["created_by"]) == (201, "boss")
    for path in ("/v1", "/v1/files", "/v1/files/records/000001.jsonl", "/v1/names", "/v1/messages"):
        assert await code(api, path, token) == "role_wrong"
    reviewer = await signed_in(api, "a-1", "auditor")
    _, staff = await api.call("GET", "/api/v1/staff", token)
    assert {(one["who"], one["role"]) for one in staff["staff"]} == {("boss", "administrator"), ("a-1", "auditor")}
    assert (await api.call("GET", "/api/v1/staff", reviewer))[0] == 403
    _, log = await api.call("GET", "/api/v1/accesses", token)
    assert [(one["what"], one["outcome"]) for one in log["accesses"]][-2:] == [
        ("names", "role_wrong"),
        ("messages", "role_wrong"),
    ]
    auditor = await signed_in(api, "a-1", "auditor")
    for method, path in (("POST", "/api/v1/grants"), ("GET", "/api/v1/grants"), ("GET", "/api/v1/accesses")):
        status, problem = await api.call(method, path, auditor, **({"json": said} if method == "POST" else {}))
        assert (status, problem["code"]) == (403, "role_wrong")


async def test_a_doctor_sees_their_own_visits_and_quality_control_its_sample(api: Api) -> None:
    other = {"doctor": some_visit("x").doctor.__class__("d-2", "陈立")}
    for number in range(40):
        await api.store.create(some_visit(f"v{number}", **(other if number % 2 else {})), None, "")
    doctor = await signed_in(api, "doc", "doctor", "d-2")
    assert sorted(await listed(api, doctor)) == sorted(f"v{number}" for number in range(1, 40, 2))
    assert (await code(api, "/v1", doctor), await code(api, "/v2", doctor)) == ("allowed", "not_own_visit")
    grant = await granted(api, "q-1", per_mille=300)
    seed = grant["sample"]["seed"]
    drawn = {f"v{number}" for number in range(40) if sampled(Sample(300, seed), f"v{number}")}
    quality = await signed_in(api, "q-1", "quality")
    assert set(await listed(api, quality, limit="200")) == drawn
    said = {f"v{number}": await code(api, f"/v{number}", quality) for number in range(40)}
    assert {visit for visit, one in said.items() if one == "allowed"} == drawn
    assert {one for visit, one in said.items() if visit not in drawn} == {"not_sampled"}
    if drawn:
        assert await code(api, f"/{min(drawn)}/names", quality) == "role_wrong"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "grant_unbounded"),
        ({"visits": ["v1"], "until": "2020-01-01T00:00:00Z"}, "grant_endless"),
        ({"visits": ["v1"], "until": "2099-01-01T00:00:00Z"}, "grant_endless"),
        ({"visits": ["../v1"]}, "request_invalid"),
        ({"per_mille": 1001}, "request_invalid"),
        ({"who": "王 桂英", "visits": ["v1"]}, "request_invalid"),
    ],
)
async def test_a_grant_is_about_something_and_ends(api: Api, more: dict[str, Any], expected: str) -> None:
    said = {"who": "a-1", "purpose": "complaint", "until": after(60)} | more
    status, problem = await api.call("POST", "/api/v1/grants", json=said)
    assert (status, problem["code"]) == (400, expected)


async def test_a_session_says_who_it_is_and_ends(api: Api) -> None:
    token = await signed_in(api, "a-1", "auditor")
    _, said = await api.call("GET", "/api/v1/session", token)
    assert (said["who"], said["role"], said["kind"]) == ("a-1", "auditor", "session")
    assert (await api.call("POST", "/api/v1/session/end", token))[0] == 200
    status, problem = await api.call("GET", "/api/v1/session", token)
    assert (status, problem["code"]) == (401, "session_ended")
    over = await signed_in(api, "a-1", "auditor", lasts_s=-1)
    assert (await api.call("GET", "/api/v1/recordings", over))[1]["code"] == "session_expired"
    assert (await api.call("GET", "/api/v1/recordings", "staff_" + "x" * 43))[1]["code"] == "session_unknown"
    assert (await api.call("GET", "/api/v1/visits", token))[1]["code"] == "api_key_invalid"
    assert (await api.call("POST", "/api/v1/session/end", API_KEY))[1]["code"] == "auth_missing"


async def test_the_coordinators_desk_and_what_patients_said_are_no_doctors_nor_an_auditors(api: Api) -> None:
    for role, doctor, status in (("doctor", "d-1", 403), ("auditor", None, 403), ("administrator", None, 200)):
        token = await signed_in(api, f"{role}-1", role, doctor)
        assert (await api.call("GET", "/api/v1/ratings", token))[0] == status, role
        # ACCESS-1: who is in which visit would tell an administrator whose its recording is.
        assert (await api.call("GET", "/api/v1/coordination", token))[0] == 403, role
        path = "/api/v1/coordination/nobody/reassign"
        assert (await api.call("POST", path, token, json={"doctor": "d-2"}))[0] == 403, role


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_time_that_is_none_in_utc_is_refused_and_breaks_nothing(api: Api, moment: str) -> None:
    people = {"doctor": {"id": "d", "name": "D"}, "patient": {"id": "p", "name": "P"}}
    grant = {"who": "a-1", "purpose": "other", "until": after(60), "visits": ["v1"]}
    asked = [("visits", people | {"scheduled": moment}), ("appointments", people | {"starts": moment})]
    asked += [("grants", grant | {name: moment}) for name in ("since", "before", "begins", "until")]
    for path, said in asked:
        status, answer = await api.call("POST", f"/api/v1/{path}", json=said)
        assert (status, answer["code"]) == (400, "request_invalid"), path
