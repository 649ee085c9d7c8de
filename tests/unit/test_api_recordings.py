"""Recordings for auditors, through the API and the recorder's real audit door."""

from __future__ import annotations

import hashlib
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from config.clock import now_iso, parse_iso
from recorder.store.folder import FolderStore
from signaling.api.looks import Seen
from signaling.api.problems import NotReady
from signaling.law.facts import Consent, OnBehalf
from signaling.law.messages import Draft, Photo
from tests.bundles import honest_visit
from tests.http_api import Api, open_api, raw, some_visit
from tests.looking import recorder_door

SEGMENT = "streams/patient/part-001/seg-000001.webm"


async def shelve(folder: Path, visit: str) -> dict[str, bytes]:
    """A finished recording in the store."""
    objects = honest_visit(Random(1), visit)
    store = FolderStore(folder / "store")
    for name, data in objects.items():
        await store.put(f"recordings/{visit}/{name}", data, hashlib.sha256(data).hexdigest())
    return objects


recorder = recorder_door


def auditor(api: Api, visit: str | None = None, who: str = "auditor-1", epoch: int = 0) -> str:
    return api.tokens.issue("auditor", visit, who, 600, epoch)


async def look(api: Api, path: str, token: str, status: int = 200, **headers: str) -> tuple[Any, bytes]:
    said = {"Authorization": f"Bearer {token}", **headers}
    async with api.client.get(f"/api/v1/recordings{path}", headers=said) as answer:
        body = await answer.read()
        assert answer.status == status, body
        return answer, body


async def test_an_auditor_finds_a_visit_and_its_recording_but_no_patient(api: Api, tmp_path: Path) -> None:
    await api.store.create(some_visit("v1"), None, "")
    await shelve(tmp_path, "v1")
    async with recorder(tmp_path):
        status, page = await api.call("GET", "/api/v1/recordings", auditor(api))
    assert status == 200
    (row,) = page["recordings"]
    assert page["recorder_available"] is True
    assert row["doctor"]["name"] == "李敏"
    assert row["recording"]["reason"] == "completed"
    assert row["recording"]["streams"]
    assert len(row["patient"]) == 20
    assert "王" not in str(page)
    assert "p-1" not in str(page)
    assert "头晕" not in str(page)


async def test_the_list_goes_on_without_the_recorder_and_says_so(api: Api) -> None:
    await api.store.create(some_visit("v1"), None, "")
    status, page = await api.call("GET", "/api/v1/recordings", auditor(api))
    assert status == 200
    assert page["recorder_available"] is False
    assert page["recordings"][0]["recording"] is None
    status, problem = await api.call("GET", "/api/v1/recordings/v1/files", auditor(api))
    assert (status, problem["code"]) == (503, "recorder_unavailable")


async def test_files_come_whole_and_in_ranges(api: Api, tmp_path: Path) -> None:
    await api.store.create(some_visit("v1"), None, "")
    objects = await shelve(tmp_path, "v1")
    token = auditor(api)
    async with recorder(tmp_path):
        _, listed = await api.call("GET", "/api/v1/recordings/v1/files", token)
        assert {one["name"]: one["size"] for one in listed["files"]} == {n: len(data) for n, data in objects.items()}
        answer, body = await look(api, f"/v1/files/{SEGMENT}", token)
        assert body == objects[SEGMENT]
        assert answer.content_type == "video/webm"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        answer, body = await look(api, f"/v1/files/{SEGMENT}", token, 206, Range="bytes=5-9")
        assert body == objects[SEGMENT][5:10]
        assert answer.headers["Content-Range"] == f"bytes 5-9/{len(objects[SEGMENT])}"
        await look(api, f"/v1/files/{SEGMENT}", token, 416, Range="bytes=99999999-")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/files/nothing.webm",
        "/v1/files/../../../etc/passwd",
        "/v1/files/%2e%2e/%2e%2e/v2/bundle.json",
        "/v1/files/streams%2F..%2F..%2Fv2%2Fkeys",
        "/v1/files//etc/passwd",
        "/v1/files/.hidden",
        "/v1/files/a%00b",
        "/v1/files/" + "a/" * 40 + "a",
        "/..%2Fv1/files",
    ],
)
async def test_no_path_leads_out_of_a_recording(api: Api, tmp_path: Path, path: str) -> None:
    await api.store.create(some_visit("v1"), None, "")
    await shelve(tmp_path, "v1")
    async with recorder(tmp_path):
        head, _ = await raw(api.client, f"/api/v1/recordings{path}", f"Authorization: Bearer {auditor(api)}\r\n")
    assert head.startswith("HTTP/1.1 404 ")


