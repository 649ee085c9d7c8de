"""Webhooks to a real receiving server: signed, in order, again until received, parked at last, and read again by number."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import time

import pytest
from msgspec.structs import replace

from signaling.law.facts import Ending
from signaling.law.happenings import happened
from signaling.outbound.webhooks import WebhookSender, again_after_s, secret_of, secret_text, signature
from signaling.sql.outbox import SqlOutbox
from signaling.sql.store import SqlVisitStore
from tests.hooked import KEY, hospital, live, sender_of
from tests.http_api import open_api, open_store, some_visit
from tests.patience import PATIENCE_S


@asynccontextmanager
async def sending(folder: Path) -> AsyncIterator[tuple[SqlVisitStore, SqlOutbox]]:
    async with open_store(folder) as store:
        task = asyncio.create_task(sender_of(store, 1, answer_within_s=1.5).run())
        try:
            yield store, SqlOutbox(store.engine)
        finally:
            task.cancel()
            await asyncio.wait([task])


async def nothing_waits(outbox: SqlOutbox) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while any(each.waiting for each in await outbox.receivers()):
            await asyncio.sleep(0.02)


def test_the_signature_is_that_of_the_standard() -> None:
    secret = b"s" * 24
    signed = hmac.new(secret, b'msg_1.1614265330.{"a":1}', hashlib.sha256).digest()
    assert signature(secret, "msg_1", 1614265330, b'{"a":1}') == "v1," + base64.b64encode(signed).decode()
    assert secret_text(secret) == "whsec_" + base64.b64encode(secret).decode()


def test_waits_double_to_an_hour_with_jitter() -> None:
    assert [again_after_s(tries, 0.5) for tries in (0, 1, 2, 11, 12, 500)] == [1, 2, 4, 2048, 3600, 3600]
    assert (again_after_s(3, 0.0), again_after_s(3, 1.0)) == (4, 12)


def test_the_same_facts_twice_tell_nothing_and_nobodys_name_is_told() -> None:
    before = some_visit("v1")
    after = replace(
        before, phase="ended", late="doctor", phone_back="x", rebook="x", advice="x", ended=Ending("patient", "left")
    )
    told = happened(before, after)
    assert [each.type for each in told] == [
        "visit.late",
        "visit.phone_back",
        "visit.rebook",
        "visit.advice",
        "visit.ended",
    ]
    assert told[-1].data == {"visit": "v1", "phase": "ended", "seq": 0, "ended": {"by": "patient", "reason": "left"}}
    assert happened(after, after) == []
    assert "王" not in str(happened(None, before)) + str(told)


async def test_every_receiver_hears_every_event_in_order_although_it_fails(tmp_path: Path) -> None:
    async with sending(tmp_path) as (store, outbox), hospital(1, fails=0.5) as bad, hospital(2) as good:
        await outbox.register("bad", f"{bad.url}/bad")
        await outbox.register("good", f"{good.url}/good")
        await asyncio.gather(*(live(store, f"v{number}") for number in range(5)))
        await nothing_waits(outbox)
        for receiver in (bad, good):
            for number in range(5):
                expected = ["visit.created", "visit.waiting", "visit.live", "visit.ended"]
                assert receiver.kinds(f"v{number}") == expected
        assert set(bad.heard) == set(good.heard)
        assert bad.requests > good.requests == 20


async def test_one_that_is_away_comes_back_to_everything_and_holds_up_nobody_else(tmp_path: Path) -> None:
    async with sending(tmp_path) as (store, outbox), hospital(1) as away, hospital(2) as good:
        away.down = True
        await outbox.register("away", f"{away.url}/away")
        await outbox.register("nobody", "http://127.0.0.1:9/nobody")
        await outbox.register("good", f"{good.url}/good")
        await live(store, "v1")
        async with asyncio.timeout(PATIENCE_S):
            while len(good.heard) < 4:
                await asyncio.sleep(0.02)
        assert away.heard == {}
        away.down = False
        async with asyncio.timeout(PATIENCE_S):
            while len(away.heard) < 4:
                await asyncio.sleep(0.02)
        assert list(away.heard) == list(good.heard)
        async with asyncio.timeout(PATIENCE_S):  # received is not yet written down as received
            while [each.waiting for each in await outbox.receivers()] != [0, 4, 0]:
                await asyncio.sleep(0.02)


async def test_after_three_days_an_event_is_parked_with_an_alarm(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_store(tmp_path) as store, hospital(1) as away:
        away.down = True
        outbox = SqlOutbox(store.engine)
        await outbox.register("r", f"{away.url}/r")
        await store.create(some_visit("v1"), None, "")
        late = WebhookSender(outbox, KEY, lambda: time() + 72 * 3600 + 1, lambda: 0.5, 0.3, 0.05)
        task = asyncio.create_task(late.run())
        with caplog.at_level(logging.ERROR):
            await nothing_waits(outbox)
        task.cancel()
        await asyncio.wait([task])
        assert "webhook parked" in caplog.messages
        assert [(each.waiting, each.parked) for each in await outbox.receivers()] == [(0, 1)]
        assert [each.type for each in await outbox.after(0, 10)] == ["visit.created"]


async def test_a_fact_that_was_not_stored_is_not_told(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        outbox = SqlOutbox(store.engine)
        facts = await store.create(some_visit("v1", seq=5), None, "")
        await store.save(replace(facts, seq=4, phase="waiting"))
        await store.save(replace(facts, seq=6))
        await store.save(replace(some_visit("nobody"), seq=9, phase="live"))
        await store.create(some_visit("v2"), "key", "body")
        await store.create(some_visit("v3"), "key", "body")
        told = await outbox.after(0, 10)
        assert [(each.type, each.visit) for each in told] == [("visit.created", "v1"), ("visit.created", "v2")]


async def test_the_hospital_registers_reads_and_stops_over_http(tmp_path: Path) -> None:
    async with open_api(tmp_path) as api:
        status, made = await api.call("POST", "/api/v1/webhooks", json={"url": "https://his.example/hook?a=1"})
        assert status == 201
        assert made["secret"] == secret_text(secret_of(bytes(32), made["id"]))
        visit = (await api.visit())["id"]
        _, page = await api.call("GET", "/api/v1/events")
        assert [(each["type"], each["data"]["visit"]) for each in page["events"]] == [("visit.created", visit)]
        assert (await api.call("GET", f"/api/v1/events?after={page['next']}"))[1]["events"] == []
        _, said = await api.call("GET", "/api/v1/webhooks")
        assert (said["receivers"][0]["waiting"], "secret" in str(said)) == (1, False)
        status, said = await api.call("POST", f"/api/v1/webhooks/{made['id']}/stop")
        assert (status, said["receivers"][0]["active"], said["receivers"][0]["parked"]) == (200, False, 1)
        await api.visit()
        assert (await api.call("GET", "/api/v1/webhooks"))[1]["receivers"][0]["parked"] == 1
        assert (await api.call("POST", "/api/v1/webhooks/nobody/stop"))[0] == 404
        assert (await api.call("POST", "/api/v1/webhooks", json={"url": "ftp://x"}))[0] == 400
