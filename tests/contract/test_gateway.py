"""Real python-socketio clients over loopback against the real gateway; worker and recorder speak the real control link."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

import aiohttp
import pytest
import socketio

from media import control as media
from recorder import control as recorder
from signaling import gateway as gateway_module
from signaling.standing import iso
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


# ---- the seat belongs to the token


async def test_a_second_connection_takes_the_seat_over_and_nobody_sees_the_seat_leave() -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        await patient.say("offer", pc="p1", sdp="x", publish={"0": "camera"}, subscribe={})
        await doctor.sees(lambda state: state["tracks"])
        seen = len(doctor.states)
        again = await server.client("patient")
        await asyncio.wait_for(patient.gone.wait(), 5)
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


async def test_a_restart_of_the_process_keeps_seats_phase_tracks_and_seq() -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        await patient.say("offer", pc="p1", sdp="x", publish={"0": "camera"}, subscribe={})
        before = await doctor.sees(lambda state: state["tracks"] and state["recording"]["state"] == "on")
        await server.stop()
        await asyncio.wait_for(doctor.gone.wait(), 5)
        assert doctor.byes == patient.byes == ["server_stopping"]
        await server.start()
        doctor, patient = await server.client("doctor"), await server.client("patient")
        after = await doctor.sees(lambda state: state["tracks"] and state["recording"]["state"] == "on")
        assert after["seq"] > before["seq"]
        assert (after["phase"], after["tracks"], after["media"]) == ("live", before["tracks"], before["media"])
        assert after["times"]["live"] == before["times"]["live"]
        assert (await patient.say("resync"))["state"]["you"]["pc"] == "p1"
        assert server.worker.names().count("OpenRoom") == 1
        assert server.recorder.notes().count("consent:patient") == 1


# ---- the parts behind it come and go


async def test_a_worker_that_died_gets_the_room_and_the_taps_again_under_a_new_epoch() -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        await patient.say("offer", pc="p1", sdp="x", publish={"0": "camera"}, subscribe={})
        await doctor.sees(lambda state: state["recording"]["state"] == "on" and state["tracks"])
        await server.worker.die()
        await doctor.sees(lambda state: not state["media"]["available"])
        answer = await patient.say("offer", pc="p1", sdp="x", publish={}, subscribe={})
        assert answer["error"]["code"] == "media_unavailable"
        await server.worker.start()
        state = await doctor.sees(lambda state: state["media"] == {"epoch": "m-1x", "available": True})
        assert state["tracks"] == []
        assert state["phase"] == "live"
        answer = await patient.say("offer", pc="p2", sdp="x", publish={"0": "camera"}, subscribe={})
        assert answer["epoch"] == "m-1x"
        await until(lambda: server.worker.taps == {("V1", "doctor"): True, ("V1", "patient"): True})
        assert "event:worker:lost" in server.recorder.notes()


async def test_a_worker_whose_link_blinked_keeps_its_room() -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        await patient.say("offer", pc="p1", sdp="x", publish={"0": "camera"}, subscribe={})
        await doctor.sees(lambda state: state["tracks"])
        await server.worker.cut()
        await doctor.sees(lambda state: not state["media"]["available"])
        await server.worker.start()
        state = await doctor.sees(lambda state: state["media"] == {"epoch": "m-1", "available": True})
        assert [track["id"] for track in state["tracks"]] == ["patient.camera"]
        assert server.worker.names().count("OpenRoom") == 1


async def test_a_visit_moves_to_another_worker_when_its_own_stays_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.lanes.MOVE_AFTER_S", 0.05)
    async with serving(workers=2) as server:
        doctor, _ = await server.live()
        mine, other = sorted(server.media, key=lambda worker: "V1" not in worker.rooms)
        other.epoch = "m-2"
        await doctor.sees(lambda state: state["media"]["available"])
        await mine.die()
        await doctor.sees(lambda state: not state["media"]["available"])
        await until(lambda: "V1" in other.rooms)
        await doctor.sees(lambda state: state["media"]["available"])


async def test_a_recorder_that_died_is_told_again_and_the_taps_stay_open_meanwhile() -> None:
    async with serving() as server:
        doctor, _ = await server.live()
        await doctor.sees(lambda state: state["recording"]["state"] == "on")
        await server.recorder.cut()
        await doctor.sees(lambda state: state["recording"]["state"] == "interrupted")
        assert all(server.worker.taps.values())
        assert (await doctor.say("media_state", microphone="muted", camera="on", screen="off"))["ok"]
        server.recorder.said.clear()
        await server.recorder.start()
        await doctor.sees(lambda state: state["recording"]["state"] == "on")
        assert server.recorder.names()[:3] == ["Open", "Note", "Note"]
        await until(lambda: "event:microphone:muted" in server.recorder.notes())
        assert server.recorder.names().count("Start") == 1


async def test_a_log_is_closed_when_the_recorder_is_back_after_the_end() -> None:
    async with serving() as server:
        doctor, _ = await server.live()
        await doctor.sees(lambda state: state["recording"]["state"] == "on")
        await server.recorder.cut()
        assert (await doctor.say("end", reason="completed"))["ok"]
        await doctor.sees(lambda state: state["phase"] == "ended")
        await until(lambda: server.worker.rooms == {})
        await server.stop()
        await server.recorder.start()
        await server.start()
        await until(lambda: server.recorder.closed == {"V1": "completed"})
        await until(lambda: not server.store.visits["V1"].log_open)


async def test_a_store_that_is_away_does_not_stop_a_visit() -> None:
    async with serving() as server:
        doctor, patient = await server.client("doctor"), await server.client("patient")
        server.store.broken = True
        assert (await patient.say("enter"))["ok"]
        await doctor.sees(lambda state: state["phase"] == "waiting")
        server.store.broken = False
        await until(lambda: server.store.visits["V1"].phase == "waiting")


async def test_an_inbox_that_overflowed_asks_for_the_whole_truth(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        await patient.say("offer", pc="p1", sdp="x", publish={"0": "camera"}, subscribe={})
        await doctor.sees(lambda state: state["tracks"] and state["recording"]["state"] == "on")
        server.store.stuck = asyncio.Event()
        server.registry._actors["V1"].visit._saved_seq = None  # the next change is saved, and the store hangs
        for number in range(701):
            server.worker.tell(media.TracksChanged("V1", [] if number % 2 else server.worker.tracks["V1"]))
        await patient.close()
        await until(lambda: server.registry._actors["V1"]._missed)
        server.store.stuck.set()
        state = await doctor.sees(lambda state: not state["seats"]["patient"]["present"] and state["tracks"])
        assert state["phase"] == "live"
        await doctor.sees(lambda state: state["recording"]["state"] == "on")
        assert "inbox overflowed" in caplog.text


async def test_proof_of_life_and_gaps_reach_both_seats() -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        alive = recorder.StreamAlive("patient", 10, 2, 4100, "recording")
        server.recorder.tell(recorder.Alive("V1", [alive]))
        server.recorder.tell(recorder.Gapped("V1", "patient", 2000, 3100, "network"))
        for client in (doctor, patient):
            state = await client.sees(lambda state: state["recording"]["gaps"])
            assert state["recording"]["streams"] == [{"stream": "patient", "sealed_to_ms": 4100, "state": "recording"}]
            assert state["recording"]["gaps"] == [
                {"stream": "patient", "from_ms": 2000, "to_ms": 3100, "cause": "network"}
            ]
        await doctor.say("end", reason="completed")
        state = await patient.sees(lambda state: state["phase"] == "ended")
        assert [stream["state"] for stream in state["recording"]["streams"]] == ["ended"]


async def test_the_desk_goes_on_from_a_visit_that_has_ended() -> None:
    async with serving(facts(), facts("V2")) as server:
        doctor, _ = await server.live()
        await doctor.say("end", reason="completed")
        assert (await doctor.say("desk.take", visit="V2"))["token"]
        for event in ("hold", "to_waiting", "ice", "admit", "withdraw"):
            assert (await doctor.say(event))["error"]["code"] == "visit_ended"


async def test_transport_states_reach_both_seats() -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        await patient.say("offer", pc="p1", sdp="x", publish={}, subscribe={})
        for state, shown in (("connected", "connected"), ("silent", "silent"), ("gone", "none")):
            server.worker.tell(media.TransportChanged("V1", "patient", "p1", state))  # type: ignore[arg-type]
            await doctor.sees(lambda seen, shown=shown: seen["seats"]["patient"]["media"] == shown)


# ---- events


async def test_an_offer_the_worker_refuses_is_refused_with_the_workers_code() -> None:
    async with serving() as server:
        _, patient = await server.live()
        answer = await patient.say("offer", pc="p1", sdp="bad", publish={}, subscribe={})
        assert answer["error"]["code"] == "sdp_invalid"


async def test_admit_without_recorder_or_worker_says_which_is_missing() -> None:
    async with serving() as server:
        doctor, patient = await server.client("doctor"), await server.client("patient")
        for client in (doctor, patient):
            await client.say("consent", decision="agreed", **CONSENT)
        await patient.say("enter")
        await server.recorder.cut()
        await until(lambda: not server.registry._recorder.up)
        assert (await doctor.say("admit"))["error"]["code"] == "recorder_unavailable"
        await server.recorder.start()
        await server.worker.cut()
        await until(lambda: server.registry._recorder.up)
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
    from signaling.ports import Doctor

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
        await asyncio.wait_for(patient.gone.wait(), 5)
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
        await asyncio.wait_for(waiting.gone.wait(), 5)
        assert waiting.byes == ["token_expired"]
        assert (await doctor.say("resync"))["state"]["phase"] == "live"


async def test_who_waits_when_the_visit_expires_is_shown_that_before_being_sent_away() -> None:
    expires = time.time() + 1000.4
    async with serving(facts(expires=iso(expires))) as server:
        token = server.token("patient", lifetime_s=999)
        patient = Client()
        server.clients.append(patient)
        await patient.connect(server.url, {"v": 1, "token": token})
        await patient.say("enter")
        server.offset_s += (
            expires - time.time() - 0.3
        )  # the token has run out, the visit has not, by a part of a second
        for session in list(server.gateway._sessions.values()):
            session._watch_expiry()
        await asyncio.wait_for(patient.gone.wait(), 5)
        assert patient.byes == ["token_expired"]
        assert patient.newest["phase"] == "ended"
        assert patient.newest["ended"] == {"by": "system", "reason": "expired"}


async def test_revoked_links_send_their_sockets_away_and_let_nobody_in_again() -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        await server.registry.links_revoked("V1", 1)
        for client in (doctor, patient):
            await asyncio.wait_for(client.gone.wait(), 5)
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
    monkeypatch.setattr("signaling.actor.IDLE_S", 0.02)
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
        await asyncio.wait_for(doctor.gone.wait(), 5)
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
            await asyncio.wait_for(client.gone.wait(), 5)
            assert client.byes == ["server_stopping"]
        await server.start()