async def test_a_link_for_one_visit_reaches_no_other(api: Api, tmp_path: Path) -> None:
    await api.store.create(some_visit("v1"), None, "")
    await api.store.create(some_visit("v2"), None, "")
    await shelve(tmp_path, "v1")
    token = auditor(api, "v2")
    async with recorder(tmp_path):
        for path in ("/v1", "/v1/files", f"/v1/files/{SEGMENT}", "/v1/names", "/v1/messages", "/v1/photos/p1"):
            await look(api, path, token, 404)
        listed = []
        for words in ("v2", "v", "no-such-visit", "v1"):
            _, page = await api.call("GET", "/api/v1/recordings", token, params={"q": words})
            listed.append([row["visit"] for row in page["recordings"]])
    assert listed == [["v2"], ["v2"], [], []]


async def test_only_an_auditors_good_token_is_let_in(api: Api) -> None:
    await api.store.create(some_visit("v1"), None, "")
    revoked = auditor(api, "v1")
    await api.store.revoke_links("v1")
    expected = {
        api.tokens.issue("doctor", "v1", "doctor", 600, 1): (403, "role_wrong"),
        api.tokens.issue("patient", "v1", "patient", 600, 1): (403, "role_wrong"),
        api.tokens.issue("auditor", "v1", "auditor", -60, 1): (401, "token_expired"),
        auditor(api, "gone"): (401, "visit_unknown"),
        revoked: (401, "token_revoked"),
        "an-api-key-for-tests": (401, "token_invalid"),
    }
    for token, refusal in expected.items():
        status, problem = await api.call("GET", "/api/v1/recordings/v1", token)
        assert (status, problem["code"]) == refusal
    assert (await api.call("GET", "/api/v1/recordings/v1", auditor(api, "v1", epoch=1)))[0] == 200


async def test_every_look_is_on_the_access_log_once_a_minute(api: Api, tmp_path: Path) -> None:
    await api.store.create(some_visit("v1"), None, "")
    await shelve(tmp_path, "v1")
    async with recorder(tmp_path):
        for name in (SEGMENT, SEGMENT, SEGMENT.replace("000001", "000002")):
            await look(api, f"/v1/files/{name}", auditor(api), 206, Range="bytes=0-9")
        await look(api, "/v1/files", auditor(api, "v1", who="auditor-2"))
        _, detail = await api.call("GET", "/api/v1/recordings/v1", auditor(api))
    looks = [(one["who"], one["what"]) for one in detail["accesses"]]
    assert looks == [("auditor-1", "recording"), ("auditor-2", "files"), ("auditor-1", "play streams/patient")]


async def test_a_look_while_the_evidence_log_is_open_is_noted_in_it(tmp_path: Path) -> None:
    noted: list[tuple[str, Seen]] = []

    async def note(visit: str, seen: Seen) -> None:
        noted.append((visit, seen))

    async with open_api(tmp_path, note=note) as api:
        await api.store.create(some_visit("open", log_open=True), None, "")
        await api.store.create(some_visit("closed"), None, "")
        await look(api, "/open", auditor(api))
        await look(api, "/closed", auditor(api))
    assert noted == [("open", Seen("access", "auditor-1", "auditor", "audit", "recording"))]


