"""A thousand malformed, oversized, out-of-order and unauthorised events in a live visit, and frames that are no packets.

Nothing ends, nothing leaks, and valid traffic goes on. The seed is printed; give it in SEED to play a run again.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from typing import Any

import aiohttp
import pytest

from tests.patience import PATIENCE_S
from tests.signaling_parts import CONSENT, Server, serving, until

SEED = int(os.environ.get("SEED", "20260504"))
EVENTS = 1000
A_CONNECTION = 90  # under the burst a socket may send
CODES = {
    "event_unknown",
    "payload_invalid",
    "version_unsupported",
    "payload_too_large",
    "role_wrong",
    "phase_wrong",
    "consent_text_unknown",
    "sdp_invalid",
}

VALID: dict[str, dict[str, Any]] = {
    "enter": {},
    "consent": {"decision": "agreed", **CONSENT},
    "withdraw": {},
    "offer": {"pc": "p", "sdp": "bad", "publish": {"0": "camera"}, "subscribe": {"1": "doctor.camera"}},
    "media_state": {"microphone": "on", "camera": "on", "screen": "off"},
    "ice": {},
    "end": {"reason": "left"},
    "resync": {},
}
ODD: list[Any] = [
    None,
    True,
    -1,
    10**90,
    1.5,
    float("nan"),
    "",
    "\ud800",
    "x" * 5000,
    [],
    {},
    [[[]]],
    {"v": 1},
    "__proto__",
]
UNAUTHORISED: list[tuple[str, Any]] = [
    ("admit", {"v": 1}),
    ("desk.take", {"v": 1, "visit": "V1"}),
    ("desk.take", {"v": 1, "visit": "V2"}),
    ("consent", {"v": 1, **VALID["consent"], "decision": "refused"}),
    ("consent", {"v": 1, **VALID["consent"], "text_sha256": "00" * 32}),
    ("offer", {"v": 1, **VALID["offer"]}),
]


class Raw:
    """A peer that writes Engine.IO and Socket.IO by hand."""

    def __init__(self, session: aiohttp.ClientSession, server: Server) -> None:
        self._session = session
        self._server = server
        self.frames: list[str] = []
        self.closed = asyncio.Event()
        self.answers_pings = True

    async def connect(self, role: str = "patient", auth: bool = True) -> Raw:
        url = f"{self._server.url}/socket.io/?EIO=4&transport=websocket"
        self.socket = await self._session.ws_connect(url, max_msg_size=0)
        self._task = asyncio.create_task(self._read())
        if auth:
            await self.send("40" + json.dumps({"v": 1, "token": self._server.token(role)}))
            await until(lambda: any(frame.startswith("40") for frame in self.frames))
        return self

    async def send(self, frame: str) -> None:
        await self.socket.send_str(frame)

    async def answer(self, number: int) -> dict[str, Any]:
        start = f"43{number}["
        await until(lambda: any(frame.startswith(start) for frame in self.frames))
        frame = next(frame for frame in self.frames if frame.startswith(start))
        answer: dict[str, Any] = json.loads(frame[len(start) - 1 :])[0]
        return answer

    async def close(self) -> None:
        await self.socket.close()
        await self._task

    async def _read(self) -> None:
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.frames.append(message.data)
                if message.data == "2" and self.answers_pings:
                    await self.socket.send_str("3")
        self.closed.set()


def malformed(chance: random.Random) -> tuple[Any, list[Any]]:
    """An event's name and arguments that the server must refuse."""
    name = chance.choice(sorted(VALID))
    payload: Any = {"v": 1, **VALID[name]}
    match chance.randrange(9):
        case 0:
            return chance.choice([*ODD, "connect", "disconnect", "state", "Enter", "enter ", "message", "admit\0"]), [
                payload
            ]
        case 1:
            return name, chance.choice([[], [payload, payload], [payload, None], *([odd] for odd in ODD[:-2])])
        case 2:
            return name, [{**payload, "v": chance.choice([None, "1", 0, 2, 1.0, True, [], 10**30])}]
        case 3:
            return name, [{**payload, chance.choice(["extra", "", "visit_id", "\ud800"]): chance.choice(ODD)}]
        case 4:
            del payload["v"]
            return name, [payload]
        case 5:
            return name, [{**payload, "pad": "x" * chance.choice([65_536, 100_000, 200_000])}]
        case 6:
            unauthorised, given = chance.choice(UNAUTHORISED)
            return unauthorised, [given]
        case _:
            name = chance.choice([name for name in sorted(VALID) if VALID[name]])
            field = chance.choice(sorted(VALID[name]))
            payload = {"v": 1, **VALID[name]}
            if chance.random() < 0.3:
                del payload[field]
            else:
                payload[field] = chance.choice(
                    [odd for odd in ODD if odd != {} or field not in ("publish", "subscribe")]
                )
                if field == "pc" and payload[field] == "__proto__":
                    payload[field] = None
                if field == "sdp":
                    payload[field] = None
            return name, [payload]


