"""What every `DataPlane` does with packets, seen from real DTLS-SRTP peers on loopback."""

from __future__ import annotations

import asyncio

import pytest

from media.plane import IceCredentials, ProducerStarted
from media.rtp import rtcp
from media.tap import SENDER_REPORT
from tests.contract.plane_peers import (
    OPUS,
    VP8_DELTA,
    VP8_KEY,
    Peer,
    audio,
    listening,
    parsed,
    rtp,
    running_plane,
    video,
    viewing,
)
from tests.contract.plane_scenes import film, pair, pictures
from tests.patience import until


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
