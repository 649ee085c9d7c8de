"""Who is let into the data plane, by which way, and when they count as gone, seen from real DTLS-SRTP peers."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import pytest
from OpenSSL import SSL

from media.plane import IceCredentials
from media.rtp import rtcp
from tests.contract.plane_peers import OPUS, Peer, audio, rtp, running_plane
from tests.contract.plane_scenes import film, pair
from tests.patience import until


async def test_a_peer_connects_by_ice_lite_and_dtls_with_aes_gcm() -> None:
    async with running_plane() as bench:
        peer = await Peer(bench, "a").connect()
        assert bench.states("a") == ["connected"]
        assert peer._dtls._ssl.get_selected_srtp_profile() == b"SRTP_AEAD_AES_128_GCM"
        await peer.close()
        await until(lambda: bench.states("a") == ["connected", "gone"])


async def test_a_peer_connects_over_ipv6_on_the_same_port() -> None:
    async with running_plane(("127.0.0.1", "::1")) as bench:
        (_, port), (_, port6) = bench.plane.addresses
        assert port == port6
        await Peer(bench, "a", host="::1").connect()


async def test_a_peer_that_knows_only_sha1_80_is_served_too() -> None:
    async with running_plane() as bench:
        patient = Peer(bench, "p")
        patient._dtls._srtp_profiles = patient._dtls._srtp_profiles[-1:]
        await patient.connect()
        assert patient._dtls._ssl.get_selected_srtp_profile() == b"SRTP_AES128_CM_SHA1_80"
        bench.plane.publish("p", audio())
        await patient.send(rtp(1, OPUS, pt=111, ssrc=3333))
        await until(lambda: bench.plane.stats("p").packets_in == 1)


async def test_silence_is_told_then_mended_then_final() -> None:
    async with running_plane() as bench:
        peer = await Peer(bench, "a").connect()
        bench.clock.skew += 5.5
        await until(lambda: bench.states("a") == ["connected", "silent"])
        peer.check()
        await until(lambda: bench.states("a") == ["connected", "silent", "connected"])
        bench.clock.skew += 30.5
        await until(lambda: bench.states("a")[-1] == "gone")
        with pytest.raises(KeyError):
            bench.plane.stats("a")


async def test_a_peer_that_checks_but_never_shakes_hands_is_given_up() -> None:
    async with running_plane() as bench:
        peer = Peer(bench, "a")
        bench.plane.open_transport(peer.spec)
        for _ in range(4):
            await peer.checked()
            bench.clock.skew += 8
        await until(lambda: bench.states("a") == ["gone"])


async def test_a_peer_with_another_certificate_than_its_sdp_names_is_refused() -> None:
    async with running_plane() as bench:
        peer = Peer(bench, "a")
        spec = replace(peer.spec, fingerprints=(("sha-256", "00" * 32),))
        bench.plane.open_transport(spec)
        await peer.checked()
        await peer.dtls()
        await until(lambda: bench.states("a") == ["gone"])
        assert bench.plane.drops["dtls_refused"] == 1


async def test_a_strangers_client_hello_is_ignored_before_and_after_the_handshake() -> None:
    async with running_plane() as bench:
        stranger = SSL.Connection(SSL.Context(SSL.DTLS_METHOD))
        stranger.set_connect_state()
        with pytest.raises(SSL.WantReadError):
            stranger.do_handshake()
        hello = stranger.bio_read(2000)
        peer = Peer(bench, "a")
        bench.plane.open_transport(peer.spec)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
            await peer.checked()
            for _ in range(100):
                elsewhere.sendto(hello, peer.server)
            await peer.dtls()
            for _ in range(10):
                elsewhere.sendto(hello, peer.server)
                peer.send_raw(hello)
            bench.plane.publish("a", audio())
            await peer.send(rtp(1, OPUS, pt=111, ssrc=3333))
            await until(lambda: bench.plane.stats("a").packets_in == 1)
        assert bench.plane.drops["unvalidated"] == 110
        assert bench.states("a") == ["connected"]


async def test_the_send_address_moves_only_with_an_authenticated_nomination() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        first_port = doctor.sock.getsockname()[1]
        doctor.move()
        doctor.check(password="wrong")
        await until(lambda: len(doctor.stun) == 2)
        assert doctor.stun[-1][:2] == b"\x01\x11", "an error response"
        doctor.check(nominate=False)
        await until(lambda: len(doctor.stun) == 3)
        await film(patient, range(10, 13))
        await until(lambda: bench.plane.stats("d").packets_out == 3)
        assert doctor.rtp == []
        doctor.check(nominate=True)
        await until(lambda: len(doctor.stun) == 4)
        await film(patient, range(13, 16))
        await until(lambda: len(doctor.rtp) == 3)
        assert doctor.sock.getsockname()[1] != first_port


async def test_unknown_fragments_are_answered_with_silence_and_errors_are_rationed() -> None:
    async with running_plane() as bench:
        peer = await Peer(bench, "a").connect()
        answers = len(peer.stun)
        for _ in range(10):
            peer.check(ufrag="nobody")
        for _ in range(50):
            peer.check(password="wrong")
        await until(lambda: bench.plane.drops.get("stun_unauthentic") == 50)
        await asyncio.sleep(0.02)
        assert len(peer.stun) - answers <= 10, "five a second and source"
        assert bench.plane.drops["stun_unknown_ufrag"] == 10


async def test_ice_restarts_on_the_same_association() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        await film(patient, range(5, 8))
        await until(lambda: len(doctor.rtp) == 3)
        old, new = doctor.remote, IceCredentials("newfrag1", "n" * 24)
        bench.plane.restart_ice("d", new, doctor.local)
        await doctor.checked()
        doctor.move()
        doctor.remote = new
        asked = len(patient.heard(rtcp.KeyframeRequest))
        await doctor.checked()
        await until(lambda: len(patient.heard(rtcp.KeyframeRequest)) > asked)  # PLANE-6
        await film(patient, range(10, 13))
        await until(lambda: len(doctor.rtp) == 6)
        doctor.remote = old
        doctor.check()
        await until(lambda: bench.plane.drops.get("stun_unknown_ufrag") == 1)
        assert bench.states("d") == ["connected"]


async def test_a_server_behind_a_one_to_one_nat_announces_another_address_than_it_binds() -> None:
    async with running_plane(("203.0.113.9/127.0.0.1",)) as bench:
        ((ip, port),) = bench.plane.addresses
        assert ip == "203.0.113.9"
        assert bench.plane._entrance.doors[0].sock.getsockname() == ("127.0.0.1", port)
