"""What every `DataPlane` does, seen from real DTLS-SRTP peers on loopback."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import pytest
from OpenSSL import SSL

from media.plane import IceCredentials, ProducerStarted
from media.rtp import rtcp
from media.tap import RECOVERED, SENDER_REPORT
from tests.contract.plane_peers import (
    OPUS,
    VP8_DELTA,
    VP8_KEY,
    Bench,
    Parsed,
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


async def pair(bench: Bench, *, rtx: bool = True) -> tuple[Peer, Peer]:
    """A patient whose camera a doctor watches."""
    patient, doctor = await Peer(bench, "p").connect(), await Peer(bench, "d").connect()
    bench.plane.publish("p", video())
    bench.plane.subscribe("d", viewing(rtx=rtx))
    return patient, doctor


async def film(peer: Peer, numbers: range, *, without: tuple[int, ...] = (), ssrc: int = 1111) -> None:
    """One packet a frame, the first of the range a keyframe; the payload's last byte is the number."""
    for n in numbers:
        if n not in without:
            payload = (VP8_KEY if n == numbers[0] else VP8_DELTA) + bytes((n & 255,))
            await peer.send(rtp(n, payload, pt=96, ssrc=ssrc, ts=n * 3000, marker=True, mid="1"))


def pictures(peer: Peer, pt: int = 100) -> list[Parsed]:
    return [p for p in map(parsed, peer.rtp) if p.pt == pt]


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


async def test_video_and_audio_are_forwarded_both_ways_with_numbers_rewritten() -> None:
    async with running_plane() as bench:
        plane = bench.plane
        patient, doctor = await pair(bench)
        plane.publish("p", audio())
        plane.publish("d", audio("doctor.microphone"))
        plane.subscribe("d", listening())
        plane.subscribe("p", listening("doctor.microphone"))
        await film(patient, range(65530, 65550))
        for n in range(20):
            await patient.send(rtp(100 + n, OPUS + bytes((n,)), pt=111, ssrc=3333, ts=n * 960))
            await doctor.send(rtp(9 + n, OPUS + bytes((n,)), pt=111, ssrc=3333, ts=n * 960))
        await until(lambda: len(doctor.rtp) == 40 and len(patient.rtp) == 20)
        seen = pictures(doctor)
        assert [(p.ssrc, p.marker, p.payload[-1]) for p in seen] == [(5555, True, n & 255) for n in range(65530, 65550)]
        assert [(p.seq - seen[0].seq) & 0xFFFF for p in seen] == list(range(20))
        assert [(p.ts - seen[0].ts) & 0xFFFFFFFF for p in seen] == [n * 3000 for n in range(20)]
        assert {p.first for p in seen} == {0x80}, "header extensions are left out"
        assert seen[0].seq < 0x8000
        assert {parsed(packet).pt for packet in patient.rtp} == {109}
        assert plane.stats("d").packets_out == 40
        assert plane.stats("p").packets_in == 40
        assert ProducerStarted("patient.camera", 1111, 96, "VP8") in bench.events


async def test_a_track_without_ssrcs_is_latched_by_its_mid_and_then_by_payload_type() -> None:
    async with running_plane() as bench:
        patient = await Peer(bench, "p").connect()
        bench.plane.publish("p", video(ssrcs=(), rtx_ssrcs={}))
        bench.plane.publish("p", video("patient.screen", mid="2", ssrcs=(), rtx_ssrcs={}))
        await patient.send(rtp(1, VP8_KEY, pt=96, ssrc=42))
        await until(lambda: bench.plane.drops.get("ssrc_unknown") == 1)
        await patient.send(rtp(1, VP8_KEY, pt=96, ssrc=43, mid="2"))
        await until(lambda: ProducerStarted("patient.screen", 43, 96, "VP8") in bench.events)
        bench.plane.unpublish("patient.camera")
        bench.plane.publish("p", audio(ssrc=1))
        await patient.send(rtp(1, OPUS, pt=111, ssrc=44))
        await until(lambda: ProducerStarted("patient.microphone", 44, 111, "opus") in bench.events)