async def test_a_thousand_malformed_events_end_nothing_and_leak_nothing() -> None:
    print(f"SEED={SEED}")
    chance = random.Random(SEED)
    async with serving() as server, aiohttp.ClientSession() as session:
        doctor, first = await server.live()
        await doctor.say("offer", pc="d1", sdp="x", publish={"0": "camera"}, subscribe={})
        before = await doctor.sees(lambda state: state["tracks"] and state["recording"]["state"] == "on")
        facts = server.registry._actors["V1"].facts
        notes = server.recorder.notes()
        codes: dict[str, int] = {}
        seen: list[str] = []
        sent = 0
        while sent < EVENTS:
            raw = await Raw(session, server).connect()
            for number in range(A_CONNECTION):
                name, arguments = malformed(chance)
                await raw.send(f"42{number}" + json.dumps([name, *arguments]))
                sent += 1
            for number in range(A_CONNECTION):
                answer = await raw.answer(number)
                assert answer["ok"] is False, answer
                code = answer["error"]["code"]
                codes[code] = codes.get(code, 0) + 1
            assert (await doctor.say("resync"))["state"]["phase"] == "live"
            seen += raw.frames
            await raw.close()
        assert set(codes) == CODES, codes
        after = (await doctor.say("resync"))["state"]
        for part in ("phase", "ended", "tracks", "media", "consent", "recording", "times"):
            assert after[part] == before[part], part
        assert server.registry._actors["V1"].facts == facts
        assert [note for note in server.recorder.notes()[len(notes) :] if not note.endswith(":patient")] == []
        assert first.byes == ["taken_over"]
        assert not [frame for frame in seen if "王小英" in frame or "pat-1" in frame or "Traceback" in frame]
        back = await server.client("patient")
        assert (await back.say("offer", pc="p9", sdp="x", publish={"0": "camera"}, subscribe={}))["ok"]
        await doctor.sees(lambda state: len(state["tracks"]) == 2)
        await until(lambda: len(server.gateway._sessions) == 2)
        assert len(server.gateway.wire.eio.open_sockets) == 2


FRAMES: list[str | bytes] = [
    "",
    "x",
    "9",
    "0",
    "2",
    "5",
    "6",
    "4",
    "4x",
    "47",
    "42",
    "42x",
    "42{}",
    "42[]",
    '42"enter"',
    "42[" + "[" * 500,
    "42" + "9" * 200,
    "42" + "9" * 5000 + '["enter",{"v":1}]',
    '45["enter"]',
    '451-["enter",{"_placeholder":true,"num":0}]',
    '461-["x"]',
    '44{"message":"x"}',
    "44",
    "41",
    '40{"v":1}',
    "40/admin,",
    '42/admin,["enter",{"v":1}]' + "\x00",
    "4" + "2" * 300_000,
    "3" * 100,
    b"",
    b"4",
    b"\x00\x01\x02" * 100,
]


@pytest.mark.parametrize("frame", FRAMES, ids=[str(number) for number in range(len(FRAMES))])
async def test_what_is_no_packet_ends_its_own_connection_and_nothing_else(frame: str | bytes) -> None:
    async with serving() as server, aiohttp.ClientSession() as session:
        doctor = await server.client("doctor")
        raw = await Raw(session, server).connect()
        await doctor.sees(lambda state: state["seats"]["patient"]["present"])
        if isinstance(frame, bytes):
            await raw.socket.send_bytes(frame)
        else:
            await raw.send(frame)
        await asyncio.wait_for(raw.closed.wait(), PATIENCE_S)
        await doctor.sees(lambda state: not state["seats"]["patient"]["present"])
        assert (await doctor.say("resync"))["ok"]
        await until(lambda: len(server.gateway.wire.eio.open_sockets) == 1)
        await raw.close()


