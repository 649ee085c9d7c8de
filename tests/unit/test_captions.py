"""Captions: shown to who is in the live visit, bounded, kept nowhere."""

from __future__ import annotations

from pathlib import Path

from tests.http_api import open_api, some_visit

SAID = {"seat": "doctor", "line": "l1", "text": "先量血压", "language": "zh"}


async def test_only_a_live_visit_takes_captions_and_only_from_the_hospital(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        made = await api.visit()
        await api.store.create(some_visit("v1", phase="live"), None, "")
        assert await api.call("POST", "/api/v1/visits/v1/captions", json=SAID) == (200, {"told": 0})
        for path, json, status, code in (
            (f"/api/v1/visits/{made['id']}/captions", SAID, 409, "phase_wrong"),
            ("/api/v1/visits/nobody/captions", SAID, 404, "visit_unknown"),
            ("/api/v1/visits/v1/captions", {**SAID, "text": ""}, 400, "request_invalid"),
            ("/api/v1/visits/v1/captions", {**SAID, "text": "a\nb"}, 400, "request_invalid"),
            ("/api/v1/visits/v1/captions", {**SAID, "seat": "nobody"}, 400, "request_invalid"),
        ):
            said, problem = await api.call("POST", path, json=json)
            assert (said, problem["code"]) == (status, code)
        token = made["links"]["doctor"].partition("#")[2]
        assert (await api.call("POST", "/api/v1/visits/v1/captions", token, json=SAID))[0] == 401