async def test_a_consumer_begins_with_a_keyframe_that_is_asked_for_at_once() -> None:
    async with running_plane() as bench:
        patient, doctor = await Peer(bench, "p").connect(), await Peer(bench, "d").connect()
        bench.plane.publish("p", video())
        await film(patient, range(1, 4))
        await until(lambda: bench.plane.stats("p").packets_in == 3)
        bench.plane.subscribe("d", viewing())
        await until(lambda: patient.heard(rtcp.KeyframeRequest) == [rtcp.KeyframeRequest(1111)])
        await patient.send(rtp(4, VP8_DELTA, pt=96, ssrc=1111))
        await film(patient, range(5, 8))
        await until(lambda: len(doctor.rtp) == 3)
        assert [p.payload[-1] for p in pictures(doctor)] == [5, 6, 7]


async def test_a_keyframe_request_is_throttled_but_never_forgotten() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        await film(patient, range(1, 3))
        await until(lambda: len(doctor.rtp) == 2)
        for _ in range(20):
            await doctor.send(rtcp.pli(1, 5555))
        await until(lambda: len(patient.heard(rtcp.KeyframeRequest)) == 1)
        await asyncio.sleep(0.1)
        assert len(patient.heard(rtcp.KeyframeRequest)) == 1
        bench.clock.skew += 0.5
        await until(lambda: len(patient.heard(rtcp.KeyframeRequest)) == 2)
        await film(patient, range(3, 5))
        await until(lambda: len(doctor.rtp) == 4)
        bench.clock.skew += 5
        await asyncio.sleep(0.06)
        assert len(patient.heard(rtcp.KeyframeRequest)) == 2, "a keyframe came"


async def test_what_the_recorder_asks_for_is_not_asked_for_while_a_keyframe_is_on_its_way_to_it() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        await film(patient, range(1, 3))
        await until(lambda: len(doctor.rtp) == 2)
        bench.plane.request_keyframe("patient.camera")
        await asyncio.sleep(0.06)
        assert patient.heard(rtcp.KeyframeRequest) == []
        bench.clock.skew += 1.3
        bench.plane.request_keyframe("patient.camera")
        await until(lambda: len(patient.heard(rtcp.KeyframeRequest)) == 1)


async def test_the_recorders_keyframe_waits_for_repairs_but_not_for_ever() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        await film(patient, range(1, 5), without=(3,))
        await until(lambda: len(doctor.rtp) == 3)
        bench.clock.skew += 1.3  # old enough for the recorder; and what is missing is given up
        await until(lambda: len(patient.heard(rtcp.KeyframeRequest)) == 1)
        await film(patient, range(5, 9), without=(7,))
        await until(lambda: len(doctor.rtp) == 6)
        before = len(patient.heard(rtcp.KeyframeRequest))
        bench.plane._tracks["patient.camera"].producer.keyframe_at -= 2
        bench.plane.request_keyframe("patient.camera")
        await asyncio.sleep(0.1)
        assert len(patient.heard(rtcp.KeyframeRequest)) == before
        await film(patient, range(7, 8))
        await until(lambda: len(patient.heard(rtcp.KeyframeRequest)) == before + 1)


async def test_a_subscribers_nack_is_answered_on_the_rtx_stream() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        await film(patient, range(10, 20))
        await until(lambda: len(doctor.rtp) == 10)
        lost = [pictures(doctor)[n].seq for n in (3, 4, 8)]
        await doctor.send(rtcp.nack(1, 5555, [*lost, lost[-1] + 100]))
        await until(lambda: len(pictures(doctor, 101)) == 3)
        again = pictures(doctor, 101)
        assert [(p.ssrc, int.from_bytes(p.payload[:2], "big"), p.payload[-1]) for p in again] == [
            (6666, lost[0], 13),
            (6666, lost[1], 14),
            (6666, lost[2], 18),
        ]
        assert [p.seq - again[0].seq for p in again] == [0, 1, 2]
        assert again[0].ts == pictures(doctor)[3].ts


