"""A third party: invited by the hospital, let in by the doctor, recorded only when it agrees, gone when it must go."""

from __future__ import annotations

import asyncio
from typing import Any

from recorder import control as recorder
from signaling.law.errors import GuestsFull
from signaling.law.facts import VisitFacts
from tests.signaling_parts import CONSENT, Client, Server, facts, serving, until


def invited(recording: str = "required", **more: Any) -> VisitFacts:
    return facts(recording=recording, guests={"guest-1": "specialist"}, **more)


async def guest_of(server: Server, seat: str = "guest-1") -> Client:
    client = Client()
    server.clients.append(client)
    token = server.tokens.issue("guest", "V1", seat, 600, seat=seat)
    await client.connect(server.url, {"v": 1, "token": token})
    await client.sees(lambda state: True)
    return client


async def let_in(server: Server, doctor: Client, guest: Client) -> None:
    """The guest, who has agreed, is admitted, sends a picture, and is recorded."""
    await doctor.say("admit_guest", seat="guest-1")
    await guest.say("offer", pc="g", sdp="x", publish={"0": "camera"}, subscribe={})
    await until(lambda: server.worker.taps.get(("V1", "guest-1")))


async def test_a_guest_sees_nobody_before_it_is_admitted() -> None:
    async with serving(invited()) as server:
        doctor, patient = await server.live()
        await patient.say("offer", pc="p", sdp="x", publish={"0": "camera"}, subscribe={})
        await patient.say("message", id="m1", text="between us")
        guest = await guest_of(server)
        state = guest.newest
        you = {"seat": "guest-1", "role": "guest", "pc": None, "view": {"camera": "best", "screen": "best"}, "send": {}}
        assert state["you"] == you
        assert (state["patient"], state["tracks"], state["messages"]) == (None, [], {"last": 0})
        assert state["seats"]["guest-1"]["as"] == "specialist"
        assert state["seats"]["guest-1"]["admitted"] is False
        offer = {"pc": "g", "sdp": "x", "publish": {"0": "camera"}, "subscribe": {}}
        for event, payload in (("offer", offer), ("message", {"id": "x", "text": "x"}), ("messages", {"after": 0})):
            assert (await guest.say(event, **payload))["error"]["code"] == "phase_wrong"
        for event in ("enter", "admit", "hold", "to_waiting", "reconnect", "phone_back"):
            assert (await guest.say(event))["error"]["code"] == "role_wrong"
        assert (await guest.say("end", reason="left"))["error"]["code"] == "role_wrong"
        assert doctor.newest["phase"] == "live"


async def test_admitted_it_is_forwarded_to_all_and_recorded_once_its_consent_is_on_the_log() -> None:
    async with serving(invited()) as server:
        doctor, patient = await server.live()
        await doctor.sees(lambda state: state["recording"]["state"] == "on")
        await patient.say("message", id="m1", text="between us")
        assert (await doctor.say("admit_guest", seat="guest-1"))["error"]["code"] == "guest_absent"
        guest = await guest_of(server)
        assert (await doctor.say("admit_guest", seat="guest-1"))["error"]["code"] == "consent_missing"
        assert (await patient.say("admit_guest", seat="guest-1"))["error"]["code"] == "role_wrong"
        assert (await guest.say("consent", decision="agreed", **CONSENT))["ok"]
        assert (await doctor.say("admit_guest", seat="guest-1"))["ok"]
        assert (await doctor.say("admit_guest", seat="guest-1"))["ok"]
        state = await guest.sees(lambda state: state["seats"]["guest-1"]["admitted"])
        assert state["patient"]["name"] == "王*英"
        offer = {"pc": "g", "sdp": "x", "publish": {"0": "camera"}, "subscribe": {}}
        assert (await guest.say("offer", **offer))["ok"]
        for client in (doctor, patient):
            await client.sees(lambda state: [track["id"] for track in state["tracks"]] == ["guest-1.camera"])
        await until(lambda: server.worker.taps.get(("V1", "guest-1")))
        starts = [each.seats for each in server.recorder.said if isinstance(each, recorder.Start)]
        assert starts == [["doctor", "patient"], ["guest-1"]]
        notes = server.recorder.notes()
        assert notes.index("join:guest-1") < notes.index("consent:guest-1") < notes.index("event:guest:specialist")
        assert (await guest.say("messages", after=0))["messages"] == []
        await patient.say("message", id="m2", text="for all")
        await until(lambda: [each["text"] for each in guest.messages] == ["for all"])
        assert [each["seq"] for each in (await guest.say("messages", after=0))["messages"]] == [2]
        assert doctor.newest["recording"]["state"] == "on"


async def test_one_who_does_not_agree_stays_outside_a_recorded_visit_and_unrecorded_in_an_optional_one() -> None:
    for policy in ("required", "optional"):
        async with serving(invited(policy)) as server:
            doctor, _ = await server.live()
            await doctor.sees(lambda state: state["recording"]["state"] == "on")
            guest = await guest_of(server)
            await guest.say("consent", decision="refused", **CONSENT)
            answer = await doctor.say("admit_guest", seat="guest-1")
            if policy == "required":
                assert answer["error"]["code"] == "consent_refused"
                continue
            assert answer["ok"]
            await guest.say("offer", pc="g", sdp="x", publish={"0": "camera"}, subscribe={})
            await doctor.sees(lambda state: state["tracks"])
            assert not server.worker.taps.get(("V1", "guest-1"))
            assert server.worker.taps["V1", "patient"]


