"""Real python-socketio clients over loopback against the real gateway; worker and recorder speak the real control link."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
import socketio

from tests.patience import PATIENCE_S
from tests.signaling_parts import CONSENT, Client, facts, serving, until


async def test_two_clients_go_from_scheduled_to_ended_and_the_record_is_closed() -> None:
    async with serving() as server:
        doctor, patient = await server.client("doctor"), await server.client("patient")
        assert patient.newest["phase"] == "scheduled"
        assert patient.newest["patient"]["name"] == "王*英"
        for client in (doctor, patient):
            assert await client.say("consent", decision="agreed", **CONSENT) == {"v": 1, "ok": True}
        assert (await patient.say("enter"))["ok"]
        await doctor.sees_queue(lambda queue: [row["visit"] for row in queue["waiting"]] == ["V1"])
        assert (await doctor.say("admit"))["ok"]
        for client in (doctor, patient):
            await client.sees(lambda state: state["phase"] == "live")
        answer = await patient.say("offer", pc="p1", sdp="offer", publish={"0": "camera"}, subscribe={})
        assert answer["sdp"] == "answer"
        assert answer["epoch"] == "m-1"
        await doctor.sees(lambda state: [track["id"] for track in state["tracks"]] == ["patient.camera"])
        await doctor.sees(lambda state: state["recording"]["state"] == "on")
        assert (await patient.say("end", reason="left"))["ok"]
        state = await doctor.sees(lambda state: state["phase"] == "ended")
        assert state["ended"] == {"by": "patient", "reason": "left"}
        await until(lambda: server.recorder.closed == {"V1": "left"})
        assert server.worker.rooms == {}
        assert server.recorder.notes()[:4] == ["consent:doctor", "consent:patient", "join:doctor", "join:patient"]


async def test_worker_and_recorder_hear_things_in_the_order_of_the_law() -> None:
    async with serving() as server:
        doctor, _ = await server.live()
        await doctor.sees(lambda state: state["recording"]["state"] == "on")
        assert server.recorder.names() == ["Open", "Note", "Note", "Note", "Note", "Start"]
        assert server.worker.names() == ["OpenRoom", "Record", "Record"]
        await doctor.say("end", reason="completed")
        await until(lambda: server.recorder.closed)
        assert server.worker.names()[3:] == ["Record", "Record", "CloseRoom"]
        assert not any(server.worker.taps.values())


async def test_an_offer_is_answered_while_the_recorder_is_away() -> None:
    async with serving(facts(recording="optional")) as server:
        doctor, patient = await server.client("doctor"), await server.client("patient")
        for client in (doctor, patient):
            await client.say("consent", decision="agreed", **CONSENT)
        await patient.say("enter")
        await server.recorder.cut()
        assert (await doctor.say("admit"))["ok"]
        assert (await doctor.say("offer", pc="d", sdp="x", publish={}, subscribe={}))["sdp"] == "answer"
        await doctor.sees(lambda state: state["recording"]["state"] == "interrupted")


# ---- who may connect


@pytest.mark.parametrize(
    ("auth", "headers", "code"),
    [
        (None, {}, "auth_missing"),
        ({"v": 1}, {}, "auth_missing"),
        ({"token": "x"}, {}, "auth_missing"),
        ({"v": 1, "token": "x", "more": 1}, {}, "auth_missing"),
        ({"v": 2, "token": "x"}, {}, "version_unsupported"),
        ({"v": 1, "token": "x"}, {}, "token_invalid"),
        ({"v": 1, "token": "\ud800"}, {}, "auth_missing"),
        ({"v": 1, "token": "expired"}, {}, "token_expired"),
        ({"v": 1, "token": "auditor"}, {}, "role_not_seated"),
        ({"v": 1, "token": "unknown"}, {}, "visit_unknown"),
        ({"v": 1, "token": "revoked"}, {}, "token_revoked"),
        ({"v": 1, "token": "doctor"}, {"Origin": "https://evil.example"}, "origin_refused"),
        ({"v": 1, "token": "doctor"}, {"Origin": "null"}, "origin_refused"),
    ],
)
async def test_a_connection_is_refused_with_its_code(auth: Any, headers: dict[str, str], code: str) -> None:
    async with serving(facts(), facts("V2", links_epoch=3)) as server:
        made = {
            "expired": server.token("patient", lifetime_s=-60),
            "auditor": server.token("auditor"),
            "unknown": server.token("doctor", "nobody"),
            "revoked": server.token("doctor", "V2"),
            "doctor": server.token("doctor"),
        }
        if isinstance(auth, dict) and auth.get("token") in made:
            auth = {**auth, "token": made[auth["token"]]}
        client = Client()
        server.clients.append(client)
        with pytest.raises(socketio.exceptions.ConnectionError):
            await client.connect(server.url, auth, headers)
        assert client.refusal["data"]["code"] == code
        assert client.refusal["data"]["v"] == 1
        # Whose link opens nothing can phone; nobody else is told of the clinic.
        told = {"clinic": {"name": "县人民医院", "phone": "0571-8877 6655"}, "emergency": None}
        unheard = code.startswith("token_") or code == "visit_unknown"
        assert client.refusal["data"].get("contacts") == (told if unheard else None)
        assert client.states == []


@pytest.mark.parametrize("origin", ["own", "https://clinic.example"])
async def test_the_servers_own_origin_and_configured_ones_may_connect(origin: str) -> None:
    async with serving() as server:
        client = Client()
        server.clients.append(client)
        headers = {"Origin": "http://127.0.0.1:19600" if origin == "own" else origin}
        await client.connect(server.url, {"v": 1, "token": server.token("doctor")}, headers)
        await client.sees(lambda state: state["you"]["seat"] == "doctor")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_host_header_makes_no_origin_ours(scheme: str) -> None:
    async with serving() as server:
        client = Client()
        server.clients.append(client)
        headers = {"Origin": f"{scheme}://evil:19600", "Host": "evil:19600"}
        with pytest.raises(socketio.exceptions.ConnectionError):
            await client.connect(server.url, {"v": 1, "token": server.token("doctor")}, headers)
        assert client.refusal["data"]["code"] == "origin_refused"


@pytest.mark.parametrize("scheme", ["https://clinic.example:443", "https://CLINIC.example", "https://["])
async def test_an_origin_is_compared_as_browsers_write_it(scheme: str) -> None:
    async with serving() as server:
        request = type("R", (), {"headers": {"Origin": scheme}})()
        assert server.gateway._origin_allowed(request) == (scheme != "https://[")


async def test_polling_is_answered_400() -> None:
    async with serving() as server, aiohttp.ClientSession() as session:
        for query in (
            "EIO=4&transport=polling",
            "EIO=4",
            "EIO=3&transport=websocket",
            "transport=websocket&sid=x&EIO=4",
        ):
            async with session.get(f"{server.url}/socket.io/?{query}") as answer:
                assert answer.status == 400
        async with session.post(f"{server.url}/socket.io/?EIO=4&transport=polling", data="4x") as answer:
            assert answer.status == 400


async def test_a_second_connection_takes_the_seat_over_and_nobody_sees_the_seat_leave() -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        await patient.say("offer", pc="p1", sdp="x", publish={"0": "camera"}, subscribe={})
        await doctor.sees(lambda state: state["tracks"])
        seen = len(doctor.states)
        again = await server.client("patient")
        await asyncio.wait_for(patient.gone.wait(), PATIENCE_S)
        assert patient.byes == ["taken_over"]
        assert again.newest["phase"] == "live"
        assert again.newest["you"]["pc"] == "p1"
        assert (await again.say("resync"))["state"]["seats"]["patient"]["present"] is True
        assert all(state["seats"]["patient"]["present"] for state in doctor.states[seen:])
        assert "leave:patient" not in server.recorder.notes()


async def test_a_lost_socket_leaves_the_seat_taken_and_the_consent_given() -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        await patient.say("offer", pc="p1", sdp="x", publish={"0": "camera"}, subscribe={})
        await patient.close()
        state = await doctor.sees(lambda state: not state["seats"]["patient"]["present"])
        assert state["seats"]["patient"]["consent"] == "agreed"
        assert [track["id"] for track in state["tracks"]] == ["patient.camera"]
        assert state["phase"] == "live"
        back = await server.client("patient")
        assert back.newest["phase"] == "live"
        await doctor.sees(lambda state: state["seats"]["patient"]["present"])
