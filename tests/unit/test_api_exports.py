"""Exports by two people: asked, decided by somebody else, taken once, within the time."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from signaling.recordings.exports import Export, ExportRefused, check_decidable, check_takeable, state
from signaling.sql.database import writing
from signaling.sql.tables import exports
from tests.http_api import API_KEY, Api, open_api, some_visit
from tests.unit.test_api_grants import granted, signed_in
from tests.unit.test_api_recordings import SEGMENT, auditor, recorder, shelve

WHY = {"purpose": "dispute", "reason": "court file 12"}
T0, T1, T2 = (f"2026-05-04T{hour:02d}:00:00.000Z" for hour in (8, 9, 10))
ASKED = Export("e1", "v1", "a-1", T0, "dispute", "court", T1)


def test_an_export_goes_from_asked_to_taken_and_nowhere_else() -> None:
    approved = msgspec.structs.replace(ASKED, approved=True, decided_by="a-2", decided=T0, until=T1)
    refused = msgspec.structs.replace(approved, approved=False)
    taken = msgspec.structs.replace(approved, taken=T0)
    assert [state(one, T0) for one in (ASKED, approved, refused, taken)] == ["asked", "approved", "refused", "taken"]
    assert [state(one, T2) for one in (ASKED, approved, refused, taken)] == ["expired", "expired", "refused", "taken"]
    check_decidable(ASKED, T0)
    check_takeable(approved, T0)
    for check, export, at, code in (
        (check_decidable, ASKED, T1, "export_expired"),
        (check_decidable, approved, T0, "export_decided"),
        (check_decidable, approved, T2, "export_decided"),
        (check_takeable, ASKED, T0, "export_undecided"),
        (check_takeable, approved, T1, "export_expired"),
        (check_takeable, refused, T0, "export_refused"),
        (check_takeable, taken, T0, "export_taken"),
    ):
        with pytest.raises(ExportRefused) as caught:
            check(export, at)
        assert caught.value.code == code


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(tmp_path) as opened, recorder(tmp_path):
        await opened.store.create(some_visit("v1"), None, "")
        await shelve(tmp_path, "v1")
        yield opened


async def asked(api: Api, token: str) -> dict[str, Any]:
    status, export = await api.call("POST", "/api/v1/recordings/v1/exports", token, json=WHY)
    assert status == 201, export
    return export  # type: ignore[no-any-return]


async def decided(api: Api, export: dict[str, Any], token: str, approve: bool = True) -> tuple[int, str]:
    path = f"/api/v1/exports/{export['id']}/decision"
    status, said = await api.call("POST", path, token, json={"approve": approve})
    return status, said.get("code", "")


async def taken(api: Api, export: dict[str, Any], token: str, **query: str) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {token}"}
    async with api.client.get(f"/api/v1/exports/{export['id']}/bundle", headers=headers, params=query) as answer:
        return answer.status, await answer.read()


async def test_two_people_export_a_bundle_once(api: Api, tmp_path: Path) -> None:
    first, second = await signed_in(api, "a-1", "auditor"), await signed_in(api, "a-2", "auditor")
    for who in ("a-1", "a-2"):
        await granted(api, who, visits=["v1"])
    export = await asked(api, first)
    assert b"export_undecided" in (await taken(api, export, first))[1]
    assert await decided(api, export, first) == (403, "same_person")
    assert await decided(api, export, auditor(api)) == (403, "role_wrong")
    assert await decided(api, export, await signed_in(api, "a-3", "auditor")) == (403, "grant_missing")
    assert await decided(api, export, second) == (200, "")
    assert await decided(api, export, API_KEY) == (409, "export_decided")
    status, problem = await taken(api, export, second)
    assert (status, b"export_not_yours" in problem) == (403, True)
    status, problem = await taken(api, export, first, recipient="age1" + "q" * 58)
    assert (status, b"recipient_invalid" in problem) == (400, True)
    status, archive = await taken(api, export, first)
    assert status == 200
    journal = [json.loads(line) for line in (tmp_path / "custody" / "journal").read_text().splitlines()]
    assert [(line["type"], line["body"]["who"], line["body"].get("second")) for line in journal] == [
        ("ask", "a-1", None),
        ("export", "a-1", "a-2"),
    ]
    assert any(name.endswith(SEGMENT) for name in zipfile.ZipFile(io.BytesIO(archive)).namelist())
    status, problem = await taken(api, export, first)
    assert (status, b"export_taken" in problem) == (409, True)
    _, log = await api.call("GET", "/api/v1/accesses", params={"limit": "200"})
    said = [(one["who"], one["what"].split()[:2], one["outcome"]) for one in log["accesses"] if "export" in one["what"]]
    assert said[0] == ("a-1", ["export", "asked"], "allowed")
    assert ("a-1", ["export", "approved"], "same_person") in said
    assert said[-2:] == [("a-2", ["export", "approved"], "allowed"), ("a-1", ["export", "taken"], "allowed")]


async def test_of_many_downloads_at_once_one_is_answered(api: Api, tmp_path: Path) -> None:
    first, second = await signed_in(api, "a-1", "auditor"), await signed_in(api, "a-2", "auditor")
    for who in ("a-1", "a-2"):
        await granted(api, who, visits=["v1"])
    export = await asked(api, first)
    assert await decided(api, export, second) == (200, "")
    answers = await asyncio.gather(*(taken(api, export, first) for _ in range(6)))
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409, 409, 409]
    journal = [json.loads(line) for line in (tmp_path / "custody" / "journal").read_text().splitlines()]
    assert [line["type"] for line in journal] == ["ask", "export"]


async def test_a_link_asks_and_the_hospitals_system_may_be_the_second(api: Api) -> None:
    token = auditor(api, "v1")
    export = await asked(api, token)
    _, mine = await api.call("GET", "/api/v1/exports", token)
    _, theirs = await api.call("GET", "/api/v1/exports", API_KEY)
    assert [one["id"] for one in mine["exports"]] == [one["id"] for one in theirs["exports"]] == [export["id"]]
    _, others = await api.call("GET", "/api/v1/exports", await signed_in(api, "a-9", "auditor"))
    assert others["exports"] == []
    assert await decided(api, export, API_KEY, approve=False) == (200, "")
    assert b"export_refused" in (await taken(api, export, token))[1]


async def test_after_its_hour_an_export_is_over(api: Api) -> None:
    export = await asked(api, auditor(api))
    async with writing(api.store.engine) as db:
        await db.execute(update(exports).values(until=T0))
    assert await decided(api, export, API_KEY) == (409, "export_expired")
    assert b"export_expired" in (await taken(api, export, auditor(api)))[1]


async def test_what_was_not_recorded_is_not_exported(api: Api) -> None:
    await api.store.create(some_visit("empty"), None, "")
    status, problem = await api.call("POST", "/api/v1/recordings/empty/exports", auditor(api), json=WHY)
    assert (status, problem["code"]) == (404, "recording_unknown")
    assert (await api.call("POST", "/api/v1/exports/nothing/decision", json={"approve": True}))[1][
        "code"
    ] == "export_unknown"