NEVER_TAKEN = {
    "a number of 400 digits": '42{}["messages",{"v":1,"after":' + "9" * 400 + "}]",
    "a number of 400 digits where text belongs": '42{}["advice",{"v":1,"text":' + "9" * 400 + "}]",
    "a version of 5000 digits": '42{}["enter",{"v":' + "1" * 5000 + "}]",
    "a negative one": '42{}["enter",{"v":-' + "1" * 5000 + "}]",
    "nested 9000 levels": '42{}["enter",{"v":1,"x":' + "[" * 9_000 + "]" * 9_000 + "}]",
    "nested 20000 levels": '42{}["resync",' + "[" * 20_000 + "]" * 20_000 + "]",
    "objects in objects": '42{}["end",{"v":1,"reason":' + '{"a":' * 9_000 + "1" + "}" * 9_000 + "}]",
    "a version twice": '42{}["enter",{"v":2,"v":1}]',
    "a reason twice": '42{}["end",{"v":1,"reason":"x","reason":"left"}]',
    "no number": '42{}["messages",{"v":1,"after":NaN}]',
    "infinity": '42{}["messages",{"v":1,"after":-Infinity}]',
}


@pytest.mark.parametrize("frame", NEVER_TAKEN.values(), ids=NEVER_TAKEN)
async def test_json_that_no_reader_agrees_on_is_refused_and_the_connection_stays(frame: str) -> None:
    async with serving() as server, aiohttp.ClientSession() as session:
        raw = await Raw(session, server).connect()
        await raw.send(frame.replace("{}", "7", 1))
        answer = await raw.answer(7)
        assert answer["error"]["code"] == "payload_invalid"
        await raw.send('428["resync",{"v":1}]')
        assert (await raw.answer(8))["state"]["phase"] == "scheduled"
        await raw.close()


@pytest.mark.parametrize(
    "auth", ['{"v":1,"token":"x","token":"TOKEN"}', '{"v":' + "1" * 5000 + "}", "[" * 9_000 + "]" * 9_000]
)
async def test_a_connect_that_no_reader_agrees_on_is_refused(auth: str) -> None:
    async with serving() as server, aiohttp.ClientSession() as session:
        raw = await Raw(session, server).connect(auth=False)
        await raw.send("40" + auth.replace("TOKEN", server.token("patient")))
        await until(lambda: any(frame.startswith("44") for frame in raw.frames))
        assert '"code":"auth_missing"' in raw.frames[-1]
        await raw.close()


async def test_nesting_beyond_the_size_of_an_event_is_too_large() -> None:
    async with serving() as server, aiohttp.ClientSession() as session:
        raw = await Raw(session, server).connect()
        await raw.send("427[" + "[" * 100_000)
        await until(lambda: any(frame.startswith("437[") for frame in raw.frames) or raw.closed.is_set())
        assert (await raw.answer(7))["error"]["code"] == "payload_too_large"
        await raw.close()


@pytest.mark.parametrize("more", [0, 1])
async def test_a_frame_of_256_kib_is_read_and_one_of_a_byte_more_closes_the_connection(more: int) -> None:
    async with serving() as server, aiohttp.ClientSession() as session:
        raw = await Raw(session, server).connect()
        await raw.send('427["message","' + "x" * (256 * 1024 - 17 + more) + '"]')
        await until(lambda: raw.closed.is_set() or any(frame.startswith("437[") for frame in raw.frames))
        assert raw.closed.is_set() is bool(more)
        await raw.close()


@pytest.mark.parametrize("namespace", ["/admin", "/é", "//", "/ "])
async def test_events_of_another_namespace_change_nothing(namespace: str) -> None:
    async with serving() as server, aiohttp.ClientSession() as session:
        raw = await Raw(session, server).connect()
        before = server.registry._actors["V1"].facts
        for number, event in enumerate(('["enter",{"v":1}]', '["end",{"v":1,"reason":"left"}]', '["resync",{"v":1}]')):
            await raw.send(f"42{namespace},{number}{event}")
            start = f"43{namespace},{number}["
            await until(lambda start=start: any(frame.startswith(start) for frame in raw.frames))
            answer = json.loads(raw.frames[-1][len(start) - 1 :])[0]
            assert (answer["ok"], answer["error"]["code"]) == (False, "namespace_unknown")
        await raw.send(f'42{namespace}{"x" * 100},9["enter",{{"v":1}}]')
        await until(lambda: any("problem" in frame for frame in raw.frames))
        assert '"namespace_unknown"' in raw.frames[-1]
        assert server.registry._actors["V1"].facts == before
        await raw.close()


