"""The waiting room over the wire: the estimate from the doctor's own visits, escalation, and the way back and forth."""

from __future__ import annotations

from typing import Any

from signaling.law.facts import Ending, VisitFacts
from signaling.law.standing import iso
from tests.signaling_parts import CONSENT, facts, serving, until


def past(number: int, minutes: int = 10) -> VisitFacts:
    """A visit of the same doctor that is over."""
    start = 1_770_000_000 + number * 700
    more: dict[str, Any] = {"phase": "ended", "ended": Ending("doctor", "completed"), "seq": 9}
    times = {"entered": iso(start - 7200), "live": iso(start), "ended_at": iso(start + minutes * 60)}
    return facts(f"past-{number}", **times, **more)


async def test_the_patient_is_told_place_and_spread_and_the_promise() -> None:
    async with serving(facts("V1"), facts("V2"), *(past(number) for number in range(6))) as server:
        first, second = await server.client("patient", "V1"), await server.client("patient", "V2")
        await first.say("enter")
        await second.say("enter")
        state = await second.sees(lambda state: state["waiting"]["estimate_s"])
        # one visit of 10 minutes and two pauses of 100 s each, on a grid of 30 s
        assert state["waiting"]["ahead"] == 1
        assert state["waiting"]["estimate_s"] == {"low": 780, "high": 780}
        assert state["waiting"]["promised_until"] is None
        await first.sees(lambda state: state["waiting"]["promised_until"])
        assert (await first.say("end", reason="left"))["ok"]
        state = await second.sees(lambda state: state["waiting"]["ahead"] == 0)
        assert state["waiting"]["promised_until"] is not None


async def test_nothing_is_estimated_of_four_visits() -> None:
    async with serving(facts("V1"), *(past(number) for number in range(4))) as server:
        patient = await server.client("patient")
        await patient.say("enter")
        state = await patient.sees(lambda state: state["waiting"]["promised_until"])
        assert state["waiting"]["estimate_s"] is None


async def test_a_broken_promise_reaches_the_doctor_then_the_coordinator_and_survives_a_restart() -> None:
    async with serving() as server:
        patient = await server.client("patient")
        await patient.say("enter")
        await patient.sees(lambda state: state["waiting"]["promised_until"])
        await server.stop()
        server.offset_s = 301.0
        await server.start()
        patient, doctor = await server.client("patient"), await server.client("doctor")
        await patient.sees(lambda state: state["waiting"]["late"] == "doctor")
        await doctor.sees_queue(lambda queue: queue["waiting"][0]["late"] is True)
        server.offset_s = 485.0
        await patient.say("media_state", microphone="on", camera="on", screen="off")
        await server.stop()
        await server.start()
        patient = await server.client("patient")
        await patient.sees(lambda state: state["waiting"]["offers"] == ["phone_back", "rebook"])
        assert server.store.visits["V1"].late == "coordinator"
        assert (await patient.say("phone_back"))["ok"]
        assert (await patient.sees(lambda state: state["phone_back"]))["waiting"]["offers"] == ["rebook"]
        assert (await patient.say("rebook"))["ok"]
        state = await patient.sees(lambda state: state["rebook"])
        assert (state["phase"], state["waiting"]["offers"]) == ("waiting", [])
        doctor = await server.client("doctor")
        await doctor.sees_queue(lambda queue: queue["waiting"][0]["rebook"] is True)


async def test_hold_back_to_waiting_admit_again_advice_end_and_reconnect() -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        await doctor.sees(lambda state: state["recording"]["state"] == "on")
        assert (await doctor.say("hold"))["ok"]
        await patient.sees(lambda state: state["held"])
        assert (await doctor.say("resume"))["ok"]
        assert (await doctor.say("to_waiting"))["ok"]
        state = await patient.sees(lambda state: state["phase"] == "waiting")
        assert (state["tracks"], state["recording"]["state"], state["you"]["pc"]) == ([], "off", None)
        await until(lambda: server.worker.rooms == {})
        assert (await doctor.say("admit"))["ok"]
        await patient.sees(lambda state: state["phase"] == "live" and state["media"]["available"])
        await patient.sees(lambda state: state["recording"]["state"] == "on")
        assert (await doctor.say("advice", text="三天后复诊"))["ok"]
        assert patient.newest["advice"] is None
        assert (await doctor.say("notes.write", text="脉细"))["ok"]
        assert (await doctor.say("notes.read"))["text"] == server.store.visits["V1"].notes == "脉细"
        assert (await patient.say("notes.read"))["error"]["code"] == "role_wrong"
        assert (await patient.say("end", reason="left"))["ok"]
        await patient.sees(lambda state: state["advice"] == "三天后复诊")
        await until(lambda: server.recorder.closed)
        refusal = await patient.say("reconnect")
        assert refusal["error"]["code"] == "recorder_unavailable"


async def test_an_optional_unrecorded_visit_reconnects() -> None:
    async with serving(facts(recording="optional")) as server:
        doctor, patient = await server.client("doctor"), await server.client("patient")
        await doctor.say("consent", decision="agreed", **CONSENT)
        await patient.say("consent", decision="refused", **CONSENT)
        await patient.say("enter")
        await doctor.say("admit")
        await doctor.say("end", reason="completed")
        await patient.sees(lambda state: state["phase"] == "ended")
        assert (await patient.say("reconnect"))["ok"]
        await doctor.sees(lambda state: state["phase"] == "live" and state["media"]["available"])
        assert (await doctor.say("offer", pc="d", sdp="x", publish={"0": "camera"}, subscribe={}))["ok"]
