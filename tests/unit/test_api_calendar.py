"""Appointments and notices over a real database: no slot is given twice, and everyone who left an address is told once."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec.structs import replace

from signaling.outbound.notices import DoorShut, FileDoor, Notice, NoticeSender, WebhookDoor
from signaling.outbound.reminders import Reminders
from signaling.outbound.signed import is_signed
from tests.http_api import DOCTOR, PATIENT, Api, open_api

KEY = b"k" * 32
DAY = "2031-05-05"
CONTACT = {"sms": "+8613800000000", "mail": "wang@example.cn"}


def at(hour: str) -> str:
    return f"{DAY}T{hour}:00+00:00"


async def book(api: Api, hour: str = "09:00", **more: Any) -> tuple[int, Any]:
    body = {"doctor": DOCTOR, "patient": PATIENT, "starts": at(hour), **more}
    return await api.call("POST", "/api/v1/appointments", json=body)


async def booked(api: Api) -> list[str]:
    status, told = await api.call("GET", f"/api/v1/appointments?day={DAY}&doctor=d-1")
    assert status == 200
    return [each["starts"][11:16] for each in told["appointments"]]


async def test_of_many_at_once_one_gets_the_slot_and_no_visit_is_left_behind(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        answers = await asyncio.gather(*(book(api) for _ in range(20)))
        assert sorted(status for status, _ in answers) == [201] + [409] * 19
        assert {told["code"] for status, told in answers if status == 409} == {"slot_taken"}
        assert len((await api.store.page(50, None)).visits) == 1
        assert (await book(api, "09:30"))[0] == 201
        other = {**DOCTOR, "id": "d-2"}
        assert (await book(api, doctor=other))[0] == 201
        assert await booked(api) == ["09:00", "09:30"]


async def test_an_appointment_is_moved_and_cancelled_and_its_slot_is_free_again(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        made = (await book(api))[1]
        held = (await book(api, "10:00"))[1]
        path = f"/api/v1/appointments/{made['id']}"
        moves = [api.call("POST", f"{path}/move", json={"starts": at(hour)}) for hour in ("10:00", "11:00", "11:00")]
        assert [status for status, _ in await asyncio.gather(*moves)] == [409, 200, 200]
        facts = await api.store.load(made["visit"])
        assert facts is not None
        assert (facts.scheduled, facts.expires) == (f"{DAY}T11:00:00.000Z", f"{DAY}T15:00:00.000Z")
        for _ in range(2):
            status, told = await api.call("POST", f"{path}/cancel", json={})
            assert (status, told["state"]) == (200, "cancelled")
        ended = await api.store.load(made["visit"])
        assert ended is not None
        assert ended.phase == "ended"
        assert await booked(api) == ["10:00"]
        assert (await book(api, "11:00"))[0] == 201
        assert (await api.call("POST", f"{path}/move", json={"starts": at("12:00")}))[1][
            "code"
        ] == "appointment_cancelled"
        assert held["links"]["patient"].startswith("https://")


async def test_a_slot_begins_at_a_full_or_half_hour_and_not_in_the_past(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        assert (await book(api, "09:10"))[1]["code"] == "slot_invalid"
        far = datetime(datetime.now(UTC).year + 11, 1, 1, 9, tzinfo=UTC).isoformat()
        assert (await book(api, starts=far))[1]["code"] == "slot_invalid"
        past = datetime(2020, 1, 1, 9, tzinfo=UTC).isoformat()
        assert (await book(api, starts=past))[1]["code"] == "slot_past"
        assert (await api.call("POST", "/api/v1/appointments/nobody/cancel", json={}))[1][
            "code"
        ] == "appointment_unknown"


class Stubborn:
    """A door that is shut at first."""

    def __init__(self, shut: int) -> None:
        self.shut = shut
        self.took: list[Notice] = []

    async def send(self, notice: Notice) -> None:
        if self.shut:
            self.shut -= 1
            raise DoorShut
        self.took.append(notice)


async def test_a_notice_is_sent_again_until_it_is_taken_and_then_no_more(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        made = (await book(api, contact=CONTACT))[1]
        now, door = [time.time()], Stubborn(shut=3)

        async def link_of(visit: str) -> str:
            return f"https://visit.example/p/#{visit}"

        sender = NoticeSender(api.store.engine, door, link_of, lambda: now[0], lambda: 0.5)
        for _ in range(6):
            await sender.look()
            now[0] += 100
        assert sorted((each.channel, each.template) for each in door.took) == [
            ("mail", "visit.booked"),
            ("sms", "visit.booked"),
        ]
        assert all(made["visit"] in each.text and each.starts == f"{DAY}T09:00:00.000Z" for each in door.took)
        again = NoticeSender(api.store.engine, door, link_of, lambda: now[0], lambda: 0.5)  # after a restart
        assert await again.look() == 0


async def test_a_link_that_leads_nowhere_any_more_is_sent_to_nobody(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        made = (await book(api, contact=CONTACT))[1]
        await api.call("POST", f"/api/v1/appointments/{made['id']}/cancel", json={"contact": CONTACT})
        door = Stubborn(shut=0)

        async def link_of(_visit: str) -> str | None:
            return None  # it is over

        sender = NoticeSender(api.store.engine, door, link_of, time.time, lambda: 0.5)
        await sender.look()
        assert {each.template for each in door.took} == {"visit.cancelled"}


HOUR_S = 3600.0
SLOT_AT = datetime.fromisoformat(at("09:00")).timestamp()
EIGHT = timezone(timedelta(hours=8))


async def reminded(api: Api, now: float, before_s: float = HOUR_S) -> list[Notice]:
    """What goes out at this time, after a restart of everything that reminds and sends."""
    await Reminders(api.store.engine, lambda: now, before_s).look()
    door = Stubborn(shut=0)

    async def link_of(visit: str) -> str:
        return f"https://visit.example/p/#{visit}"

    await NoticeSender(api.store.engine, door, link_of, lambda: now, lambda: 0.5, zone=EIGHT).look()
    return door.took


async def test_a_reminder_is_sent_once_a_while_before_in_the_patients_language_through_restarts(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        await book(api, contact={"sms": "+8613800000000"})
        await book(api, "09:30", contact={"mail": "li@example.cn", "language": "en"})
        await book(api, "10:00")  # who left no address is not reminded
        assert {each.template for each in await reminded(api, SLOT_AT - 2 * HOUR_S)} == {"visit.booked"}
        assert await reminded(api, SLOT_AT - HOUR_S, before_s=0) == []
        at_once = await asyncio.gather(
            *(Reminders(api.store.engine, lambda: SLOT_AT - 60, HOUR_S).look() for _ in range(3))
        )
        assert sum(at_once) == 2
        told = {each.channel: each for each in await reminded(api, SLOT_AT - 59)}
        assert set(told) == {"sms", "mail"}
        assert told["sms"].text.startswith("提醒您：5月5日（周一）17:00 有视频看诊。")
        assert told["mail"].text.startswith("A reminder: your video visit is at Mon 5 May, 17:30.")
        assert {each.template for each in told.values()} == {"visit.reminder"}
        assert await reminded(api, SLOT_AT - 30) == []


async def test_who_moved_cancelled_entered_or_just_heard_is_not_reminded_of_it(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        moved = (await book(api, contact=CONTACT))[1]
        cancelled = (await book(api, "09:30", contact=CONTACT))[1]
        entered = (await book(api, "10:00", contact=CONTACT))[1]
        await reminded(api, SLOT_AT - 5 * HOUR_S)
        facts = await api.store.load(entered["visit"])
        assert facts is not None
        await api.store.save(replace(facts, phase="waiting", seq=facts.seq + 1))
        await Reminders(api.store.engine, lambda: SLOT_AT - 60, 2 * HOUR_S).look()
        await api.call("POST", f"/api/v1/appointments/{moved['id']}/move", json={"starts": at("15:00")})
        await api.call("POST", f"/api/v1/appointments/{cancelled['id']}/cancel", json={})
        assert await reminded(api, SLOT_AT - 59) == []
        again = await reminded(api, SLOT_AT + 5.5 * HOUR_S)
        assert {(each.template, each.text[:17]) for each in again} == {
            ("visit.reminder", "提醒您：5月5日（周一）23:00"[:17])
        }
        since_it_was_booked = 20 * 366 * 24 * HOUR_S
        await book(api, "16:00", contact=CONTACT)
        told = await reminded(api, SLOT_AT, before_s=since_it_was_booked)
        assert {each.template for each in told} == {"visit.booked"}


async def test_a_file_holds_a_line_a_notice(tmp_path: Path) -> None:
    notice = Notice("ntc_1", "sms", "+86", "zh", "visit.moved", None, None, "…")
    door = FileDoor(tmp_path / "notices.jsonl")
    await door.send(notice)
    await door.send(notice)
    lines = (tmp_path / "notices.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["ntc_1", "ntc_1"]


async def test_a_webhook_gets_it_signed_and_what_fails_is_not_taken() -> None:
    heard: list[tuple[bool, str]] = []

    async def hear(request: web.Request) -> web.Response:
        body = await request.read()
        heard.append((is_signed(KEY, request.headers, body, time.time()), json.loads(body)["data"]["channel"]))
        return web.Response(status=200 if len(heard) > 1 else 503)

    app = web.Application()
    app.router.add_post("/notices", hear)
    async with TestServer(app) as server:
        door = WebhookDoor(str(server.make_url("/notices")), KEY, time.time)
        notice = Notice("ntc_1", "wechat", "openid", "zh", "visit.booked", None, None, "…")
        with pytest.raises(DoorShut):
            await door.send(notice)
        await door.send(notice)
    assert heard == [(True, "wechat"), (True, "wechat")]
    with pytest.raises(DoorShut):
        await door.send(notice)  # nobody is there


async def test_a_mail_address_holds_nothing_unseen_in_any_dialect_of_patterns(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        for mail in ("li\u001c@example.cn", "li\ufeff@example.cn", "li @example.cn", "li"):
            status, problem = await book(api, contact={"mail": mail})
            assert (status, problem["at"]) == (400, "contact.mail")
        assert (await book(api, contact={"mail": "li.敏@example.cn"}))[0] == 201
