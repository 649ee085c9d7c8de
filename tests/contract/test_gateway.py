"""Real python-socketio clients over loopback against the real gateway; worker and recorder speak the real control link."""

from __future__ import annotations

from tests.signaling_parts import CONSENT, serving, until


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