async def test_a_guest_who_withdraws_leaves_and_the_visit_goes_on_recorded() -> None:
    async with serving(invited()) as server:
        doctor, _ = await server.live()
        guest = await guest_of(server)
        await guest.say("consent", decision="agreed", **CONSENT)
        await let_in(server, doctor, guest)
        assert (await guest.say("withdraw"))["ok"]
        state = await doctor.sees(lambda state: not state["seats"]["guest-1"]["admitted"] and not state["tracks"])
        assert (state["phase"], state["recording"]["state"]) == ("live", "on")
        assert state["seats"]["guest-1"]["consent"] == "withdrawn"
        assert server.worker.taps["V1", "guest-1"] is False
        assert "withdraw:guest-1" in server.recorder.notes()


async def test_dismissed_it_may_come_again_and_the_end_dismisses_all() -> None:
    async with serving(invited()) as server:
        doctor, patient = await server.live()
        guest = await guest_of(server)
        await guest.say("consent", decision="agreed", **CONSENT)
        for _ in range(2):
            await let_in(server, doctor, guest)
            assert (await doctor.say("dismiss_guest", seat="guest-1"))["ok"]
            await patient.sees(lambda state: not state["tracks"])
            await until(lambda: not server.worker.taps["V1", "guest-1"])
        await doctor.say("admit_guest", seat="guest-1")
        await doctor.say("end", reason="completed")
        await until(lambda: server.recorder.closed)
        assert server.store.visits["V1"].admitted == {}
        assert not any(server.worker.taps.values())
        assert (await guest.sees(lambda state: state["phase"] == "ended"))["patient"] is None


async def test_a_restart_keeps_the_guest_in_and_recorded() -> None:
    async with serving(invited()) as server:
        doctor, _ = await server.live()
        guest = await guest_of(server)
        await guest.say("consent", decision="agreed", **CONSENT)
        await let_in(server, doctor, guest)
        await server.stop()
        await server.start()
        guest = await guest_of(server)
        state = await guest.sees(lambda state: state["tracks"])
        assert state["you"]["pc"] == "g"
        await until(lambda: [e.seats for e in server.recorder.said if isinstance(e, recorder.Start)][-1] == ["guest-1"])
        assert server.recorder.notes().count("consent:guest-1") == 1


async def test_a_guest_let_in_while_the_recorder_is_away_joins_before_it_agrees() -> None:
    async with serving(invited()) as server:
        doctor, _ = await server.live()
        guest = await guest_of(server)
        await guest.say("consent", decision="agreed", **CONSENT)
        await server.recorder.cut()
        await doctor.sees(lambda state: state["recording"]["state"] == "interrupted")
        assert (await doctor.say("admit_guest", seat="guest-1"))["ok"]
        await server.recorder.start()
        await until(lambda: [e.seats for e in server.recorder.said if isinstance(e, recorder.Start)][-1] == ["guest-1"])
        notes = server.recorder.notes()
        assert notes.count("join:guest-1") == notes.count("consent:guest-1") == 1
        assert notes.index("join:guest-1") < notes.index("consent:guest-1")


async def test_the_log_says_nothing_of_a_guest_who_was_never_let_in() -> None:
    async with serving(invited()) as server:
        doctor, _ = await server.live()
        guest = await guest_of(server)
        await guest.say("consent", decision="agreed", **CONSENT)
        await guest.say("withdraw")
        await guest.say("consent", decision="agreed", **CONSENT)
        await doctor.say("end", reason="completed")
        await until(lambda: server.recorder.closed)
        assert not [note for note in server.recorder.notes() if "guest-1" in note]


async def test_a_link_to_a_seat_nobody_was_given_is_refused() -> None:
    async with serving(invited()) as server:
        client = Client()
        server.clients.append(client)
        token = server.tokens.issue("guest", "V1", "g", 600, seat="guest-2")
        try:
            await client.connect(server.url, {"v": 1, "token": token})
        except Exception:  # noqa: BLE001 - the client library has several
            assert client.refusal["data"]["code"] == "token_revoked"
        else:
            raise AssertionError("it was let in")


async def test_guests_invited_at_once_get_a_seat_each_and_a_fourth_none() -> None:
    async with serving() as server:
        asked = (server.registry.invite("V1", kind) for kind in ("family", "interpreter", "specialist", "family"))
        given = await asyncio.gather(*asked, return_exceptions=True)
        assert [each[0] for each in given if isinstance(each, tuple)] == ["guest-1", "guest-2", "guest-3"]
        assert [each.code for each in given if isinstance(each, GuestsFull)] == ["guests_full"]


async def test_an_invitation_to_a_named_seat_may_be_said_again() -> None:
    async with serving() as server:
        doctor = await server.client("doctor")
        first = await doctor.say("invite", **{"as": "family", "seat": "guest-2"})
        again = await doctor.say("invite", **{"as": "family", "seat": "guest-2"})
        other = await doctor.say("invite", **{"as": "specialist", "seat": "guest-2"})
        assert (first["seat"], again["seat"], other["error"]["code"]) == ("guest-2", "guest-2", "guests_full")
        await doctor.sees(lambda state: "guest-2" in state["seats"])
        assert set(doctor.newest["seats"]) == {"doctor", "patient", "guest-2"}
        assert (await doctor.say("invite", **{"as": "family"}))["seat"] == "guest-1"