async def test_without_rtx_a_packet_is_sent_again_bit_for_bit() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench, rtx=False)
        await film(patient, range(10, 15))
        await until(lambda: len(doctor.rtp) == 5)
        sent = [data for data in doctor.raw if data[0] == 0x80 and data[1] & 0x7F == 100]
        await doctor.send(rtcp.nack(1, 5555, [parsed(sent[2]).seq]))
        await until(lambda: doctor.raw.count(sent[2]) == 2)


async def test_a_gap_is_asked_for_and_the_repair_is_unwrapped_forwarded_and_recorded() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        bench.plane.record("patient.camera", 7)
        await film(patient, range(10, 20), without=(14, 15))
        await until(lambda: len(patient.heard(rtcp.Nack)) > 0)
        assert patient.heard(rtcp.Nack)[0] == rtcp.Nack(1111, (14, 15))
        for n, osn in enumerate((14, 15, 13)):
            repair = osn.to_bytes(2, "big") + VP8_DELTA + bytes((osn,))
            await patient.send(rtp(500 + n, repair, pt=97, ssrc=2222, ts=osn * 3000, marker=True))
        await patient.send(rtp(503, b"", pt=97, ssrc=2222, padding=200))
        await until(lambda: bench.plane.drops.get("rtx_empty") == 1)
        await until(lambda: len(doctor.rtp) == 10)
        order = [10, 11, 12, 13, 16, 17, 18, 19, 14, 15]
        assert [p.payload[-1] for p in pictures(doctor)] == order
        first = pictures(doctor)[0].seq
        assert [p.seq - first + 10 for p in pictures(doctor)] == order
        assert [(handle, flags, data[-1]) for handle, flags, _, data in bench.sink.packets] == [
            (7, RECOVERED if n in (14, 15) else 0, n) for n in order
        ]
        assert parsed(bench.sink.packets[-1][3]) == replace(
            parsed(bench.sink.packets[0][3]), seq=15, ts=45000, payload=VP8_DELTA + b"\x0f", first=0x80
        )
        assert bench.plane.drops["duplicate"] == 1, "13 was there already"


async def test_what_never_comes_is_given_up_and_costs_a_keyframe() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        await film(patient, range(10, 20), without=(14,))
        await until(lambda: len(doctor.rtp) == 9)
        before = len(patient.heard(rtcp.KeyframeRequest))
        bench.clock.skew += 1.1
        await until(lambda: len(patient.heard(rtcp.KeyframeRequest)) > before)


async def test_an_outage_too_long_to_repair_costs_a_keyframe_at_once() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        await film(patient, range(10, 12))
        await until(lambda: len(doctor.rtp) == 2)
        before = len(patient.heard(rtcp.KeyframeRequest))
        await patient.send(rtp(400, VP8_DELTA, pt=96, ssrc=1111, ts=90000))
        await until(lambda: len(patient.heard(rtcp.KeyframeRequest)) > before)
        assert patient.heard(rtcp.Nack) == []


