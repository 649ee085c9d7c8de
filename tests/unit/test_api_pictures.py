"""Doctors' portraits: kept once, shown to anyone, named by what they are."""

from __future__ import annotations

from pathlib import Path

from tests.http_api import open_api
from tests.pictures import drawn

JPEG = drawn("mjpeg", "yuvj420p")


async def test_a_portrait_is_kept_and_a_visit_names_it(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        headers = {"Content-Type": "image/jpeg"}
        status, kept = await api.call("POST", "/api/v1/pictures", data=JPEG, headers=headers)
        assert status == 201, kept
        assert (await api.call("POST", "/api/v1/pictures", data=JPEG, headers=headers))[1] == kept
        async with api.client.get(f"/api/v1/pictures/{kept['picture']}") as shown:
            assert (shown.status, shown.content_type) == (200, "image/jpeg")
            assert "immutable" in shown.headers["Cache-Control"]
        made = await api.visit(doctor={"id": "d", "name": "李敏", "picture": kept["picture"]})
        assert made["doctor"]["picture"] == kept["picture"]
        assert (await api.call("GET", "/api/v1/pictures/nothing"))[1]["code"] == "picture_unknown"


async def test_what_is_no_picture_is_not_kept(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        headers = {"Content-Type": "image/png"}
        assert (await api.call("POST", "/api/v1/pictures", data=b"not a picture", headers=headers))[0] == 415
