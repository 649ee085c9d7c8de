"""Messages: what every store of them must do, and what two clients see of them, through fifty interruptions too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
import socketio

from signaling.law.messages import MOST_PHOTOS, PAGE, Draft, MessageConflict, Photo, PhotosFull, PhotoUnknown
from signaling.ports import MessageStore
from signaling.sql.message_store import SqlMessageStore
from tests.http_api import open_store, some_visit
from tests.signaling_parts import CONSENT, Client, MemoryMessages, Server, serving, until

AT = "2026-05-04T09:12:00.123Z"


@pytest.fixture(params=["sql", "memory"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MessageStore]:
    if request.param == "memory":
        yield MemoryMessages()
        return
    async with open_store(tmp_path) as visits:
        for visit in ("V1", "V2"):
            await visits.create(some_visit(visit), None, "")
        yield SqlMessageStore(visits.engine)


def photo(name: str, sha256: str) -> Photo:
    return Photo(name, "image/png", 10, 2, 3, sha256)


async def test_messages_are_numbered_a_visit_and_come_back_in_order(store: MessageStore) -> None:
    for number in range(3):
        for visit in ("V1", "V2"):
            kept = await store.append(visit, "patient", Draft(f"m{number}", f"text {number}"), AT, "0" * 32)
            assert (kept.seq, kept.visit, kept.at) == (number + 1, visit, AT)
    assert [each.text for each in await store.after("V1", 1)] == ["text 1", "text 2"]
    assert (await store.last("V1"), await store.last("V3")) == (3, 0)


async def test_the_same_id_adds_nothing_and_other_content_is_a_conflict(store: MessageStore) -> None:
    first = await store.append("V1", "patient", Draft("m", "a"), AT, "0" * 32)
    assert await store.append("V1", "patient", Draft("m", "a"), "2026-05-04T09:13:00.000Z", "1" * 32) == first
    with pytest.raises(MessageConflict):
        await store.append("V1", "patient", Draft("m", "b"), AT, "0" * 32)
    assert (await store.append("V1", "doctor", Draft("m", "b"), AT, "0" * 32)).seq == 2
    assert await store.last("V1") == 2


async def test_many_at_once_get_a_number_each(store: MessageStore) -> None:
    sent = [store.append("V1", "patient", Draft(f"m{number % 12}", "x"), AT, "0" * 32) for number in range(24)]
    assert {each.seq for each in await asyncio.gather(*sent)} == set(range(1, 13))


async def test_a_page_has_a_hundred(store: MessageStore) -> None:
    for number in range(PAGE + 1):
        await store.append("V1", "patient", Draft(f"m{number}", "x"), AT, "0" * 32)
    assert [each.seq for each in await store.after("V1", 0)] == list(range(1, PAGE + 1))


async def test_what_is_not_yet_on_the_log_is_known(store: MessageStore) -> None:
    for number in range(3):
        await store.append("V1", "patient", Draft(f"m{number}", "x"), AT, "0" * 32)
    await store.noted("V1", 2)
    assert [each.seq for each in await store.unnoted("V1")] == [1, 3]


async def test_a_photo_is_sent_in_its_own_visit_only(store: MessageStore) -> None:
    kept = await store.keep_photo("V1", "patient", photo("p1", "ab"), AT)
    assert await store.keep_photo("V1", "patient", photo("p2", "ab"), AT) == kept
    assert await store.photo("p1") == ("V1", kept)
    assert await store.photo("p2") is None
    assert (await store.append("V1", "patient", Draft("m", photo="p1"), AT, "0" * 32)).photo == kept
    assert (await store.after("V1", 0))[0].photo == kept
    for visit, name in (("V2", "p1"), ("V1", "p2")):
        with pytest.raises(PhotoUnknown):
            await store.append(visit, "patient", Draft("n", photo=name), AT, "0" * 32)


async def test_a_visit_holds_sixty_photos(store: MessageStore) -> None:
    for number in range(MOST_PHOTOS):
        await store.keep_photo("V1", "patient", photo(f"p{number}", f"{number}"), AT)
    with pytest.raises(PhotosFull):
        await store.keep_photo("V1", "patient", photo("more", "more"), AT)
    assert (await store.keep_photo("V1", "patient", photo("x", "3"), AT)).id == "p3"
    assert await store.photo("more") is None


# ---- between two clients


async def test_patient_and_clinic_write_while_waiting_and_both_see_the_same() -> None:
    async with serving() as server:
        doctor, patient = await server.client("doctor"), await server.client("patient")
        early = await patient.say("message", id="m0", text="too early")
        assert early["error"]["code"] == "phase_wrong"
        await patient.say("enter")
        answer = await patient.say("message", id="m1", text="头还是晕")
        assert (answer["ok"], answer["seq"]) == (True, 1)
        assert await patient.say("message", id="m1", text="头还是晕") == answer
        assert (await patient.say("message", id="m1", text="另一句"))["error"]["code"] == "message_conflict"
        assert (await patient.say("message", id="m2", photo="nobody"))["error"]["code"] == "photo_unknown"
        assert (await doctor.say("message", id="m1", text="多久了?"))["seq"] == 2
        await until(lambda: len(patient.messages) == len(doctor.messages) == 2)
        assert patient.messages == doctor.messages
        assert [(each["from"], each["text"], each["photo"]) for each in patient.messages] == [
            ("patient", "头还是晕", None),
            ("doctor", "多久了?", None),
        ]
        await doctor.sees(lambda state: state["messages"] == {"last": 2})
        found = await doctor.say("messages", after=1)
        assert [each["seq"] for each in found["messages"]] == [2]
        assert found["last"] == 2
        assert await doctor.say("messages", after=9) == {"v": 1, "ok": True, "messages": [], "last": 2}


async def test_a_message_of_a_recorded_visit_is_on_the_log_and_stays_readable_after_the_end() -> None:
    async with serving() as server:
        doctor, patient = await server.live()
        await patient.say("message", id="m1", text="谢谢")
        await until(lambda: "message:1" in server.recorder.logs["V1"])
        assert "谢谢" not in str(server.recorder.logs["V1"])
        await until(lambda: server.messages.on_log == {("V1", 1)})
        await doctor.say("end", reason="completed")
        assert [each["text"] for each in (await patient.say("messages", after=0))["messages"]] == ["谢谢"]
        assert (await patient.say("message", id="m2", text="x"))["error"]["code"] == "visit_ended"


async def test_a_database_that_is_away_refuses_and_the_same_is_kept_later() -> None:
    async with serving() as server:
        patient = await server.client("patient")
        await patient.say("enter")
        server.messages.away = True
        assert (await patient.say("message", id="m1", text="x"))["error"]["code"] == "store_unavailable"
        assert (await patient.say("messages", after=0))["error"]["code"] == "store_unavailable"
        server.messages.away = False
        assert (await patient.say("message", id="m1", text="x"))["seq"] == 1


class Writer:
    """A client as SIG-17 and SIG-18 have it: keeps what is not acknowledged, fetches what it has not seen."""

    def __init__(self, server: Server, seat: str) -> None:
        self.server, self.seat = server, seat
        self.unsent: list[tuple[str, str]] = []
        self.shown: dict[int, tuple[str, str]] = {}
        self.client: Client | None = None

    async def interrupt(self, random: Random) -> None:
        """A reload (a second socket takes over), a lost line, or a polite goodbye."""
        before, self.client = self.client, None
        match random.randrange(3):
            case 0 if before is not None:
                await before.io.eio.disconnect(abort=True)
            case 1 if before is not None:
                await before.close()
        self.client = await self.server.client(self.seat)

    async def flush(self) -> None:
        while self.unsent:
            message, text = self.unsent[0]
            try:
                assert self.client is not None
                answer = await self.client.say("message", id=message, text=text)
            except socketio.exceptions.SocketIOError:
                return
            if not answer["ok"]:
                return
            self.unsent.pop(0)

    async def catch_up(self) -> None:
        """Show everything there is."""
        while True:
            assert self.client is not None
            found = await self.client.say("messages", after=max(self.shown, default=0))
            for each in found["messages"]:
                assert each["seq"] == max(self.shown, default=0) + 1
                self.shown[each["seq"]] = (each["from"], each["text"])
            if max(self.shown, default=0) == found["last"]:
                return


@pytest.mark.slow
async def test_fifty_interruptions_lose_and_double_nothing() -> None:
    random = Random(seed := 20260504)
    print(f"seed {seed}")
    async with serving() as server:
        doctor, patient = Writer(server, "doctor"), Writer(server, "patient")
        for each in (doctor, patient):
            each.client = await server.client(each.seat)
            await each.client.say("consent", decision="agreed", **CONSENT)
        assert patient.client is not None
        await patient.client.say("enter")
        sent: dict[str, list[str]] = {"doctor": [], "patient": []}
        for number in range(50):
            writing = []
            for each in (doctor, patient):
                for part in range(random.randrange(1, 4)):
                    text = f"{each.seat} {number}.{part}"
                    sent[each.seat].append(text)
                    each.unsent.append((f"m{number}-{part}", text))
                writing.append(asyncio.create_task(each.flush()))
            await asyncio.sleep(random.random() * 0.01)
            restart = random.random() < 0.2
            for task in writing:
                task.cancel()
            await asyncio.gather(*writing, return_exceptions=True)
            if restart:
                await server.stop()
                await server.start()
                for each in (doctor, patient):
                    each.client = await server.client(each.seat)
            else:
                await random.choice((doctor, patient)).interrupt(random)
            for each in (doctor, patient):
                await each.flush()
                await each.catch_up()
        for each in (doctor, patient):
            await each.catch_up()
            assert each.unsent == []
        assert doctor.shown == patient.shown
        assert list(doctor.shown) == list(range(1, len(doctor.shown) + 1))
        for seat, texts in sent.items():
            assert [text for who, text in doctor.shown.values() if who == seat] == texts
        await until(lambda: len(server.messages.on_log) == len(doctor.shown))
        noted = [key for key in server.recorder.logs["V1"] if key.startswith("message:")]
        assert sorted(noted, key=lambda key: int(key[8:])) == [f"message:{seq}" for seq in doctor.shown]
