"""Who is let in: the key, how often one may fail, and what a refusal looks like."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signaling.api.auth import MAX_SOURCES, Failures
from tests.http_api import API_KEY, VISIT, Api, open_api


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(tmp_path, burst=5) as opened:
        yield opened


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": f"Bearer {API_KEY}"}, {"Authorization": f"bearer  {API_KEY}"}, {"X-API-Key": API_KEY}],
)
async def test_the_api_key_lets_in_by_either_header(api: Api, headers: dict[str, str]) -> None:
    async with api.client.get("/api/v1/visits", headers=headers) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "auth_missing"),
        ({"Authorization": f"Basic {API_KEY}"}, "auth_missing"),
        ({"Authorization": "Bearer"}, "auth_missing"),
        ({"Authorization": f"Bearer {API_KEY}x"}, "api_key_invalid"),
        ({"X-API-Key": "ключ"}, "api_key_invalid"),
        ({"X-API-Key": API_KEY[:-1]}, "api_key_invalid"),
    ],
)
async def test_anything_else_is_refused_with_a_challenge(api: Api, headers: dict[str, str], code: str) -> None:
    async with api.client.get("/api/v1/visits", headers=headers) as answer:
        assert answer.status == 401
        assert (await answer.json(content_type=None))["code"] == code
        assert answer.content_type == "application/problem+json"
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="teleconsult"'


async def test_a_persons_link_does_not_open_the_hospitals_api(api: Api) -> None:
    made = await api.visit()
    for link in made["links"].values():
        status, problem = await api.call("GET", "/api/v1/visits", link.partition("#")[2])
        assert (status, problem["code"]) in {(401, "api_key_invalid")}


async def test_many_failures_are_slowed_down_but_a_good_key_still_works(api: Api) -> None:
    statuses = [(await api.call("GET", "/api/v1/visits", "guess"))[0] for _ in range(8)]
    assert statuses == [401] * 5 + [429] * 3
    async with api.client.get("/api/v1/visits") as answer:
        assert answer.status == 429
        assert int(answer.headers["Retry-After"]) > 0
    assert (await api.call("GET", "/api/v1/visits"))[0] == 200


async def test_a_refused_request_is_not_even_read(api: Api) -> None:
    assert (await api.call("POST", "/api/v1/visits", "guess", json=VISIT))[0] == 401
    assert (await api.call("POST", "/api/v1/visits", "guess", data=b"x" * 100_000))[0] == 401
    assert (await api.store.page(1, None)).visits == []


def test_each_source_has_its_own_measure_and_it_fills_again() -> None:
    now = 0.0
    failures = Failures(lambda: now, per_s=0.2, burst=2)
    assert [failures.count("a") for _ in range(3)] == [True, True, False]
    assert failures.count("b")
    now = 5.0
    assert [failures.count("a") for _ in range(2)] == [True, False]


def test_the_memory_of_failures_is_bounded() -> None:
    failures = Failures(lambda: 0.0, burst=1)
    for number in range(MAX_SOURCES + 50):
        failures.count(str(number))
    assert len(failures._buckets) == MAX_SOURCES