@pytest.mark.parametrize("key", ["王小英", "x` - at `$.reason", "x` - at `$.王小英", "reason` - at `$.wang"])
async def test_a_refusal_repeats_nothing_that_was_sent(key: str, caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as server, aiohttp.ClientSession() as session:
        raw = await Raw(session, server).connect()
        await raw.send("421" + json.dumps(["end", {"v": 1, "reason": "left", key: 1}], ensure_ascii=False))
        await raw.send("422" + json.dumps(["end", {"v": 1, "reason": key}], ensure_ascii=False))
        for number in (1, 2):
            error = (await raw.answer(number))["error"]
            assert error["code"] == "payload_invalid"
            assert error["message"] in (
                "the payload is not what the protocol says",
                "`reason` is not what the protocol says",
            )
        assert "王" not in caplog.text
        await raw.close()


async def test_events_before_the_connect_close_the_connection() -> None:
    async with serving() as server, aiohttp.ClientSession() as session:
        raw = await Raw(session, server).connect(auth=False)
        await raw.send('420["end",{"v":1,"reason":"left"}]')
        await asyncio.wait_for(raw.closed.wait(), PATIENCE_S)
        assert server.registry._actors == {}


@pytest.mark.parametrize("again", ["40TOKEN", "40/x,{}", '420["enter",{"v":1}]'])
async def test_whoever_was_refused_is_heard_no_more(again: str) -> None:
    async with serving() as server, aiohttp.ClientSession() as session:
        raw = await Raw(session, server).connect(auth=False)
        await raw.send('40{"v":1,"token":"guessed"}')
        await until(lambda: any('"token_invalid"' in frame for frame in raw.frames))
        token = json.dumps({"v": 1, "token": server.token("patient")})
        await raw.send(again.replace("TOKEN", token))
        await asyncio.wait_for(raw.closed.wait(), PATIENCE_S)
        assert server.registry._actors == {}
        assert [frame[:2] for frame in raw.frames] == ["0{", "44"]


async def test_what_a_request_was_refused_for_is_not_quoted_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as server, aiohttp.ClientSession() as session:
        for query in ("EIO=4&transport=websocket&sid=a%0Aforged", "EIO=3&transport=websocket", "EIO=4&transport=x"):
            async with session.get(f"{server.url}/socket.io/?{query}") as answer:
                assert answer.status == 400
    assert [record for record in caplog.records if record.name.startswith("signaling")] == []


async def test_a_connection_that_never_says_who_it_is_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.sockets.wire.CONNECT_WITHIN_S", 0.05)
    async with serving() as server, aiohttp.ClientSession() as session:
        raw = await Raw(session, server).connect(auth=False)
        await asyncio.wait_for(raw.closed.wait(), PATIENCE_S)


async def test_a_socket_that_is_silent_loses_its_presence_but_not_its_seat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.sockets.wire.PING_INTERVAL_S", 0.1)
    monkeypatch.setattr("signaling.sockets.wire.PING_TIMEOUT_S", 2.0)  # who answers may have to wait for a core
    async with serving() as server, aiohttp.ClientSession() as session:
        doctor = await Raw(session, server).connect("doctor")
        patient = await Raw(session, server).connect()
        patient.answers_pings = False
        await asyncio.wait_for(patient.closed.wait(), PATIENCE_S)
        await until(lambda: not server.registry._actors["V1"].visit.life.patient.present)
        assert not doctor.closed.is_set()
        for raw in (doctor, patient):
            await raw.close()


async def test_a_client_that_does_not_read_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.sockets.wire.UNREAD_MOST", 4)
    async with serving() as server:
        doctor, patient = await server.client("doctor"), await server.client("patient")
        session = next(each for each in server.gateway._sessions.values() if each._seat == "patient")
        for _ in range(10):  # without yielding: nothing can be written meanwhile
            session.send("state", patient.newest)
        await asyncio.wait_for(patient.gone.wait(), PATIENCE_S)
        await doctor.sees(lambda state: not state["seats"]["patient"]["present"])
        assert (await doctor.say("resync"))["ok"]
