"""What every `DataPlane` does, seen from real DTLS-SRTP peers on loopback."""

from __future__ import annotations

import asyncio

import pytest

from media.plane import ProducerStarted
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
    until,
    video,
    viewing,
)


async def test_a_peer_connects_by_ice_lite_and_dtls_with_aes_gcm() -> None:
    async with running_plane() as bench:
        peer = await Peer(bench, "a").connect()
        assert bench.states("a") == ["connected"]
        assert peer.dtls_state == "connected"
        assert peer._dtls._ssl.get_selected_srtp_profile() == b"SRTP_AEAD_AES_128_GCM"
        await peer.close()
        await until(lambda: bench.states("a") == ["connected", "gone"])


async def test_video_and_audio_are_forwarded_both_ways_with_numbers_rewritten() -> None:
    async with running_plane() as bench:
        plane = bench.plane
        patient, doctor = await Peer(bench, "p").connect(), await Peer(bench, "d").connect()
        plane.publish("p", video())
        plane.publish("p", audio())
        plane.publish("d", audio("doctor.microphone"))
        plane.subscribe("d", viewing())
        plane.subscribe("d", listening())
        plane.subscribe("p", listening("doctor.microphone"))
        for n in range(20):
            payload = VP8_KEY if n == 0 else VP8_DELTA
            await patient.send(
                rtp(65530 + n, payload + bytes((n,)), pt=96, ssrc=1111, ts=n * 3000, marker=True, mid="1")
            )
            await patient.send(rtp(100 + n, OPUS + bytes((n,)), pt=111, ssrc=3333, ts=n * 960))
            await doctor.send(rtp(9 + n, OPUS + bytes((n,)), pt=111, ssrc=3333, ts=n * 960))
        await until(lambda: len(doctor.rtp) == 40 and len(patient.rtp) == 20)
        seen = [parsed(packet) for packet in doctor.rtp if parsed(packet).ssrc == 5555]
        assert [(p.pt, p.marker, p.payload[-1]) for p in seen] == [(100, True, n) for n in range(20)]
        assert [(p.seq - seen[0].seq) & 0xFFFF for p in seen] == list(range(20))
        assert [(p.ts - seen[0].ts) & 0xFFFFFFFF for p in seen] == [n * 3000 for n in range(20)]
        assert {p.first for p in seen} == {0x80}, "header extensions are left out"
        assert seen[0].seq < 0x8000
        assert {parsed(packet).pt for packet in patient.rtp} == {109}
        assert plane.stats("d").packets_out == 40
        assert plane.stats("p").packets_in == 40
        started = [event for event in bench.events if isinstance(event, ProducerStarted)]
        assert ProducerStarted("patient.camera", 1111, 96, "VP8") in started