async def test_what_cannot_be_written_down_is_not_shown(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise NotReady("the access log is full")

    await api.store.create(some_visit("v1"), None, "")
    objects = await shelve(tmp_path, "v1")
    monkeypatch.setattr(api.store, "log_access", full)
    async with recorder(tmp_path):
        _, body = await look(api, f"/v1/files/{SEGMENT}", auditor(api), 503)
    assert objects[SEGMENT][:16] not in body


async def given_reason(api: Api, token: str, visit: str = "v1") -> None:
    said = {"purpose": "complaint", "reason": "投诉 2026-017"}
    status, given = await api.call("POST", f"/api/v1/recordings/{visit}/reason", token, json=said)
    assert status == 201
    assert given["until"] > now_iso()


async def test_names_and_messages_come_only_after_a_reason_that_is_on_the_log_first(api: Api) -> None:
    await api.store.create(some_visit("v1"), None, "")
    await api.messages.append("v1", "patient", Draft("m1", text="头还是晕"), now_iso(), "00" * 16)
    photo = Photo("p1", "image/png", 9, 1, 1, "ab" * 32)
    await api.messages.keep_photo("v1", "patient", photo, now_iso())
    await api.files.put("v1", "p1", b"a picture")
    token = auditor(api)
    for path in ("/v1/names", "/v1/messages", "/v1/photos/p1"):
        _, body = await look(api, path, token, 403)
        assert b"reason_needed" in body
        assert "王".encode() not in body
    await given_reason(api, token)
    _, names = await api.call("GET", "/api/v1/recordings/v1/names", token)
    assert (names["patient"]["name"], names["doctor"]["name"]) == ("王桂英", "李敏")
    assert "头晕" not in str(names)
    _, kept = await api.call("GET", "/api/v1/recordings/v1/messages", token)
    (message,) = kept["messages"]
    lines = ["teleconsult message 1", "v1", "1", "patient", message["at"], message["nonce"], '"头还是晕"']
    assert message["sha256"] == hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    answer, body = await look(api, "/v1/photos/p1", token)
    assert (answer.content_type, body) == ("image/png", b"a picture")
    await look(api, "/v1/names", auditor(api, who="auditor-2"), 403)
    logged = [(one.what, one.outcome, one.purpose) for one in reversed(await api.store.accesses_of("v1"))]
    assert logged[:4] == [
        ("names", "reason_needed", None),
        ("messages", "reason_needed", None),
        ("photos", "reason_needed", None),
        ("reason", "allowed", "complaint"),
    ]
    (line,) = [one for one in await api.store.access_log(0, 50) if one.what == "reason"]
    assert line.reason == "投诉 2026-017"


async def test_who_decided_for_a_patient_is_named_after_a_reason_and_not_before(api: Api) -> None:
    by = OnBehalf("guardian", "mother", "王丽娜")
    await api.store.create(some_visit("v1", consents={"patient": Consent("agreed", by=by)}), None, "")
    token = auditor(api)
    _, shown = await api.call("GET", "/api/v1/recordings/v1", token)
    _, page = await api.call("GET", "/api/v1/recordings", token)
    for one in (shown, page["recordings"][0]):
        assert one["consents"]["patient"]["by"] == {"as": "guardian", "relation": "mother"}
        assert "丽" not in str(one)
    await given_reason(api, token)
    _, names = await api.call("GET", "/api/v1/recordings/v1/names", token)
    assert names["by"] == {"as": "guardian", "relation": "mother", "name": "王丽娜"}


async def test_a_visit_is_found_by_its_number_doctor_patients_code_and_time(api: Api) -> None:
    early, late = "2026-05-04T08:00:00.000Z", "2026-05-05T08:00:00.000Z"
    await api.store.create(some_visit("abc-1", created=early), None, "")
    other = msgspec.structs.replace(some_visit("x").doctor, id="d-9", name="陈立")
    someone = msgspec.structs.replace(some_visit("x").patient, id="p-9")
    await api.store.create(some_visit("xyz-2", created=late, doctor=other, patient=someone), None, "")
    _, page = await api.call("GET", "/api/v1/recordings", auditor(api))
    codes = {row["visit"]: row["patient"] for row in page["recordings"]}

    async def found(**query: str) -> list[str]:
        status, page = await api.call("GET", "/api/v1/recordings", auditor(api), params=query)
        assert status == 200, page
        return [row["visit"] for row in page["recordings"]]

    def at(moment: str) -> str:
        return str(round(parse_iso(moment).timestamp()))

    assert await found(q="abc") == ["abc-1"]
    assert await found(q="陈") == ["xyz-2"]
    assert await found(q="d-9") == ["xyz-2"]
    assert await found(q=codes["abc-1"][:6].upper()) == ["abc-1"]
    assert await found(q="陈 abc") == []
    assert await found(q="%") == []
    assert await found(since=at(late)) == ["xyz-2"]
    assert await found(before=at(late)) == ["abc-1"]
    assert await found(q="王桂英") == []


async def test_pages_of_a_search_are_whole_and_end(api: Api) -> None:
    for number in range(7):
        await api.store.create(some_visit(f"v{number}", created=f"2026-05-04T08:00:0{number}.000Z"), None, "")
    seen: list[str] = []
    query: dict[str, str] = {"limit": "3", "q": "v"}
    while True:
        _, page = await api.call("GET", "/api/v1/recordings", auditor(api), params=query)
        seen += [row["visit"] for row in page["recordings"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == [f"v{number}" for number in reversed(range(7))]


async def test_how_it_is_kept_is_shown_and_a_hold_is_an_administrators_on_the_recorders_log(
    api: Api, tmp_path: Path
) -> None:
    await api.store.create(some_visit("v1"), None, "")
    await shelve(tmp_path, "v1")
    token, hold = auditor(api), {"on": True, "purpose": "dispute", "reason": "court file 12"}
    async with recorder_door(tmp_path) as custody:
        _, kept = await api.call("GET", "/api/v1/recordings/v1/keeping", token)
        assert (kept["held"], kept["sealed"], kept["shredded"]) == (False, False, False)
        assert (await api.call("POST", "/api/v1/recordings/v1/hold", token, json=hold))[0] == 401
        status, kept = await api.call("POST", "/api/v1/recordings/v1/hold", json=hold)
        assert (status, kept["held"]) == (200, True)
        assert custody.standing("v1").held
        status, kept = await api.call("POST", "/api/v1/recordings/v1/hold", json=hold | {"on": False})
        assert (status, kept["held"]) == (200, False)
    logged = [(one.who, one.what, one.purpose) for one in await api.store.accesses_of("v1") if one.purpose]
    assert logged == [("hospital", "hold lifted", "dispute"), ("hospital", "hold", "dispute")]
    assert "court" not in (tmp_path / "custody" / "journal").read_text()
