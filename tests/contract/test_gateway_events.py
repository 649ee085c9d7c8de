"""Events through the real gateway: refused, ordered, slowed, and who is told what."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

import pytest
import socketio

from recorder import control as recorder
from signaling.law.standing import iso
from signaling.sockets import gateway as gateway_module
from tests.patience import PATIENCE_S
from tests.signaling_parts import CONSENT, Client, facts, serving, until


async def test_an_offer_the_worker_refuses_is_refused_with_the_workers_words() -> None:
    async with serving() as server:
        _, patient = await server.live()
        answer = await patient.say("offer", pc="p1", sdp="bad", publish={}, subscribe={})
        assert answer["error"] == {"code": "sdp_invalid", "message": "no"}


async def test_admit_without_recorder_or_worker_says_which_is_missing() -> None:
    async with serving() as server:
        doctor, patient = await server.client("doctor"), await server.client("patient")
        for client in (doctor, patient):
            await client.say("consent", decision="agreed", **CONSENT)
        await patient.say("enter")
        await server.recorder.cut()
        await until(lambda: not server.registry._doors.recorder.up)
        assert (await doctor.say("admit"))["error"]["code"] == "recorder_unavailable"
        await server.recorder.start()
        await server.worker.cut()
        await until(lambda: server.registry._doors.recorder.up)
        assert (await doctor.say("admit"))["error"]["code"] == "media_unavailable"
        assert doctor.newest["phase"] == "waiting"


async def test_a_consent_to_other_words_is_refused() -> None:
    async with serving() as server:
        patient = await server.client("patient")
        answer = await patient.say("consent", decision="agreed", **{**CONSENT, "text_sha256": "00" * 32})
        assert answer["error"]["code"] == "consent_text_unknown"


async def test_ice_servers_are_handed_out_until_the_visit_ends() -> None:
    async with serving() as server:
        doctor = await server.client("doctor")
        assert (await doctor.say("ice"))["ttl_s"] == 300
        await doctor.say("end", reason="completed")
        assert (await doctor.say("ice"))["error"]["code"] == "visit_ended"
        assert (await doctor.say("end", reason="completed"))["ok"]
        assert (await doctor.say("resync"))["state"]["phase"] == "ended"


async def test_the_desk_shows_all_who_wait_and_takes_the_next() -> None:
    other = facts("V3")
    other = type(other)(**{**{f: getattr(other, f) for f in other.__struct_fields__}, "doctor": _other_doctor()})
    async with serving(facts(), facts("V2"), other) as server:
        desk, first, second = await server.client("doctor"), await server.client("patient"), None
        await first.say("enter")
        server.offset_s += 1
        second = await server.client("patient", "V2")
        await second.say("enter")
        stranger = await server.client("patient", "V3")
        await stranger.say("enter")
        queue = await desk.sees_queue(lambda queue: len(queue["waiting"]) == 2)
        assert [(row["visit"], row["phase"], row["present"]) for row in queue["waiting"]] == [
            ("V1", "waiting", True),
            ("V2", "waiting", True),
        ]
        assert queue["waiting"][0]["patient"]["name"] == "王*英"
        await second.sees(lambda state: state["waiting"]["ahead"] == 1)
        await first.say("end", reason="left")
        await second.sees(lambda state: state["waiting"]["ahead"] == 0)
        await desk.sees_queue(lambda queue: [row["visit"] for row in queue["waiting"]] == ["V2"])
        token = (await desk.say("desk.take", visit="V2"))["token"]
        taking = Client()
        server.clients.append(taking)
        await taking.connect(server.url, {"v": 1, "token": token})
        assert (await taking.sees(lambda state: True))["visit"] == "V2"
        assert (await desk.say("desk.take", visit="V3"))["error"]["code"] == "visit_unknown"
        assert (await desk.say("desk.take", visit="V9"))["error"]["code"] == "visit_unknown"
        assert (await second.say("desk.take", visit="V1"))["error"]["code"] == "role_wrong"
        assert first.queues == second.queues == []
        seqs = [queue["seq"] for queue in desk.queues]
        assert seqs == sorted(set(seqs))


def _other_doctor() -> Any:
    from signaling.law.facts import Doctor

    return Doctor("doc-2", "王医生")


async def test_the_hospital_ends_a_visit_and_everyone_is_told() -> None:
    async with serving() as server:
        doctor, _ = await server.live()
        ended = await server.registry.end("V1", "cancelled")
        assert ended.phase == "ended"
        state = await doctor.sees(lambda state: state["phase"] == "ended")
        assert state["ended"] == {"by": "hospital", "reason": "cancelled"}
        assert await server.registry.end("V1", "completed") == ended
        with pytest.raises(KeyError):
            await server.registry.end("nobody", "completed")


async def test_events_of_one_socket_are_carried_out_in_order() -> None:
    async with serving() as server:
        patient = await server.client("patient")
        decisions = ["agreed", "refused"] * 20
        await asyncio.gather(*(patient.say("consent", decision=each, **CONSENT) for each in decisions))
        last = (await patient.say("resync"))["state"]["seq"]
        state = await patient.sees(lambda state: state["seq"] >= last)
        assert state["seats"]["patient"]["consent"] == "refused"
        assert [note.body["decision"] for note in server.recorder.logs["V1"].values()][:4] == decisions[:4]


async def test_an_event_that_asked_for_no_acknowledgement_is_refused_by_problem() -> None:
    async with serving() as server:
        patient = await server.client("patient")
        await patient.io.emit("x" * 100, {"v": 1})
        await until(lambda: patient.problems)
        assert patient.problems == [
            {"v": 1, "event": "x" * 64, "code": "event_unknown", "message": "this protocol has no such event"}
        ]


async def test_a_socket_that_floods_is_slowed_then_closed_and_others_go_on() -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        for _ in range(400):
            await patient.io.emit("resync", {"v": 1})
        await asyncio.wait_for(patient.gone.wait(), PATIENCE_S)
        assert patient.byes == ["flooding"]
        assert {problem["code"] for problem in patient.problems} == {"rate_limited"}
        await doctor.sees(lambda state: not state["seats"]["patient"]["present"])
        assert (await doctor.say("resync"))["state"]["phase"] == "live"
        back = await server.client("patient")
        assert (await back.say("resync"))["state"]["phase"] == "live"


async def test_a_burst_of_changes_is_shown_in_few_states_and_the_last_is_never_missing() -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        await asyncio.sleep(0.1)
        seen = len(doctor.states)
        for number in range(60):
            server.recorder.tell(recorder.Alive("V1", [recorder.StreamAlive("patient", 0, 0, number, "recording")]))
        await doctor.sees(
            lambda state: state["recording"]["streams"] and state["recording"]["streams"][0]["sealed_to_ms"] == 59
        )
        assert len(doctor.states) - seen < 20
        assert patient.byes == []


async def test_when_the_server_is_full_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_module, "SESSIONS_MOST", 1)
    async with serving() as server:
        await server.client("doctor")
        client = Client()
        server.clients.append(client)
        with pytest.raises(socketio.exceptions.ConnectionError):
            await client.connect(server.url, {"v": 1, "token": server.token("patient")})
        assert client.refusal["data"]["code"] == "server_busy"


async def test_a_token_that_runs_out_sends_its_socket_away_but_not_out_of_a_live_visit() -> None:
    async with serving(facts(), facts("V2")) as server:
        doctor, _ = await server.live()
        waiting = await server.client("patient", "V2")
        server.offset_s += 10_000
        for session in list(server.gateway._sessions.values()):
            session._watch_expiry()
        await asyncio.wait_for(waiting.gone.wait(), PATIENCE_S)
        assert waiting.byes == ["token_expired"]
        assert (await doctor.say("resync"))["state"]["phase"] == "live"


@pytest.mark.parametrize("before_s", [0.3, 1.6])
async def test_who_waits_when_the_visit_expires_is_shown_that_before_being_sent_away(before_s: float) -> None:
    expires = time.time() + 1000.4
    async with serving(facts(expires=iso(expires))) as server:
        token = server.token("patient", lifetime_s=998)
        patient = Client()
        server.clients.append(patient)
        await patient.connect(server.url, {"v": 1, "token": token})
        await patient.say("enter")
        server.offset_s += expires - time.time() - before_s  # the token has run out, the visit has not
        for session in list(server.gateway._sessions.values()):
            session._watch_expiry()
        await asyncio.wait_for(patient.gone.wait(), PATIENCE_S)
        assert patient.byes == ["token_expired"]
        assert patient.newest["phase"] == "ended"
        assert patient.newest["ended"] == {"by": "system", "reason": "expired"}


async def test_revoked_links_send_their_sockets_away_and_let_nobody_in_again() -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        await server.registry.links_revoked("V1", 1)
        for client in (doctor, patient):
            await asyncio.wait_for(client.gone.wait(), PATIENCE_S)
            assert client.byes == ["token_revoked"]
        client = Client()
        server.clients.append(client)
        with pytest.raises(socketio.exceptions.ConnectionError):
            await client.connect(server.url, {"v": 1, "token": server.token("patient")})
        assert client.refusal["data"]["code"] == "token_revoked"
        assert server.store.visits["V1"].links_epoch == 1
        assert server.store.visits["V1"].phase == "live"


async def test_nobody_is_named_in_the_logs_of_a_whole_visit(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving() as server:
        doctor, patient = await server.live()
        await patient.say("offer", pc="pc-secret", sdp="v=0 sdp-secret", publish={}, subscribe={})
        await patient.say("offer", pc="pc-secret", sdp="bad", publish={}, subscribe={})
        await server.worker.die()
        await doctor.sees(lambda state: not state["media"]["available"])
        tokens = [server.token(role).split(".")[0] for role in ("doctor", "patient")]
    ours = [json.dumps(vars(record), default=str) for record in caplog.records if not record.name.startswith("asyncio")]
    ours = [
        line for line in ours if '"name": "socketio.client"' not in line and '"name": "engineio.client"' not in line
    ]
    for secret in ("王", "小英", "李敏", "头晕", "pat-1", "sdp-secret", *tokens):
        assert not [line for line in ours if secret in line], secret


async def test_an_idle_actor_goes_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.live.actor.IDLE_S", 0.02)
    async with serving() as server:
        patient = await server.client("patient")
        await patient.close()
        await until(lambda: not server.registry._actors)
        assert (await server.client("patient")).newest["phase"] == "scheduled"


async def test_an_actor_that_fails_ends_alone_and_its_visit_is_taken_up_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(facts(), facts("V2")) as server:
        doctor, patient = await server.live()
        other = await server.client("patient", "V2")
        visit = server.registry._actors["V1"].visit
        monkeypatch.setattr(visit, "handle", lambda *_: 1 / 0)
        server.registry._actors["V1"].touch()
        answer: Any = await patient.say("media_state", microphone="on", camera="on", screen="off")
        assert answer["error"]["code"] == "internal"
        await asyncio.wait_for(doctor.gone.wait(), PATIENCE_S)
        assert doctor.byes == ["server_stopping"]
        assert (await other.say("enter"))["ok"]
        back = await server.client("doctor")
        state = await back.sees(lambda state: state["media"]["available"])
        assert state["phase"] == "live"
        assert "visit actor failed" in caplog.text


async def test_a_stopping_server_sends_everyone_away() -> None:
    async with serving() as server:
        clients = [await server.client(role) for role in ("doctor", "patient")]
        await server.stop()
        for client in clients:
            await asyncio.wait_for(client.gone.wait(), PATIENCE_S)
            assert client.byes == ["server_stopping"]
        await server.start()
