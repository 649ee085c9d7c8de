"""Strangers at the door while two people talk: nothing ends, nothing leaks."""

from __future__ import annotations

import asyncio
import json
import random
import socket

import aiohttp
import pytest

from tests.browser.pages import Visit, inbound, moving
from tests.browser.remote import Browser
from tests.system import PATIENT, System

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DATAGRAMS, SOCKETS = 10_000, 100
SEED = 2026


def datagram(dice: random.Random) -> bytes:
    """Noise, or something that begins like STUN, DTLS, RTP or RTCP."""
    size = dice.choice((0, 1, 12, 20, 100, 1200, 1500, 1501, 9000))
    first = dice.choice((b"", b"\x00\x01", b"\x16\xfe\xfd", b"\x80\x6f", b"\x80\xc8", b"\xff"))
    return (first + dice.randbytes(size))[:size]


async def media_ports(system: System) -> list[tuple[str, int]]:
    """Where the media worker listens, loopback only."""
    return [
        (found.laddr.ip, found.laddr.port)
        for found in system.part("media").net_connections(kind="udp4")
        if found.laddr.ip == "127.0.0.1"
    ]


async def knocks(system: System, dice: random.Random) -> None:
    """A stranger's WebSocket: no token, a wrong one, or no Socket.IO at all."""
    url = system.url + "/socket.io/?EIO=4&transport=websocket"
    auth = dice.choice(({}, {"v": 1}, {"v": 1, "token": "x" * 40}, {"v": 9, "token": None}, []))
    line = dice.choice(("40" + json.dumps(auth), "40", "42[]", '42["admit",{}]', "4", "x" * 70_000, '451-["end"]'))
    async with aiohttp.ClientSession() as session:
        try:
            async with asyncio.timeout(15), session.ws_connect(url) as stranger:
                await stranger.send_str(line)
                await stranger.send_str('42["end",{"v":1,"reason":"completed"}]')
                await stranger.receive()
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            return


async def test_ten_thousand_datagrams_and_a_hundred_strangers_end_nothing(
    system: System, doctors: Browser, patients: Browser
) -> None:
    dice = random.Random(SEED)
    log = system.data / "serve.log"
    before = log.stat().st_size
    visit = await Visit.live(system, doctors, patients)
    ports = await media_ports(system)
    assert ports
    lost_before = (await inbound(visit.patient, "video"))["packetsLost"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for number in range(DATAGRAMS):
            stranger.sendto(datagram(dice), ports[0])
            if number % 50 == 0:
                await asyncio.sleep(0.01)
    await asyncio.gather(*(knocks(system, dice) for _ in range(SOCKETS)))
    await asyncio.gather(moving(visit.doctor), moving(visit.patient))
    assert (await inbound(visit.patient, "video"))["packetsLost"] - lost_before <= 5
    assert (await system.api("GET", f"/visits/{visit.id}"))["phase"] == "live"
    await visit.end()
    said = log.read_bytes()[before:].decode()
    assert "Traceback" not in said
    secrets = [PATIENT["name"], system.api_key, *(link.partition("#")[2] for link in visit.links.values())]
    assert [secret for secret in secrets if str(secret) in said] == []
