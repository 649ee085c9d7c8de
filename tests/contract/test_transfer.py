"""A patient is given to another doctor: a new visit at the same place, and the old one's record is whole (SIG-33)."""

from __future__ import annotations

import asyncio

import pytest

from signaling.law.errors import DoctorUnknown
from signaling.law.facts import Contact, Contacts, Doctor
from signaling.law.summary import Allergy, Summary
from tests.signaling_parts import Client, facts, serving, until

OTHER = Doctor("doc-2", "陈立", "主治医师", "外科", "110312345678218")


async def test_a_live_patient_goes_on_with_a_colleague_at_the_same_place() -> None:
    known = {
        "summary": Summary(allergies=[Allergy("青霉素")]),
        "contacts": Contacts(Contact("县人民医院", "0571-88776655")),
    }
    async with serving(facts("V1", **known), facts("V2", doctor=OTHER)) as server:
        store = server.store
        other = await server.client("doctor", "V2")
        doctor, patient = await server.live()
        [colleague] = (await doctor.say("colleagues"))["doctors"]
        assert (colleague["id"], colleague["here"], colleague["licence"]) == ("doc-2", True, "1103***218")

        assert (await patient.say("follow"))["error"]["code"] == "phase_wrong"
        assert (await patient.say("transfer", doctor="doc-2"))["error"]["code"] == "role_wrong"
        assert (await doctor.say("transfer", doctor="nobody"))["error"]["code"] == "doctor_unknown"
        with pytest.raises(DoctorUnknown):  # the coordinator hears the same
            await server.registry.transfer("V1", "nobody", "hospital")
        asked = await asyncio.gather(*(doctor.say("transfer", doctor="doc-2") for _ in range(3)))
        [moved] = {each["visit"] for each in asked}
        assert {name: getattr(store.visits[moved], name) for name in known} == known

        ended = await patient.sees(lambda state: state["phase"] == "ended")
        assert ended["ended"] == {"by": "doctor", "reason": "transferred"}
        queue = await other.sees_queue(lambda queue: any(row["visit"] == moved for row in queue["waiting"]))
        row = next(each for each in queue["waiting"] if each["visit"] == moved)
        assert (row["since"], row["moved"], row["consent"]) == (store.visits["V1"].entered, True, "undecided")

        followed = await patient.say("follow")
        assert followed["visit"] == moved
        again = Client()
        server.clients.append(again)
        await again.connect(server.url, {"v": 1, "token": followed["token"]})
        state = await again.sees(lambda state: state["phase"] == "waiting")
        assert (state["doctor"]["name"], state["you"]["seat"]) == ("陈立", "patient")
        await until(lambda: "V1" in server.recorder.closed)
        assert server.recorder.closed["V1"] == "transferred"
        assert (await doctor.say("follow"))["error"]["code"] == "role_wrong"


async def test_a_doctor_invites_a_third_party_by_link() -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        assert (await patient.say("invite", **{"as": "family"}))["error"]["code"] == "role_wrong"
        invited = [await doctor.say("invite", **{"as": "specialist"}) for _ in range(4)]
        assert [each.get("seat", each.get("error", {}).get("code")) for each in invited] == [
            *("guest-1", "guest-2", "guest-3"),
            "guests_full",
        ]
        guest = Client()
        server.clients.append(guest)
        await guest.connect(server.url, {"v": 1, "token": invited[0]["token"]})
        state = await guest.sees(lambda state: True)
        assert (state["you"]["seat"], state["patient"]) == ("guest-1", None)


async def test_a_slow_network_of_who_waits_is_seen_in_the_queue() -> None:
    async with serving() as server:
        doctor, patient = await server.client("doctor"), await server.client("patient")
        assert (await patient.say("enter"))["ok"]
        for session in server.gateway._sessions.values():
            session.pulse(0.9)
        await doctor.sees_queue(lambda queue: queue["waiting"] and queue["waiting"][0]["network"] == "slow")
