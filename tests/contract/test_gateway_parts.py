"""Worker, recorder, store and process behind the real gateway come, go and come back; the visit goes on."""

from __future__ import annotations

import asyncio

import pytest

from media import control as media
from recorder import control as recorder
from tests.patience import PATIENCE_S
from tests.signaling_parts import facts, serving, until


async def test_a_restart_of_the_process_keeps_seats_phase_tracks_and_seq() -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        await patient.say("offer", pc="p1", sdp="x", publish={"0": "camera"}, subscribe={})
        before = await doctor.sees(lambda state: state["tracks"] and state["recording"]["state"] == "on")
        await server.stop()
        await asyncio.wait_for(doctor.gone.wait(), PATIENCE_S)
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
        state = await doctor.sees(lambda state: state["media"] == {"epoch": "m-1x", "available": True, "camera": "VP8"})
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
        state = await doctor.sees(lambda state: state["media"] == {"epoch": "m-1", "available": True, "camera": "VP8"})
        assert [track["id"] for track in state["tracks"]] == ["patient.camera"]
        assert server.worker.names().count("OpenRoom") == 1


async def test_a_visit_moves_to_another_worker_when_its_own_stays_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.live.lanes.MOVE_AFTER_S", 0.05)
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
