"""Playing through the API: the recorder's log has the look before the first piece, once for all pieces."""

from __future__ import annotations

from pathlib import Path

from recorder.audit.routes import audit_door, make_audit_app
from recorder.store.folder import FolderStore
from tests.http_api import Api, some_visit
from tests.looking import recorder_door
from tests.unit.test_api_recordings import SEGMENT, auditor, look, shelve

INIT = "streams/patient/part-001/init.webm"


async def test_the_look_is_logged_once_and_the_pieces_follow(api: Api, tmp_path: Path) -> None:
    await api.store.create(some_visit("v1"), None, "")
    objects = await shelve(tmp_path, "v1")
    token = auditor(api)
    async with recorder_door(tmp_path) as custody:
        for name in (INIT, SEGMENT):
            answer, body = await look(api, f"/v1/media/{name}", token)
            assert body == objects[name]
            assert answer.content_type == "video/webm"
            assert answer.headers["Cache-Control"] == "no-store"
        _, body = await look(api, f"/v1/media/{SEGMENT}", token, 206, Range="bytes=5-9")
        assert body == objects[SEGMENT][5:10]
        await look(api, "/v1/media/records/000001.jsonl", token, 404)
        await look(api, "/v2/media/" + INIT, token, 404)
        assert custody.standing("v1").shredded is False
    journal = (tmp_path / "custody" / "journal").read_text()
    assert journal.count('"type":"access"') == 1
    assert '"who":"auditor-1"' in journal


async def test_a_stored_object_that_is_not_sealed_is_a_look_too_once_for_all_pieces(api: Api, tmp_path: Path) -> None:
    await api.store.create(some_visit("v1"), None, "")
    objects = await shelve(tmp_path, "v1")
    async with recorder_door(tmp_path):
        await look(api, "/v1/files/records/000001.jsonl", auditor(api))
        assert not (tmp_path / "custody" / "journal").exists()
        for name in (INIT, SEGMENT):
            assert (await look(api, f"/v1/files/{name}", auditor(api)))[1] == objects[name]
    assert (tmp_path / "custody" / "journal").read_text().count('"type":"access"') == 1


async def test_a_recorder_that_began_anew_is_told_again(api: Api, tmp_path: Path) -> None:
    await api.store.create(some_visit("v1"), None, "")
    await shelve(tmp_path, "v1")
    for _ in range(2):
        async with recorder_door(tmp_path):
            await look(api, f"/v1/media/{INIT}", auditor(api))
    assert (tmp_path / "custody" / "journal").read_text().count('"type":"access"') == 2


async def test_without_a_log_or_a_recorder_nothing_is_played(api: Api, tmp_path: Path) -> None:
    await api.store.create(some_visit("v1"), None, "")
    await shelve(tmp_path, "v1")
    await look(api, f"/v1/media/{INIT}", auditor(api), 503)
    async with audit_door(make_audit_app(FolderStore(tmp_path / "store")), tmp_path / "audit.sock"):
        _, said = await look(api, f"/v1/media/{INIT}", auditor(api), 503)
    assert b"log_unavailable" in said
