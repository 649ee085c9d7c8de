"""What the data plane asks for and sends again, keyframes and packets, seen from real DTLS-SRTP peers."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from media.rtp import rtcp
from media.tap import RECOVERED
from tests.contract.plane_peers import VP8_DELTA, Peer, parsed, rtp, running_plane, video, viewing
from tests.contract.plane_scenes import film, pair, pictures
from tests.patience import until


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


@pytest.mark.parametrize(("stopped_s", "asked_after_s"), [(0.3, 8.1), (0.02, 1.3)])
async def test_a_recording_has_fewer_keyframes_where_they_stop_the_picture(
    stopped_s: float, asked_after_s: float
) -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        await film(patient, range(1, 3))
        await until(lambda: len(doctor.rtp) == 2)
        producer = bench.plane._tracks["patient.camera"].producer
        for at_s in (bench.clock() + 1, bench.clock() + 2):
            producer.reception.standstill.frame(at_s)
            producer.reception.standstill.keyframe()
            producer.reception.standstill.frame(at_s + stopped_s)
        for after_s in (0.5, 1.3, 7.0, 8.1):
            producer.keyframe_at = bench.clock() - after_s
            bench.plane.request_keyframe("patient.camera", old=True)
            await bench.looks()
            assert bool(patient.heard(rtcp.KeyframeRequest)) is (after_s >= asked_after_s), after_s


async def test_no_keyframe_is_asked_for_while_its_senders_way_is_jammed_until_the_last_is_old() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        await film(patient, range(1, 3))
        await until(lambda: len(doctor.rtp) == 2)
        bench.hold_clock()
        uplink, now = bench.plane._transports["p"].uplink, bench.clock()
        for n in range(100):  # a queue of 0.3 s stands from the middle on
            uplink.hear(1e4 + n / 50, now - 2 + n / 50 + (0.3 if n > 50 else 0))
        assert uplink.jammed(now)
        producer = bench.plane._tracks["patient.camera"].producer
        for old_s, asked in ((2.0, 0), (7.9, 0), (8.1, 1)):
            producer.keyframe_at = bench.clock() - old_s
            bench.plane.request_keyframe("patient.camera")
            await bench.looks()
            assert len(patient.heard(rtcp.KeyframeRequest)) == asked, old_s


async def test_what_was_put_off_in_a_jam_is_asked_for_as_soon_as_it_is_over() -> None:
    async with running_plane() as bench:
        patient, doctor = await pair(bench)
        await film(patient, range(1, 3))
        await until(lambda: len(doctor.rtp) == 2)
        bench.hold_clock()
        uplink, now = bench.plane._transports["p"].uplink, bench.clock()
        for n in range(100):
            uplink.hear(1e4 + n / 50, now - 2 + n / 50 + (0.3 if n > 50 else 0))
        bench.plane._tracks["patient.camera"].producer.keyframe_at = now - 2
        bench.plane.request_keyframe("patient.camera")
        await bench.looks()
        assert patient.heard(rtcp.KeyframeRequest) == []
        uplink.hear(1e4 + 2, now)
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
