"""The coordinator's desk over HTTP."""

from __future__ import annotations

from pathlib import Path

from config.clock import now_iso
from signaling.law.facts import Doctor
from tests.http_api import open_api, some_visit


async def test_a_coordinator_sees_every_queue_and_masked_names_only(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        other = Doctor("d-2", "陈立", None, "外科")
        await api.store.create(some_visit("v1", phase="waiting", entered=now_iso(), late="coordinator"), None, "")
        await api.store.create(some_visit("v2", phase="live", live=now_iso(), entered=now_iso()), None, "")
        await api.store.create(
            some_visit("v3", phase="waiting", entered=now_iso(), doctor=other, rebook=now_iso()), None, ""
        )
        await api.store.create(some_visit("v4", phase="ended"), None, "")
        token = api.links.desk(600, "coordinator").partition("#")[2]
        status, told = await api.call("GET", "/api/v1/coordination", token)
        assert status == 200
        loads = {one["name"]: (one["waiting"], one["live"]) for each in told["departments"] for one in each["doctors"]}
        assert loads == {"李敏": (1, 1), "陈立": (1, 0)}
        assert [(each["visit"], each["escalated"]) for each in told["visits"]] == [
            ("v1", True),
            ("v2", False),
            ("v3", True),
        ]
        assert "王桂英" not in str(told)
        assert (await api.call("GET", "/api/v1/coordination"))[0] == 200  # the hospital itself


async def test_no_other_link_is_a_coordinators_and_a_coordinators_is_no_other(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        made = await api.visit()
        for role in ("doctor", "patient", "auditor"):
            token = made["links"][role].partition("#")[2]
            assert (await api.call("GET", "/api/v1/coordination", token))[0] == 403
        status, issued = await api.call("POST", "/api/v1/links", json={"role": "coordinator"})
        assert status == 201
        assert "/o/#" in issued["link"]
        token = issued["link"].partition("#")[2]
        assert (await api.call("GET", "/api/v1/recordings", token))[0] == 403
        assert (await api.call("GET", f"/api/v1/visits/{made['id']}", token))[0] == 401


async def test_reassigning_nobody_is_not_found(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        path = "/api/v1/coordination/nobody/reassign"
        assert (await api.call("POST", path, json={"doctor": "d-2"}))[0] == 404
