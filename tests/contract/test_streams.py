"""ICE-TCP: the same transports over connections, and nothing that a connection can do to them."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from media.rtp import rtcp
from media.sockets.framing import MAX_FRAME, framed
from media.sockets.streams import MAX_FROM_ONE, MAX_WAITING, SEND_BUFFER, UNPROVEN_S
from media.transports import stun
from tests.contract.plane_peers import Bench, Peer, StreamPeer, parsed, rtp, running_plane, video, viewing
from tests.contract.plane_scenes import film, pictures
from tests.patience import PATIENCE_S, until

pytestmark = pytest.mark.asyncio


async def ended(sock: socket.socket) -> bool:
    """Whether the other side closes it, unanswered."""
    sock.setblocking(False)
    with sock:
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await asyncio.get_running_loop().sock_recv(sock, 100) == b""
            except ConnectionError:
                return True


def connected(bench: Bench) -> socket.socket:
    """A stranger's connection."""
    return socket.create_connection(bench.plane.addresses[0])


async def test_media_goes_from_tcp_to_udp_and_back_as_between_any_two() -> None:
    async with running_plane(tcp=True) as bench:
        assert bench.plane.takes_tcp
        patient, doctor = await StreamPeer(bench, "p").connect(), await Peer(bench, "d").connect()
        bench.plane.publish("p", video())
        bench.plane.subscribe("d", viewing())
        await film(patient, range(10, 40))
        await until(lambda: len(doctor.rtp) == 30)
        bench.plane.publish("d", video("doctor.camera"))
        bench.plane.subscribe("p", viewing(track="doctor.camera"))
        await film(doctor, range(10, 40))
        await until(lambda: len(patient.rtp) == 30)
        assert [p.payload[-1] for p in pictures(patient)] == list(range(10, 40))
        await until(lambda: bool(patient.heard(rtcp.ReceiverReport)) or bool(patient.rtcp))


async def test_a_transport_goes_on_by_udp_when_its_connection_ends_and_the_other_way_round() -> None:
    async with running_plane(tcp=True) as bench:
        patient, doctor = await Peer(bench, "p").connect(), await StreamPeer(bench, "d").connect()
        bench.plane.publish("p", video())
        bench.plane.subscribe("d", viewing())
        await film(patient, range(10, 13))
        await until(lambda: len(doctor.rtp) == 3)
        connection, server = doctor.sock, doctor.server
        asyncio.get_running_loop().remove_reader(connection.fileno())
        doctor.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        doctor.sock.bind(("127.0.0.1", 0))
        asyncio.get_running_loop().add_reader(doctor.sock.fileno(), Peer._readable, doctor, doctor.sock)
        doctor.send_raw = lambda data: doctor.sock.sendto(data, server)  # type: ignore[method-assign, assignment, misc]
        connection.close()
        await until(lambda: len(bench.plane._entrance.streams) == 0)
        await film(patient, range(13, 15))
        doctor.check(nominate=False)
        await until(lambda: len(doctor.stun) == 2)
        await film(patient, range(15, 18))
        await until(lambda: len(doctor.rtp) >= 6)
        assert bench.states("d") == ["connected"]


async def test_a_connection_brings_media_only_once_a_check_has_passed_on_it() -> None:
    async with running_plane(tcp=True) as bench:
        stranger = connected(bench)
        request = stun.binding_request(os.urandom(12), "nobody:me", stun.ShortTermKey("x" * 22), 1, True)
        stranger.send(framed(request) + framed(rtp(1, b"x", pt=96, ssrc=1)) + framed(b"\x16" + bytes(30)))
        await until(lambda: bench.plane.drops.get("unvalidated") == 2)
        assert bench.plane.drops["stun_unknown_ufrag"] == 1
        bench.clock.skew += UNPROVEN_S + 1
        assert await ended(stranger)
        assert bench.plane.drops["tcp_unproven"] == 1


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        (MAX_FRAME + 1).to_bytes(2, "big") + bytes(10),
        framed(b"\x80" + bytes(30)),
        b"\xff" * 5000,
    ],
)
async def test_a_connection_that_speaks_something_else_is_closed_unanswered(said: bytes) -> None:
    async with running_plane(tcp=True) as bench:
        stranger = connected(bench)
        stranger.send(said)
        assert await ended(stranger)
        assert bench.plane.drops["tcp_framing"] == 1
        assert len(bench.plane._entrance.streams) == 0


async def test_one_address_may_hold_only_so_many_connections() -> None:
    async with running_plane(tcp=True) as bench:
        held = [connected(bench) for _ in range(MAX_FROM_ONE)]
        await until(lambda: len(bench.plane._entrance.streams) == MAX_FROM_ONE)
        assert await ended(connected(bench))
        held.pop().close()
        await until(lambda: len(bench.plane._entrance.streams) == MAX_FROM_ONE - 1)
        held.append(connected(bench))
        await until(lambda: len(bench.plane._entrance.streams) == MAX_FROM_ONE)
        for one in held:
            one.close()


async def test_a_reader_that_stops_costs_a_bounded_buffer_and_gets_whole_packets_afterwards() -> None:
    async with running_plane(tcp=True) as bench:
        patient, doctor = await Peer(bench, "p").connect(), StreamPeer(bench, "d")
        await doctor.connect()
        bench.plane.publish("p", video())
        bench.plane.subscribe("d", viewing())
        loop = asyncio.get_running_loop()
        loop.remove_reader(doctor.sock.fileno())
        (stream,) = bench.plane._entrance.streams._streams
        stream.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        sent = 0
        while bench.plane.drops.get("send_full", 0) < 50:
            payload = (b"\x10\x00\x9d\x01\x2a" if sent == 0 else b"\x10\x01") + bytes(1100)
            await patient.send(rtp(sent, payload, pt=96, ssrc=1111, ts=sent * 3000, marker=True, mid="1"))
            sent += 1
            assert sent < 20_000, "it never filled"
            if sent % 20 == 0:
                await asyncio.sleep(0)
        assert len(stream._out) <= MAX_WAITING <= SEND_BUFFER
        loop.add_reader(doctor.sock.fileno(), doctor._readable, doctor.sock)
        await until(lambda: not stream._out and len(doctor.rtp) > 10)
        assert {len(parsed(packet).payload) for packet in doctor.rtp} <= {1102, 1105}, "no packet was cut"
