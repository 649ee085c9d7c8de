"""Photos over HTTP: who may send one, what becomes of it, and who may see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from signaling.law.messages import MOST_PHOTOS
from tests.http_api import Api, open_api, some_visit
from tests.pictures import SECRET, drawn, dressed_jpeg, dressed_png, dressed_webp, pixels_of


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(tmp_path) as opened:
        for visit, phase in (("v1", "waiting"), ("v2", "live"), ("v3", "scheduled"), ("v4", "ended")):
            await opened.store.create(some_visit(visit, phase=phase), None, "")
        yield opened


def token(api: Api, role: str = "patient", visit: str = "v1", epoch: int = 0) -> str:
    return api.tokens.issue(role, visit, role, 600, epoch)  # type: ignore[arg-type]


async def upload(api: Api, data: bytes, media: str = "image/png", visit: str = "v1") -> tuple[int, Any]:
    return await api.call(
        "POST", "/api/v1/photos", token(api, visit=visit), data=BytesIO(data), headers={"Content-Type": media}
    )


@pytest.mark.parametrize(
    ("data", "media"),
    [(dressed_jpeg(6), "image/jpeg"), (dressed_png(), "image/png"), (dressed_webp(), "image/webp")],
)
async def test_a_photo_is_kept_without_its_story_and_shown_to_both_seats(api: Api, data: bytes, media: str) -> None:
    status, kept = await upload(api, data, media)
    assert status == 201
    assert (kept["media"], kept["width"], kept["height"]) == (media, 96, 64)
    for role in ("doctor", "patient"):
        headers = {"Authorization": f"Bearer {token(api, role)}"}
        async with api.client.get(f"/api/v1/photos/{kept['id']}", headers=headers) as answer:
            shown = await answer.read()
            assert (answer.status, answer.content_type, len(shown)) == (200, media, kept["bytes"])
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert SECRET not in shown
    assert pixels_of(shown).shape[2] == 3
    assert (await upload(api, data, media))[1] == kept


async def test_nobody_else_sees_it(api: Api) -> None:
    _, kept = await upload(api, dressed_png())
    where = f"/api/v1/photos/{kept['id']}"
    assert (await api.call("GET", where, token(api, "patient", "v2")))[0] == 404
    assert (await api.call("GET", where, api.tokens.issue("auditor", None, "a", 600)))[0] == 403
    assert (await api.call("GET", where))[0] == 401
    await api.store.revoke_links("v1")
    status, problem = await api.call("GET", where, token(api))
    assert (status, problem["code"]) == (401, "token_revoked")
    async with api.client.get(where, headers={"Authorization": f"Bearer {token(api, epoch=1)}"}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("data", "media", "said"),
    [
        (dressed_png(), "image/jpeg", (415, "media_type_wrong")),
        (b"<svg onload=alert(1)>", "image/svg+xml", (415, "media_type_wrong")),
        (b"<html>", "image/png", (415, "media_type_wrong")),
        (dressed_png()[:-70], "image/png", (400, "photo_invalid")),
        (b"", "image/png", (415, "media_type_wrong")),
        (bytes((8 << 20) + 1), "image/png", (413, "payload_too_large")),
    ],
    ids=["another type", "svg", "html", "cut", "empty", "too large"],
)
async def test_what_is_no_photo_of_ours_is_refused(api: Api, data: bytes, media: str, said: tuple[int, str]) -> None:
    status, problem = await upload(api, data, media)
    assert (status, problem["code"]) == said


@pytest.mark.parametrize("visit", ["v3", "v4"])
async def test_photos_are_taken_while_waiting_or_live_only(api: Api, visit: str) -> None:
    status, problem = await upload(api, dressed_png(), visit=visit)
    assert (status, problem["code"]) == (409, "phase_wrong")


async def test_a_visit_takes_sixty(api: Api, tmp_path: Path) -> None:
    pictures = [drawn("png", "rgb24", width=16 + number, height=16) for number in range(MOST_PHOTOS + 1)]
    assert [(await upload(api, data))[0] for data in pictures[:-1]] == [201] * MOST_PHOTOS
    status, problem = await upload(api, pictures[-1])
    assert (status, problem["code"]) == (409, "photos_full")
    assert len(list((tmp_path / "photos" / "v1").iterdir())) == MOST_PHOTOS


async def test_on_disk_it_is_encrypted_and_bound_to_its_place(api: Api, tmp_path: Path) -> None:
    kept, other = [(await upload(api, data))[1]["id"] for data in (dressed_png(), drawn("png", "rgb24", 20, 20))]
    file = tmp_path / "photos" / "v1" / kept
    assert b"IDAT" not in file.read_bytes()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    file.write_bytes((file.parent / other).read_bytes())
    status, problem = await api.call("GET", f"/api/v1/photos/{kept}", token(api))
    assert (status, problem["code"]) == (503, "store_unavailable")


async def test_many_at_once_are_one_photo(api: Api) -> None:
    answers = await asyncio.gather(*(upload(api, dressed_png()) for _ in range(4)))
    assert {status for status, _ in answers} == {201}
    assert len({kept["id"] for _, kept in answers}) == 1
