"""What anyone may ask, and what every answer has in common."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from signaling.ports import StoreAway
from signaling.sql.store import SqlVisitStore
from tests.http_api import API_KEY, PATIENT, VISIT, Api


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_words_of_consent_carry_their_hash(api: Api, language: str) -> None:
    async with api.client.get("/api/v1/consent", params={"language": language}) as answer:
        said = await answer.json()
    assert said["language"] == language
    assert said["sha256"] == hashlib.sha256(said["text"].encode()).hexdigest()


async def test_consent_in_another_language_is_refused(api: Api) -> None:
    async with api.client.get("/api/v1/consent", params={"language": "fr"}) as answer:
        assert answer.status == 400


async def test_health_asks_nobody_and_readiness_asks_everybody(api: Api) -> None:
    assert (await api.call("GET", "/healthz"))[0] == 200
    assert await api.call("GET", "/readyz") == (200, {"ready": True, "parts": {"database": True}})
    api.ready["database"] = False
    assert await api.call("GET", "/readyz") == (503, {"ready": False, "parts": {"database": False}})
    assert (await api.call("GET", "/healthz"))[0] == 200


async def test_the_document_names_every_operation_once(api: Api) -> None:
    _, document = await api.call("GET", "/api/v1/openapi.json")
    names = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert sorted(names) == sorted(set(names))
    assert {"createVisit", "endVisit", "createLink"} <= set(names)
    assert document["openapi"].startswith("3.1")


async def test_every_kind_of_the_document_has_a_name_of_its_own(api: Api) -> None:
    _, document = await api.call("GET", "/api/v1/openapi.json")
    named = document["components"]["schemas"]
    assert [
        name for name in named if not name.isalpha()
    ] == []  # two of one name would get their modules' paths before it


async def test_a_pattern_of_the_document_is_anchored_as_its_readers_know_it(api: Api) -> None:
    def patterns(node: Any) -> Iterator[str]:
        for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from patterns(each)
        if isinstance(node, dict) and isinstance(node.get("pattern"), str):
            yield node["pattern"]

    found = set(patterns((await api.call("GET", "/api/v1/openapi.json"))[1]))
    assert {"^[0-9a-f]{64}$", "^[A-Za-z0-9_-]{1,64}$"} < found
    assert [each for each in found if not (each[0] == "^" and each[-1] == "$" and "\\A" not in each)] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/visits", VISIT | {"patient": PATIENT | {"name": "王桂英\n"}}),
        ("/api/v1/visits", VISIT | {"patient": PATIENT | {"name": " \u3000"}}),
        ("/api/v1/visits", VISIT | {"patient": PATIENT | {"name": "王\u0085"}}),
        ("/api/v1/visits", VISIT | {"patient": PATIENT | {"id": "p-1\n"}}),
        ("/api/v1/webhooks", {"url": "https://hospital.example/told\n"}),
        ("/api/v1/visits/v1/captions", {"seat": "doctor", "line": "l1\n", "text": "x"}),
    ],
)
async def test_no_line_break_comes_in_at_the_end_and_no_name_is_blank(api: Api, path: str, body: Any) -> None:
    status, problem = await api.call("POST", path, json=body)
    assert (status, problem["code"]) == (400, "request_invalid")


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/visits/", "/api/v1/visits/a%2Fb", "/api/v2/visits"])
async def test_an_address_of_nobodys_is_a_problem(api: Api, path: str) -> None:
    status, problem = await api.call("GET", path)
    assert (status, problem["code"]) == (404, "not_found")
    assert problem["type"] == "urn:teleconsult:problem:not_found"


async def test_another_method_is_refused_with_those_allowed(api: Api) -> None:
    async with api.client.put("/api/v1/visits", json=VISIT) as answer:
        assert answer.status == 405
        assert set(answer.headers["Allow"].split(",")) == {"GET", "POST"}
        assert (await answer.json(content_type=None))["code"] == "method_wrong"


async def test_every_answer_is_named_and_guarded(api: Api) -> None:
    for path in ("/healthz", "/api/v1/visits", "/nothing"):
        async with api.client.get(path, headers={"X-Request-Id": "order-7.a"}) as answer:
            assert answer.headers["X-Request-Id"] == "order-7.a"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cache-Control"] == "no-store"


async def test_an_implausible_request_id_is_replaced(api: Api) -> None:
    async with api.client.get("/healthz", headers={"X-Request-Id": "a b<script>"}) as answer:
        assert answer.headers["X-Request-Id"].isprintable()
        assert "<" not in answer.headers["X-Request-Id"]


async def test_a_bug_is_a_typed_answer_and_ends_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(SqlVisitStore, "load", broken)
        status, problem = await api.call("GET", "/api/v1/visits/v1")
    assert (status, problem["code"]) == (500, "internal")
    assert problem["request_id"] in str([vars(record) for record in caplog.records])
    assert (await api.call("GET", "/api/v1/visits/v1"))[0] == 404


async def test_a_database_that_is_away_is_said_to_be(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise StoreAway

    monkeypatch.setattr(SqlVisitStore, "load", away)
    async with api.client.get("/api/v1/visits/v1", headers={"X-API-Key": API_KEY}) as answer:
        assert answer.status == 503
        assert "Retry-After" in answer.headers
        assert (await answer.json(content_type=None))["code"] == "store_unavailable"


async def test_nothing_that_was_said_is_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = await api.visit()
    await api.call("GET", f"/api/v1/visits/{made['id']}")
    await api.call("POST", "/api/v1/visits", json=VISIT | {"patient": PATIENT | {"age": "王"}})
    await api.call("GET", "/api/v1/王桂英")
    written = "\n".join(str(vars(record)) for record in caplog.records if record.name != "asyncio")
    for secret in ("王", "李", "头晕", "p-1", API_KEY, made["links"]["patient"].partition("#")[2], "127.0.0.1"):
        assert secret not in written
