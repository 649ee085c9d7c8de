"""Janus VideoRoom as a load server, over its Unix-socket API; also writes the configuration it runs with."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.bench.load import Client, Seat, begin
from tests.bench.sdp import AUDIO_PT, VIDEO_PT, Line, payload_types, read, write
from tests.bench.source import Source

PLUGIN = "janus.plugin.videoroom"
NO_SUCH_FEED = 428
OTHER_PLUGINS = (
    *("audiobridge", "duktape", "echotest", "lua", "nosip", "recordplay", "sip"),
    *("streaming", "textroom", "videocall", "voicemail"),
)
LISTENS_S = 5.0
OTHER_TRANSPORTS = ("http", "mqtt", "nanomsg", "rabbitmq", "websockets")


def write_configuration(folder: Path, sock: Path, interface_ip: str) -> list[str]:
    """Configuration files in `folder`; returns the command line."""
    folder.mkdir(parents=True, exist_ok=True)
    no_plugins = ",".join(f"libjanus_{name}.so" for name in OTHER_PLUGINS)
    no_transports = ",".join(f"libjanus_{name}.so" for name in OTHER_TRANSPORTS)
    (folder / "janus.jcfg").write_text(
        "general: { debug_level = 2; log_to_stdout = true; session_timeout = 0; }\n"
        "media: { ipv6 = false; }\n"
        f'nat: {{ ice_lite = false; full_trickle = false; ice_enforce_list = "{interface_ip}"; }}\n'
        f'plugins: {{ disable = "{no_plugins}"; }}\n'
        f'transports: {{ disable = "{no_transports}"; }}\n'
    )
    (folder / "janus.transport.pfunix.jcfg").write_text(
        f'general: {{ enabled = true; json = "compact"; path = "{sock}"; type = "SOCK_SEQPACKET"; }}\n'
    )
    (folder / "janus.plugin.videoroom.jcfg").write_text("general: { }\n")
    return ["janus", "-F", str(folder), "-i", interface_ip]


class Rooms:
    """One session: rooms, publishers and subscribers are handles in it."""

    def __init__(self, path: str, prefix: str, record: bool) -> None:
        self._path, self._prefix, self._record = path, prefix, record
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def __aenter__(self) -> Rooms:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setblocking(False)
        async with asyncio.timeout(LISTENS_S):
            while True:
                try:
                    await asyncio.get_running_loop().sock_connect(self._socket, self._path)
                    break
                except ConnectionRefusedError:  # its socket has a name a moment before it listens
                    await asyncio.sleep(0.01)
        self._tasks = [asyncio.create_task(self._read())]
        self._session = (await self._ask(janus="create"))["data"]["id"]
        self._tasks.append(asyncio.create_task(self._keep_alive()))
        self._control = await self._attach()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        self._socket.close()

    async def join(self, room: int, client: Client, seats: tuple[Seat, Seat]) -> None:
        """A room, two publishers, and a subscriber handle for each to the other."""
        record = {"record": True, "rec_dir": str(Path(self._path).parent / f"rec-{room}")} if self._record else {}
        body = {
            "request": "create",
            "room": room + 1,
            "publishers": 2,
            "audiocodec": "opus",
            "videocodec": "vp8",
            **record,
        }
        await self._message(self._control, body)
        for seat in seats:
            await self._publish(room + 1, client, seat)
        for seat in seats:
            assert seat.sender is not None
            await seat.sender.connected
        for seat, other in zip(seats, reversed(seats), strict=True):
            await self._subscribe(room + 1, client, seat, other)

    async def _publish(self, room: int, client: Client, seat: Seat) -> None:
        handle = await self._attach()
        await self._event(handle, {"request": "join", "ptype": "publisher", "room": room, "id": seat.number + 1})
        peer = client.peer()
        lines = [Line("audio", "sendonly", seat.audio_ssrc), Line("video", "sendonly", seat.video_ssrc)]
        offer = {"type": "offer", "sdp": write(peer, lines, "actpass")}
        said = await self._event(handle, {"request": "publish"}, offer)
        answer = said["jsep"]["sdp"]
        assert {AUDIO_PT, VIDEO_PT} <= payload_types(answer)
        begin(peer, read(answer, self._prefix), controlling=True, answered=True)
        seat.sender, seat.source = peer, Source(seat.audio_ssrc, seat.video_ssrc, AUDIO_PT, VIDEO_PT)

    async def _subscribe(self, room: int, client: Client, seat: Seat, other: Seat) -> None:
        handle = await self._attach()
        asked = {"request": "join", "ptype": "subscriber", "room": room, "streams": [{"feed": other.number + 1}]}
        said = await self._when_published(handle, asked)
        offer = said["jsep"]["sdp"]
        peer = client.peer()
        lines = [Line("audio", "recvonly"), Line("video", "recvonly")]
        answer = {"type": "answer", "sdp": write(peer, lines, "active")}
        await self._event(handle, {"request": "start", "room": room}, answer)
        begin(peer, read(offer, self._prefix), controlling=False, answered=False)

    async def _when_published(self, handle: int, body: dict[str, Any]) -> dict[str, Any]:
        """Janus knows a feed only after its own side of the handshake; ask until it does."""
        for _ in range(50):
            said = await self._event(handle, body, refusals=(NO_SUCH_FEED,))
            if "error" not in said["plugindata"]["data"]:
                return said
            await asyncio.sleep(0.05)
        raise AssertionError(said["plugindata"]["data"])

    async def _attach(self) -> int:
        return int((await self._ask(janus="attach", session_id=self._session, plugin=PLUGIN))["data"]["id"])

    async def _message(self, handle: int, body: dict[str, Any]) -> dict[str, Any]:
        """A synchronous plugin request."""
        said = await self._ask(janus="message", session_id=self._session, handle_id=handle, body=body)
        data = said["plugindata"]["data"]
        assert "error" not in data, data
        return dict(data)

    async def _event(
        self, handle: int, body: dict[str, Any], jsep: dict[str, str] | None = None, refusals: tuple[int, ...] = ()
    ) -> dict[str, Any]:
        """An asynchronous plugin request: acknowledged first, then answered by an event with the same transaction."""
        more = {"jsep": jsep} if jsep else {}
        said = await self._ask(janus="message", session_id=self._session, handle_id=handle, body=body, **more)
        data = said["plugindata"]["data"]
        assert "error" not in data or data["error_code"] in refusals, data
        return said

    async def _ask(self, **message: Any) -> dict[str, Any]:
        transaction = f"t{next(self._numbers)}"
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[transaction] = answer
        data = json.dumps({**message, "transaction": transaction}).encode()
        await asyncio.get_running_loop().sock_sendall(self._socket, data)
        async with asyncio.timeout(20):
            return await answer

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(self._socket, 1 << 20):
            said = json.loads(data)
            if said.get("janus") == "ack" and "hint" not in said and "data" not in said:
                continue
            waiting = self._waiting.pop(said.get("transaction", ""), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(said)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(20)
            await self._ask_quietly()

    async def _ask_quietly(self) -> None:
        data = {"janus": "keepalive", "session_id": self._session, "transaction": f"t{next(self._numbers)}"}
        await asyncio.get_running_loop().sock_sendall(self._socket, json.dumps(data).encode())