async def test_the_publisher_gets_reports_and_the_subscriber_gets_sender_reports_in_its_own_timestamps() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        bench.plane.publish("p", video(remb=True))
        bench.plane.record("patient.camera", 7)
        await film(patient, range(10, 20), without=(12, 13))
        ntp = 0xE0000000_40000000
        await patient.send(rtcp.sender_report(1111, ntp, 30000, 8, 800))
        await until(lambda: len(doctor.heard(rtcp.SenderReport)) > 0)
        report = doctor.heard(rtcp.SenderReport)[0]
        assert isinstance(report, rtcp.SenderReport)
        first = pictures(doctor)[0]
        elapsed = (report.ntp - ntp) / 2**32
        assert 0 <= elapsed < 1
        assert (report.rtp_time - first.ts) / 90000 == pytest.approx(elapsed, abs=0.001)
        assert (report.ssrc, report.packets) == (5555, 8)
        assert bench.sink.packets[-1][:2] == (7, SENDER_REPORT)
        assert bench.sink.packets[-1][3] == rtcp.sender_report(1111, ntp, 30000, 8, 800)
        await until(lambda: len(patient.heard(rtcp.ReceiverReport)) > 0)
        said = patient.heard(rtcp.ReceiverReport)[0]
        assert isinstance(said, rtcp.ReceiverReport)
        block = said.blocks[0]
        assert (block.ssrc, block.lost, block.highest, block.fraction) == (1111, 2, 19, 51)
        assert block.lsr == ntp >> 16 & 0xFFFFFFFF
        assert rtcp.Remb(3_000_000 >> 4 << 4, (1111,)) in patient.rtcp
        assert bench.plane.stats("p").loss_up == pytest.approx(0.2)


async def test_a_subscribers_report_tells_loss_and_round_trip() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        await film(patient, range(10, 20))
        await patient.send(rtcp.sender_report(1111, 5 << 32, 30000, 8, 800))
        await until(lambda: len(doctor.heard(rtcp.SenderReport)) > 0)
        report = doctor.heard(rtcp.SenderReport)[0]
        assert isinstance(report, rtcp.SenderReport)
        block = rtcp.ReportBlock(5555, 64, 1, 0, 0, report.ntp >> 16 & 0xFFFFFFFF, 0)
        await doctor.send(rtcp.receiver_report(1, [block]))
        await until(lambda: bench.plane.stats("d").loss_down == 0.25)
        rtt_ms = bench.plane.stats("d").rtt_ms
        assert rtt_ms is not None
        assert 0 <= rtt_ms < 5000


async def test_padding_only_packets_keep_their_place() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        await film(patient, range(10, 12))
        await patient.send(rtp(12, b"", pt=96, ssrc=1111, ts=33000, padding=255))
        await patient.send(rtp(13, VP8_DELTA, pt=96, ssrc=1111, ts=36000))
        await until(lambda: len(doctor.rtp) == 4)
        assert [p.seq - pictures(doctor)[0].seq for p in pictures(doctor)] == [0, 1, 2, 3]
        assert (pictures(doctor)[2].first, len(pictures(doctor)[2].payload)) == (0xA0, 255)


async def test_a_track_that_moves_to_a_new_transport_keeps_its_consumers_and_their_numbers_grow() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        await film(patient, range(10, 15))
        await until(lambda: len(doctor.rtp) == 5)
        again = await Peer(bench, "p2").connect()
        bench.plane.publish("p2", video(ssrcs=(9999,), rtx_ssrcs={}))
        bench.plane.close_transport("p")
        await again.send(rtp(60000, VP8_DELTA, pt=96, ssrc=9999, ts=7))
        await until(lambda: again.heard(rtcp.KeyframeRequest) == [rtcp.KeyframeRequest(9999)])
        await film(again, range(60001, 60004), ssrc=9999)
        await until(lambda: len(doctor.rtp) == 8)
        seen = pictures(doctor)
        assert [p.seq - seen[0].seq for p in seen] == list(range(8))
        assert 0 < (seen[5].ts - seen[4].ts) & 0xFFFFFFFF < 90000 * 10
        assert {p.ssrc for p in seen} == {5555}
        assert patient.heard(rtcp.KeyframeRequest) == [], "its stream began with a keyframe"


async def test_resubscribing_on_the_same_ssrc_never_goes_back() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        await film(patient, range(10, 15))
        await until(lambda: len(doctor.rtp) == 5)
        bench.plane.unsubscribe("d", "c1")
        await film(patient, range(15, 18))
        bench.plane.subscribe("d", viewing())
        await film(patient, range(18, 21))
        await until(lambda: len(doctor.rtp) >= 8)
        seqs = [p.seq for p in pictures(doctor)]
        assert len(set(seqs)) == len(seqs)
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))


