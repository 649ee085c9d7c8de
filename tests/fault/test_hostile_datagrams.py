"""Ten thousand hostile datagrams at the media port of a live call: nothing ends, nothing is injected, nothing grows."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket

import pylibsrtp

from media.plane import TransportMoved
from media.rtp import rtcp
from tests.contract.plane_peers import (
    OPUS,
    VP8_DELTA,
    VP8_KEY,
    Bench,
    Peer,
    audio,
    listening,
    parsed,
    rtp,
    running_plane,
    viewing,
)
from tests.contract.plane_peers import video as camera
from tests.patience import until

SEED = 20_260_504
COUNT = 10_000


def _datagrams(rng: random.Random, samples: list[bytes]) -> list[bytes]:
    """Random, truncated, extended, bit-flipped and replayed, of every first byte."""
    made: list[bytes] = [b"", b"\x00" * 1501, bytes(1500)]
    while len(made) < COUNT:
        kind = rng.randrange(6)
        sample = rng.choice(samples)
        if kind == 0:
            made.append(rng.randbytes(rng.randrange(1, 1501)))
        elif kind == 1:
            made.append(
                bytes((rng.choice((0, 1, 20, 22, 23, 63, 128, 144, 191, 255)),)) + rng.randbytes(rng.randrange(200))
            )
        elif kind == 2:
            made.append(sample[: rng.randrange(len(sample))])
        elif kind == 3:
            flipped = bytearray(sample)
            flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
            made.append(bytes(flipped))
        elif kind == 4:
            made.append(sample + rng.randbytes(rng.randrange(1, 40)))
        else:
            made.append(sample)
    return made


async def _call(bench: Bench) -> tuple[Peer, Peer]:
    patient, doctor = await Peer(bench, "p").connect(), await Peer(bench, "d").connect()
    bench.plane.publish("p", camera())
    bench.plane.publish("p", audio())
    bench.plane.subscribe("d", viewing())
    bench.plane.record("patient.camera", 1)
    return patient, doctor


async def test_ten_thousand_hostile_datagrams_end_no_call_and_inject_no_frame() -> None:
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    async with running_plane() as bench:
        patient, doctor = await _call(bench)
        caught: list[bytes] = []
        real_send = patient.send_raw
        patient.send_raw = lambda data: (caught.append(data), real_send(data))[1]  # type: ignore[method-assign]
        for n in range(10):
            await patient.send(rtp(n + 1, VP8_KEY + bytes((n,)), pt=96, ssrc=1111, ts=n * 3000, mid="1"))
            await patient.send(rtp(n + 1, OPUS, pt=111, ssrc=3333, ts=n * 960))
        await patient.send(rtcp.sender_report(1111, 1 << 40, 27000, 10, 60))
        patient.check()
        del patient.send_raw
        await until(lambda: len(doctor.rtp) == 10 and len(bench.sink.packets) == 11)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for n, datagram in enumerate(_datagrams(rng, caught)):
                if n % 2:
                    patient.send_raw(datagram)
                else:
                    stranger.sendto(datagram, patient.server)
                if n % 100 == 0:
                    await asyncio.sleep(0)
        await patient.send(rtp(11, VP8_DELTA + b"end", pt=96, ssrc=1111, ts=30000))
        await until(lambda: len(doctor.rtp) >= 11)
        assert len(doctor.rtp) == 11, "nothing was injected"
        assert parsed(doctor.rtp[-1]).payload == VP8_DELTA + b"end"
        assert len(bench.sink.packets) == 12
        assert [event.state for event in bench.events if isinstance(event, TransportMoved)] == ["connected"] * 2
        assert list(bench.plane._transports["p"].ice.paths) == [bench.plane._transports["p"].path], (
            "no address was let in"
        )
        drops = bench.plane.drops
        assert drops["unvalidated"] > 1000
        assert drops["srtp_refused"] > 500
        assert drops["stun_malformed"] > 100
        assert drops["stun_unauthentic"] > 10, "a check repeated from elsewhere is refused"


async def test_an_authenticated_peer_that_sends_nonsense_harms_only_itself() -> None:
    rng = random.Random(SEED)
    async with running_plane() as bench:
        patient, doctor = await _call(bench)
        await patient.send(rtp(1, VP8_KEY, pt=96, ssrc=1111, mid="1"))
        await until(lambda: len(doctor.rtp) == 1)
        for n in range(2000):
            head = rtp(
                rng.randrange(1 << 16), b"", pt=rng.randrange(128), ssrc=rng.choice((1111, 2222, 3333, n + 9000))
            )
            packet = bytearray(head + rng.randbytes(rng.randrange(60)))
            packet[0] = 0x80 | rng.randrange(64)
            if 64 <= packet[1] & 127 < 96:
                packet[1] = 96
            with contextlib.suppress(pylibsrtp.Error):  # where their own libsrtp refuses a header that does not fit
                patient.send_raw(patient._dtls._tx_srtp.protect(bytes(packet)))
            if n % 50 == 0:
                await asyncio.sleep(0)
            report = rng.randbytes(rng.randrange(4, 60) * 4)
            kind = bytes((0x80 | rng.randrange(32), rng.choice((200, 201, 202, 203, 205, 206, 207))))
            with contextlib.suppress(pylibsrtp.Error):
                compound = kind + rng.randrange(20).to_bytes(2, "big") + report
                doctor.send_raw(doctor._dtls._tx_srtp.protect_rtcp(compound))
        await asyncio.sleep(0.1)
        assert bench.states("p") == bench.states("d") == ["connected"]
        transport = bench.plane._transports["p"]
        assert len(transport.strangers) + len(transport.streams) <= 64
        bystander, listener = await Peer(bench, "x").connect(), await Peer(bench, "y").connect()
        bench.plane.publish("x", audio("x.microphone", ssrc=5))
        bench.plane.subscribe("y", listening("x.microphone"))
        await bystander.send(rtp(1, OPUS, pt=111, ssrc=5))
        await until(lambda: len(listener.rtp) == 1)


async def test_the_client_hello_race_is_won_every_time() -> None:
    junk = [bytes((22, 254, 253)) + os.urandom(60) for _ in range(50)]
    async with running_plane() as bench:
        for n in range(20):
            peer = Peer(bench, f"r{n}")
            bench.plane.open_transport(peer.spec)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                for datagram in junk[:25]:
                    stranger.sendto(datagram, peer.server)
                await peer.checked()
                for datagram in junk[25:]:
                    stranger.sendto(datagram, peer.server)
                    peer.send_raw(datagram)
                await peer.dtls()
            await until(lambda key=peer.key: "connected" in bench.states(key))  # type: ignore[misc]