async def test_unpublishing_ends_consumers_everywhere_and_unknown_names_are_bugs() -> None:
    async with running_plane() as bench:
        await pair(bench)
        bench.plane.unpublish("patient.camera")
        with pytest.raises(KeyError):
            bench.plane.unsubscribe("d", "c1")
        with pytest.raises(KeyError):
            bench.plane.subscribe("d", viewing())
        with pytest.raises(KeyError):
            bench.plane.stats("nobody")


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


async def test_packets_before_the_keys_are_dropped_and_the_subscriber_then_begins_with_a_keyframe() -> None:
    async with running_plane() as bench:
        patient, late = await Peer(bench, "p").connect(), Peer(bench, "d")
        bench.plane.publish("p", video())
        bench.plane.open_transport(late.spec)
        bench.plane.subscribe("d", viewing())
        await film(patient, range(10, 13))
        await late.checked()
        await late.dtls()
        await until(lambda: len(patient.heard(rtcp.KeyframeRequest)) == 1)
        await film(patient, range(13, 15))
        await until(lambda: len(late.rtp) == 2)


async def test_a_busy_socket_is_drained_after_a_nap_and_at_once_again_after_a_lull() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        (door,) = bench.plane._entrance.doors
        sent, rounds_busy = 0, 0
        while rounds_busy < 5:
            assert sent < 10_000, "it never became busy"
            await film(patient, range(sent, sent + 100))
            sent += 100
            await until(lambda total=sent: len(doctor.rtp) == total)  # type: ignore[misc]
            rounds_busy += door.busy
        await until(lambda: not door.busy)
        await film(patient, range(sent, sent + 5))
        await until(lambda: len(doctor.rtp) == sent + 5)
        seen = pictures(doctor)
        assert [p.seq - seen[0].seq for p in seen] == list(range(sent + 5))


async def test_what_is_closed_leaves_nothing_behind() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        await film(patient, range(10, 20), without=(15,))
        await until(lambda: len(doctor.rtp) == 9)
        bench.plane.restart_ice("d", IceCredentials("newfrag2", "n" * 24), doctor.local)
        half_open = Peer(bench, "h")
        bench.plane.open_transport(half_open.spec)
        await half_open.checked()
        for key in ("p", "d", "h"):
            bench.plane.close_transport(key)
        plane = bench.plane
        kept = (
            plane._transports,
            plane._associations.by_fragment,
            plane._tracks,
            plane._associations.shaking,
            plane._entrance.doors[0].paths,
        )
        assert [len(table) for table in kept] == [0] * 5
        assert not plane._forwarder.asking.lossy
        assert not plane._forwarder.asking.wanting
        await until(lambda: patient.dtls_state == doctor.dtls_state == "closed")
        patient.check()
        await until(lambda: bench.plane.drops.get("stun_unknown_ufrag") == 1)


async def test_a_server_behind_a_one_to_one_nat_announces_another_address_than_it_binds() -> None:
    async with running_plane(("203.0.113.9/127.0.0.1",)) as bench:
        ((ip, port),) = bench.plane.addresses
        assert ip == "203.0.113.9"
        assert bench.plane._entrance.doors[0].sock.getsockname() == ("127.0.0.1", port)


async def test_a_listener_that_fails_does_not_stop_the_plane() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        met: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: met.append(context["exception"]))

        def fail(_: object) -> None:
            raise AssertionError("a bug of the room's")

        bench.plane.on_event(fail)
        bench.plane._entrance.doors[0].busy = True
        await film(patient, range(10, 11))
        await until(lambda: len(met) == 1)
        await film(patient, range(11, 14))
        await until(lambda: len(doctor.rtp) == 3)
        bench.plane.on_event(bench.events.append)
